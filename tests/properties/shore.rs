//! People at the water: some go in and are not seen again, some meet on the land.

use super::views::{Story, in_every_view, told_alike};
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

#[derive(Debug)]
struct Shore {
    swimmers: Vec<Swimmer>,
    meetings: Vec<Meeting>,
}

fn shores() -> impl Strategy<Value = Shore> {
    // Far from the six seconds of one rule and the four of the other.
    let dive = prop::sample::select(vec![None, Some(0.0), Some(2.0), Some(12.0)]);
    let swimmer = (0.0..8.0, dive).prop_map(|(begins, dive)| Swimmer { begins, dive });
    let meeting = (0.0..8.0, prop::sample::select(vec![1.0, 9.0]));
    let meeting = meeting.prop_map(|(begins, near)| Meeting { begins, near });
    (prop::collection::vec(swimmer, 1..5), prop::collection::vec(meeting, 1..4))
        .prop_map(|(swimmers, meetings)| Shore { swimmers, meetings })
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

fn rows(Shore { swimmers, meetings }: &Shore, view: &View) -> Vec<Row> {
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

impl Story for Shore {
    const SHIFTS: [std::ops::Range<f64>; 2] = [-0.05..0.05, -0.08..0.07];
    const BLIND: [usize; 2] = [2, 4];

    fn any() -> impl Strategy<Value = Self> {
        shores()
    }

    fn camera(view: &View) -> String {
        camera(view)
    }

    fn rows(&self, view: &View) -> Vec<Row> {
        rows(self, view)
    }

    fn late(_: &str, fps: f64) -> f64 {
        0.1 + 2.0 / fps
    }

    fn late_by_blindness(_: &str) -> f64 {
        1.5
    }

    fn wanted(&self) -> Vec<(&'static str, usize)> {
        let gone = self.swimmers.iter().filter(|s| s.dive.is_none_or(|dive| dive > 6.0)).count();
        vec![("vanished", gone), ("near", self.meetings.iter().filter(|m| m.near > 4.0).count())]
    }
}

in_every_view!(Shore);
