//! People of a whole site, by the lines of two cameras.

use jiff::{SignedDuration, Timestamp};
use lookout::config::load_site;
use lookout::config::plan::Site;
use lookout::engine::site::SiteStage;
use lookout::types::{Direction, SiteCrossed};

use super::groups::{LINE_TEXT, crossed};
use super::*;

const CAMERAS: [&str; 2] = ["north", "south"];

/// The way in is from left to right at the first gate, from right to left at the second.
const INWARD: [Direction; 2] = [Direction::LeftToRight, Direction::RightToLeft];

fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("cameras")).unwrap();
    let mut text = "id = \"t\"\ndata = \"data\"\n[[rule]]\nid = \"park\"\nkind = \"occupancy\"\npeople = 4\nrelease = 3\nhold = \"1s\"\n".to_owned();
    for (camera, inward) in CAMERAS.iter().zip(INWARD) {
        let camera_text = format!("id = \"{camera}\"\n[source]\nurl = \"rtsp://10.0.0.8/1\"\n{LINE_TEXT}");
        std::fs::write(folder.path().join(format!("cameras/{camera}.toml")), camera_text).unwrap();
        let inward = inward.word();
        text += &format!("[[rule.gate]]\ncamera = \"{camera}\"\nline = \"l\"\ninward = \"{inward}\"\n");
    }
    std::fs::write(folder.path().join("site.toml"), text).unwrap();
    load_site(&folder.path().join("site.toml")).unwrap_or_else(|e| panic!("{e}")).plan
}

/// What the site says when it hears of all crossings that `replay` of its cameras counts, looked at with each picture.
fn said(site: &Site, scenes: &[Paths; 2]) -> Vec<Event> {
    let mut stage = SiteStage::new(site);
    for (camera, paths) in scenes.iter().enumerate() {
        for event in all_events(paths, LINE_TEXT) {
            let (State::Counted, Some(direction)) = (event.state, event.direction) else { continue };
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs_f64(event.media_time);
            stage.put(SiteCrossed { at, camera: CAMERAS[camera].into(), line: "l".into(), direction });
        }
    }
    let mut events = Vec::new();
    for frame in 0..FRAMES as i64 {
        stage.advance(Timestamp::UNIX_EPOCH + SignedDuration::from_millis(100 * frame), &mut events);
    }
    stage.stop(&mut events);
    events
}

#[test]
fn occupancy() {
    let machine = Machine { release: 3.0, ..Machine::new(4.0, 1.0, 1.0) };
    let (site, mut count) = (site(), 0);
    for seed in 1..=6 {
        let scenes = [scene(seed, 12), scene(seed + 100, 12)];
        // Everybody who comes in or goes out, in the order of pictures; of one picture the first camera's come first, and
        // of these the ways from left to right.
        let mut ways: Vec<(u64, usize, bool, f64)> = Vec::new();
        for (camera, paths) in scenes.iter().enumerate() {
            let inward = |right: bool| right == (INWARD[camera] == Direction::LeftToRight);
            let way = |(frame, right): (u64, bool)| (frame, camera, !right, if inward(right) { 1.0 } else { -1.0 });
            ways.extend(crossed(paths).into_iter().map(way));
        }
        ways.sort_by_key(|(frame, camera, left, _)| (*frame, *camera, *left));
        // Fewer than none were there before: people are those above the lowest point so far.
        let height = |n: usize| ways[..n].iter().map(|(.., way)| way).sum::<f64>();
        let people = (0..FRAMES as u64).map(|now| {
            let so_far = ways.iter().filter(|(frame, ..)| *frame <= now).count();
            Some(height(so_far) - (0..=so_far).map(height).fold(0.0, f64::min))
        });
        let plain = sorted(machine.incidents(&people.collect::<Vec<_>>()));
        let told = told(&said(&site, &scenes));
        let good = told.len() == plain.len()
            && told.iter().zip(&plain).all(|(a, b)| (0..3).all(|i| (a[i] - b[i]).abs() < MILLI));
        assert!(good, "seed {seed}\ntold  {told:?}\nplain {plain:?}");
        count += told.len();
    }
    assert!(count > 2, "the park is hardly ever full: {count}");
}
