//! `wrong_way`: one person who goes against the allowed way.

use std::collections::BTreeMap;

use super::bounded;
use super::people::Person;
use super::way::{Way, across, along};
use super::{Moved, Rule, Scene};
use crate::config::plan::{BODY_HEIGHT_M, Length};
use crate::types::{CameraMotion, MediaTime, Point, Signal, Size, Span, Subject, TrackId};

/// People watched at most.
const MOST_PEOPLE: usize = 4_096;
/// Cosine of the largest angle between somebody's path and straight against the way: 60 degrees.
const AGAINST: f64 = 0.5;
/// Share of the distance by which whoever comes back has turned round.
const TURNED: f64 = 1.0 / 3.0;
/// Whoever gets no further for so long stands.
const STANDS: Span = Span::from_secs(2);

/// Measures how far each person has gone against the way since the place that was farthest along it. Whoever turns
/// round or stands begins anew.
pub struct WrongWay {
    rule: usize,
    group: usize,
    lineage: usize,
    way: Way,
    /// Body heights.
    distance: f64,
    gap: Span,
    walks: BTreeMap<TrackId, Walk>,
    overflow: u64,
}

/// What somebody has walked since the beginning of the stretch against the way; body heights.
struct Walk {
    seen: MediaTime,
    feet: Point,
    height: f64,
    against: f64,
    aside: f64,
    farthest: f64,
    farthest_at: MediaTime,
}

impl WrongWay {
    /// For the rule with this index in the plan, about this group; `lineage` is the index of the one that bridges the
    /// rule's gap. `points` of the way are fractions.
    pub fn new(rule: usize, group: usize, lineage: usize, points: &[Point], distance: Length, gap: Span) -> Self {
        let (way, distance) = (Way::new(points), distance.body_heights());
        Self { rule, group, lineage, way, distance, gap, walks: BTreeMap::new(), overflow: 0 }
    }

    /// How far this person has gone against the way, body heights; nothing where that is not what the path is.
    fn step(&mut self, scene: &Scene<'_>, who: TrackId, person: &Person) -> Option<f64> {
        let bearing = self.way.bearing(scene, person.feet)?;
        let begin = || Walk::begin(scene.time, person);
        let Some(walk) = bounded::entry(&mut self.walks, MOST_PEOPLE, who, begin) else {
            self.overflow += 1;
            return None;
        };
        let step = scene.ground.way(walk.feet, walk.height, person.feet, person.height);
        walk.against -= along(step, bearing);
        walk.aside += across(step, bearing);
        (walk.seen, walk.feet, walk.height) = (scene.time, person.feet, person.height);
        if walk.against > walk.farthest {
            (walk.farthest, walk.farthest_at) = (walk.against, scene.time);
        }
        let turned = walk.farthest - walk.against >= TURNED * self.distance;
        if walk.against <= 0.0 || turned || scene.time - walk.farthest_at >= STANDS {
            *walk = Walk::begin(scene.time, person);
            return None;
        }
        (walk.against >= AGAINST * Point { x: walk.against, y: walk.aside }.length()).then_some(walk.against)
    }
}

impl Walk {
    fn begin(now: MediaTime, person: &Person) -> Self {
        let (feet, height) = (person.feet, person.height);
        Self { seen: now, feet, height, against: 0.0, aside: 0.0, farthest: 0.0, farthest_at: now }
    }
}

impl Rule for WrongWay {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        let gap = self.gap;
        self.walks.retain(|_, walk| scene.time - walk.seen <= gap);
        for (i, person) in scene.members(self.group) {
            let who = scene.lineages[self.lineage].person(i);
            let Some(against) = self.step(scene, who, person).filter(|against| *against >= self.distance) else {
                continue;
            };
            out.push(Signal {
                calibrated: scene.ground.is_known(),
                people: 1,
                place: Some(scene.anchor(self.group, person)),
                bbox: Some(person.bbox),
                ..Signal::new(self.rule, Subject::Person(who), against * BODY_HEIGHT_M)
            });
        }
    }

    fn carry(&mut self, motion: &CameraMotion, _: Size) {
        let zoom = motion.zoom();
        for walk in self.walks.values_mut() {
            (walk.feet, walk.height) = (motion.point(walk.feet), walk.height * zoom);
        }
    }

    fn place(&mut self, ground: &CameraMotion) {
        self.way.place(ground);
    }

    fn renumber(&mut self, rule: usize, moved: &Moved<'_>) -> Option<()> {
        (self.rule, self.group) = (rule, moved.group(self.group)?);
        self.lineage = moved.lineage(self.lineage)?;
        Some(())
    }

    fn overflow(&self) -> u64 {
        self.overflow
    }
}
