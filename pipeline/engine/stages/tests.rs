//! Cameras that move: what happens on the ground is the same, wherever the camera looks meanwhile, and rules rest where
//! nobody looks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::tz::TimeZone;

use super::*;
use crate::config::{Surroundings, camera_text};
use crate::types::{CameraMotion, Point, State, TrackId, TrackState};

const SIZE: Size = Size::new(1000, 1000);
const HEIGHT: f32 = 100.0;

fn judge(text: &str) -> Judge {
    let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
    let camera = camera_text(Path::new("c.toml"), text, &around).unwrap_or_else(|e| panic!("{e}")).plan;
    Judge::new(IncidentConfig { site: "t".into(), camera: camera.into(), outage: Span::from_secs(10) }, true)
}

/// Somebody whose feet are at this place, pixels, and who appears `zoom` times as large as usual.
fn person(id: u64, feet: Point, zoom: f64, birth: Point) -> Track {
    let (high, x, y) = (HEIGHT * zoom as f32, feet.x as f32, feet.y as f32);
    Track {
        id: TrackId(id),
        state: TrackState::Confirmed,
        bbox: Rect::new(x - 0.2 * high, y - high, 0.4 * high, high),
        velocity: [0.0; 2],
        score: 0.9,
        matched: true,
        born: MediaTime::ZERO,
        birth,
        seen: MediaTime::ZERO,
    }
}

/// What a picture at this time causes.
fn see(judge: &mut Judge, seconds: f64, tracks: &[Track]) -> Vec<Event> {
    let (time, mut events) = (MediaTime::from_secs_f64(seconds), Vec::new());
    judge.observe(time, time.utc(jiff::Timestamp::UNIX_EPOCH), SIZE, tracks, &mut events);
    events
}

/// Pictures a second.
const FPS: f64 = 8.0;
const SECONDS: f64 = 40.0;

/// Rules of each kind that knows something of earlier pictures, on ground that is drawn in the first one.
const PLAN: &str = r#"
[[zone]]
id = "yard"
tied = "ground"
polygon = [[0.3, 0.35], [0.7, 0.35], [0.7, 0.8], [0.3, 0.8]]
[[zone.rule]]
id = "dwell"
kind = "loitering"
dwell = "8s"
[[zone.rule]]
id = "linger"
kind = "loitering"
mode = "linger"
radius = "0.8bh"
dwell = "8s"
[[zone.rule]]
id = "gathering"
kind = "gathering"
people = 3
radius = "1.5bh"
standing = true
hold = "4s"
[[zone.rule]]
id = "anyone"
kind = "intrusion"
[[zone.rule]]
id = "against"
kind = "wrong_way"
along = [[0.7, 0.6], [0.3, 0.6]]
[[zone.rule]]
id = "near"
kind = "proximity"
distance = "0.9bh"
exempt_together = true
hold = "4s"
[[zone]]
id = "lane"
tied = "ground"
polygon = [[0.3, 0.32], [0.7, 0.32], [0.7, 0.42], [0.3, 0.42]]
[[zone.rule]]
id = "run"
kind = "rush"
people = 2
speed = "2m/s"
hold = "0s"
[[line]]
id = "gate"
tied = "ground"
points = [[0.5, 0.3], [0.5, 0.85]]
"#;

/// Where somebody's feet are on the ground, pixels of the first picture.
fn feet(id: u64, t: f64) -> Option<[f64; 2]> {
    match id {
        // Three who stand together, two for long and one who comes late and leaves.
        1 => Some([420.0 + 3.0 * (t * 2.0).sin(), 600.0]),
        2 => Some([480.0, 620.0 + 2.0 * (t * 3.0).cos()]),
        3 => Some([450.0 + 40.0 * ((t - 20.0).max(0.0) + (8.0 - t).max(0.0)), 660.0]),
        // To and fro through the yard and over the line.
        4 => Some([500.0 + 260.0 * (t * 0.35).sin(), 450.0]),
        // Two who run through, once.
        5 => (25.0..26.6).contains(&t).then_some([340.0 + 200.0 * (t - 25.0), 360.0]),
        6 => (25.0..26.6).contains(&t).then_some([330.0 + 190.0 * (t - 25.0), 380.0]),
        _ => None,
    }
}

/// From the first picture to the one at this time, pixels.
fn motion(t: f64) -> CameraMotion {
    let (x, y) =
        (120.0 * (0.5 * t).sin() + 6.0 * (9.0 * t).sin(), 60.0 * (0.3 * t).sin() + 5.0 * (11.0 * t).cos() - 5.0);
    let zoom = 1.0 + 0.15 * (0.2 * t).sin();
    let (sin, cos) = (0.03 * (0.4 * t).sin()).sin_cos();
    let (a, b) = (zoom * cos, zoom * sin);
    // About the middle of the picture.
    CameraMotion { matrix: [[a, -b, 500.0 - 500.0 * a + 500.0 * b + x], [b, a, 500.0 - 500.0 * b - 500.0 * a + y]] }
}

/// What started and what was counted. Each picture's motion is told as `told` has it.
fn story(text: &str, shaken: bool, told: bool) -> BTreeMap<String, Vec<f64>> {
    let (mut judge, mut births, mut events) = (judge(text), BTreeMap::new(), Vec::new());
    let mut last = CameraMotion::NONE;
    for k in 0..(SECONDS * FPS) as u64 {
        let t = k as f64 / FPS;
        let here = if shaken { motion(t) } else { CameraMotion::NONE };
        let step = last.inverse().unwrap().then(&here);
        births.values_mut().for_each(|birth: &mut Point| {
            if told {
                *birth = step.point(*birth)
            }
        });
        last = here;
        let tracks: Vec<Track> = (1..=6)
            .filter_map(|id| {
                let p = here.point(feet(id, t)?.into());
                Some(person(id, p, here.zoom(), *births.entry(id).or_insert(p)))
            })
            .collect();
        if told {
            let (step, ground) = (Some(step.in_fractions(SIZE)), Some(here.in_fractions(SIZE)));
            judge.turn(Aim::Carried { step, ground });
        }
        events.extend(see(&mut judge, t, &tracks));
    }
    starts(&events)
}

fn starts(events: &[Event]) -> BTreeMap<String, Vec<f64>> {
    let mut starts = BTreeMap::<String, Vec<f64>>::new();
    for event in events {
        let what = match (event.state, &event.rule, event.direction) {
            (State::Started, Some(rule), _) => rule.clone(),
            (State::Counted, _, Some(way)) => way.word().to_owned(),
            _ => continue,
        };
        starts.entry(what).or_default().push(event.media_time);
    }
    starts
}

#[test]
fn the_same_happens_on_the_ground_below_a_camera_that_pans_zooms_and_shakes() {
    let moving = format!("id = \"c\"\nmotion = \"moving\"\n{PLAN}");
    let fixed = format!("id = \"c\"\n{}", PLAN.replace("tied = \"ground\"\n", ""));
    let (still, carried) = (story(&fixed, false, false), story(&moving, true, true));
    let all = ["dwell", "linger", "gathering", "anyone", "against", "near", "run", "left_to_right", "right_to_left"];
    assert_eq!(still.keys().map(String::as_str).collect::<BTreeSet<_>>(), all.into());
    let counts = |of: &BTreeMap<String, Vec<f64>>| of.iter().map(|(k, v)| (k.clone(), v.len())).collect::<Vec<_>>();
    assert_eq!(counts(&carried), counts(&still), "{carried:?}\n{still:?}");
    for (a, b) in still.values().flatten().zip(carried.values().flatten()) {
        // Foreshortening is along the picture, which turned a little: a picture or two.
        assert!((a - b).abs() <= 0.6, "{still:?}\n{carried:?}");
    }
    // Without the motion taken out it is another story.
    assert_ne!(counts(&story(&fixed, true, false)), counts(&still));
}

#[test]
fn ground_that_leaves_the_picture_or_is_lost_rests_and_picture_zones_do_not() {
    let text = "id = \"c\"\nmotion = \"moving\"\n\
        [[zone]]\nid = \"g\"\ntied = \"ground\"\npolygon = [[0.4, 0.4], [0.8, 0.4], [0.8, 0.8], [0.4, 0.8]]\n\
        [[zone.rule]]\nid = \"on-ground\"\nkind = \"intrusion\"\n\
        [[zone]]\nid = \"p\"\npolygon = [[0, 0], [1, 0], [1, 1], [0, 1]]\n\
        [[zone.rule]]\nid = \"in-view\"\nkind = \"intrusion\"\n";
    let mut judge = judge(text);
    let mut k = 0;
    // The ground is shifted by so much of the picture's width; `None`: lost. Gives what it causes, and why rules rest.
    let mut look = |shift: Option<f64>| {
        k += 1;
        let ground = shift.map(|x| CameraMotion { matrix: [[1.0, 0.0, x], [0.0, 1.0, 0.0]] });
        judge.turn(Aim::Carried { step: Some(CameraMotion::NONE), ground });
        let p = Point { x: 500.0, y: 600.0 };
        let events = see(&mut judge, f64::from(k) * 0.1, &[person(1, p, 1.0, p)]);
        let told: Vec<String> =
            events.iter().map(|e| format!("{} {} {:?}", e.rule.as_deref().unwrap(), e.state, e.reason)).collect();
        (told, judge.rules.measured().zone_people.clone(), judge.rests())
    };
    let (told, people, rests) = look(Some(0.0));
    assert_eq!((told, people), (vec!["on-ground started None".into(), "in-view started None".into()], vec![1, 1]));
    assert_eq!(rests, Rests::default());
    // A fifth of the width, half of the zone: not yet. A little more: it rests, and wakes only when more is back.
    assert!(look(Some(0.39)).0.is_empty());
    let (told, people, rests) = look(Some(0.41));
    assert_eq!((told, people), (vec!["on-ground ended Some(SignalLost)".to_owned()], vec![0, 1]));
    assert!(rests.has(Rest::OutOfView) && rests.of_all().is_none());
    assert!(look(Some(0.39)).0.is_empty());
    assert_eq!(look(Some(0.05)).0, ["on-ground started None"]);
    let (told, _, rests) = look(None);
    assert_eq!(told, ["on-ground ended Some(SignalLost)"]);
    assert!(rests.has(Rest::Lost));
}

#[test]
fn only_the_rules_of_the_preset_that_a_camera_is_at_are_awake() {
    let zone = |id: &str, preset: &str| {
        format!(
            "[[zone]]\nid = \"{id}\"\npreset = \"{preset}\"\npolygon = [[0, 0], [1, 0], [1, 1], [0, 1]]\n\
             [[zone.rule]]\nid = \"{id}-any\"\nkind = \"intrusion\"\n"
        )
    };
    let line = "[[line]]\nid = \"l\"\npreset = \"b\"\npoints = [[0.5, 0.1], [0.5, 0.9]]\n";
    let text = format!(
        "id = \"c\"\nmotion = \"ptz\"\n[[preset]]\nid = \"a\"\n[[preset]]\nid = \"b\"\n{}{}{line}",
        zone("za", "a"),
        zone("zb", "b")
    );
    let mut judge = judge(&text);
    let mut look = |k: i32, aim: Aim, x: f64| {
        judge.turn(aim);
        let birth = Point { x: 400.0, y: 600.0 };
        see(&mut judge, f64::from(k) * 0.1, &[person(1, Point { x, y: 600.0 }, 1.0, birth)]);
        let measured = judge.rules.measured();
        let awake: Vec<usize> = measured.signals.iter().map(|s| s.rule).collect();
        (awake, measured.crossed.len(), judge.rests())
    };
    let (awake, crossed, rests) = look(0, Aim::Preset(0), 400.0);
    assert!(awake == [0] && crossed == 0 && rests.has(Rest::OtherPreset) && rests.of_all().is_none());
    assert_eq!(look(1, Aim::Preset(0), 600.0).1, 0, "the line rests");
    for (aim, why) in [(Aim::Turning, Rest::Turning), (Aim::Elsewhere, Rest::NoPreset)] {
        let (awake, crossed, rests) = look(2, aim, 400.0);
        assert!(awake.is_empty() && crossed == 0 && rests.of_all() == Some(why));
    }
    let (awake, crossed, _) = look(3, Aim::Preset(1), 400.0);
    assert!(awake == [1] && crossed == 0, "who crossed meanwhile is not counted now");
    assert_eq!(look(4, Aim::Preset(1), 600.0).1, 1);
    // Without pictures nobody knows: everything is taken to lie where it was drawn.
    assert_eq!(look(5, Aim::Fixed, 600.0).0, [0, 1]);
}
