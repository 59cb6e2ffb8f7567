//! `loitering`: one person staying. `dwell`: inside the zone; `linger`: inside it and within a circle.

use std::collections::BTreeMap;

use super::{Rule, Scene};
use crate::config::plan::{Filter, Length, Stay};
use crate::types::{MediaTime, Point, Polygon, Signal, Span, Subject, TrackId};

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
    zone: Polygon,
    filter: Filter,
    lineage: usize,
    linger: Option<Linger>,
}

struct Linger {
    radius: f64,
    dwell: Span,
    gap: Span,
    stays: BTreeMap<TrackId, Stayed>,
}

/// The longest suffix of somebody's path that fits in the circle.
#[derive(Default)]
struct Stayed {
    /// Flat coordinates of the ground.
    points: Vec<(MediaTime, Point)>,
    circle: Option<Circle>,
    seen: MediaTime,
    /// A body height in those coordinates, smoothed: box heights tremble from picture to picture.
    body: f64,
}

impl Loitering {
    /// For the rule with this index in the plan; `lineage` is the index of the one that bridges the rule's gap.
    pub fn new(rule: usize, zone: Polygon, filter: Filter, mode: Stay, dwell: Span, gap: Span, lineage: usize) -> Self {
        let linger = match mode {
            Stay::Dwell => None,
            Stay::Linger { radius } => Some(Linger::new(radius, dwell, gap)),
        };
        Self { rule, zone, filter, lineage, linger }
    }
}

impl Rule for Loitering {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        if let Some(linger) = &mut self.linger {
            linger.forget(scene.time);
        }
        for person in scene.people.all().iter().filter(|p| p.passes(&self.filter, scene.size)) {
            let anchor = person.anchor(self.filter.anchor);
            if !self.zone.contains(anchor) {
                continue;
            }
            let who = scene.lineages[self.lineage].person(person.id);
            let since = match &mut self.linger {
                None => None,
                Some(linger) => {
                    let Some((here, body)) = scene.ground.flat(person.feet, person.height) else { continue };
                    match linger.stay(who, scene.time, here, body) {
                        Some(since) if scene.time - since >= linger.dwell => Some(since),
                        _ => continue,
                    }
                }
            };
            out.push(Signal {
                rule: self.rule,
                subject: Subject::Person(who),
                value: 1.0,
                since,
                people: 1,
                place: Some(anchor),
                bbox: Some(person.bbox),
                saturated: false,
                direction: None,
            });
        }
    }
}

impl Linger {
    fn new(radius: Length, dwell: Span, gap: Span) -> Self {
        Self { radius: radius.body_heights(), dwell, gap, stays: BTreeMap::new() }
    }

    fn forget(&mut self, now: MediaTime) {
        let gap = self.gap;
        self.stays.retain(|_, stay| now - stay.seen <= gap);
    }

    /// Since when all feet points of this person fit in the circle.
    fn stay(&mut self, who: TrackId, now: MediaTime, here: Point, body: f64) -> Option<MediaTime> {
        if !self.stays.contains_key(&who) && self.stays.len() >= MOST_PEOPLE {
            return None;
        }
        let stay = self.stays.entry(who).or_default();
        stay.seen = now;
        stay.body = if stay.points.is_empty() { body } else { stay.body + BODY_SMOOTHING * (body - stay.body) };
        stay.points.push((now, here));
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
        stay.points.first().map(|p| p.0)
    }
}

impl Stayed {
    /// Drops the oldest points until the rest fit: grows the circle from the newest point backwards.
    fn shrink_to(&mut self, radius: f64) {
        let mut circle = Circle { center: Point::default(), radius: -1.0 };
        let newest_first = |i: usize| self.points[self.points.len() - 1 - i].1;
        let mut fitting = 0;
        while fitting < self.points.len() {
            let grown = circle.including(fitting, newest_first);
            if grown.radius > radius {
                break;
            }
            circle = grown;
            fitting += 1;
        }
        self.circle = Some(circle);
        self.points.drain(..self.points.len() - fitting);
    }
}

#[derive(Clone, Copy, Debug)]
struct Circle {
    center: Point,
    radius: f64,
}

impl Circle {
    const EPSILON: f64 = 1e-9;

    fn contains(&self, p: Point) -> bool {
        (p.x - self.center.x).hypot(p.y - self.center.y) <= self.radius + Self::EPSILON
    }

    /// One step of Welzl's incremental construction (1991): this is the smallest circle of the points before `n`, the
    /// result that of the points up to `n`.
    fn including(self, n: usize, point: impl Fn(usize) -> Point) -> Self {
        let p = point(n);
        if self.radius >= 0.0 && self.contains(p) {
            return self;
        }
        let mut circle = Self { center: p, radius: 0.0 };
        for j in 0..n {
            let q = point(j);
            if circle.contains(q) {
                continue;
            }
            circle = Self::between(p, q);
            for k in 0..j {
                if !circle.contains(point(k)) {
                    circle = Self::through(p, q, point(k));
                }
            }
        }
        circle
    }

    fn between(a: Point, b: Point) -> Self {
        let center = Point { x: (a.x + b.x) * 0.5, y: (a.y + b.y) * 0.5 };
        Self { center, radius: (a.x - b.x).hypot(a.y - b.y) * 0.5 }
    }

    fn through(a: Point, b: Point, c: Point) -> Self {
        let (bx, by, cx, cy) = (b.x - a.x, b.y - a.y, c.x - a.x, c.y - a.y);
        let d = 2.0 * (bx * cy - by * cx);
        if d.abs() < 1e-12 {
            let sides = [Self::between(a, b), Self::between(b, c), Self::between(a, c)];
            return sides.into_iter().fold(sides[0], |best, s| if s.radius > best.radius { s } else { best });
        }
        let (b2, c2) = (bx * bx + by * by, cx * cx + cy * cy);
        let (ux, uy) = ((cy * b2 - by * c2) / d, (bx * c2 - cx * b2) / d);
        Self { center: Point { x: a.x + ux, y: a.y + uy }, radius: ux.hypot(uy) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn enclosing_circle_holds_all_points_and_touches_two(points in prop::collection::vec((-5.0..5.0f64, -5.0..5.0f64), 2..40)) {
            let points: Vec<Point> = points.into_iter().map(|(x, y)| Point { x, y }).collect();
            let start = Circle { center: Point::default(), radius: -1.0 };
            let circle = (0..points.len()).fold(start, |circle, n| circle.including(n, |i| points[i]));
            let distance = |p: &Point| (p.x - circle.center.x).hypot(p.y - circle.center.y);
            prop_assert!(points.iter().all(|p| distance(p) <= circle.radius + 1e-6));
            let touching = points.iter().filter(|p| distance(p) >= circle.radius - 1e-6).count();
            prop_assert!(touching >= 2);
            let widest = points.iter().flat_map(|a| points.iter().map(move |b| (a.x - b.x).hypot(a.y - b.y))).fold(0.0, f64::max);
            prop_assert!(circle.radius <= widest / 3f64.sqrt() + 1e-6, "Jung's bound");
        }
    }
}
