//! `loitering`: one person staying. `dwell`: inside the zone; `linger`: inside it and within a circle.

use std::collections::BTreeMap;

use super::circle::Circle;
use super::people::Person;
use super::{Ground, Moved, Rule, Scene};
use crate::config::plan::{Length, Stay};
use crate::types::{CameraMotion, MediaTime, Point, Signal, Size, Span, Subject, TrackId};

/// People watched at most.
const MOST_PEOPLE: usize = 4_096;
/// Points of a stay at most; when full, every other one is dropped.
const MOST_POINTS: usize = 512;
/// Share of each new box height in the smoothed one.
const BODY_SMOOTHING: f64 = 0.1;

/// Gives a signal for each person inside. With `dwell` the shared machine measures the time; with `linger` the rule
/// does, since the window of feet points slides.
pub struct Loitering {
    rule: usize,
    group: usize,
    lineage: usize,
    linger: Option<Linger>,
}

struct Linger {
    radius: f64,
    dwell: Span,
    gap: Span,
    stays: BTreeMap<TrackId, Stayed>,
    overflow: u64,
}

/// The longest suffix of somebody's path that fits in the circle.
#[derive(Default)]
struct Stayed {
    points: Vec<Place>,
    circle: Option<Circle>,
    seen: MediaTime,
    /// A body height in flat coordinates, smoothed: box heights tremble from picture to picture.
    body: f64,
    /// Of the ground that they are on.
    version: u32,
}

/// Where somebody was.
#[derive(Clone, Copy)]
struct Place {
    time: MediaTime,
    /// Feet, pixels.
    feet: Point,
    /// The same in flat coordinates of the ground.
    flat: Point,
}

impl Loitering {
    /// For the rule with this index in the plan, about this group; `lineage` is the index of the one that bridges the
    /// rule's gap.
    pub fn new(rule: usize, group: usize, lineage: usize, mode: Stay, dwell: Span, gap: Span) -> Self {
        let linger = match mode {
            Stay::Dwell => None,
            Stay::Linger { radius } => Some(Linger::new(radius, dwell, gap)),
        };
        Self { rule, group, lineage, linger }
    }
}

impl Rule for Loitering {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        if let Some(linger) = &mut self.linger {
            linger.forget(scene.time);
        }
        for (i, person) in scene.members(self.group) {
            let who = scene.lineages[self.lineage].person(i);
            let since = match &mut self.linger {
                None => None,
                Some(linger) => match linger.stay(who, scene.time, person, scene.ground) {
                    Some(since) if scene.time - since >= linger.dwell => Some(since),
                    _ => continue,
                },
            };
            out.push(Signal {
                since,
                people: 1,
                place: Some(scene.anchor(self.group, person)),
                bbox: Some(person.bbox),
                ..Signal::new(self.rule, Subject::Person(who), 1.0)
            });
        }
    }

    fn carry(&mut self, motion: &CameraMotion, _: Size) {
        let stays = self.linger.iter_mut().flat_map(|linger| linger.stays.values_mut());
        stays.for_each(|stay| stay.carry(motion));
    }

    fn renumber(&mut self, rule: usize, moved: &Moved<'_>) -> Option<()> {
        (self.rule, self.group) = (rule, moved.group(self.group)?);
        self.lineage = moved.lineage(self.lineage)?;
        Some(())
    }

    fn overflow(&self) -> u64 {
        self.linger.as_ref().map_or(0, |linger| linger.overflow)
    }
}

impl Linger {
    fn new(radius: Length, dwell: Span, gap: Span) -> Self {
        Self { radius: radius.body_heights(), dwell, gap, stays: BTreeMap::new(), overflow: 0 }
    }

    fn forget(&mut self, now: MediaTime) {
        let gap = self.gap;
        self.stays.retain(|_, stay| now - stay.seen <= gap);
    }

    /// Since when all feet points of this person fit in the circle.
    fn stay(&mut self, who: TrackId, now: MediaTime, person: &Person, ground: &Ground) -> Option<MediaTime> {
        let (here, body) = ground.flat(person.feet, person.height)?;
        if !self.stays.contains_key(&who) && self.stays.len() >= MOST_PEOPLE {
            self.overflow += 1;
            return None;
        }
        let stay = self.stays.entry(who).or_default();
        stay.seen = now;
        let moved = stay.version != ground.version();
        if moved {
            stay.move_to(ground, person.height);
        }
        let fresh = moved || stay.points.is_empty();
        stay.body = if fresh { body } else { stay.body + BODY_SMOOTHING * (body - stay.body) };
        stay.points.push(Place { time: now, feet: person.feet, flat: here });
        if stay.points.len() > MOST_POINTS {
            let mut index = 0;
            stay.points.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        if !stay.circle.is_some_and(|c| c.contains(here)) {
            stay.shrink_to(self.radius * stay.body);
        }
        stay.points.first().map(|p| p.time)
    }
}

impl Stayed {
    /// Onto another ground: the same feet, measured anew.
    fn move_to(&mut self, ground: &Ground, height: f64) {
        (self.version, self.circle) = (ground.version(), None);
        self.points.retain_mut(|place| {
            let flat = ground.flat(place.feet, height);
            flat.map(|(flat, _)| place.flat = flat).is_some()
        });
    }

    /// The camera has moved (pixels): a camera that moves has no plane, so that places are flat as they are in the picture.
    fn carry(&mut self, motion: &CameraMotion) {
        self.circle = None;
        self.body *= motion.zoom();
        for place in &mut self.points {
            place.feet = motion.point(place.feet);
            place.flat = Ground::foreshortened(place.feet);
        }
    }

    /// Drops the oldest points until the rest fit, and no more than that.
    fn shrink_to(&mut self, radius: f64) {
        let Some(&Place { flat: newest, .. }) = self.points.last() else { return };
        // Whoever walks on leaves points behind that cannot fit together with the newest: no circle is needed for those.
        let most = (2.0 * radius * (1.0 + 1e-9)).powi(2);
        let far = |p: &Place| (p.flat.x - newest.x).powi(2) + (p.flat.y - newest.y).powi(2) > most;
        let first = self.points.iter().rposition(far).map_or(0, |i| i + 1);
        let points = &self.points;
        let fitting = |from: usize| Circle::around(points[from..].iter().map(|p| p.flat), radius);
        // All from `low` do not fit, all from `high` do: steps that double, then halve.
        let (mut low, mut step) = (first, 1);
        let (mut high, mut circle) = (first, fitting(first));
        while circle.is_none() && high + 1 < points.len() {
            low = high;
            high = (low + step).min(points.len() - 1);
            circle = fitting(high);
            step *= 2;
        }
        while high > low + 1 {
            let middle = low + (high - low) / 2;
            match fitting(middle) {
                Some(smaller) => (high, circle) = (middle, Some(smaller)),
                None => low = middle,
            }
        }
        self.circle = circle;
        self.points.drain(..high);
    }
}
