//! Detections to tracks: filter, association, tracker. Pure: no clock, no thread, no pixel.

mod affinity;
pub mod assign;
pub mod kalman;
mod target;
pub mod tracker;
pub mod tuning;

#[cfg(test)]
mod tests;

pub use tracker::{MAX_DETECTIONS, MAX_TRACKS, Overflow, SortTracker, TrackerConfig};
pub use tuning::Tuning;

use crate::types::{Observation, Track};

/// Follows people within one camera.
pub trait Tracker: Send {
    /// Takes the detections of one picture; media time, real time steps. Returns all live tracks (tentative,
    /// confirmed, coasting) ordered by id.
    fn update(&mut self, seen: &Observation<'_>) -> &[Track];

    /// Tracks start from this score from now on.
    fn set_start_score(&mut self, score: f32);

    /// What did not fit into bounded tables, since the start.
    fn overflow(&self) -> Overflow;
}
