//! The ground under a camera: places in the picture to metres and back, and the lens between them.
//!
//! Places in the picture are fractions of its width and height, y down, so that a plane holds for every size of the
//! same picture.

use super::algebra::invert;
use super::{Point, Polygon};

/// Where a metre across is a smaller part of the picture's width than this, nobody is found any more: no ground there.
pub const LEAST_SCALE: f64 = 0.002;
/// Pieces into which a straight side is cut where a lens bends it.
const PIECES: usize = 16;

/// Distortion of a lens after Brown and Conrady, with the coefficients of OpenCV's `calibrateCamera`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lens {
    /// fx / width and fy / height.
    pub focal: [f64; 2],
    /// cx / width and cy / height.
    pub center: [f64; 2],
    /// k1, k2, p1, p2, k3.
    pub distortion: [f64; 5],
}

/// A plane by its homography: undistorted fractions of the picture to metres.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    /// Rows; the last gives the scale: picture widths a metre, measured along the horizon. It is zero on the horizon.
    to_metres: [[f64; 3]; 3],
    to_picture: [[f64; 3]; 3],
    lens: Option<Lens>,
}

impl Lens {
    /// Where a point would be without distortion, by Newton's method. `None` where the coefficients do not say: the
    /// polynomial folds there.
    pub fn undistort(&self, p: Point) -> Option<Point> {
        let [fx, fy] = self.focal;
        let [cx, cy] = self.center;
        let (u, v) = ((p.x - cx) / fx, (p.y - cy) / fy);
        let (mut x, mut y) = (u, v);
        for _ in 0..20 {
            let (bent, [[a, b], [c, d]]) = self.bend(x, y);
            let (du, dv) = (u - bent[0], v - bent[1]);
            let det = a * d - b * c;
            if !(det > 1e-3 && a > 0.0) {
                return None;
            }
            if du.hypot(dv) < 1e-12 {
                return Some(Point { x: x * fx + cx, y: y * fy + cy });
            }
            x += (d * du - b * dv) / det;
            y += (a * dv - c * du) / det;
        }
        None
    }

    /// Where the lens puts an undistorted point.
    pub fn distort(&self, p: Point) -> Point {
        let [fx, fy] = self.focal;
        let [cx, cy] = self.center;
        let ([u, v], _) = self.bend((p.x - cx) / fx, (p.y - cy) / fy);
        Point { x: u * fx + cx, y: v * fy + cy }
    }

    /// The distorted place of a ray and its derivatives.
    fn bend(&self, x: f64, y: f64) -> ([f64; 2], [[f64; 2]; 2]) {
        let [k1, k2, p1, p2, k3] = self.distortion;
        let r2 = x * x + y * y;
        let radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
        let slope = k1 + r2 * (2.0 * k2 + r2 * 3.0 * k3);
        let at = [
            x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
            y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
        ];
        let across = 2.0 * x * y * slope + 2.0 * p1 * x + 2.0 * p2 * y;
        let derivatives = [
            [radial + 2.0 * x * x * slope + 2.0 * p1 * y + 6.0 * p2 * x, across],
            [across, radial + 2.0 * y * y * slope + 6.0 * p1 * y + 2.0 * p2 * x],
        ];
        (at, derivatives)
    }
}

impl Plane {
    /// From a homography of undistorted fractions to metres, whatever its scale; `ground` is a place (undistorted) that
    /// lies on it. `None` where the matrix is singular or not finite.
    pub fn new(homography: [[f64; 3]; 3], ground: Point, lens: Option<Lens>) -> Option<Self> {
        let [across, along, depth] = homography;
        // Along the horizon the scale is the same everywhere.
        let steep = depth[0].hypot(depth[1]);
        let [dx, dy] = if steep > 0.0 { [-depth[1] / steep, depth[0] / steep] } else { [1.0, 0.0] };
        let width = (across[0] * dx + across[1] * dy).hypot(along[0] * dx + along[1] * dy);
        let sign = row(&depth, ground).signum();
        let factor = sign / width;
        if !(factor.is_finite() && factor != 0.0) {
            return None;
        }
        let to_metres = homography.map(|r| r.map(|v| v * factor));
        let to_picture = invert(&to_metres)?;
        let finite = to_metres.iter().chain(&to_picture).flatten().all(|v| v.is_finite());
        finite.then_some(Self { to_metres, to_picture, lens })
    }

    /// The homography, scaled so that its last row gives picture widths a metre.
    pub fn homography(&self) -> &[[f64; 3]; 3] {
        &self.to_metres
    }

    /// The lens, if it is known.
    pub fn lens(&self) -> Option<&Lens> {
        self.lens.as_ref()
    }

    /// A place in the picture in metres on the ground; `None` above the horizon and where nobody is found any more.
    pub fn metres(&self, p: Point) -> Option<Point> {
        self.flat(self.undistorted(p)?)
    }

    /// Picture widths a metre, measured along the horizon; `None` where [`Self::metres`] is.
    pub fn scale(&self, p: Point) -> Option<f64> {
        let scale = row(&self.to_metres[2], self.undistorted(p)?);
        (scale >= LEAST_SCALE).then_some(scale)
    }

    /// Where a place on the ground is seen, perhaps outside the picture; `None` behind the camera.
    pub fn picture(&self, metres: Point) -> Option<Point> {
        let [x, y, z] = [0, 1, 2].map(|i| row(&self.to_picture[i], metres));
        let p = (z > 0.0).then(|| Point { x: x / z, y: y / z }).filter(|p| p.x.is_finite() && p.y.is_finite())?;
        Some(self.lens.map_or(p, |lens| lens.distort(p)))
    }

    /// Square metres of ground that a polygon covers: its part below the horizon, as far as people are found.
    pub fn area(&self, polygon: &Polygon) -> f64 {
        let corners = polygon.points();
        let pieces = if self.lens.is_some() { PIECES } else { 1 };
        let mut outline = Vec::with_capacity(corners.len() * pieces);
        for (i, a) in corners.iter().enumerate() {
            let b = corners[(i + 1) % corners.len()];
            let at = |k: usize| k as f64 / pieces as f64;
            let between = (0..pieces).map(|k| Point { x: a.x + at(k) * (b.x - a.x), y: a.y + at(k) * (b.y - a.y) });
            outline.extend(between.filter_map(|p| self.undistorted(p)));
        }
        let scale = |p: Point| row(&self.to_metres[2], p) - LEAST_SCALE;
        let mut ground = Vec::with_capacity(outline.len() + 2);
        for (i, &a) in outline.iter().enumerate() {
            let b = outline[(i + 1) % outline.len()];
            let (above, below) = (scale(a), scale(b));
            if above >= 0.0 {
                ground.push(a);
            }
            if (above >= 0.0) != (below >= 0.0) {
                let t = above / (above - below);
                ground.push(Point { x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y) });
            }
        }
        // On the limit itself rounding may say either.
        let flat = |p: &Point| {
            let w = row(&self.to_metres[2], *p).max(LEAST_SCALE);
            Point { x: row(&self.to_metres[0], *p) / w, y: row(&self.to_metres[1], *p) / w }
        };
        ground.iter_mut().for_each(|p| *p = flat(p));
        let Some(&first) = ground.first() else { return 0.0 };
        let side = |a: Point, b: Point| (a.x - first.x) * (b.y - first.y) - (b.x - first.x) * (a.y - first.y);
        ground.windows(2).map(|pair| side(pair[0], pair[1])).sum::<f64>().abs() * 0.5
    }

    fn undistorted(&self, p: Point) -> Option<Point> {
        match &self.lens {
            Some(lens) => lens.undistort(p),
            None => Some(p),
        }
    }

    fn flat(&self, p: Point) -> Option<Point> {
        let w = row(&self.to_metres[2], p);
        (w >= LEAST_SCALE).then(|| Point { x: row(&self.to_metres[0], p) / w, y: row(&self.to_metres[1], p) / w })
    }
}

fn row(r: &[f64; 3], p: Point) -> f64 {
    r[0] * p.x + r[1] * p.y + r[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A camera 5 m above the ground that looks 20 degrees down, 60 degrees wide, 4:3; y points away from it.
    fn plane(lens: Option<Lens>) -> Plane {
        let (sin, cos) = 20.0_f64.to_radians().sin_cos();
        let (fx, fy) = (0.5 / 30.0_f64.to_radians().tan(), 4.0 / 3.0 * 0.5 / 30.0_f64.to_radians().tan());
        // Rays (x, y, 1) with x = (px - 0.5) / fx, y = (py - 0.5) / fy; down = y cos + sin; forward = cos - y sin.
        let over = |a: f64, b: f64, c: f64| [a / fx, b / fy, c - 0.5 * a / fx - 0.5 * b / fy];
        let homography = [over(5.0, 0.0, 0.0), over(0.0, -5.0 * sin, 5.0 * cos), over(0.0, cos, sin)];
        Plane::new(homography, Point { x: 0.5, y: 0.9 }, lens).unwrap()
    }

    #[test]
    fn the_middle_of_the_picture_is_where_the_ray_meets_the_ground() {
        let plane = plane(None);
        let m = plane.metres(Point { x: 0.5, y: 0.5 }).unwrap();
        assert!(m.x.abs() < 1e-9 && (m.y - 5.0 / 20.0_f64.to_radians().tan()).abs() < 1e-9, "{m:?}");
        let back = plane.picture(m).unwrap();
        assert!((back.x - 0.5).hypot(back.y - 0.5) < 1e-9);
        // The horizon is 20 degrees above the middle: 0.5 - fy * tan 20 degrees = 0.08.
        assert_eq!(plane.metres(Point { x: 0.5, y: 0.05 }), None);
        assert_eq!(plane.picture(Point { x: 0.0, y: -20.0 }), None, "behind the camera");
    }

    #[test]
    fn the_scale_is_that_of_a_metre_across() {
        let plane = plane(None);
        let p = Point { x: 0.3, y: 0.7 };
        let a = plane.metres(p).unwrap();
        let right = plane.picture(Point { x: a.x + 1.0, y: a.y }).unwrap();
        assert!((plane.scale(p).unwrap() - (right.x - p.x)).abs() < 1e-9);
        assert!((right.y - p.y).abs() < 1e-9);
    }

    #[test]
    fn areas_are_square_metres_of_what_lies_below_the_horizon() {
        let plane = plane(None);
        let square = [[-2.0, 12.0], [2.0, 12.0], [2.0, 15.0], [-2.0, 15.0]];
        let seen = square.map(|m| plane.picture(m.into()).unwrap());
        assert!((plane.area(&Polygon::new(seen.to_vec())) - 12.0).abs() < 1e-9);
        let sky = Polygon::new([[0.0, 0.0], [1.0, 0.0], [1.0, 0.05], [0.0, 0.05]].map(Point::from).to_vec());
        assert_eq!(plane.area(&sky), 0.0);
        // Up to the horizon and beyond is as much as up to the last ground.
        let (far, all) = (0.3, 0.0);
        let strip = |top: f64| Polygon::new([[0.4, top], [0.6, top], [0.6, 0.9], [0.4, 0.9]].map(Point::from).to_vec());
        let (near, whole) = (plane.area(&strip(far)), plane.area(&strip(all)));
        assert!(near > 0.0 && whole > near && whole.is_finite(), "{near} {whole}");
        assert!((whole - plane.area(&strip(0.05))).abs() < 1e-6 * whole);
    }

    #[test]
    fn an_l_that_reaches_over_the_horizon_twice_counts_both_legs() {
        let plane = plane(None);
        let u = [[0.2, 0.0], [0.3, 0.0], [0.3, 0.8], [0.7, 0.8], [0.7, 0.0], [0.8, 0.0], [0.8, 0.9], [0.2, 0.9]];
        let part = |corners: [[f64; 2]; 4]| plane.area(&Polygon::new(corners.map(Point::from).to_vec()));
        let whole = plane.area(&Polygon::new(u.map(Point::from).to_vec()));
        let legs = part([[0.2, 0.0], [0.3, 0.0], [0.3, 0.8], [0.2, 0.8]])
            + part([[0.7, 0.0], [0.8, 0.0], [0.8, 0.8], [0.7, 0.8]]);
        let foot = part([[0.2, 0.8], [0.8, 0.8], [0.8, 0.9], [0.2, 0.9]]);
        assert!((whole - legs - foot).abs() < 1e-6 * whole, "{whole} {legs} {foot}");
    }

    #[test]
    fn a_lens_is_taken_out() {
        let lens = Lens { focal: [0.9, 1.2], center: [0.51, 0.48], distortion: [-0.28, 0.09, 0.001, -0.0005, -0.01] };
        for (x, y) in [(0.0, 0.0), (1.0, 0.0), (0.5, 0.5), (0.1, 0.9), (1.0, 1.0)] {
            let p = Point { x, y };
            let back = lens.distort(lens.undistort(p).unwrap());
            assert!((back.x - x).hypot(back.y - y) < 1e-9, "{p:?} {back:?}");
        }
        let (bent, straight) = (plane(Some(lens)), plane(None));
        let p = Point { x: 0.2, y: 0.8 };
        let (a, b) = (bent.metres(p).unwrap(), straight.metres(lens.undistort(p).unwrap()).unwrap());
        assert!((a.x - b.x).hypot(a.y - b.y) < 1e-9);
        let back = bent.picture(a).unwrap();
        assert!((back.x - p.x).hypot(back.y - p.y) < 1e-9);
        // r (1 - 2 r^2) turns back at r = 0.41: beyond, no ray looks like this.
        let fold = Lens { focal: [1.0, 1.0], center: [0.0, 0.0], distortion: [-2.0, 0.0, 0.0, 0.0, 0.0] };
        assert_eq!(fold.undistort(Point { x: 0.9, y: 0.0 }), None);
    }
}
