//! How the ground of a camera is known.

use crate::types::{Lens, Plane, Point};

/// The ground of one camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Ground {
    /// The lens, if it is known.
    pub lens: Option<Lens>,
    /// Where the plane comes from.
    pub plane: GroundPlane,
}

/// Where a plane comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum GroundPlane {
    /// From known points.
    Known(Box<KnownPlane>),
    /// From the heights of the people who walk on it.
    Learnt {
        /// Of a person, metres.
        height: f64,
        /// Once it is ready it stays as it is.
        freeze: bool,
    },
}

/// A plane through known points: at least four.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownPlane {
    /// Fractions of width and height.
    pub points: Vec<Point>,
    /// The same places in metres on the ground.
    pub metres: Vec<Point>,
    /// Between each of these and where the plane puts it, metres.
    pub errors: Vec<f64>,
    /// Least squares through all of them.
    pub plane: Plane,
}

impl KnownPlane {
    /// Root mean square of the errors, metres. Nothing is known of it with four points: a plane meets any four.
    pub fn error(&self) -> Option<f64> {
        let n = self.errors.len();
        (n > 4).then(|| (self.errors.iter().map(|e| e * e).sum::<f64>() / n as f64).sqrt())
    }
}
