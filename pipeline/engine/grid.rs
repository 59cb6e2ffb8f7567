//! A grid of metres on the picture of a camera whose ground is known.

use crate::types::{Plane, Point};

/// A line is drawn where a metre is at least this part of the picture's width: farther off lines run together.
const FINEST: f64 = 0.006;
/// Lines in each direction at most, and pieces of a metre in which they are drawn: a lens bends them.
const MOST_LINES: i32 = 200;
const PIECES: i32 = 4;
/// Columns in which the end of the ground is looked for, and how closely, as parts of the picture's height.
const COLUMNS: u32 = 32;
const ROWS: u32 = 64;
const NEAR: f64 = 1e-4;

/// One line of the grid, as far as it is seen.
#[derive(Clone, Debug, PartialEq)]
pub struct GridLine {
    /// Its coordinate on the ground, metres.
    pub at: i32,
    /// Places in the picture, at least two: fractions, y down.
    pub points: Vec<Point>,
}

/// All lines of the grid of one metre that are seen: those across, then those along.
pub fn lines(plane: &Plane) -> Vec<GridLine> {
    let Some([low, high]) = extent(plane) else { return Vec::new() };
    let whole = |low: f64, high: f64| (low.floor() as i32, (high.ceil() as i32).min(low.floor() as i32 + MOST_LINES));
    let (across, along) = (whole(low.x, high.x), whole(low.y, high.y));
    let mut found = Vec::new();
    for (own, other, turned) in [(across, along, false), (along, across, true)] {
        for at in own.0..=own.1 {
            let mut points = Vec::new();
            for i in 0..=(other.1 - other.0) * PIECES {
                let (fixed, running) = (f64::from(at), f64::from(other.0) + f64::from(i) / f64::from(PIECES));
                let metres = if turned { Point { x: running, y: fixed } } else { Point { x: fixed, y: running } };
                match plane.picture(metres).filter(|p| plane.scale(*p).is_some_and(|scale| scale >= FINEST)) {
                    Some(p) => points.push(p),
                    None => keep(at, &mut points, &mut found),
                }
            }
            keep(at, &mut points, &mut found);
        }
    }
    found
}

fn keep(at: i32, points: &mut Vec<Point>, found: &mut Vec<GridLine>) {
    let points = std::mem::take(points);
    if points.len() > 1 {
        found.push(GridLine { at, points });
    }
}

/// Where the ground ends, from left to right: fractions of the picture. Empty where it fills the picture.
pub fn horizon(plane: &Plane) -> Vec<Point> {
    let is_ground = |x: f64, y: f64| plane.metres(Point { x, y }).is_some();
    let mut found = Vec::new();
    for i in 0..=COLUMNS {
        let x = f64::from(i) / f64::from(COLUMNS);
        let rows = (0..=ROWS).map(|j| f64::from(j) / f64::from(ROWS));
        // Where there is none in a column, it ends below the picture.
        let first = rows.into_iter().find(|y| is_ground(x, *y)).unwrap_or(1.0);
        let (mut above, mut below) = ((first - 1.0 / f64::from(ROWS)).max(0.0), first);
        while below - above > NEAR {
            let middle = (above + below) / 2.0;
            *(if is_ground(x, middle) { &mut below } else { &mut above }) = middle;
        }
        found.push(Point { x, y: below });
    }
    if found.iter().all(|p| p.y <= NEAR) { Vec::new() } else { found }
}

/// What of the ground is in the picture, metres: lowest and highest coordinates.
fn extent(plane: &Plane) -> Option<[Point; 2]> {
    const STEPS: u32 = 64;
    let step = |i: u32| f64::from(i) / f64::from(STEPS);
    let places = (0..=STEPS).flat_map(|i| (0..=STEPS).map(move |j| Point { x: step(i), y: step(j) }));
    let seen = places.filter(|p| plane.scale(*p).is_some_and(|s| s >= FINEST)).filter_map(|p| plane.metres(p));
    seen.fold(None, |box_, p| match box_ {
        None => Some([p, p]),
        Some([a, b]) => Some([Point { x: a.x.min(p.x), y: a.y.min(p.y) }, Point { x: b.x.max(p.x), y: b.y.max(p.y) }]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Straight down, the picture 10 m wide and high: everything is ground.
    fn above() -> Plane {
        Plane::new([[10.0, 0.0, 0.0], [0.0, 10.0, 0.0], [0.0, 0.0, 1.0]], Point { x: 0.5, y: 0.5 }, None).unwrap()
    }

    /// The horizon at a fifth of the height.
    fn ahead() -> Plane {
        Plane::new([[1.0, 0.0, -0.5], [0.0, 0.0, 1.0], [0.0, 1.0, -0.2]], Point { x: 0.5, y: 0.9 }, None).unwrap()
    }

    #[test]
    fn seen_from_above_lines_are_straight_and_fill_the_picture() {
        assert_eq!(horizon(&above()), []);
        let lines = lines(&above());
        assert_eq!(lines.len(), 22, "0 to 10 m in both directions");
        let third = &lines[3];
        assert!(third.at == 3 && third.points.iter().all(|p| (p.x - 0.3).abs() < 1e-9));
    }

    #[test]
    fn the_ground_ends_at_the_horizon_and_lines_before_it() {
        let horizon = horizon(&ahead());
        assert_eq!((horizon.first().unwrap().x, horizon.last().unwrap().x), (0.0, 1.0));
        let least = horizon.iter().map(|p| p.y).fold(f64::INFINITY, f64::min);
        assert!(least > 0.2 && least < 0.23, "{least}: as far as anybody is found");
        let lines = lines(&ahead());
        assert!(lines.len() > 3 && lines.iter().flat_map(|l| &l.points).all(|p| p.y > 0.2));
    }
}
