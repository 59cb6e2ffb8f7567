//! A square that fills and empties: people a square metre of measured ground.

use super::*;

/// A person's height, of the picture's.
const HIGH: f64 = 0.06;
/// The square's corner and sides, of the picture; it is five metres by four.
const CORNER: [f64; 2] = [0.3, 0.4];
const SIDES: [f64; 2] = [0.4, 0.35];
const METRES: [f64; 2] = [5.0, 4.0];
/// People a square metre from which it is told: eight people.
const DENSE: f64 = 0.4;
/// How many are there; never near to that, nor to the release.
const FEW: usize = 3;
const MANY: [usize; 2] = [12, 18];

/// So many people for so long.
#[derive(Clone, Debug)]
struct Phase {
    people: usize,
    seconds: f64,
}

/// Long phases, each perhaps interrupted for less than any hold or gap.
fn phases() -> impl Strategy<Value = Vec<Phase>> {
    let people = || prop::sample::select(vec![FEW, MANY[0], MANY[1]]);
    let long = (people(), 8.0..10.0, prop::option::of((people(), 1.2..1.6)));
    let phase = long.prop_map(|(people, seconds, short)| {
        let short = short.map(|(people, seconds)| Phase { people, seconds });
        [Some(Phase { people, seconds }), short.clone(), short.map(|_| Phase { people, seconds })]
    });
    prop::collection::vec(phase, 2..6).prop_map(|phases| phases.into_iter().flatten().flatten().collect())
}

fn rows(phases: &[Phase], view: &View) -> Vec<Row> {
    let seconds: f64 = phases.iter().map(|p| p.seconds).sum();
    let mut rows = Vec::new();
    for frame in (0..(seconds * view.fps) as usize).filter(|f| !view.blind.get(*f).copied().unwrap_or(false)) {
        let time = frame as f64 / view.fps;
        let mut begin = 0.0;
        let now = phases.iter().find(|phase| {
            begin += phase.seconds;
            time < begin
        });
        for i in 0..now.map_or(0, |phase| phase.people) {
            // Five a row, well inside; nobody stands quite still.
            let sway = 0.02 * (time * 3.0 + i as f64).sin();
            let at = [(i % 5) as f64 / 5.0 + 0.1 + sway, (i / 5) as f64 / 4.0 + 0.12];
            let feet = [0, 1].map(|axis| CORNER[axis] + at[axis] * SIDES[axis]);
            rows.push(view.row(frame, i as u64 + 1, feet, HIGH));
        }
    }
    rows
}

fn camera(view: &View) -> String {
    let [[x, y], [w, h], [across, deep]] = [CORNER, SIDES, METRES];
    let square = view.points(&[[x, y], [x + w, y], [x + w, y + h], [x, y + h]]);
    format!(
        "id = \"yard\"\n[ground]\npoints = {square}\nmetres = [[0, 0], [{across}, 0], [{across}, {deep}], [0, {deep}]]\n\
         [[zone]]\nid = \"square\"\npolygon = {square}\n\
         [[zone.rule]]\nid = \"dense\"\nkind = \"density\"\ndensity = {DENSE}\nrelease = 0.3\nhold = \"4s\"\ngap = \"3s\"\n"
    )
}

fn same<V: std::fmt::Debug>(views: impl Strategy<Value = V>, view: impl Fn(&V) -> (View, f64)) {
    let seen = RefCell::new(0);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&(phases(), views), |(phases, value)| {
        let usual = View::default();
        let starts = usual.replay(&camera(&usual), &rows(&phases, &usual));
        let (other, tolerance) = view(&value);
        compare(&starts, &other.replay(&camera(&other), &rows(&phases, &other)), tolerance)?;
        // Each time that many come where few were, for longer than an interruption.
        let long: Vec<bool> = phases.iter().filter(|p| p.seconds > 2.0).map(|p| p.people > FEW).collect();
        let filled = (0..long.len()).filter(|&i| long[i] && (i == 0 || !long[i - 1])).count();
        prop_assert_eq!(starts.get("dense").map_or(0, Vec::len), filled, "{:?}", starts);
        *seen.borrow_mut() += filled;
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(seen.into_inner() >= 10, "it is hardly ever dense");
}

#[test]
fn elsewhere_in_the_picture() {
    same((-0.08..0.08, -0.08..0.06), |&(x, y)| (View { shift: [x, y], ..View::default() }, 0.1));
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
    same(2_u32..=30, |&fps| (View { fps: f64::from(fps), ..View::default() }, 0.1_f64.max(1.0 / f64::from(fps))));
}

#[test]
fn with_frames_in_which_nobody_is_found() {
    let runs = prop::collection::vec((1_usize..8, 0_usize..=5), 200);
    same(runs, |runs| {
        let blind = runs.iter().flat_map(|&(seen, blind)| [vec![false; seen], vec![true; blind]].concat()).collect();
        (View { blind, ..View::default() }, 2.0 * 0.6)
    });
}
