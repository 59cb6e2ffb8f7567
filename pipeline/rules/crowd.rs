//! `crowd`: people in the zone.

use super::people::median_place;
use super::{Rule, Scene};
use crate::config::plan::Filter;
use crate::types::{Point, Polygon, Signal, Subject};

/// Counts everybody whose anchor is inside.
pub struct Crowd {
    rule: usize,
    zone: Polygon,
    filter: Filter,
    places: Vec<Point>,
    scratch: Vec<f64>,
}

impl Crowd {
    /// For the rule with this index in the plan.
    pub fn new(rule: usize, zone: Polygon, filter: Filter) -> Self {
        Self { rule, zone, filter, places: Vec::new(), scratch: Vec::new() }
    }

    /// The zone's signal at this picture; shared with intrusion, which differs only in its threshold.
    pub fn count(&mut self, scene: &Scene<'_>) -> Signal {
        self.places.clear();
        let mut single = None;
        for person in scene.people.all().iter().filter(|p| p.passes(&self.filter, scene.size)) {
            let anchor = person.anchor(self.filter.anchor);
            if self.zone.contains(anchor) {
                self.places.push(anchor);
                single = Some(person.bbox);
            }
        }
        let people = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        Signal {
            rule: self.rule,
            subject: Subject::Zone,
            value: f64::from(people),
            since: None,
            people,
            place: median_place(&mut self.places, &mut self.scratch),
            bbox: single.filter(|_| people == 1),
            saturated: false,
            direction: None,
        }
    }
}

impl Rule for Crowd {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        out.push(self.count(scene));
    }
}
