//! The homography through known points: normalised direct linear transform (Hartley 1997), then least squares in metres.

use crate::types::algebra::{eigen, solve};
use crate::types::plane::{LEAST_SCALE, Lens, Plane};
use crate::types::{Point, geometry};

type Matrix = [[f64; 3]; 3];

/// A plane with the distance between each known place and where the plane puts it, metres.
pub struct Fitted {
    /// Fractions of the picture to metres.
    pub plane: Plane,
    /// In the order of the points.
    pub errors: Vec<f64>,
}

/// Why points give no plane. Indices are those of the points.
#[derive(Clone, Debug, PartialEq)]
pub enum FitError {
    /// Two places are the same.
    Same(usize, usize),
    /// All but one lie on a line, or nearly.
    Collinear,
    /// The lens has no ray for it.
    Lens(usize),
    /// It would lie beyond the horizon of the others: crossed, or in the sky.
    Crossed(usize),
    /// The ground would be above the horizon there.
    Above(usize),
    /// Nobody is found so far away.
    Far(usize),
}

/// Share of the largest extent within which a place counts as lying on a line.
const ON_LINE: f64 = 0.005;
/// Steps of the refinement; it converges in three or so.
const STEPS: usize = 20;

/// Fits the plane; `points` are distorted fractions of the picture, at least four.
pub fn fit(points: &[Point], metres: &[Point], lens: Option<Lens>) -> Result<Fitted, FitError> {
    for set in [points, metres] {
        spread(set)?;
    }
    let mut straight = points.to_vec();
    if let Some(lens) = &lens {
        for (i, p) in straight.iter_mut().enumerate() {
            *p = lens.undistort(*p).ok_or(FitError::Lens(i))?;
        }
    }
    let (from, to) = (Scaling::of(&straight), Scaling::of(metres));
    let (a, b): (Vec<Point>, Vec<Point>) =
        (straight.iter().map(|p| from.apply(*p)).collect(), metres.iter().map(|p| to.apply(*p)).collect());
    let mut h = linear(&a, &b).ok_or(FitError::Collinear)?;
    in_front(&h, &a)?;
    refine(&mut h, &a, &b);
    in_front(&h, &a)?;
    let homography = to.undo(&h, &from);
    let plane = Plane::new(homography, straight[0], lens).ok_or(FitError::Collinear)?;
    for (i, p) in straight.iter().enumerate() {
        let scale = |p: Point| depth(plane.homography(), p);
        if scale(Point { x: p.x, y: p.y.max(1.0) }) <= 0.0 {
            return Err(FitError::Above(i));
        }
        if scale(*p) < LEAST_SCALE {
            return Err(FitError::Far(i));
        }
    }
    let distance = |(p, m): (&Point, &Point)| plane.metres(*p).map_or(f64::INFINITY, |q| (q.x - m.x).hypot(q.y - m.y));
    let errors = points.iter().zip(metres).map(distance).collect();
    Ok(Fitted { plane, errors })
}

/// Four places in general position exist unless all but one lie on a line.
fn spread(points: &[Point]) -> Result<(), FitError> {
    let pairs = || (0..points.len()).flat_map(|i| (0..i).map(move |j| (j, i)));
    let length = |(i, j): (usize, usize)| (points[i].x - points[j].x).hypot(points[i].y - points[j].y);
    let extent = pairs().map(length).fold(0.0, f64::max);
    if let Some((i, j)) = pairs().find(|pair| length(*pair) <= ON_LINE * extent) {
        return Err(FitError::Same(i, j));
    }
    let line = |(i, j): (usize, usize)| {
        let off = |p: &&Point| geometry::orient(points[i], points[j], **p).abs() > ON_LINE * extent * length((i, j));
        points.iter().filter(off).count() < 2
    };
    if pairs().any(line) { Err(FitError::Collinear) } else { Ok(()) }
}

/// Shift and scale that bring points about the origin, at a mean distance of the square root of two.
struct Scaling {
    middle: Point,
    scale: f64,
}

impl Scaling {
    fn of(points: &[Point]) -> Self {
        let n = points.len() as f64;
        let middle =
            Point { x: points.iter().map(|p| p.x).sum::<f64>() / n, y: points.iter().map(|p| p.y).sum::<f64>() / n };
        let mean = points.iter().map(|p| (p.x - middle.x).hypot(p.y - middle.y)).sum::<f64>() / n;
        Self { middle, scale: std::f64::consts::SQRT_2 / mean }
    }

    fn apply(&self, p: Point) -> Point {
        Point { x: (p.x - self.middle.x) * self.scale, y: (p.y - self.middle.y) * self.scale }
    }

    /// The homography between the original coordinates, where `h` is that between the scaled ones; `self` is its target.
    fn undo(&self, h: &Matrix, from: &Self) -> Matrix {
        let s = from.scale;
        let unscaled = h.map(|[a, b, c]| [a * s, b * s, c - s * (a * from.middle.x + b * from.middle.y)]);
        let depth = unscaled[2];
        let back = |row: [f64; 3], middle: f64| std::array::from_fn(|i| row[i] / self.scale + middle * depth[i]);
        [back(unscaled[0], self.middle.x), back(unscaled[1], self.middle.y), depth]
    }
}

/// The homography with the least algebraic error; `None` where there is more than one.
fn linear(points: &[Point], metres: &[Point]) -> Option<Matrix> {
    let mut normal = [[0.0; 9]; 9];
    for (p, m) in points.iter().zip(metres) {
        let (x, y) = (p.x, p.y);
        let rows = [
            [x, y, 1.0, 0.0, 0.0, 0.0, -m.x * x, -m.x * y, -m.x],
            [0.0, 0.0, 0.0, x, y, 1.0, -m.y * x, -m.y * y, -m.y],
        ];
        for row in rows {
            for (i, line) in normal.iter_mut().enumerate() {
                line.iter_mut().zip(row).for_each(|(cell, value)| *cell += row[i] * value);
            }
        }
    }
    let (values, vectors) = eigen(normal);
    let [a, b, c, d, e, f, g, h, i] = vectors[0];
    let unique = values[1] > 1e-9 * values[8];
    unique.then_some([[a, b, c], [d, e, f], [g, h, i]])
}

/// All points on the same side of the horizon; else the smaller side is named.
fn in_front(h: &Matrix, points: &[Point]) -> Result<(), FitError> {
    let positive = points.iter().filter(|p| depth(h, **p) > 0.0).count();
    let wrong = 2 * positive < points.len();
    let odd = points.iter().position(|p| (depth(h, *p) > 0.0) == wrong);
    match odd {
        Some(i) => Err(FitError::Crossed(i)),
        None => Ok(()),
    }
}

fn depth(h: &Matrix, p: Point) -> f64 {
    h[2][0] * p.x + h[2][1] * p.y + h[2][2]
}

/// Gauss-Newton on the squared distances in metres, from the linear solution; a step that does not help is not taken.
fn refine(h: &mut Matrix, points: &[Point], metres: &[Point]) {
    let mut cost = squares(h, points, metres);
    for _ in 0..STEPS {
        // The scale of a homography is free: this keeps it where it is.
        let flat: [f64; 9] = std::array::from_fn(|i| h[i / 3][i % 3]);
        let mut normal: [[f64; 9]; 9] = std::array::from_fn(|i| std::array::from_fn(|j| flat[i] * flat[j]));
        let mut right = [0.0; 9];
        for (p, m) in points.iter().zip(metres) {
            let w = depth(h, *p);
            let ([x, y], place) = (mapped(h, *p), [p.x / w, p.y / w, 1.0 / w]);
            for (axis, (value, wanted)) in [(x, m.x), (y, m.y)].into_iter().enumerate() {
                let mut slope = [0.0; 9];
                for k in 0..3 {
                    slope[3 * axis + k] = place[k];
                    slope[6 + k] = -value * place[k];
                }
                for (i, line) in normal.iter_mut().enumerate() {
                    line.iter_mut().zip(slope).for_each(|(cell, s)| *cell += slope[i] * s);
                    right[i] += slope[i] * (wanted - value);
                }
            }
        }
        let Some(step) = solve(normal, right) else { return };
        let next = std::array::from_fn(|i| std::array::from_fn(|j| h[i][j] + step[3 * i + j]));
        let better = squares(&next, points, metres);
        if better.is_nan() || better >= cost {
            return;
        }
        let gained = cost - better;
        (*h, cost) = (next, better);
        if gained <= 1e-12 * cost {
            return;
        }
    }
}

fn mapped(h: &Matrix, p: Point) -> [f64; 2] {
    let w = depth(h, p);
    [0, 1].map(|i| (h[i][0] * p.x + h[i][1] * p.y + h[i][2]) / w)
}

fn squares(h: &Matrix, points: &[Point], metres: &[Point]) -> f64 {
    let square = |(p, m): (&Point, &Point)| {
        let [x, y] = mapped(h, *p);
        (x - m.x).powi(2) + (y - m.y).powi(2)
    };
    points.iter().zip(metres).map(square).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(list: &[[f64; 2]]) -> Vec<Point> {
        list.iter().map(|&p| p.into()).collect()
    }

    const CORNERS: [[f64; 2]; 4] = [[0.11, 0.62], [0.54, 0.60], [0.93, 0.88], [0.05, 0.95]];
    const COURT: [[f64; 2]; 4] = [[0.0, 0.0], [12.0, 0.0], [12.0, 9.0], [0.0, 9.0]];

    #[test]
    fn four_points_are_met_exactly() {
        let fitted = fit(&places(&CORNERS), &places(&COURT), None).unwrap_or_else(|e| panic!("{e:?}"));
        assert!(fitted.errors.iter().all(|e| *e < 1e-9), "{:?}", fitted.errors);
        assert_eq!(fitted.plane.metres(Point { x: 0.5, y: 0.04 }), None, "above the horizon");
    }

    #[test]
    fn more_points_share_their_error_and_the_wrong_one_shows() {
        let exact = fit(&places(&CORNERS), &places(&COURT), None).unwrap_or_else(|e| panic!("{e:?}"));
        let further = [[6.0, 4.5], [3.0, 2.0], [9.0, 7.0], [2.0, 7.0]];
        let mut metres = places(&COURT);
        metres.extend(further.map(Point::from));
        let points: Vec<Point> = metres.iter().map(|m| exact.plane.picture(*m).unwrap()).collect();
        metres[5].x += 2.0;
        let fitted = fit(&points, &metres, None).unwrap_or_else(|e| panic!("{e:?}"));
        let worst = (0..8).max_by(|&a, &b| fitted.errors[a].total_cmp(&fitted.errors[b]));
        assert_eq!(worst, Some(5), "{:?}", fitted.errors);
        // Least squares in metres: no small change of the plane is better.
        let sum = |e: &[f64]| e.iter().map(|v| v * v).sum::<f64>();
        let best = sum(&fitted.errors);
        for i in 0..9 {
            for change in [1e-5, -1e-5] {
                let mut h = *fitted.plane.homography();
                h[i / 3][i % 3] *= 1.0 + change;
                let (a, b) = (&points, &metres);
                assert!(squares(&h, a, b) >= best * (1.0 - 1e-9), "{i} {change}");
            }
        }
    }

    #[test]
    fn what_gives_no_plane_is_named() {
        let fault = |points: &[[f64; 2]], metres: &[[f64; 2]]| fit(&places(points), &places(metres), None).err();
        let line = [[0.1, 0.6], [0.3, 0.6], [0.9, 0.6], [0.5, 0.9]];
        assert_eq!(fault(&line, &COURT), Some(FitError::Collinear));
        assert_eq!(fault(&CORNERS, &[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [0.0, 9.0]]), Some(FitError::Collinear));
        let near_pencil = [[0.1, 0.6], [0.3, 0.6], [0.6, 0.6], [0.9, 0.6], [0.5, 0.9]];
        let five = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [1.0, 5.0]];
        assert_eq!(fault(&near_pencil, &five), Some(FitError::Collinear));
        let twice = [[0.1, 0.6], [0.1, 0.6], [0.9, 0.6], [0.5, 0.9]];
        assert_eq!(fault(&twice, &COURT), Some(FitError::Same(0, 1)));
        let crossed = [COURT[0], COURT[2], COURT[1], COURT[3]];
        assert!(matches!(fault(&CORNERS, &crossed), Some(FitError::Crossed(_))));
        let ceiling = CORNERS.map(|[x, y]| [x, 1.0 - y]);
        assert!(matches!(fault(&ceiling, &COURT), Some(FitError::Above(_))));
        let planet = COURT.map(|[x, y]| [x * 100.0, y * 100.0]);
        assert!(matches!(fault(&CORNERS, &planet), Some(FitError::Far(_))));
    }
}
