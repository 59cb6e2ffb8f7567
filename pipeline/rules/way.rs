//! A way drawn on the picture, and which direction it has at a place.

use super::Scene;
use crate::types::{CameraMotion, Point};

/// Two or more points, from the beginning to the end.
pub struct Way {
    /// Fractions.
    points: Vec<Point>,
    /// As the plan has them.
    drawn: Vec<Point>,
}

impl Way {
    /// Of the plan, fractions.
    pub fn new(points: &[Point]) -> Self {
        Self { points: points.to_vec(), drawn: points.to_vec() }
    }

    /// The ground on which it was drawn is now where `ground` (fractions) takes it.
    pub fn place(&mut self, ground: &CameraMotion) {
        self.points.iter_mut().zip(&self.drawn).for_each(|(now, drawn)| *now = ground.point(*drawn));
    }

    /// Unit vector on the ground along the piece nearest to a pixel place; the earlier one of two that are equally near.
    pub fn bearing(&self, scene: &Scene<'_>, place: Point) -> Option<Point> {
        let pieces = self.points.windows(2).map(|pair| (scene.size.to_pixels(pair[0]), scene.size.to_pixels(pair[1])));
        let (from, to) = pieces
            .min_by(|a, b| distance_to_segment(place, a.0, a.1).total_cmp(&distance_to_segment(place, b.0, b.1)))?;
        scene.ground.bearing(from, to)
    }
}

/// Distance of a place from the segment a-b, in the unit of the points.
pub fn distance_to_segment(p: Point, a: Point, b: Point) -> f64 {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let length2 = dx * dx + dy * dy;
    let along = if length2 > 0.0 { (((p.x - a.x) * dx + (p.y - a.y) * dy) / length2).clamp(0.0, 1.0) } else { 0.0 };
    p.distance(Point { x: a.x + along * dx, y: a.y + along * dy })
}

/// Part of a vector along a unit vector.
pub fn along(v: Point, unit: Point) -> f64 {
    v.x * unit.x + v.y * unit.y
}

/// Part of a vector across a unit vector.
pub fn across(v: Point, unit: Point) -> f64 {
    v.y * unit.x - v.x * unit.y
}
