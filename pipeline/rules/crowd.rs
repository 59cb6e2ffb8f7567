//! `crowd`: people in the zone.

use super::people::median_place;
use super::{Moved, Rule, Scene};
use crate::types::{Point, Signal, Subject};

/// Counts everybody whose anchor is inside.
pub struct Crowd {
    rule: usize,
    group: usize,
    places: Vec<Point>,
    scratch: Vec<f64>,
}

impl Crowd {
    /// For the rule with this index in the plan, about this group.
    pub fn new(rule: usize, group: usize) -> Self {
        Self { rule, group, places: Vec::new(), scratch: Vec::new() }
    }

    /// The zone's signal at this picture; shared with intrusion, which differs only in its threshold.
    pub fn count(&mut self, scene: &Scene<'_>) -> Signal {
        self.places.clear();
        self.places.extend(scene.members(self.group).map(|(_, person)| scene.anchor(self.group, person)));
        let mut members = scene.members(self.group);
        let single = members.next().filter(|_| members.next().is_none());
        let people = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        Signal {
            people,
            place: median_place(&mut self.places, &mut self.scratch),
            bbox: single.map(|(_, person)| person.bbox),
            ..Signal::new(self.rule, Subject::Zone, f64::from(people))
        }
    }
}

impl Rule for Crowd {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        out.push(self.count(scene));
    }

    fn renumber(&mut self, rule: usize, moved: &Moved<'_>) -> Option<()> {
        (self.rule, self.group) = (rule, moved.group(self.group)?);
        Some(())
    }
}
