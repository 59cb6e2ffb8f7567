//! What the cameras of a site tell the rules of the whole site.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Direction;

/// A person crossed a line of one of the site's cameras.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteCrossed {
    /// UTC time of the picture.
    pub at: jiff::Timestamp,
    /// Id of the camera.
    pub camera: Arc<str>,
    /// Id of its line.
    pub line: Arc<str>,
    /// Which way.
    pub direction: Direction,
}

/// What a count of people on the site knows; kept across restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Headcount {
    /// Number of the day, which begins at the daily reset; `None` before the first.
    pub day: Option<i64>,
    /// People who came in since the reset.
    pub entered: u64,
    /// People who went out since the reset.
    pub left: u64,
    /// People added because more were seen to leave than to come.
    pub missed: f64,
    /// People that each crossing counts too many, in the mean of earlier days; negative: too few.
    pub drift: f64,
}
