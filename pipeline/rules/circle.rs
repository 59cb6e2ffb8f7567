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
        distance2(p, self.center) <= (self.radius + EPSILON).powi(2)
    }

    /// The smallest circle around all points, unless its radius is larger than `most`.
    ///
    /// Begins with the circle around one point and widens it for the farthest point outside until there is none (the
    /// pivoting of Gärtner 1999): a few passes over the points, in whatever order they are. `None` of no points.
    pub fn around(points: impl Iterator<Item = Point> + Clone, most: f64) -> Option<Self> {
        let mut edge = Edge { points: [points.clone().next()?; 3], count: 1 };
        let mut circle = Self { center: edge.points[0], radius: 0.0 };
        for _ in 0..MOST_STEPS {
            let mut farthest = ((circle.radius + EPSILON).powi(2), None);
            for p in points.clone() {
                let distance2 = distance2(p, circle.center);
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
            let radius = old.iter().chain([&p]).map(|q| distance2(*q, center)).fold(0.0, f64::max).sqrt();
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

fn distance2(a: Point, b: Point) -> f64 {
    let (x, y) = (a.x - b.x, a.y - b.y);
    x * x + y * y
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn around(points: &[Point]) -> Circle {
        Circle::around(points.iter().copied(), f64::INFINITY).unwrap()
    }

    /// The smallest of all circles through two or three of the points that hold all others.
    fn by_trial(points: &[Point]) -> f64 {
        let mut best = f64::INFINITY;
        let mut consider = |center: Point| {
            best = best.min(points.iter().map(|p| distance2(*p, center)).fold(0.0, f64::max).sqrt());
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
            let copy = points.iter().copied();
            prop_assert!(Circle::around(copy.clone(), circle.radius + 1e-6).is_some());
            prop_assert!(circle.radius < 1e-3 || Circle::around(copy, circle.radius - 1e-6).is_none());
        }
    }

    #[test]
    fn few_points() {
        assert!(Circle::around([].into_iter(), 1.0).is_none());
        let p = Point { x: 3.0, y: 4.0 };
        let circle = around(&[p, p, p]);
        assert!(circle.radius == 0.0 && circle.contains(p) && !circle.contains(Point { x: 3.0, y: 4.1 }));
    }

    #[test]
    fn a_path_along_a_line_takes_few_steps() {
        let points: Vec<Point> = (0..500).map(|i| Point { x: f64::from(i), y: 0.3 * f64::from(i % 7) }).collect();
        let circle = around(&points);
        assert!((circle.radius - 249.5).abs() < 0.1, "{circle:?}");
    }
}
