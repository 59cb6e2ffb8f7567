//! People who walk to and fro in a corridor, phase by phase: rules about directions and speeds.

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

/// Every rule as often as the phases say, also in another view, at the same times give or take.
fn same<V: std::fmt::Debug>(views: impl Strategy<Value = V>, view: impl Fn(&V) -> (View, f64)) {
    let seen: RefCell<usize> = RefCell::default();
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&(phases(), views), |(phases, value)| {
        let usual = View::default();
        let starts = usual.replay(&camera(&usual), &rows(&phases, &usual));
        let (other, tolerance) = view(&value);
        compare(&starts, &other.replay(&camera(&other), &rows(&phases, &other)), tolerance)?;
        let crowded = phases.iter().filter(|p| p.against > 1).count();
        let count = |rule: &str| starts.get(rule).map_or(0, Vec::len);
        prop_assert_eq!(count("wrong"), phases.iter().map(|p| p.against).sum::<usize>());
        prop_assert_eq!((count("counter"), count("drawn")), (crowded, crowded));
        let fast = phases.iter().filter(|p| p.speed == RUNNING).count();
        prop_assert_eq!(count("rush"), fast);
        *seen.borrow_mut() += crowded.min(fast);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(seen.into_inner() >= 10, "hardly anybody runs or goes against the flow");
}

#[test]
fn elsewhere_in_the_picture() {
    same((-0.04..0.04, -0.08..0.04), |&(x, y)| (View { shift: [x, y], ..View::default() }, 0.1));
}

#[test]
fn in_a_mirror() {
    same(Just(()), |()| (View { mirror: true, ..View::default() }, 0.1));
}

#[test]
fn in_a_larger_or_smaller_picture() {
    let sizes = prop::sample::select(vec![[160, 120], [320, 240], [640, 480], [1000, 750], [1920, 1440], [4000, 3000]]);
    same(sizes, |&[width, height]| (View { size: Size::new(width, height), ..View::default() }, 0.1));
}

#[test]
fn at_any_frame_rate() {
    // A direction is known after half a second of path.
    same(2_u32..=30, |&fps| (View { fps: f64::from(fps), ..View::default() }, 0.2 + 2.0 / f64::from(fps)));
}

#[test]
fn with_frames_in_which_nobody_is_found() {
    let runs = prop::collection::vec((2_usize..8, 0_usize..=4), 200);
    same(runs, |runs| {
        let blind = runs.iter().flat_map(|&(seen, blind)| [vec![false; seen], vec![true; blind]].concat()).collect();
        (View { blind, ..View::default() }, 1.5)
    });
}
