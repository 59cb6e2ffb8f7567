//! `rush`: a group suddenly runs. By motion alone: nobody's face, posture or emotion is looked at.

use super::people::{median, median_place};
use super::{Moved, Rule, Scene};
use crate::config::plan::BODY_HEIGHT_M;
use crate::types::{MediaTime, Point, Signal, Subject};

/// The usual median speed is that of about so many seconds.
const MEMORY: f64 = 60.0;
/// A longer step between two pictures of the group counts as this one, seconds: nobody knows what was between.
const LONGEST_STEP: f64 = 2.0;
/// People walk so fast before anything else is known, m/s.
const WALK: f64 = 1.3;

/// Gives the median speed of the people in the zone while it is a multiple of what is usual there; else nothing.
pub struct Rush {
    rule: usize,
    group: usize,
    /// Fewer whose speed is known are no group.
    people: usize,
    factor: f64,
    /// Median speed, m/s.
    usual: f64,
    seen: Option<MediaTime>,
    speeds: Vec<f64>,
    places: Vec<Point>,
    scratch: Vec<f64>,
}

impl Rush {
    /// For the rule with this index in the plan, about this group: `factor` times the usual speed.
    pub fn new(rule: usize, group: usize, people: u32, factor: f64) -> Self {
        let people = people as usize;
        let (speeds, places, scratch) = (Vec::new(), Vec::new(), Vec::new());
        Self { rule, group, people, factor, usual: WALK, seen: None, speeds, places, scratch }
    }

    /// The median speed, m/s, where it is a jump.
    fn jump(&mut self, now: MediaTime) -> Option<f64> {
        if self.speeds.len() < self.people {
            return None;
        }
        let speed = median(&mut self.speeds)? * BODY_HEIGHT_M;
        let jumps = speed >= self.factor * self.usual;
        let step = self.seen.replace(now).map_or(0.0, |last| (now - last).secs_f64().min(LONGEST_STEP));
        self.usual += (1.0 - (-step / MEMORY).exp()) * (speed - self.usual);
        jumps.then_some(speed)
    }
}

impl Rule for Rush {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        self.speeds.clear();
        self.places.clear();
        for (i, person) in scene.members(self.group) {
            if let Some(speed) = scene.people.speed(i) {
                self.speeds.push(speed);
                self.places.push(scene.anchor(self.group, person));
            }
        }
        let people = u32::try_from(self.speeds.len()).unwrap_or(u32::MAX);
        let speed = self.jump(scene.time);
        out.push(Signal {
            calibrated: scene.ground.is_known(),
            people,
            place: median_place(&mut self.places, &mut self.scratch),
            ..Signal::new(self.rule, Subject::Zone, speed.unwrap_or(0.0))
        });
    }

    fn renumber(&mut self, rule: usize, moved: &Moved<'_>) -> Option<()> {
        (self.rule, self.group) = (rule, moved.group(self.group)?);
        Some(())
    }
}
