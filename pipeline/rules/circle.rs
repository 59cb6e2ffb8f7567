//! The smallest circle around points.

use crate::types::Point;

/// A circle.
#[derive(Clone, Copy, Debug)]
pub struct Circle {
    /// Middle.
    pub center: Point,
    /// Not negative.
    pub radius: f64,
}

/// What rounding may cost, in the unit of the points.
const EPSILON: f64 = 1e-9;
/// Each step takes in one more point for good; rounding alone could make it go on.
const MOST_STEPS: usize = 256;

impl Circle {
    /// Whether the point lies inside or on the edge.
    pub fn contains(&self, p: Point) -> bool {
        p.distance2(self.center) <= (self.radius + EPSILON).powi(2)
    }

    /// A circle around the middle of the first and the last point that holds all, unless its radius is larger than `most`:
    /// of those who walk straight on it is the smallest, and found at one look. `None` of no points.
    pub fn between_ends(points: &[Point], most: f64) -> Option<Self> {
        let (first, last) = (points.first()?, points.last()?);
        let center = Point { x: (first.x + last.x) * 0.5, y: (first.y + last.y) * 0.5 };
        let (mut farthest, limit) = (0.0, most * most);
        for p in points {
            let distance2 = p.distance2(center);
            if distance2 > farthest {
                if distance2 > limit {
                    return None;
                }
                farthest = distance2;
            }
        }
        Some(Self { center, radius: farthest.sqrt() })
    }

    /// The smallest circle around all points, unless its radius is larger than `most`.
    ///
    /// Begins with the circle around one point and widens it for the farthest point outside until there is none (the
    /// pivoting of Gärtner 1999): a few passes over the points, in whatever order they are. `None` of no points.
    pub fn around(points: &[Point], most: f64) -> Option<Self> {
        let mut edge = Edge { points: [*points.first()?; 3], count: 1 };
        let mut circle = Self { center: edge.points[0], radius: 0.0 };
        for _ in 0..MOST_STEPS {
            let mut farthest = ((circle.radius + EPSILON).powi(2), None);
            for &p in points {
                let distance2 = p.distance2(circle.center);
                if distance2 > farthest.0 {
                    farthest = (distance2, Some(p));
                }
            }
            let Some(p) = farthest.1 else { break };
            (circle, edge) = edge.widened(p);
            // The circle of a part is never larger than that of the whole.
            if circle.radius > most {
                return None;
            }
        }
        (circle.radius <= most).then_some(circle)
    }
}

/// The points, at most three, that determine a circle.
#[derive(Clone, Copy)]
struct Edge {
    points: [Point; 3],
    count: usize,
}

impl Edge {
    /// The smallest circle around these points and one outside theirs, which then lies on its edge.
    fn widened(&self, p: Point) -> (Circle, Self) {
        let old = &self.points[..self.count];
        let mut best: Option<(Circle, Self)> = None;
        let mut consider = |center: Point, points: [Point; 3], count: usize| {
            let radius = old.iter().chain([&p]).map(|q| q.distance2(center)).fold(0.0, f64::max).sqrt();
            if best.is_none_or(|(circle, _)| radius < circle.radius) {
                best = Some((Circle { center, radius }, Self { points, count }));
            }
        };
        for (i, &a) in old.iter().enumerate() {
            consider(Point { x: (a.x + p.x) * 0.5, y: (a.y + p.y) * 0.5 }, [p, a, a], 2);
            for &b in &old[..i] {
                if let Some(center) = middle(p, a, b) {
                    consider(center, [p, a, b], 3);
                }
            }
        }
        best.unwrap_or((Circle { center: p, radius: 0.0 }, Self { points: [p; 3], count: 1 }))
    }
}

/// Of the circle through three points; `None` where they lie on a line.
fn middle(a: Point, b: Point, c: Point) -> Option<Point> {
    let (bx, by, cx, cy) = (b.x - a.x, b.y - a.y, c.x - a.x, c.y - a.y);
    let d = 2.0 * (bx * cy - by * cx);
    let (b2, c2) = (bx * bx + by * by, cx * cx + cy * cy);
    let center = Point { x: a.x + (cy * b2 - by * c2) / d, y: a.y + (bx * c2 - cx * b2) / d };
    (center.x.is_finite() && center.y.is_finite()).then_some(center)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn around(points: &[Point]) -> Circle {
        Circle::around(points, f64::INFINITY).unwrap()
    }

    /// The smallest of all circles through two or three of the points that hold all others.
    fn by_trial(points: &[Point]) -> f64 {
        let mut best = f64::INFINITY;
        let mut consider = |center: Point| {
            best = best.min(points.iter().map(|p| p.distance2(center)).fold(0.0, f64::max).sqrt());
        };
        for (i, &a) in points.iter().enumerate() {
            for (j, &b) in points[..i].iter().enumerate() {
                consider(Point { x: (a.x + b.x) * 0.5, y: (a.y + b.y) * 0.5 });
                points[..j].iter().filter_map(|&c| middle(a, b, c)).for_each(&mut consider);
            }
        }
        best
    }

    proptest! {
        #[test]
        fn it_is_the_smallest(points in prop::collection::vec((-5.0..5.0f64, -5.0..5.0f64), 2..16), grid in any::<bool>()) {
            // On a grid many points coincide or lie on a line.
            let snap = |v: f64| if grid { v.round() } else { v };
            let points: Vec<Point> = points.into_iter().map(|(x, y)| Point { x: snap(x), y: snap(y) }).collect();
            let circle = around(&points);
            prop_assert!(points.iter().all(|p| circle.contains(*p)));
            prop_assert!((circle.radius - by_trial(&points)).abs() < 1e-6, "{circle:?} {}", by_trial(&points));
            prop_assert!(Circle::around(&points, circle.radius + 1e-6).is_some());
            prop_assert!(circle.radius < 1e-3 || Circle::around(&points, circle.radius - 1e-6).is_none());
            if let Some(own) = Circle::between_ends(&points, circle.radius + 1.0) {
                prop_assert!(own.radius >= circle.radius - 1e-6 && own.radius <= circle.radius + 1.0);
                prop_assert!(points.iter().all(|p| own.contains(*p)));
            }
            prop_assert!(Circle::between_ends(&points, f64::INFINITY).is_some());
        }
    }

    #[test]
    fn few_points() {
        assert!(Circle::around(&[], 1.0).is_none());
        let p = Point { x: 3.0, y: 4.0 };
        let circle = around(&[p, p, p]);
        assert!(circle.radius == 0.0 && circle.contains(p) && !circle.contains(Point { x: 3.0, y: 4.1 }));
    }

    #[test]
    fn a_path_along_a_line_takes_few_steps() {
        let points: Vec<Point> = (0..500).map(|i| Point { x: f64::from(i), y: 0.3 * f64::from(i % 7) }).collect();
        let circle = around(&points);
        assert!((circle.radius - 249.5).abs() < 0.1, "{circle:?}");
        assert!(Circle::between_ends(&points, 250.0).is_some_and(|own| own.radius < 249.6));
        assert!(Circle::between_ends(&points, 249.0).is_none() && Circle::between_ends(&[], 1.0).is_none());
    }
}
