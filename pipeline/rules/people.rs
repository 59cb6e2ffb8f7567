//! The people of a picture with their recent paths.

use std::collections::{BTreeMap, VecDeque};

use super::bounded;
use super::ground::Ground;
use crate::config::plan::{Anchor, Filter};
use crate::types::{CameraMotion, MediaTime, Point, Rect, Size, Span, Track, TrackId};

/// A path covers this much time: the speed of standing people is measured over 2 s.
const PATH: Span = Span::from_millis(2_000);
/// Points of a path at most; closer ones replace each other.
const PATH_POINTS: i64 = 128;
/// People with a path at most.
const MOST_PATHS: usize = 4_096;

/// A confirmed person seen in this picture.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// Track.
    pub id: TrackId,
    /// Box, pixels.
    pub bbox: Rect,
    /// Bottom centre, pixels; where it is hidden and heights are known, where it must be.
    pub feet: Point,
    /// The same in fractions.
    pub feet_fraction: Point,
    /// Middle, fractions.
    pub center_fraction: Point,
    /// Box height, pixels.
    pub height: f64,
    /// Of the detection.
    pub score: f64,
    /// First detection of the track.
    pub born: MediaTime,
    /// Feet then, pixels.
    pub birth: Point,
    /// No other box touches this one; false where nobody asks.
    pub is_free: bool,
}

/// One place on a path.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// When.
    pub time: MediaTime,
    /// Feet, pixels.
    pub feet: Point,
    /// Box height, pixels.
    pub height: f64,
}

/// The people of one picture, ordered by track id, and where they came from.
#[derive(Default)]
pub struct People {
    present: Vec<Person>,
    /// One for each of them.
    motions: Vec<Option<Point>>,
    velocities: Vec<[f64; 2]>,
    paths: BTreeMap<TrackId, VecDeque<Step>>,
    size: Size,
    overflow: u64,
}

impl People {
    /// Takes the tracks of a picture: confirmed and seen ones count.
    pub fn observe(&mut self, time: MediaTime, size: Size, tracks: &[Track], ground: &Ground) {
        if self.size != size {
            // Paths are in pixels of the old size; the tracker rescales its own.
            self.paths.clear();
            self.size = size;
        }
        self.present.clear();
        self.present.extend(tracks.iter().filter(|t| t.counts() && t.bbox.is_valid()).map(|t| Person::new(t, size)));
        self.present.sort_unstable_by_key(|p| p.id);
        ground.look_at_feet(&mut self.present, tracks);
        self.paths.retain(|_, path| path.back().is_some_and(|step| time - step.time <= PATH));
        self.motions.clear();
        self.velocities.clear();
        for person in &self.present {
            let new = || VecDeque::with_capacity(PATH_POINTS as usize + 2);
            let Some(path) = bounded::entry(&mut self.paths, MOST_PATHS, person.id, new) else {
                self.overflow += 1;
                self.motions.push(None);
                self.velocities.push([0.0; 2]);
                continue;
            };
            let step = Step { time, feet: person.feet, height: person.height };
            while path.len() >= 2 && time - path[1].time >= PATH {
                path.pop_front();
            }
            let spacing = Span::from_nanos(PATH.nanos() / PATH_POINTS);
            let crowded = path.len() >= 2 && time - path[path.len() - 2].time < spacing;
            if crowded {
                path.pop_back();
            }
            path.push_back(step);
            self.motions.push(motion(path, ground));
            self.velocities.push(velocity(path));
        }
    }

    /// The camera has moved (pixels): paths are seen from where it is now, so that only people's own ways remain.
    pub fn carry(&mut self, motion: &CameraMotion) {
        let zoom = motion.zoom();
        for step in self.paths.values_mut().flatten() {
            (step.feet, step.height) = (motion.point(step.feet), step.height * zoom);
        }
    }

    /// Everybody, by track id.
    pub fn all(&self) -> &[Person] {
        &self.present
    }

    /// One person by track id.
    pub fn get(&self, id: TrackId) -> Option<&Person> {
        self.present.binary_search_by_key(&id, |p| p.id).ok().map(|i| &self.present[i])
    }

    /// Paths that were not kept because the table was full.
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    /// Body heights a second on the ground over the last 2 s of the person at this index of [`Self::all`]; `None` with
    /// less than half a second of path.
    pub fn motion(&self, index: usize) -> Option<Point> {
        self.motions.get(index).copied().flatten()
    }

    /// How fast that is, body heights a second.
    pub fn speed(&self, index: usize) -> Option<f64> {
        self.motion(index).map(Point::length)
    }

    /// Pixels a second over the last second or so of the person at this index; zero where the path is too short to say.
    pub fn velocity(&self, index: usize) -> [f64; 2] {
        self.velocities.get(index).copied().unwrap_or([0.0; 2])
    }
}

fn velocity(path: &VecDeque<Step>) -> [f64; 2] {
    let Some(last) = path.back() else { return [0.0; 2] };
    let recent = path.iter().find(|step| last.time - step.time <= Span::from_secs(1));
    let Some(first) = recent else { return [0.0; 2] };
    let dt = (last.time - first.time).secs_f64();
    if dt < 0.3 {
        return [0.0; 2];
    }
    [(last.feet.x - first.feet.x) / dt, (last.feet.y - first.feet.y) / dt]
}

fn motion(path: &VecDeque<Step>, ground: &Ground) -> Option<Point> {
    let (first, last) = (path.front()?, path.back()?);
    let dt = (last.time - first.time).secs_f64();
    if dt < 0.5 {
        return None;
    }
    let way = ground.way(first.feet, first.height, last.feet, last.height);
    Some(Point { x: way.x / dt, y: way.y / dt })
}

impl Person {
    fn new(track: &Track, size: Size) -> Self {
        let feet = track.bbox.feet();
        Self {
            id: track.id,
            bbox: track.bbox,
            feet,
            feet_fraction: size.to_fraction(feet),
            center_fraction: size.to_fraction(track.bbox.center()),
            height: f64::from(track.bbox.height),
            score: f64::from(track.score),
            born: track.born,
            birth: track.birth,
            is_free: false,
        }
    }

    /// Puts the feet (pixels) somewhere else.
    pub fn stand(&mut self, feet: Point, size: Size) {
        (self.feet, self.feet_fraction) = (feet, size.to_fraction(feet));
    }

    /// Top centre of the box, pixels.
    pub fn head(&self) -> Point {
        Point { x: self.bbox.feet().x, y: f64::from(self.bbox.top) }
    }

    /// The point that stands for the person, fractions. Feet below the picture's edge stand on it: the box of somebody
    /// half out of view may reach over.
    pub fn anchor(&self, anchor: Anchor) -> Point {
        let p = match anchor {
            Anchor::Feet => self.feet_fraction,
            Anchor::Center => self.center_fraction,
        };
        let inside = 1.0 - 1e-9;
        Point { x: p.x.clamp(0.0, inside), y: p.y.clamp(0.0, inside) }
    }

    /// Whether a rule with this filter counts the person.
    pub fn passes(&self, filter: &Filter, size: Size) -> bool {
        let height = self.height / f64::from(size.height.max(1));
        height >= filter.min_height && height <= filter.max_height && self.score >= filter.min_score
    }
}

/// Median of the x and of the y, fractions; even counts take the mean of the middle two. `None` of nobody.
pub fn median_place(places: &mut [Point], scratch: &mut Vec<f64>) -> Option<Point> {
    let mut middle = |of: fn(&Point) -> f64| {
        scratch.clear();
        scratch.extend(places.iter().map(of));
        median(scratch)
    };
    Some(Point { x: middle(|p| p.x)?, y: middle(|p| p.y)? })
}

/// Median; changes their order. `None` of nothing.
pub fn median(values: &mut [f64]) -> Option<f64> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let (below, &mut upper, _) = values.select_nth_unstable_by(n / 2, f64::total_cmp);
    if n % 2 == 1 {
        return Some(upper);
    }
    below.iter().copied().max_by(f64::total_cmp).map(|lower| (lower + upper) * 0.5)
}
