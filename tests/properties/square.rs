//! A square that fills and empties: people a square metre of measured ground, who stand a metre from each other.

use super::views::{Story, in_every_view, told_alike};
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

#[derive(Debug)]
struct Square(Vec<Phase>);

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
    let rule = |id: &str, more: &str| format!("[[zone.rule]]\nid = \"{id}\"\nhold = \"4s\"\ngap = \"3s\"\n{more}\n");
    let mut text = format!(
        "id = \"yard\"\n[ground]\npoints = {square}\nmetres = [[0, 0], [{across}, 0], [{across}, {deep}], [0, {deep}]]\n\
         [[zone]]\nid = \"square\"\npolygon = {square}\n"
    );
    text += &rule("dense", &format!("kind = \"density\"\ndensity = {DENSE}\nrelease = 0.3"));
    text += &rule("queue", "kind = \"proximity\"\npeople = 6\ndistance = \"1.3m\"");
    text += &rule("standing", "kind = \"gathering\"\npeople = 6\nradius = \"1.3m\"\nstanding = true");
    text
}

impl Story for Square {
    const SHIFTS: [std::ops::Range<f64>; 2] = [-0.08..0.08, -0.08..0.06];
    const BLIND: [usize; 2] = [1, 5];

    fn any() -> impl Strategy<Value = Self> {
        phases().prop_map(Self)
    }

    fn camera(view: &View) -> String {
        camera(view)
    }

    fn rows(&self, view: &View) -> Vec<Row> {
        rows(&self.0, view)
    }

    /// Whether somebody stands is known after half a second of path.
    fn late(rule: &str, fps: f64) -> f64 {
        let samples = if rule == "standing" { 2.0 } else { 1.0 };
        0.1_f64.max(samples / fps)
    }

    fn late_by_blindness(rule: &str) -> f64 {
        if rule == "standing" { 3.0 * 0.6 } else { 2.0 * 0.6 }
    }

    /// Each time that many come where few were, for longer than an interruption.
    fn wanted(&self) -> Vec<(&'static str, usize)> {
        let long: Vec<bool> = self.0.iter().filter(|p| p.seconds > 2.0).map(|p| p.people > FEW).collect();
        let filled = (0..long.len()).filter(|&i| long[i] && (i == 0 || !long[i - 1])).count();
        vec![("dense", filled), ("queue", filled), ("standing", filled)]
    }
}

in_every_view!(Square);
