//! What a small luma picture says of the camera: plain numbers, no pixel.

use serde::{Deserialize, Serialize};

use super::MediaTime;

/// Statistics of one look at a camera's picture. Luma is a fraction: 0 black, 1 white, full range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureStatistics {
    /// Of the picture that was looked at.
    pub time: MediaTime,
    /// Mean luma.
    pub mean: f64,
    /// Standard deviation of luma.
    pub spread: f64,
    /// The luma that 98 of 100 pixels do not exceed.
    pub bright: f64,
    /// Against the last look; `None` at the first.
    pub change: Option<Change>,
    /// Variance of the Laplacian over that of luma, without the share of noise; `None` where the picture is too flat or
    /// too noisy to tell.
    pub sharpness: Option<f64>,
    /// Against the reference picture.
    pub view: View,
}

/// What changed between two looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Share of the pixels that differ at all.
    pub changed: f64,
    /// Largest difference of one pixel, a fraction of full range.
    pub largest: f64,
}

/// What a view shows when nobody is there, as it is kept: so coarse that no person could be told, and people are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredView {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Mean luma of each pixel, levels, row by row.
    pub luma: Vec<u8>,
    /// Whether each was ever free of people.
    pub seen: Vec<bool>,
}

/// What the camera looks at, compared with its reference picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum View {
    /// There is no reference yet, or too little to be seen in one of the two.
    Unknown,
    /// What the reference shows is where it was.
    Same,
    /// It is elsewhere in the picture: by these fractions of the picture's width, rightwards and downwards.
    Shifted([f64; 2]),
    /// It is nowhere.
    Other,
}
