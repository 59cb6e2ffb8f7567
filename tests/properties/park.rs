//! People of a whole site, by who walks over the line of the usual scenarios.

use jiff::{SignedDuration, Timestamp};
use lookout::config::load_site;
use lookout::config::plan::Site;
use lookout::engine::site::SiteStage;
use lookout::types::SiteCrossed;

use super::views::{Story, in_every_view, told_alike};
use super::*;

/// People from which it is told; nobody counts whoever was there at first.
const MANY: u32 = 1;

#[derive(Debug)]
struct Park(Scenario);

/// With one gate: the line of the camera, whose way in this view sees like that.
fn site(view: &View) -> Site {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("cameras")).unwrap();
    let camera = Park::camera(view).replace("id = \"yard\"", "id = \"yard\"\nsource = { url = \"rtsp://10.0.0.8/1\" }");
    std::fs::write(folder.path().join("cameras/yard.toml"), camera).unwrap();
    let inward = view.direction(Direction::RightToLeft).word();
    let text = format!(
        "id = \"t\"\ndata = \"data\"\n[[rule]]\nid = \"full\"\nkind = \"occupancy\"\npeople = {MANY}\nhold = \"5s\"\ngap = \"3s\"\n\
         [[rule.gate]]\ncamera = \"yard\"\nline = \"middle\"\ninward = \"{inward}\"\n"
    );
    std::fs::write(folder.path().join("site.toml"), text).unwrap();
    load_site(&folder.path().join("site.toml")).unwrap_or_else(|e| panic!("{e}")).plan
}

/// Seconds of a path.
fn seconds(time: f64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs_f64(time)
}

impl Story for Park {
    const SHIFTS: [std::ops::Range<f64>; 2] = [-0.08..0.08, -0.08..0.06];
    const BLIND: [usize; 2] = [1, 5];

    fn any() -> impl Strategy<Value = Self> {
        scenarios(true).prop_map(Self)
    }

    fn camera(view: &View) -> String {
        view.camera(false)
    }

    fn rows(&self, view: &View) -> Vec<Row> {
        self.0.rows(view)
    }

    fn late(_: &str, fps: f64) -> f64 {
        0.1 + 1.0 / fps
    }

    fn late_by_blindness(_: &str) -> f64 {
        2.0 * 0.6
    }

    /// As often as there are that many for long, by everybody's places after each act.
    fn wanted(&self) -> Vec<(&'static str, usize)> {
        let is_left = |corner: usize| super::corner(corner)[0] < 0.47;
        let mut corners: Vec<usize> = self.0.walkers.iter().map(|w| w.corner).collect();
        let (mut people, mut since, mut begin, mut full) = (0_u32, None, 0.0, 0);
        let mut out: Option<f64> = None;
        for act in &self.0.acts {
            let from = std::mem::replace(&mut corners[act.walker], act.corner);
            match (is_left(from), is_left(act.corner)) {
                (true, false) => people += 1,
                (false, true) => people = people.saturating_sub(1),
                _ => {}
            }
            let end = begin + act.seconds;
            if people >= MANY {
                // Fewer for a while that is shorter than the gap is no end.
                if out.take().is_some_and(|fell| begin - fell > 3.0) {
                    since = None;
                }
                let (since, told) = since.get_or_insert((begin, false));
                if !*told && end - *since > 6.0 {
                    (*told, full) = (true, full + 1);
                }
            } else if since.is_some() {
                out.get_or_insert(begin);
            }
            begin = end;
        }
        vec![("full", full)]
    }

    fn starts(&self, view: &View) -> Starts {
        let mut stage = SiteStage::new(&site(view));
        let camera = view.events(&Self::camera(view), &self.rows(view));
        for event in camera.iter().filter(|e| e.state == State::Counted) {
            let direction = event.direction.unwrap();
            stage.put(SiteCrossed {
                at: seconds(event.media_time),
                camera: "yard".into(),
                line: "middle".into(),
                direction,
            });
        }
        let mut events = Vec::new();
        let ticks = (10.0 * self.0.seconds()) as u32;
        (0..ticks).for_each(|tick| stage.advance(seconds(f64::from(tick) / 10.0), &mut events));
        let started = events.iter().filter(|e| e.state == State::Started);
        let times: Vec<f64> = started.map(|e| e.media_time).collect();
        if times.is_empty() { Starts::new() } else { Starts::from([("full".to_owned(), times)]) }
    }
}

in_every_view!(Park);
