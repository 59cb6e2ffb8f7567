//! Detections to tracks: filter, association, tracker. Pure: no clock, no thread, no pixel.

use crate::types::{Observation, Track};

/// Follows people within one camera.
pub trait Tracker: Send {
    /// Takes the detections of one picture; media time, real time steps. Returns all live tracks (tentative,
    /// confirmed, coasting) ordered by id.
    fn update(&mut self, seen: &Observation<'_>) -> &[Track];
}
