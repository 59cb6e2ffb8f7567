//! Lengths on the ground. Every distance is given in body heights of 1.70 m: with a ground plane from metres, without
//! one from the box heights at that place, with y doubled for foreshortening.

use crate::config::plan::{self, BODY_HEIGHT_M};
use crate::types::{Point, Size};

/// How lengths are measured on one camera's picture.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    /// Fractions of the picture to metres; rows of a 3x3 homography.
    plane: Option<[[f64; 3]; 3]>,
    size: Size,
}

/// Foreshortening where no ground plane is known.
const DEPTH: f64 = 2.0;

impl Ground {
    /// With the plane through known points, if the plan has them and they determine one.
    pub fn new(plan: Option<&plan::Ground>) -> Self {
        Self { plane: plan.and_then(|g| fit(&g.points, &g.metres)), size: Size::default() }
    }

    /// Pixels of the coming pictures.
    pub fn set_size(&mut self, size: Size) {
        self.size = size;
    }

    /// Metres on the ground plane; `None` without one or above the horizon.
    pub fn metres(&self, pixel: Point) -> Option<Point> {
        let h = self.plane.as_ref()?;
        let p = self.size.to_fraction(pixel);
        let row = |r: &[f64; 3]| r[0] * p.x + r[1] * p.y + r[2];
        let w = row(&h[2]);
        // `fit` scales the plane so that its own points have w = 1 or so: the horizon is w = 0.
        (w > 1e-3).then(|| Point { x: row(&h[0]) / w, y: row(&h[1]) / w })
    }

    /// Whether lengths come from a known plane rather than from box heights.
    pub fn is_known(&self) -> bool {
        self.plane.is_some()
    }

    /// Distance between two feet points (pixels) of people whose boxes are so high (pixels), in body heights.
    pub fn body_heights(&self, a: Point, a_height: f64, b: Point, b_height: f64) -> f64 {
        let way = self.way(a, a_height, b, b_height);
        way.x.hypot(way.y)
    }

    /// The way from one feet point (pixels) to another of people whose boxes are so high (pixels), in body heights on the
    /// ground.
    pub fn way(&self, a: Point, a_height: f64, b: Point, b_height: f64) -> Point {
        if let (Some(a), Some(b)) = (self.metres(a), self.metres(b)) {
            return Point { x: (b.x - a.x) / BODY_HEIGHT_M, y: (b.y - a.y) / BODY_HEIGHT_M };
        }
        let height = ((a_height + b_height) * 0.5).max(1.0);
        Point { x: (b.x - a.x) / height, y: DEPTH * (b.y - a.y) / height }
    }

    /// Unit vector on the ground from one pixel place to another; `None` where they are the same.
    pub fn bearing(&self, from: Point, to: Point) -> Option<Point> {
        let way = self.way(from, 1.0, to, 1.0);
        let length = way.x.hypot(way.y);
        (length > 0.0 && length.is_finite()).then(|| Point { x: way.x / length, y: way.y / length })
    }

    /// A pixel place in coordinates of equal scale in both directions, and what a body height is in them around people
    /// so high (pixels). `None` above the horizon of a known plane.
    pub fn flat(&self, p: Point, height: f64) -> Option<(Point, f64)> {
        if self.plane.is_some() {
            return self.metres(p).map(|m| (m, BODY_HEIGHT_M));
        }
        Some((Point { x: p.x, y: DEPTH * p.y }, height.max(1.0)))
    }

    /// A pixel place in coordinates of equal scale in both directions around people so high (pixels), in body heights.
    /// Only differences of nearby places mean anything.
    pub fn local(&self, p: Point, height: f64) -> Point {
        match self.metres(p) {
            Some(m) => Point { x: m.x / BODY_HEIGHT_M, y: m.y / BODY_HEIGHT_M },
            None => Point { x: p.x / height.max(1.0), y: DEPTH * p.y / height.max(1.0) },
        }
    }
}

/// Least-squares homography (direct linear transform with h33 = 1 about the points' middle), scaled so that w is
/// positive on the side of the points. `None` where the points do not determine one.
fn fit(points: &[Point], metres: &[Point]) -> Option<[[f64; 3]; 3]> {
    let n = points.len() as f64;
    let middle =
        Point { x: points.iter().map(|p| p.x).sum::<f64>() / n, y: points.iter().map(|p| p.y).sum::<f64>() / n };
    let mut normal = [[0.0; 9]; 8];
    for (p, m) in points.iter().zip(metres) {
        let (x, y) = (p.x - middle.x, p.y - middle.y);
        let rows =
            [[x, y, 1.0, 0.0, 0.0, 0.0, -m.x * x, -m.x * y, m.x], [0.0, 0.0, 0.0, x, y, 1.0, -m.y * x, -m.y * y, m.y]];
        for row in rows {
            for (i, line) in normal.iter_mut().enumerate() {
                for (j, cell) in line.iter_mut().enumerate() {
                    *cell += row[i] * row[j];
                }
            }
        }
    }
    let h = solve(&mut normal)?;
    // Back from coordinates about the middle: H * T with T the shift by -middle.
    let shift = |a: f64, b: f64, c: f64| [a, b, c - a * middle.x - b * middle.y];
    let plane = [shift(h[0], h[1], h[2]), shift(h[3], h[4], h[5]), shift(h[6], h[7], 1.0)];
    let in_front = points.iter().all(|p| plane[2][0] * p.x + plane[2][1] * p.y + plane[2][2] > 0.0);
    in_front.then_some(plane)
}

/// Gaussian elimination with partial pivoting of 8 equations; the last column is the right side.
fn solve(m: &mut [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let pivot = (column..8).max_by(|&a, &b| m[a][column].abs().total_cmp(&m[b][column].abs()))?;
        if m[pivot][column].abs() < 1e-12 {
            return None;
        }
        m.swap(column, pivot);
        let top = m[column];
        for (r, row) in m.iter_mut().enumerate() {
            if r != column {
                let factor = row[column] / top[column];
                row.iter_mut().zip(top).for_each(|(cell, t)| *cell -= factor * t);
            }
        }
    }
    Some(std::array::from_fn(|i| m[i][8] / m[i][i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(list: &[[f64; 2]]) -> Vec<Point> {
        list.iter().map(|&p| p.into()).collect()
    }

    #[test]
    fn known_points_give_metres_back() {
        let plan = plan::Ground {
            points: places(&[[0.11, 0.62], [0.54, 0.60], [0.93, 0.88], [0.05, 0.95]]),
            metres: places(&[[0.0, 0.0], [12.0, 0.0], [12.0, 9.0], [0.0, 9.0]]),
        };
        let mut ground = Ground::new(Some(&plan));
        ground.set_size(Size::new(1000, 500));
        for (p, m) in plan.points.iter().zip(&plan.metres) {
            let found = ground.metres(Point { x: p.x * 1000.0, y: p.y * 500.0 }).unwrap();
            assert!((found.x - m.x).hypot(found.y - m.y) < 1e-6, "{found:?} {m:?}");
        }
        assert_eq!(ground.metres(Point { x: 500.0, y: 20.0 }), None, "above the horizon");
    }

    #[test]
    fn without_a_plane_box_heights_measure_and_depth_counts_double() {
        let ground = Ground::new(None);
        let a = Point { x: 100.0, y: 100.0 };
        assert_eq!(ground.body_heights(a, 80.0, Point { x: 180.0, y: 100.0 }, 80.0), 1.0);
        assert_eq!(ground.body_heights(a, 80.0, Point { x: 100.0, y: 140.0 }, 80.0), 1.0);
    }
}
