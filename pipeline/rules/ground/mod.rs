//! Lengths on the ground, in metres. With a plane they are measured on it; without one by the box heights at that place:
//! a body height is 1.70 m, and y counts double for foreshortening.

mod feet;
mod learner;
mod pose;
mod sampler;
mod tall;

use super::people::Person;
use crate::config::plan::{BODY_HEIGHT_M, Camera, GroundPlane, Length};
use crate::types::{LearntGround, MediaTime, Plane, Point, Polygon, Pose, Size, Track, Unit};

pub use learner::{Learner, NotReady};

use tall::Tall;

/// Foreshortening where no plane is known.
const DEPTH: f64 = 2.0;

/// How lengths are measured in one camera's picture.
pub struct Ground {
    plane: Option<Plane>,
    heights: Heights,
    /// Height of a person, metres.
    body: f64,
    size: Size,
    /// Of the camera's zones, in the order of the plan.
    zones: Vec<Polygon>,
    /// Square metres of each, where a plane is known.
    areas: Vec<f64>,
    version: u32,
}

/// What is known of how high people appear.
enum Heights {
    /// Nothing, and nothing is asked.
    Unasked,
    /// The plane is known.
    Known(Tall),
    /// The plane comes from them.
    Learnt(Box<Learner>),
}

/// What lengths are measured by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Yardstick {
    /// Body heights: the plan has no ground.
    BodyHeights,
    /// A plane through known points.
    Known,
    /// A learnt plane.
    Ready(Pose),
    /// Body heights, until a plane is learnt.
    NotReady(NotReady),
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
            heights: Heights::Unasked,
            body: camera.ground.as_ref().map_or(BODY_HEIGHT_M, |g| g.height),
            size: Size::default(),
            zones: camera.zones.iter().map(|z| z.polygon.clone()).collect(),
            areas: Vec::new(),
            version: 0,
        };
        let Some(plan) = &camera.ground else { return ground };
        match &plan.plane {
            GroundPlane::Known(known) => {
                ground.heights = Heights::Known(Tall::new());
                ground.set_plane(Some(known.plane.clone()));
            }
            GroundPlane::Learnt { freeze } => {
                ground.heights = Heights::Learnt(Box::new(Learner::new(plan.lens, plan.height, *freeze)));
            }
        }
        ground
    }

    /// What lengths are measured by.
    pub fn yardstick(&self) -> Yardstick {
        match &self.heights {
            Heights::Unasked => Yardstick::BodyHeights,
            Heights::Known(_) => Yardstick::Known,
            Heights::Learnt(learner) => match learner.published_pose() {
                Ok(pose) => Yardstick::Ready(*pose),
                Err(reason) => Yardstick::NotReady(reason),
            },
        }
    }

    /// What was learnt so far, where the ground is learnt; outlives a restart.
    pub fn learnt(&self) -> Option<&LearntGround> {
        match &self.heights {
            Heights::Learnt(learner) => Some(learner.state()),
            Heights::Unasked | Heights::Known(_) => None,
        }
    }

    /// What learns, where the ground is learnt.
    pub fn learner(&self) -> Option<&Learner> {
        match &self.heights {
            Heights::Learnt(learner) => Some(learner),
            Heights::Unasked | Heights::Known(_) => None,
        }
    }

    /// Goes on from what an earlier run has learnt; nothing where the ground is not learnt.
    pub fn restore(&mut self, state: LearntGround) {
        if let Heights::Learnt(learner) = &mut self.heights {
            let plane = learner.restore(state);
            self.set_plane(plane);
        }
    }

    /// Forgets what was learnt and begins anew; nothing where the ground is not learnt.
    pub fn relearn(&mut self) {
        if let Heights::Learnt(learner) = &mut self.heights {
            learner.relearn();
            self.set_plane(None);
        }
    }

    /// Keeps a learnt plane as it is once it is ready, or goes on.
    pub fn set_freeze(&mut self, freeze: bool) {
        if let Heights::Learnt(learner) = &mut self.heights {
            learner.set_freeze(freeze);
        }
    }

    /// Takes the people of a picture, after the rules: a plane that they complete is in force from the next picture on.
    pub fn learn(&mut self, time: MediaTime, people: &[Person]) {
        let plane = match (&mut self.heights, &self.plane) {
            (Heights::Learnt(learner), _) => {
                let plane = learner.observe(time, self.size, people);
                if plane.is_none() && (self.plane.is_none() || learner.published_pose().is_ok()) {
                    return;
                }
                plane
            }
            (Heights::Known(tall), Some(plane)) => return tall.observe(time, self.size, people, plane),
            (Heights::Known(_), None) | (Heights::Unasked, _) => return,
        };
        self.set_plane(plane);
    }

    /// The last picture is over: whoever is in view counts too.
    pub fn finish(&mut self) {
        if let Heights::Learnt(learner) = &mut self.heights
            && let Some(plane) = learner.finish()
        {
            self.set_plane(Some(plane));
        }
    }

    /// Says who stands free of all others, and puts hidden feet where a person of the expected height has them.
    pub fn look_at_feet(&self, people: &mut [Person], tracks: &[Track]) {
        if !matches!(self.heights, Heights::Unasked) {
            feet::look(people, tracks, self.size, self);
        }
    }

    /// Height (pixels) at which a person with feet at this place (pixels) appears; `None` where nothing is known of it.
    pub fn expected_height(&self, feet: Point) -> Option<f64> {
        let place = self.size.to_fraction(feet);
        let share = match &self.heights {
            Heights::Unasked => None,
            Heights::Known(tall) => tall.expected_height(place, self.plane.as_ref()?),
            Heights::Learnt(learner) => learner.expected_height(place),
        }?;
        Some(share * f64::from(self.size.height))
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
mod tests;
