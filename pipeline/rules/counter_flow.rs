//! `counter_flow`: the share of the people who move that goes against the main flow.

use super::people::median_place;
use super::way::{Way, along};
use super::{Moved, Rule, Scene};
use crate::config::plan::BODY_HEIGHT_M;
use crate::types::{CameraMotion, MediaTime, Point, Signal, Size, Subject};

/// Whoever is slower stands, m/s.
const MOVING: f64 = 0.5;
/// Cosine from straight along the flow from which somebody goes against it: 120 degrees and more.
const AGAINST: f64 = -0.5;
/// The main flow is that of about so many seconds.
const MEMORY: f64 = 30.0;
/// How much of the movement must be along one axis before there is a main flow; 0 is every which way, 1 is one line.
const ORDERLY: f64 = 0.3;

/// Gives the share of the zone's moving people who go against the main flow: the way that is drawn, or else the one that
/// most people took lately.
pub struct CounterFlow {
    rule: usize,
    group: usize,
    way: Option<Way>,
    /// Fewer who move are no flow.
    people: usize,
    flow: Flow,
    /// Of those who go against it.
    places: Vec<Point>,
    scratch: Vec<f64>,
}

/// Sums over those who moved lately, older pictures weighing less.
#[derive(Default)]
struct Flow {
    seen: Option<MediaTime>,
    weight: f64,
    /// Of directions.
    sum: Point,
    /// Of directions with their angle doubled: to and fro are the same axis.
    axis: Point,
}

impl CounterFlow {
    /// For the rule with this index in the plan, about this group; `points` of a way that is drawn are fractions.
    pub fn new(rule: usize, group: usize, points: Option<&[Point]>, people: u32) -> Self {
        Self {
            rule,
            group,
            way: points.map(Way::new),
            people: people as usize,
            flow: Flow::default(),
            places: Vec::new(),
            scratch: Vec::new(),
        }
    }
}

impl Flow {
    fn observe(&mut self, now: MediaTime, directions: impl Iterator<Item = Point>) {
        let (mut weight, mut sum, mut axis) = (0.0, Point::default(), Point::default());
        for d in directions {
            weight += 1.0;
            sum = Point { x: sum.x + d.x, y: sum.y + d.y };
            axis = Point { x: axis.x + d.x * d.x - d.y * d.y, y: axis.y + 2.0 * d.x * d.y };
        }
        let keep = self.seen.replace(now).map_or(0.0, |last| (-(now - last).secs_f64() / MEMORY).exp());
        let blend = |old: f64, new: f64| keep * old + (1.0 - keep) * new;
        self.weight = blend(self.weight, weight);
        self.sum = Point { x: blend(self.sum.x, sum.x), y: blend(self.sum.y, sum.y) };
        self.axis = Point { x: blend(self.axis.x, axis.x), y: blend(self.axis.y, axis.y) };
    }

    /// The camera turned by this angle: so did all ways.
    fn turn(&mut self, angle: f64) {
        let turned = |v: Point, angle: f64| {
            let (sin, cos) = angle.sin_cos();
            Point { x: cos * v.x - sin * v.y, y: sin * v.x + cos * v.y }
        };
        (self.sum, self.axis) = (turned(self.sum, angle), turned(self.axis, 2.0 * angle));
    }

    /// Unit vector of the main flow; `None` where people go every which way.
    fn main(&self) -> Option<Point> {
        let order = self.axis.length() / self.weight;
        if order.is_nan() || order < ORDERLY {
            return None;
        }
        let (y, x) = (0.5 * self.axis.y.atan2(self.axis.x)).sin_cos();
        let axis = Point { x, y };
        Some(if along(self.sum, axis) < 0.0 { Point { x: -x, y: -y } } else { axis })
    }
}

/// Direction of the person at this index, if moving.
fn direction(scene: &Scene<'_>, index: usize) -> Option<Point> {
    let motion = scene.people.motion(index)?;
    let speed = motion.length();
    (speed * BODY_HEIGHT_M >= MOVING).then(|| Point { x: motion.x / speed, y: motion.y / speed })
}

impl Rule for CounterFlow {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        let moving = scene.members(self.group).filter_map(|(i, person)| Some((person, direction(scene, i)?)));
        if self.way.is_none() {
            self.flow.observe(scene.time, moving.clone().map(|(_, direction)| direction));
        }
        let learnt = self.flow.main();
        self.places.clear();
        let mut count = 0_usize;
        for (person, direction) in moving {
            count += 1;
            let main = self.way.as_ref().map_or(learnt, |way| way.bearing(scene, person.feet));
            if main.is_some_and(|main| along(direction, main) <= AGAINST) {
                self.places.push(scene.anchor(self.group, person));
            }
        }
        let against = self.places.len();
        let share = if count >= self.people { against as f64 / count as f64 } else { 0.0 };
        out.push(Signal {
            people: u32::try_from(against).unwrap_or(u32::MAX),
            place: median_place(&mut self.places, &mut self.scratch),
            ..Signal::new(self.rule, Subject::Zone, share)
        });
    }

    fn carry(&mut self, motion: &CameraMotion, _: Size) {
        self.flow.turn(motion.turn());
    }

    fn place(&mut self, ground: &CameraMotion) {
        self.way.iter_mut().for_each(|way| way.place(ground));
    }

    fn renumber(&mut self, rule: usize, moved: &Moved<'_>) -> Option<()> {
        (self.rule, self.group) = (rule, moved.group(self.group)?);
        Some(())
    }
}
