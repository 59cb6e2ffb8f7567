//! `density`: people a square metre of the ground that the zone covers.

use super::people::{Person, median_place};
use super::{Moved, Rule, Scene};
use crate::types::{Point, Signal, Subject};

/// Somebody of whose box so much is behind people who stand nearer is half hidden.
const HIDDEN: f32 = 0.5;
/// Where so many of all are half hidden, others are wholly: the count is a lower bound.
const SATURATED: f64 = 0.25;
/// Fewer people hide nobody.
const FEWEST: usize = 4;

/// Counts everybody whose anchor is inside, over the zone's ground. Says nothing while no plane is known.
pub struct Density {
    rule: usize,
    group: usize,
    /// Index of the zone in the plan.
    zone: usize,
    places: Vec<Point>,
    scratch: Vec<f64>,
}

impl Density {
    /// For the rule with this index in the plan, about this group, which is of the zone with this index.
    pub fn new(rule: usize, group: usize, zone: usize) -> Self {
        Self { rule, group, zone, places: Vec::new(), scratch: Vec::new() }
    }
}

impl Rule for Density {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        let Some(area) = scene.ground.area(self.zone).filter(|area| *area > 0.0) else { return };
        self.places.clear();
        self.places.extend(scene.members(self.group).map(|(_, person)| scene.anchor(self.group, person)));
        let count = self.places.len();
        let hidden = || scene.members(self.group).filter(|(_, person)| is_hidden(person, scene.people.all())).count();
        out.push(Signal {
            people: u32::try_from(count).unwrap_or(u32::MAX),
            place: median_place(&mut self.places, &mut self.scratch),
            saturated: count >= FEWEST && hidden() as f64 >= SATURATED * count as f64,
            ..Signal::new(self.rule, Subject::Zone, count as f64 / area)
        });
    }

    fn renumber(&mut self, rule: usize, moved: &Moved<'_>) -> Option<()> {
        (self.rule, self.group) = (rule, moved.group(self.group)?);
        self.zone = moved.zone(self.zone)?;
        Some(())
    }
}

/// Whether people who stand nearer, whose boxes reach lower, cover half of the person's box.
fn is_hidden(person: &Person, all: &[Person]) -> bool {
    let nearer = all.iter().filter(|other| other.bbox.bottom() > person.bbox.bottom());
    // Two who cover the same part count twice: cheap, and where it matters everybody is crowded.
    let covered: f32 = nearer.map(|other| person.bbox.intersection(&other.bbox)).sum();
    covered >= HIDDEN * person.bbox.area()
}
