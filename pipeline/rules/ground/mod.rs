//! Lengths on the ground. Every distance is given in body heights of 1.70 m: on a ground plane from metres, without one
//! from the box heights at that place, with y doubled for foreshortening.

mod feet;
mod learner;
mod pose;
mod sampler;
mod tall;

use super::people::Person;
use crate::config::plan::{BODY_HEIGHT_M, Camera, GroundPlane};
use crate::types::{LearntGround, MediaTime, Plane, Point, Polygon, Pose, Size, Track};

pub use learner::{Learner, NotReady};

use tall::Tall;

/// Foreshortening where no plane is known.
const DEPTH: f64 = 2.0;

/// How lengths are measured in one camera's picture.
pub struct Ground {
    plane: Option<Plane>,
    heights: Heights,
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

impl Ground {
    /// With the plane of the camera's plan, if it has one.
    pub fn new(camera: &Camera) -> Self {
        let mut ground = Self {
            plane: None,
            heights: Heights::Unasked,
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
            GroundPlane::Learnt { height, freeze } => {
                ground.heights = Heights::Learnt(Box::new(Learner::new(plan.lens, *height, *freeze)));
            }
        }
        ground
    }

    /// Another plan is in force: other zones and, where it differs, another ground. What was learnt stays as long as the
    /// ground is learnt.
    pub fn replan(&mut self, camera: &Camera, differs: bool) {
        if differs {
            let (learnt, size, version) = (self.learnt().cloned(), self.size, self.version);
            *self = Self::new(camera);
            (self.size, self.version) = (size, version + 1 + self.version);
            if let Some(state) = learnt {
                self.restore(state);
            }
        } else {
            self.zones = camera.zones.iter().map(|z| z.polygon.clone()).collect();
            self.measure_zones();
        }
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
        self.plane = plane;
        self.version += 1;
        self.measure_zones();
    }

    fn measure_zones(&mut self) {
        self.areas.clear();
        if let Some(plane) = &self.plane {
            self.areas.extend(self.zones.iter().map(|zone| plane.area(zone)));
        }
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

    /// Whether lengths come from a plane rather than from box heights.
    pub fn is_known(&self) -> bool {
        self.plane.is_some()
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

    /// Distance between two feet points (pixels) of people whose boxes are so high (pixels), in body heights.
    pub fn body_heights(&self, a: Point, a_height: f64, b: Point, b_height: f64) -> f64 {
        self.way(a, a_height, b, b_height).length()
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
        let length = way.length();
        (length > 0.0 && length.is_finite()).then(|| Point { x: way.x / length, y: way.y / length })
    }

    /// A pixel place in coordinates of equal scale in both directions, and what a body height is in them around people
    /// so high (pixels). `None` above the horizon of a known plane.
    pub fn flat(&self, p: Point, height: f64) -> Option<(Point, f64)> {
        if self.plane.is_some() {
            return self.metres(p).map(|m| (m, BODY_HEIGHT_M));
        }
        Some((Self::foreshortened(p), height.max(1.0)))
    }

    /// A pixel place in coordinates of equal scale in both directions, where no plane is known.
    pub fn foreshortened(p: Point) -> Point {
        Point { x: p.x, y: DEPTH * p.y }
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

#[cfg(test)]
mod tests;
