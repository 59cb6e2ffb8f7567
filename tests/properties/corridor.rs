//! People who walk to and fro in a corridor, phase by phase: rules about directions and speeds.

use super::views::{Story, in_every_view, told_alike};
use super::*;

/// Seconds that everybody walks, and that nobody is there afterwards.
const WALK: f64 = 8.0;
const PAUSE: f64 = 3.0;
/// A body height of 1.70 m is 0.06 of the picture's height: 34.56 pixels, 0.045 of its width.
const HIGH: f64 = 0.06;
const METRE: f64 = 0.045 / 1.70;
/// Metres a second.
const WALKING: f64 = 1.4;
const RUNNING: f64 = 3.6;
/// People along the way in each phase.
const ALONG: usize = 6;

#[derive(Clone, Debug)]
struct Phase {
    /// People against the way.
    against: usize,
    /// Of everybody, seconds.
    delays: Vec<f64>,
    /// Metres a second.
    speed: f64,
}

#[derive(Debug)]
struct Corridor(Vec<Phase>);

/// In one of them people may run; in more it would become usual.
fn phases() -> impl Strategy<Value = Vec<Phase>> {
    // Never near the share of three tenths.
    let phase = (prop::sample::select(vec![0_usize, 1, 4, 5]), prop::collection::vec(0.0..0.4, 12));
    let walking = phase.prop_map(|(against, delays)| Phase { against, delays, speed: WALKING });
    (prop::collection::vec(walking, 3..6), 0_usize..6).prop_map(|(mut phases, fast)| {
        phases.iter_mut().skip(fast).take(1).for_each(|phase| phase.speed = RUNNING);
        phases
    })
}

fn rows(phases: &[Phase], view: &View) -> Vec<Row> {
    let frames = (phases.len() as f64 * (WALK + PAUSE) * view.fps) as usize;
    let mut rows = Vec::new();
    for frame in (0..frames).filter(|f| !view.blind.get(*f).copied().unwrap_or(false)) {
        let time = frame as f64 / view.fps;
        let number = (time / (WALK + PAUSE)) as usize;
        let Some(phase) = phases.get(number) else { break };
        for i in 0..ALONG + phase.against {
            let walked = time - number as f64 * (WALK + PAUSE) - phase.delays[i];
            if !(0.0..WALK).contains(&walked) {
                continue;
            }
            let way = if i < ALONG { 1.0 } else { -1.0 };
            let metres = way * phase.speed * (walked - WALK / 2.0) + 0.03 * (7.0 * time + i as f64).sin();
            let feet = [0.5 + metres * METRE, 0.25 + 0.06 * i as f64];
            rows.push(view.row(frame, (number * 100 + i + 1) as u64, feet, HIGH));
        }
    }
    rows
}

fn camera(view: &View) -> String {
    let way = view.points(&[[0.1, 0.5], [0.9, 0.5]]);
    let zone = view.points(&[[0.05, 0.1], [0.95, 0.1], [0.95, 0.95], [0.05, 0.95]]);
    let rule = |id: &str, more: &str| format!("[[zone.rule]]\nid = \"{id}\"\n{more}\n");
    let mut text = format!("id = \"yard\"\n[[zone]]\nid = \"corridor\"\npolygon = {zone}\n");
    text += &rule("wrong", &format!("kind = \"wrong_way\"\nalong = {way}\ndistance = \"3m\""));
    text += &rule("counter", "kind = \"counter_flow\"\nhold = \"3s\"");
    text += &rule("drawn", &format!("kind = \"counter_flow\"\nhold = \"3s\"\nalong = {way}"));
    text += &rule("rush", "kind = \"rush\"");
    text
}

impl Story for Corridor {
    const SHIFTS: [std::ops::Range<f64>; 2] = [-0.04..0.04, -0.08..0.04];
    const BLIND: [usize; 2] = [2, 4];

    fn any() -> impl Strategy<Value = Self> {
        phases().prop_map(Self)
    }

    fn camera(view: &View) -> String {
        camera(view)
    }

    fn rows(&self, view: &View) -> Vec<Row> {
        rows(&self.0, view)
    }

    /// A direction is known after half a second of path.
    fn late(_: &str, fps: f64) -> f64 {
        0.2 + 2.0 / fps
    }

    fn late_by_blindness(_: &str) -> f64 {
        1.5
    }

    fn wanted(&self) -> Vec<(&'static str, usize)> {
        let phases = || self.0.iter();
        let crowded = phases().filter(|p| p.against > 1).count();
        let fast = phases().filter(|p| p.speed == RUNNING).count();
        let against = phases().map(|p| p.against).sum();
        vec![("wrong", against), ("counter", crowded), ("drawn", crowded), ("rush", fast)]
    }
}

in_every_view!(Corridor);
