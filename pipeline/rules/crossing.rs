//! Lines: who crossed which way, and the `crossing` rule.
//!
//! A person has crossed when the feet's path met the segment itself and reached the far side of a dead band of 0.1 body
//! height. Touching, turning back and walking round the end are not crossings.

use std::collections::{BTreeMap, BTreeSet};

use super::bounded;
use super::people::Person;
use super::way::distance_to_segment;
use super::{Moved, Rule, Scene};
use crate::config::plan::{Filter, Line};
use crate::types::geometry::{orient, segments_meet};
use crate::types::{CameraMotion, Crossed, Direction, MediaTime, Point, Signal, Span, Subject, TrackId};

/// Half width of the dead band, body heights.
const DEAD_BAND: f64 = 0.1;
/// Somebody not seen for so long begins anew.
const FORGET: Span = Span::from_secs(10);
/// People watched at each line at most.
const MOST_PEOPLE: usize = 4_096;

/// Counts crossings of one line.
pub struct LineCounter {
    line: usize,
    points: Vec<Point>,
    lineage: usize,
    /// The first picture at which the line was there; `None`: the coming one.
    since: Option<MediaTime>,
    walkers: BTreeMap<TrackId, Walker>,
    overflow: u64,
}

struct Walker {
    seen: MediaTime,
    feet: Point,
    side: Side,
    met: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl LineCounter {
    /// For the line with this index in the plan.
    pub fn new(line: usize, plan: &Line, lineage: usize) -> Self {
        Self {
            line,
            points: plan.points.clone(),
            lineage,
            since: Some(MediaTime::ZERO),
            walkers: BTreeMap::new(),
            overflow: 0,
        }
    }

    /// The line is there from the coming picture on: what people walked before it was does not count.
    pub fn is_new(&mut self) {
        self.since = None;
    }

    /// Appends the crossings that this picture completes.
    pub fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Crossed>) {
        self.walkers.retain(|_, w| scene.time - w.seen <= FORGET);
        let since = *self.since.get_or_insert(scene.time);
        let lineage = &scene.lineages[self.lineage];
        for (person, heir) in lineage.splits() {
            // The heir walked what was taken for the other's way.
            if let Some(walker) = self.walkers.remove(person) {
                self.walkers.insert(*heir, walker);
            }
        }
        let is_split = |who: TrackId| lineage.splits().iter().any(|(person, heir)| *person == who || *heir == who);
        for (i, person) in scene.people.all().iter().enumerate() {
            let who = lineage.person(i);
            let begin = || {
                // The way walked before confirmation counts, also from within the dead band: out of a door at the line.
                // What was walked before the line was drawn does not, nor what was walked as somebody else.
                let is_whole = person.born >= since && !is_split(who);
                let feet = if is_whole { person.birth } else { person.feet };
                let (side, _) = beside(&self.points, scene, feet, person);
                Walker { seen: scene.time, feet, side, met: false }
            };
            let Some(walker) = bounded::entry(&mut self.walkers, MOST_PEOPLE, who, begin) else {
                self.overflow += 1;
                continue;
            };
            if let Some(direction) = walker.step(&self.points, scene, person) {
                out.push(Crossed {
                    line: self.line,
                    direction,
                    person: who,
                    track: person.id,
                    time: scene.time,
                    place: person.feet_fraction,
                    bbox: person.bbox,
                });
            }
        }
    }

    /// The camera has moved (pixels): only people's own ways cross a line, wherever it is tied to.
    pub fn carry(&mut self, motion: &CameraMotion) {
        self.walkers.values_mut().for_each(|walker| walker.feet = motion.point(walker.feet));
    }

    /// The line lies there now, fractions.
    pub fn place(&mut self, points: &[Point]) {
        self.points.clear();
        self.points.extend_from_slice(points);
    }

    /// Another plan is in force, in which the line has this index. `None` where its lineage is gone.
    pub fn renumber(&mut self, line: usize, moved: &Moved<'_>) -> Option<()> {
        (self.line, self.lineage) = (line, moved.lineage(self.lineage)?);
        Some(())
    }

    /// Nobody looks at it: whoever walks meanwhile begins anew.
    pub fn rest(&mut self) {
        self.walkers.clear();
        self.since = None;
    }

    /// People who were not watched because the table was full.
    pub fn overflow(&self) -> u64 {
        self.overflow
    }
}

impl Walker {
    /// Somebody's next step beside a line.
    fn step(&mut self, line: &[Point], scene: &Scene<'_>, person: &Person) -> Option<Direction> {
        let mut corners = line.iter().map(|p| scene.size.to_pixels(*p));
        let mut from = corners.next()?;
        for to in corners {
            self.met |= segments_meet(self.feet, person.feet, from, to);
            from = to;
        }
        (self.seen, self.feet) = (scene.time, person.feet);
        if let ([a, b], false) = (line, self.met)
            && side_of(orient(scene.size.to_pixels(*a), scene.size.to_pixels(*b), person.feet)) == self.side
        {
            // On the same side of a straight line: how near does not matter.
            return None;
        }
        let (side, distance) = beside(line, scene, person.feet, person);
        if distance < DEAD_BAND {
            return None;
        }
        // Beyond the band everything begins anew: whoever met the line and turned back has not crossed.
        let met = std::mem::take(&mut self.met);
        match std::mem::replace(&mut self.side, side) {
            Side::Left if met && side == Side::Right => Some(Direction::LeftToRight),
            Side::Right if met && side == Side::Left => Some(Direction::RightToLeft),
            Side::Left | Side::Right => None,
        }
    }
}

/// The side of a line on which a place lies and its distance in body heights, both of the nearest piece.
fn beside(line: &[Point], scene: &Scene<'_>, feet: Point, person: &Person) -> (Side, f64) {
    let here = scene.ground.local(feet, person.height);
    let mut nearest = (f64::INFINITY, 0.0);
    for pair in line.windows(2) {
        let (a, b) = (scene.size.to_pixels(pair[0]), scene.size.to_pixels(pair[1]));
        let turn = orient(a, b, feet);
        let (a, b) = (scene.ground.local(a, person.height), scene.ground.local(b, person.height));
        let distance = distance_to_segment(here, a, b);
        if distance < nearest.0 {
            nearest = (distance, turn);
        }
    }
    (side_of(nearest.1), nearest.0)
}

/// By which way one turns there from the line.
fn side_of(turn: f64) -> Side {
    if turn < 0.0 { Side::Left } else { Side::Right }
}

/// The `crossing` rule: alerts once for each person.
pub struct Crossing {
    rule: usize,
    line: usize,
    direction: Option<Direction>,
    filter: Filter,
    alerted: BTreeSet<TrackId>,
}

impl Crossing {
    /// For the rule with this index in the plan, on this line.
    pub fn new(rule: usize, line: usize, direction: Option<Direction>, filter: Filter) -> Self {
        Self { rule, line, direction, filter, alerted: BTreeSet::new() }
    }
}

impl Rule for Crossing {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        for c in scene.crossed.iter().filter(|c| c.line == self.line && self.direction.is_none_or(|d| d == c.direction))
        {
            let walker = scene.people.get(c.track);
            if !walker.is_some_and(|p| p.passes(&self.filter, scene.size)) || !self.alerted.insert(c.person) {
                continue;
            }
            if self.alerted.len() > MOST_PEOPLE {
                // Ids only grow: the smallest is the longest gone.
                self.alerted.pop_first();
            }
            out.push(Signal {
                people: 1,
                place: Some(c.place),
                bbox: Some(c.bbox),
                direction: Some(c.direction),
                ..Signal::new(self.rule, Subject::Crossing(c.person), 1.0)
            });
        }
    }

    fn renumber(&mut self, rule: usize, moved: &Moved<'_>) -> Option<()> {
        (self.rule, self.line) = (rule, moved.line(self.line)?);
        Some(())
    }
}
