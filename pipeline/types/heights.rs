//! What a camera has learnt of its ground: heights of people where they stood. Outlives a restart.

use serde::{Deserialize, Serialize};

/// Everything that learning needs to go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LearntGround {
    /// Width over height of the picture; another shape is another view.
    pub aspect: f64,
    /// In the order in which they were taken, as far as they are kept.
    pub samples: Vec<HeightSample>,
    /// The camera that explains them best, once there was a fit.
    pub pose: Option<Pose>,
    /// The pose that rules measure by, once one was good enough.
    pub published: Option<Pose>,
}

/// One person's mean height in one cell of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeightSample {
    /// Whose; means nothing beyond telling people apart.
    pub who: u64,
    /// Feet, fractions of width and height, without the lens's distortion.
    pub x: f64,
    /// Downwards.
    pub y: f64,
    /// Natural logarithm of the box height as a fraction of the picture's.
    pub log_height: f64,
}

/// How a camera stands over a level ground. Angles in radians, lengths in picture heights but for `height`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Downwards from level.
    pub pitch: f64,
    /// Clockwise as seen from behind the camera.
    pub roll: f64,
    /// Focal length.
    pub focal: f64,
    /// Above the ground, in heights of a person.
    pub height: f64,
    /// Standard error of lengths on the ground, a fraction.
    pub error: f64,
}
