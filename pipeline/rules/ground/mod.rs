//! Lengths on the ground, in metres. With a plane they are measured on it; without one by the box heights at that place:
//! a body height is 1.70 m, and y counts double for foreshortening.

use crate::config::plan::{BODY_HEIGHT_M, Camera, GroundPlane, Length};
use crate::types::{Plane, Point, Polygon, Size, Unit};

/// Foreshortening where no plane is known.
const DEPTH: f64 = 2.0;

/// How lengths are measured in one camera's picture.
#[derive(Clone, Debug)]
pub struct Ground {
    plane: Option<Plane>,
    /// Height of a person, metres.
    body: f64,
    size: Size,
    /// Of the camera's zones, in the order of the plan.
    zones: Vec<Polygon>,
    /// Square metres of each, where a plane is known.
    areas: Vec<f64>,
    version: u32,
}

/// Where somebody stands, with what measuring from there needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// Feet, pixels.
    pub feet: Point,
    /// Box height, pixels.
    pub height: f64,
    /// Feet on the plane, metres; `None` without one, or above its horizon.
    pub metres: Option<Point>,
}

impl Ground {
    /// With the plane of the camera's plan, if it has one.
    pub fn new(camera: &Camera) -> Self {
        let mut ground = Self {
            plane: None,
            body: camera.ground.as_ref().map_or(BODY_HEIGHT_M, |g| g.height),
            size: Size::default(),
            zones: camera.zones.iter().map(|z| z.polygon.clone()).collect(),
            areas: Vec::new(),
            version: 0,
        };
        if let Some(GroundPlane::Known(known)) = camera.ground.as_ref().map(|g| &g.plane) {
            ground.set_plane(Some(known.plane.clone()));
        }
        ground
    }

    /// From now on this plane measures. Places that were measured before no longer compare: see [`Self::version`].
    pub fn set_plane(&mut self, plane: Option<Plane>) {
        self.areas.clear();
        if let Some(plane) = &plane {
            self.areas.extend(self.zones.iter().map(|zone| plane.area(zone)));
        }
        self.plane = plane;
        self.version += 1;
    }

    /// Pixels of the coming pictures.
    pub fn set_size(&mut self, size: Size) {
        self.size = size;
    }

    /// Rises with each new plane: metres of different versions do not compare.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The plane, where one is known.
    pub fn plane(&self) -> Option<&Plane> {
        self.plane.as_ref()
    }

    /// What lengths are told in: metres on a plane, else body heights.
    pub fn unit(&self) -> Unit {
        if self.plane.is_some() { Unit::Metres } else { Unit::BodyHeights }
    }

    /// A length of the plan in metres.
    pub fn length(&self, length: Length) -> f64 {
        length.metres(self.body)
    }

    /// Height of a person, metres.
    pub fn body(&self) -> f64 {
        self.body
    }

    /// A feet point (pixels) of somebody whose box is so high (pixels).
    pub fn spot(&self, feet: Point, height: f64) -> Spot {
        Spot { feet, height, metres: self.metres(feet) }
    }

    /// A place (pixels) on the plane, metres; `None` without a plane, above its horizon, and too far for anybody to be
    /// found.
    pub fn metres(&self, pixel: Point) -> Option<Point> {
        self.plane.as_ref()?.metres(self.size.to_fraction(pixel))
    }

    /// Pixels across that a metre is at this place (pixels); `None` as for [`Self::metres`].
    pub fn scale(&self, pixel: Point) -> Option<f64> {
        let widths = self.plane.as_ref()?.scale(self.size.to_fraction(pixel))?;
        Some(widths * f64::from(self.size.width))
    }

    /// Square metres of ground that the zone with this index covers: its part below the horizon. `None` without a plane;
    /// zero where nothing of it is ground.
    pub fn area(&self, zone: usize) -> Option<f64> {
        self.areas.get(zone).copied()
    }

    /// Distance, metres.
    pub fn distance(&self, a: &Spot, b: &Spot) -> f64 {
        if let (Some(a), Some(b)) = (a.metres, b.metres) {
            return (a.x - b.x).hypot(a.y - b.y);
        }
        let height = ((a.height + b.height) * 0.5).max(1.0);
        (a.feet.x - b.feet.x).hypot(DEPTH * (a.feet.y - b.feet.y)) / height * self.body
    }

    /// A spot in coordinates of equal scale in both directions: metres on the plane, else pixels with y doubled. `None`
    /// above the horizon of a known plane.
    pub fn flat(&self, spot: &Spot) -> Option<Point> {
        if self.plane.is_some() {
            return spot.metres;
        }
        Some(Point { x: spot.feet.x, y: DEPTH * spot.feet.y })
    }

    /// What a metre is in the coordinates of [`Self::flat`] around people so high (pixels).
    pub fn flat_metre(&self, height: f64) -> f64 {
        if self.plane.is_some() { 1.0 } else { height.max(1.0) / self.body }
    }

    /// Distance of a spot from the straight line between two others, metres: on the plane where all three lie on it, else
    /// by the box height at the spot.
    pub fn from_segment(&self, spot: &Spot, a: (Point, Option<Point>), b: (Point, Option<Point>)) -> f64 {
        if let (Some(p), Some(a), Some(b)) = (spot.metres, a.1, b.1) {
            return to_segment(p, a, b);
        }
        let deep = |p: Point| Point { x: p.x, y: DEPTH * p.y };
        to_segment(deep(spot.feet), deep(a.0), deep(b.0)) / spot.height.max(1.0) * self.body
    }
}

fn to_segment(p: Point, a: Point, b: Point) -> f64 {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let length2 = dx * dx + dy * dy;
    let along = if length2 > 0.0 { (((p.x - a.x) * dx + (p.y - a.y) * dy) / length2).clamp(0.0, 1.0) } else { 0.0 };
    (p.x - a.x - along * dx).hypot(p.y - a.y - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::camera;

    const COURT: &str = "id = \"c\"\n[ground]\npoints = [[0.11, 0.62], [0.54, 0.60], [0.93, 0.88], [0.05, 0.95]]\n\
        metres = [[0.0, 0.0], [12.0, 0.0], [12.0, 9.0], [0.0, 9.0]]\nheight = \"1.6m\"\n\
        [[zone]]\nid = \"court\"\npolygon = [[0.11, 0.62], [0.54, 0.60], [0.93, 0.88], [0.05, 0.95]]\n";

    fn ground(text: &str) -> Ground {
        let mut ground = Ground::new(&camera(text));
        ground.set_size(Size::new(1000, 500));
        ground
    }

    #[test]
    fn on_a_plane_metres_count_and_heights_do_not() {
        let ground = ground(COURT);
        let [a, b, c] = [(110.0, 310.0), (540.0, 300.0), (930.0, 440.0)].map(|(x, y)| Point { x, y });
        assert!((ground.distance(&ground.spot(a, 30.0), &ground.spot(b, 90.0)) - 12.0).abs() < 1e-9);
        assert!((ground.distance(&ground.spot(b, 1.0), &ground.spot(c, 1.0)) - 9.0).abs() < 1e-9);
        assert!((ground.area(0).unwrap() - 108.0).abs() < 1e-6);
        assert_eq!((ground.area(1), ground.unit()), (None, Unit::Metres));
        assert_eq!((ground.length(Length::Metres(2.0)), ground.length(Length::BodyHeights(2.0))), (2.0, 3.2));
        let side = |p: Point| (p, ground.metres(p));
        let off = ground.from_segment(&ground.spot(c, 50.0), side(a), side(b));
        assert!((off - 9.0).abs() < 1e-9, "{off}");
    }

    #[test]
    fn without_a_plane_box_heights_measure_and_depth_counts_double() {
        let ground = ground("id = \"c\"\n");
        let spot = |x: f64, y: f64| ground.spot(Point { x, y }, 80.0);
        assert!((ground.distance(&spot(100.0, 100.0), &spot(180.0, 100.0)) - 1.7).abs() < 1e-9);
        assert!((ground.distance(&spot(100.0, 100.0), &spot(100.0, 140.0)) - 1.7).abs() < 1e-9);
        assert_eq!((ground.area(0), ground.scale(Point::default()), ground.unit()), (None, None, Unit::BodyHeights));
        assert_eq!((ground.length(Length::Metres(2.0)), ground.length(Length::BodyHeights(1.0))), (2.0, 1.7));
        let side = |x: f64, y: f64| (Point { x, y }, None);
        let off = ground.from_segment(&spot(100.0, 100.0), side(0.0, 180.0), side(500.0, 180.0));
        assert!((off - 3.4).abs() < 1e-9, "{off}");
    }
}
