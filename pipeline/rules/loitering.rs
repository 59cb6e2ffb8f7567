//! `loitering`: one person staying. `dwell`: inside the zone; `linger`: inside it and within a circle.

use std::collections::BTreeMap;

use super::bounded;
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
    /// Where and when they were seen.
    seen_at: Vec<Seen>,
    /// The same places in flat coordinates of the ground, one for each: looked at again and again, so they lie together.
    flat: Vec<Point>,
    /// So many of both at the beginning are no part of the stay any more.
    gone: usize,
    circle: Option<Circle>,
    seen: MediaTime,
    /// A body height in flat coordinates, smoothed: box heights tremble from picture to picture.
    body: f64,
    /// Of the ground that they are on.
    version: u32,
}

/// When and where somebody was seen.
#[derive(Clone, Copy)]
struct Seen {
    time: MediaTime,
    /// Feet, pixels.
    feet: Point,
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
        let Some(stay) = bounded::entry(&mut self.stays, MOST_PEOPLE, who, Stayed::default) else {
            self.overflow += 1;
            return None;
        };
        stay.seen = now;
        let moved = stay.version != ground.version();
        if moved {
            stay.move_to(ground, person.height);
        }
        let fresh = moved || stay.places().is_empty();
        stay.body = if fresh { body } else { stay.body + BODY_SMOOTHING * (body - stay.body) };
        stay.seen_at.push(Seen { time: now, feet: person.feet });
        stay.flat.push(here);
        if stay.places().len() > MOST_POINTS {
            stay.compact();
            every_other(&mut stay.seen_at);
            every_other(&mut stay.flat);
        }
        if !stay.circle.is_some_and(|c| c.contains(here)) {
            stay.shrink_to(self.radius * stay.body);
        }
        stay.seen_at.get(stay.gone).map(|p| p.time)
    }
}

/// Keeps the first, the third and so on.
fn every_other<T>(all: &mut Vec<T>) {
    let mut keep = false;
    all.retain(|_| {
        keep = !keep;
        keep
    });
}

impl Stayed {
    fn places(&self) -> &[Point] {
        &self.flat[self.gone..]
    }

    fn compact(&mut self) {
        self.flat.drain(..self.gone);
        self.seen_at.drain(..self.gone);
        self.gone = 0;
    }

    /// Onto another ground: the same feet, measured anew.
    fn move_to(&mut self, ground: &Ground, height: f64) {
        (self.version, self.circle) = (ground.version(), None);
        self.compact();
        let flat = &mut self.flat;
        flat.clear();
        self.seen_at.retain(|seen| ground.flat(seen.feet, height).map(|(place, _)| flat.push(place)).is_some());
    }

    /// The camera has moved (pixels): a camera that moves has no plane, so that places are flat as they are in the picture.
    fn carry(&mut self, motion: &CameraMotion) {
        self.circle = None;
        self.body *= motion.zoom();
        for (seen, flat) in self.seen_at.iter_mut().zip(&mut self.flat) {
            seen.feet = motion.point(seen.feet);
            *flat = Ground::foreshortened(seen.feet);
        }
    }

    /// Drops the oldest points until the rest fit, and no more than that.
    fn shrink_to(&mut self, radius: f64) {
        let points = self.places();
        let Some(&newest) = points.last() else { return };
        // Whoever walks on leaves points behind that cannot fit together with the newest: no circle is needed for those.
        let most = (2.0 * radius * (1.0 + 1e-9)).powi(2);
        let far = |p: &Point| p.distance2(newest) > most;
        let first = points.iter().position(|p| !far(p)).unwrap_or(0);
        if let Some(circle) = Circle::between_ends(&points[first..], radius) {
            self.leave(first, Some(circle));
            return;
        }
        let first = points.iter().rposition(far).map_or(0, |i| i + 1);
        let fitting = |from: usize| Circle::around(&points[from..], radius);
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
        self.leave(high, circle);
    }

    /// The first places are no part of the stay any more; the others are in the circle.
    fn leave(&mut self, first: usize, circle: Option<Circle>) {
        (self.gone, self.circle) = (self.gone + first, circle);
        if self.gone > self.flat.len() / 2 {
            self.compact();
        }
    }
}
