//! People at the water: some go in and are not seen again, some meet on the land.

use super::*;

/// A body height of 1.70 m is 0.06 of the picture's height and 0.045 of its width; depth counts double.
const HIGH: f64 = 0.06;
const METRE: f64 = 0.045 / 1.70;
/// Seconds of the whole scene.
const SCENE: f64 = 45.0;

/// Somebody walks into the water, stays, and is lost.
#[derive(Clone, Debug)]
struct Swimmer {
    begins: f64,
    /// Seconds from the loss until seen again at the same place; then back to the land. `None`: never.
    dive: Option<f64>,
}

/// Two on the land, one of whom comes near and goes.
#[derive(Clone, Debug)]
struct Meeting {
    begins: f64,
    near: f64,
}

type Story = (Vec<Swimmer>, Vec<Meeting>);

fn stories() -> impl Strategy<Value = Story> {
    // Far from the six seconds of one rule and the four of the other.
    let dive = prop::sample::select(vec![None, Some(0.0), Some(2.0), Some(12.0)]);
    let swimmer = (0.0..8.0, dive).prop_map(|(begins, dive)| Swimmer { begins, dive });
    let meeting = (0.0..8.0, prop::sample::select(vec![1.0, 9.0]));
    let meeting = meeting.prop_map(|(begins, near)| Meeting { begins, near });
    (prop::collection::vec(swimmer, 1..5), prop::collection::vec(meeting, 1..4))
}

impl Swimmer {
    /// Feet at this time; column `i` is their own.
    fn feet(&self, i: usize, time: f64) -> Option<[f64; 2]> {
        let x = 0.2 + 0.15 * i as f64;
        let (into, stay) = (3.0, 5.0);
        let since = time - self.begins;
        let walked = |share: f64| [x, 0.5 + 0.22 * share.clamp(0.0, 1.0)];
        match since - into - stay {
            s if s < 0.0 => Some(walked(since / into)),
            s => {
                let back = s - self.dive?;
                (back >= 0.0).then(|| walked(1.0 - (back - 2.0) / into))
            }
        }
    }
}

impl Meeting {
    fn feet(&self, i: usize, time: f64) -> [[f64; 2]; 2] {
        let (x, y) = (0.15 + 0.28 * i as f64, 0.3);
        let since = time - self.begins;
        // Four metres apart, then 0.8, then four again; two seconds each way.
        let near = (since / 2.0).clamp(0.0, 1.0) - ((since - 2.0 - self.near) / 2.0).clamp(0.0, 1.0);
        [[x, y], [x + METRE * (4.0 - 3.2 * near), y]]
    }
}

fn rows((swimmers, meetings): &Story, view: &View) -> Vec<Row> {
    let mut rows = Vec::new();
    let frames = (SCENE * view.fps) as usize;
    for frame in (0..frames).filter(|f| !view.blind.get(*f).copied().unwrap_or(false)) {
        let time = frame as f64 / view.fps;
        let mut add = |id: usize, feet| rows.push(view.row(frame, id as u64, feet, HIGH));
        for (i, swimmer) in swimmers.iter().enumerate() {
            swimmer.feet(i, time).into_iter().for_each(|feet| add(i + 1, feet));
        }
        for (i, meeting) in meetings.iter().enumerate() {
            let [one, other] = meeting.feet(i, time);
            add(10 + 2 * i, one);
            add(11 + 2 * i, other);
        }
    }
    rows
}

fn camera(view: &View) -> String {
    let zone =
        |id: &str, corners: &[[f64; 2]]| format!("[[zone]]\nid = \"{id}\"\npolygon = {}\n", view.points(corners));
    let rule = |id: &str, more: &str| format!("[[zone.rule]]\nid = \"{id}\"\n{more}\n");
    let mut text = "id = \"yard\"\n".to_owned();
    text += &zone("water", &[[0.1, 0.6], [0.9, 0.6], [0.9, 0.92], [0.1, 0.92]]);
    text += &rule("vanished", "kind = \"vanished\"\nafter = \"6s\"");
    text += &zone("land", &[[0.06, 0.15], [0.94, 0.15], [0.94, 0.45], [0.06, 0.45]]);
    text += &rule("near", "kind = \"proximity\"\ndistance = \"1.5m\"\nhold = \"4s\"");
    text
}

/// Every rule as often as the story says, also in another view, at the same times give or take.
fn same<V: std::fmt::Debug>(views: impl Strategy<Value = V>, view: impl Fn(&V) -> (View, f64)) {
    let seen: RefCell<[usize; 2]> = RefCell::default();
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&(stories(), views), |(story, value)| {
        let usual = View::default();
        let starts = usual.replay(&camera(&usual), &rows(&story, &usual));
        let (other, tolerance) = view(&value);
        compare(&starts, &other.replay(&camera(&other), &rows(&story, &other)), tolerance)?;
        let count = |rule: &str| starts.get(rule).map_or(0, Vec::len);
        let told = [count("vanished"), count("near")];
        let gone = story.0.iter().filter(|s| s.dive.is_none_or(|dive| dive > 6.0)).count();
        prop_assert_eq!(told, [gone, story.1.iter().filter(|m| m.near > 4.0).count()]);
        seen.borrow_mut().iter_mut().zip(told).for_each(|(n, told)| *n += told);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(seen.into_inner().iter().all(|n| *n >= 10), "hardly anybody vanishes or meets");
}

#[test]
fn elsewhere_in_the_picture() {
    same((-0.05..0.05, -0.08..0.07), |&(x, y)| (View { shift: [x, y], ..View::default() }, 0.1));
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
    same(2_u32..=30, |&fps| (View { fps: f64::from(fps), ..View::default() }, 0.1 + 2.0 / f64::from(fps)));
}

#[test]
fn with_frames_in_which_nobody_is_found() {
    let runs = prop::collection::vec((2_usize..8, 0_usize..=4), 200);
    same(runs, |runs| {
        let blind = runs.iter().flat_map(|&(seen, blind)| [vec![false; seen], vec![true; blind]].concat()).collect();
        (View { blind, ..View::default() }, 1.5)
    });
}
