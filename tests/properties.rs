//! What must not matter: where in the picture it happens, its mirror image, its size, how often it is looked at. Replayed
//! walkers raise the same incidents, started within one sample interval.
//!
//! Walkers stand at the corners of a hexagon; one at a time walks straight to another. Stays are either much shorter or
//! much longer than every hold and gap, so that no outcome hangs on one picture.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;
use lookout::alerts::IncidentConfig;
use lookout::config::{Surroundings, camera_text};
use lookout::engine::replay::{Replay, Row};
use lookout::types::{Direction, Event, Rect, Size, Span, State};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

mod corridor;
mod park;
mod shore;
mod square;
mod views;

use views::{blinded, mirrored, rated, shifted, sized};

/// Seconds of a walk from corner to corner.
const WALK: f64 = 0.6;
const SIZE: Size = Size::new(768, 576);
const CASES: u32 = 48;

#[derive(Clone, Debug)]
struct Walker {
    /// Of the picture's height.
    height: f64,
    /// From the corner, body heights.
    offset: [f64; 2],
    /// Corner at the beginning.
    corner: usize,
}

/// Somebody walks to a corner; then nothing happens for a while.
#[derive(Clone, Debug)]
struct Act {
    seconds: f64,
    walker: usize,
    corner: usize,
}

#[derive(Clone, Debug)]
struct Scenario {
    walkers: Vec<Walker>,
    acts: Vec<Act>,
}

/// How a scenario is looked at.
#[derive(Clone, Debug)]
struct View {
    size: Size,
    fps: f64,
    mirror: bool,
    shift: [f64; 2],
    /// Frames in which nobody is found.
    blind: Vec<bool>,
}

impl Default for View {
    fn default() -> Self {
        Self { size: SIZE, fps: 10.0, mirror: false, shift: [0.0; 2], blind: Vec::new() }
    }
}

impl View {
    fn place(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [if self.mirror { 1.0 - x } else { x } + self.shift[0], y + self.shift[1]]
    }

    /// Somebody with their feet at this place and so high, both fractions of the usual picture.
    fn row(&self, frame: usize, id: u64, feet: [f64; 2], high: f64) -> Row {
        let [x, y] = self.place(feet);
        let (x, y, high) =
            (x * f64::from(self.size.width), y * f64::from(self.size.height), high * f64::from(self.size.height));
        let bbox = Rect::new((x - 0.2 * high) as f32, (y - high) as f32, (0.4 * high) as f32, high as f32);
        Row { frame: frame as u64 + 1, id, bbox, score: 1.0 }
    }

    fn points(&self, list: &[[f64; 2]]) -> String {
        format!("{:?}", list.iter().map(|p| self.place(*p)).collect::<Vec<_>>())
    }

    /// The camera as this view sees it. `linger` is a rule apart: it sees which way somebody walked.
    fn camera(&self, linger: bool) -> String {
        let rule = |id: &str, more: &str| format!("[[zone.rule]]\nid = \"{id}\"\ngap = \"3s\"\n{more}\n");
        let zone =
            |id: &str, corners: &[[f64; 2]]| format!("[[zone]]\nid = \"{id}\"\npolygon = {}\n", self.points(corners));
        let mut text = "id = \"yard\"\n".to_owned();
        text += &zone("right", &[[0.52, 0.15], [0.88, 0.15], [0.88, 0.92], [0.52, 0.92]]);
        if linger {
            return text + &rule("linger", "kind = \"loitering\"\nmode = \"linger\"\nradius = \"1bh\"\ndwell = \"5s\"");
        }
        text += &rule("crowd", "kind = \"crowd\"\npeople = 3\nhold = \"5s\"");
        text += &rule("intrusion", "kind = \"intrusion\"");
        text += &rule("dwell", "kind = \"loitering\"\ndwell = \"5s\"");
        text += &zone("both", &[[0.1, 0.1], [0.9, 0.1], [0.9, 0.93], [0.1, 0.93]]);
        text += &rule("gathering", "kind = \"gathering\"\npeople = 3\nradius = \"1.5bh\"\nhold = \"5s\"");
        text += &rule("queue", "kind = \"proximity\"\npeople = 3\ndistance = \"1.5bh\"\nhold = \"5s\"");
        text += &format!("[[line]]\nid = \"middle\"\npoints = {}\n", self.points(&[[0.47, 0.1], [0.47, 0.93]]));
        for (id, way) in [("in", Direction::RightToLeft), ("out", Direction::LeftToRight)] {
            let direction = self.direction(way).word();
            text += &format!("[[line.rule]]\nid = \"{id}\"\nkind = \"crossing\"\ndirection = \"{direction}\"\n");
        }
        text
    }

    /// In a mirror left is right.
    fn direction(&self, way: Direction) -> Direction {
        match (way, self.mirror) {
            (Direction::LeftToRight, false) | (Direction::RightToLeft, true) => Direction::LeftToRight,
            (Direction::RightToLeft, false) | (Direction::LeftToRight, true) => Direction::RightToLeft,
        }
    }

    /// When each rule started, and each line counted.
    fn incidents(&self, scenario: &Scenario, linger: bool) -> Starts {
        self.replay(&self.camera(linger), &scenario.rows(self))
    }

    /// When each rule of a camera started, and each line counted.
    fn replay(&self, camera: &str, rows: &[Row]) -> Starts {
        let mut starts = Starts::new();
        for event in self.events(camera, rows) {
            let what = match (event.state, event.rule, event.direction) {
                (State::Started, Some(rule), _) => rule,
                (State::Counted, _, Some(way)) => self.direction(way).word().to_owned(),
                _ => continue,
            };
            starts.entry(what).or_default().push(event.media_time);
        }
        starts.values_mut().for_each(|times| times.sort_by(f64::total_cmp));
        starts
    }

    /// All that a camera tells.
    fn events(&self, camera: &str, rows: &[Row]) -> Vec<Event> {
        let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
        let plan = camera_text(Path::new("yard.toml"), camera, &around).unwrap_or_else(|e| panic!("{e}")).plan;
        let incidents = IncidentConfig { site: "t".into(), camera: plan.into(), outage: Span::from_secs(10) };
        let start = jiff::Timestamp::UNIX_EPOCH;
        Replay { incidents, fps: self.fps, size: self.size, start, inherit: false }.run(rows, |_| ())
    }
}

type Starts = BTreeMap<String, Vec<f64>>;

impl Scenario {
    fn seconds(&self) -> f64 {
        self.acts.iter().map(|act| act.seconds).sum()
    }

    /// Feet at this time, fractions of the picture.
    fn feet(&self, index: usize, time: f64) -> [f64; 2] {
        let walker = &self.walkers[index];
        let (mut begin, mut at) = (0.0, corner(walker.corner));
        for act in &self.acts {
            if act.walker == index && begin <= time {
                let walked = ((time - begin) / WALK).min(1.0);
                let to = corner(act.corner);
                at = [0, 1].map(|axis| at[axis] + walked * (to[axis] - at[axis]));
            }
            begin += act.seconds;
        }
        // Nobody stands quite still.
        let sway = 0.05 * (time * 3.0 + index as f64).sin();
        let body = walker.height;
        [at[0] + (walker.offset[0] + sway) * body * 0.75, at[1] + walker.offset[1] * body * 0.5]
    }

    fn rows(&self, view: &View) -> Vec<Row> {
        let frames = (self.seconds() * view.fps) as usize;
        let mut rows = Vec::new();
        for frame in (0..frames).filter(|f| !view.blind.get(*f).copied().unwrap_or(false)) {
            for (index, walker) in self.walkers.iter().enumerate() {
                let feet = self.feet(index, frame as f64 / view.fps);
                rows.push(view.row(frame, index as u64 + 1, feet, walker.height));
            }
        }
        rows
    }
}

/// Three corners are in the zone on the right, three beyond the line on the left. A straight walk passes no third one.
fn corner(index: usize) -> [f64; 2] {
    let (sin, cos) = (index as f64 * std::f64::consts::FRAC_PI_3).sin_cos();
    [0.5 + 0.28 * cos, 0.55 + 0.28 * sin]
}

/// `brief`: with short stays among the long ones, never two in a row.
fn scenarios(brief: bool) -> impl Strategy<Value = Scenario> {
    let walker = (0.05..0.06, -0.3..0.3, -0.3..0.3, 0_usize..6);
    let walker = walker.prop_map(|(height, x, y, corner)| Walker { height, offset: [x, y], corner });
    prop::collection::vec(walker, 3..9).prop_flat_map(move |walkers| {
        let step = (8.0..10.0, prop::option::of(1.3..1.6), 0..walkers.len(), 0_usize..6, 0..walkers.len(), 0_usize..6);
        let step = step.prop_map(move |(seconds, short, walker, corner, next, target)| {
            let short = short.filter(|_| brief).map(|seconds| Act { seconds, walker: next, corner: target });
            short.into_iter().chain([Act { seconds, walker, corner }]).collect::<Vec<_>>()
        });
        prop::collection::vec(step, 3..7)
            .prop_map(move |steps| Scenario { walkers: walkers.clone(), acts: steps.concat() })
    })
}

/// The same rules at the same times, give or take.
fn compare(usual: &Starts, other: &Starts, tolerance: impl Fn(&str) -> f64) -> Result<(), TestCaseError> {
    let counts = |starts: &Starts| starts.iter().map(|(what, times)| (what.clone(), times.len())).collect::<Vec<_>>();
    prop_assert_eq!(counts(usual), counts(other), "{:?}\n{:?}", usual, other);
    for (what, times) in usual {
        for (a, b) in times.iter().zip(&other[what]) {
            prop_assert!((a - b).abs() <= tolerance(what) + 0.01, "{what} at {a} and {b}: {usual:?}\n{other:?}");
        }
    }
    Ok(())
}

/// Every scenario by the usual view and by others, in all rules, with times that differ by so much at most; each rule must
/// have started somewhere.
fn same(views: impl Strategy<Value = View>, tolerance: impl Fn(&View) -> f64) {
    let seen: RefCell<BTreeMap<String, usize>> = RefCell::default();
    run(&(scenarios(true), scenarios(false), views), |(brief, long, other)| {
        for (scenario, linger) in [(&brief, false), (&long, true), (&long, false)] {
            let usual = View::default().incidents(scenario, linger);
            compare(&usual, &other.incidents(scenario, linger), |_| tolerance(&other))?;
            for (what, times) in usual {
                *seen.borrow_mut().entry(what).or_default() += times.len();
            }
        }
        Ok(())
    });
    let seen = seen.into_inner();
    for what in
        ["crowd", "intrusion", "dwell", "linger", "gathering", "queue", "in", "out", "left_to_right", "right_to_left"]
    {
        assert!(seen.get(what).is_some_and(|n| *n >= 10), "{what} hardly ever happens: {seen:?}");
    }
}

/// Holds a test against many inputs, always the same ones.
fn run<S: Strategy>(inputs: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    if let Err(error) = runner.run(inputs, test) {
        panic!("{error}");
    }
}

#[test]
fn elsewhere_in_the_picture() {
    same(shifted(-0.08..0.08, -0.08..0.06), |_| 0.1);
}

#[test]
fn in_a_mirror() {
    same(mirrored(), |_| 0.1);
}

#[test]
fn in_a_larger_or_smaller_picture() {
    same(sized(), |_| 0.1);
}

#[test]
fn at_any_frame_rate() {
    same(rated(), |view| 0.1_f64.max(1.0 / view.fps));
}

#[test]
fn with_frames_in_which_nobody_is_found() {
    // Runs of up to half a second, which no gap minds. Both ends of a hold may fall into one.
    same(blinded(1, 5), |_| 2.0 * 0.6);
}
