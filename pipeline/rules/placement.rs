//! Where zones and lines lie in the pictures of a camera that moves, and which of them rest.

use crate::config::plan::{Camera, RulePlace, Tied};
use crate::types::{Aim, CameraMotion, Point, Polygon, Rest, Rests, Shape};

/// A zone on the ground rests while less of it than this is in the picture.
const VISIBLE: f64 = 0.5;
/// And wakes from so much on.
const VISIBLE_AGAIN: f64 = 0.6;

/// Zones and lines of one camera at one picture.
pub struct Placement {
    zones: Vec<Placed>,
    lines: Vec<Placed>,
    rests: Rests,
    /// Of the zones and lines that are tied to the ground.
    ground: CameraMotion,
    scratch: [Vec<Point>; 2],
}

/// One of them.
struct Placed {
    drawn: Polygon,
    /// A line rather than an area.
    open: bool,
    preset: Option<usize>,
    tied: Tied,
    /// Where it lies now.
    now: Polygon,
    rest: Option<Rest>,
}

impl Placement {
    /// Of a camera that moves; everything lies where it was drawn.
    pub fn new(camera: &Camera) -> Self {
        let placed =
            |drawn: Polygon, open, preset, tied| Placed { now: drawn.clone(), drawn, open, preset, tied, rest: None };
        let zones = camera.zones.iter().map(|z| placed(z.polygon.clone(), false, z.preset, z.tied));
        let lines = camera.lines.iter().map(|l| placed(Polygon::new(l.points.clone()), true, l.preset, l.tied));
        Self {
            zones: zones.collect(),
            lines: lines.collect(),
            rests: Rests::default(),
            ground: CameraMotion::NONE,
            scratch: [Vec::new(), Vec::new()],
        }
    }

    /// The camera looks there now.
    pub fn turn(&mut self, aim: &Aim) {
        if let Aim::Carried { ground: Some(ground), .. } = aim {
            self.ground = *ground;
        }
        self.rests = Rests::default();
        let (mut all, ground) = (true, self.ground);
        for placed in self.zones.iter_mut().chain(&mut self.lines) {
            placed.rest = placed.turn(aim, &ground, &mut self.scratch);
            all &= placed.rest.is_some();
            placed.rest.into_iter().for_each(|why| self.rests.note(why));
        }
        self.rests.set_whole(all);
    }

    /// Why rules rest.
    pub fn rests(&self) -> Rests {
        self.rests
    }

    /// Whether the rules at this place rest.
    pub fn rest(&self, place: RulePlace) -> bool {
        match place {
            RulePlace::Zone(i) => self.zone_rests(i),
            RulePlace::Line(i) => self.line_rests(i),
            RulePlace::Camera | RulePlace::Site => false,
        }
    }

    /// Whether the zone with this index rests.
    pub fn zone_rests(&self, zone: usize) -> bool {
        self.zones.get(zone).is_some_and(|z| z.rest.is_some())
    }

    /// Whether the line with this index rests.
    pub fn line_rests(&self, line: usize) -> bool {
        self.lines.get(line).is_some_and(|l| l.rest.is_some())
    }

    /// Zones that the ground carries, as they lie now.
    pub fn carried_zones(&self) -> impl Iterator<Item = (usize, &Polygon)> {
        carried(&self.zones)
    }

    /// The same of lines.
    pub fn carried_lines(&self) -> impl Iterator<Item = (usize, &Polygon)> {
        carried(&self.lines)
    }

    /// How the ground lies now against where it was when zones were drawn, where that carries what is at this place.
    pub fn ground(&self, place: RulePlace) -> Option<&CameraMotion> {
        let placed = match place {
            RulePlace::Zone(i) => self.zones.get(i),
            RulePlace::Line(i) => self.lines.get(i),
            RulePlace::Camera | RulePlace::Site => None,
        };
        placed.filter(|p| p.tied == Tied::Ground).map(|_| &self.ground)
    }

    /// As zones and lines lie now.
    pub fn tell(&self, zones: &mut Vec<Shape>, lines: &mut Vec<Shape>) {
        for (of, told) in [(&self.zones, zones), (&self.lines, lines)] {
            told.resize_with(of.len(), Shape::default);
            for (placed, shape) in of.iter().zip(told) {
                shape.rests = placed.rest.is_some();
                shape.points.clear();
                shape.points.extend_from_slice(placed.now.points());
            }
        }
    }
}

fn carried(of: &[Placed]) -> impl Iterator<Item = (usize, &Polygon)> {
    of.iter().enumerate().filter(|(_, p)| p.tied == Tied::Ground).map(|(i, p)| (i, &p.now))
}

impl Placed {
    fn turn(&mut self, aim: &Aim, motion: &CameraMotion, scratch: &mut [Vec<Point>; 2]) -> Option<Rest> {
        match aim {
            Aim::Fixed => None,
            Aim::Preset(at) if self.preset == Some(*at) => None,
            Aim::Preset(_) => Some(Rest::OtherPreset),
            Aim::Turning => Some(Rest::Turning),
            Aim::Elsewhere => Some(Rest::NoPreset),
            Aim::Carried { .. } if self.tied == Tied::Picture => None,
            Aim::Carried { ground: None, .. } => Some(Rest::Lost),
            Aim::Carried { .. } => {
                self.now.moved_from(&self.drawn, |p| motion.point(p));
                let enough = if self.rest.is_some() { VISIBLE_AGAIN } else { VISIBLE };
                let visible = if self.open { visible_length(&self.now) } else { visible_area(&self.now, scratch) };
                (visible < enough).then_some(Rest::OutOfView)
            }
        }
    }
}

/// The part of a polygon that is in the picture, 0 to 1: clipped at one edge after the other (Sutherland and Hodgman 1974).
fn visible_area(polygon: &Polygon, [points, clipped]: &mut [Vec<Point>; 2]) -> f64 {
    points.clear();
    points.extend_from_slice(polygon.points());
    let whole = area(points);
    let edges: [fn(&Point) -> f64; 4] = [|p| p.x, |p| 1.0 - p.x, |p| p.y, |p| 1.0 - p.y];
    for inside in edges {
        clipped.clear();
        for (i, a) in points.iter().enumerate() {
            let b = &points[(i + 1) % points.len()];
            let (from, to) = (inside(a), inside(b));
            if from >= 0.0 {
                clipped.push(*a);
            }
            if (from >= 0.0) != (to >= 0.0) {
                clipped.push(between(a, b, from / (from - to)));
            }
        }
        std::mem::swap(points, clipped);
    }
    if whole > 0.0 { area(points) / whole } else { 0.0 }
}

/// The part of a line that is in the picture, 0 to 1 (Liang and Barsky 1984).
fn visible_length(line: &Polygon) -> f64 {
    let (mut seen, mut whole) = (0.0, 0.0);
    for pair in line.points().windows(2) {
        let (a, b) = (&pair[0], &pair[1]);
        let length = a.distance(*b);
        let (mut from, mut to) = (0.0_f64, 1.0_f64);
        for (start, way) in [(a.x, b.x - a.x), (a.y, b.y - a.y)] {
            let (low, high) = (-start / way, (1.0 - start) / way);
            if way == 0.0 {
                to = if (0.0..=1.0).contains(&start) { to } else { 0.0 };
            } else {
                (from, to) = (from.max(low.min(high)), to.min(low.max(high)));
            }
        }
        seen += length * (to - from).max(0.0);
        whole += length;
    }
    if whole > 0.0 { seen / whole } else { 0.0 }
}

fn between(a: &Point, b: &Point, t: f64) -> Point {
    Point { x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y) }
}

fn area(points: &[Point]) -> f64 {
    let next = points.iter().cycle().skip(1);
    points.iter().zip(next).map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f64>().abs() * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polygon(points: &[[f64; 2]]) -> Polygon {
        Polygon::new(points.iter().map(|&p| p.into()).collect())
    }

    #[test]
    fn the_visible_part_of_zones_and_lines() {
        let mut scratch = [Vec::new(), Vec::new()];
        let mut of = |points: &[[f64; 2]]| visible_area(&polygon(points), &mut scratch);
        assert!((of(&[[0.2, 0.2], [0.4, 0.2], [0.4, 0.4], [0.2, 0.4]]) - 1.0).abs() < 1e-12);
        assert!((of(&[[-0.5, 0.2], [0.5, 0.2], [0.5, 0.4], [-0.5, 0.4]]) - 0.5).abs() < 1e-12);
        assert!((of(&[[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) - 0.25).abs() < 1e-12);
        assert_eq!(of(&[[1.2, 0.2], [1.5, 0.2], [1.5, 0.4]]), 0.0);
        // An L of which only one leg, a third of it, is in view.
        let l = [[0.5, 0.1], [1.5, 0.1], [1.5, 1.1], [1.0, 1.1], [1.0, 0.6], [0.5, 0.6]];
        assert!((of(&l) - 1.0 / 3.0).abs() < 1e-12);
        assert!((visible_length(&polygon(&[[-1.0, 0.5], [0.5, 0.5], [2.0, 0.5]])) - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(visible_length(&polygon(&[[-1.0, 2.0], [0.5, 2.0]])), 0.0);
    }
}
