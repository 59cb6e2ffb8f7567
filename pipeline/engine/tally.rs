//! What pictures of one camera tell beside boxes: crossings so far and the alerts of the moment.

use std::sync::Arc;

use crate::alerts::overlay::Seen;
use crate::alerts::raised::Raised;
use crate::config::plan::{Camera, CameraDiff};
use crate::rules::Measured;
use crate::types::{Detection, Direction, Event, Frame, Size, Track};

/// Kept from picture to picture whether or not anybody watches: an alert that is open when somebody comes is shown.
pub struct Tally {
    camera: Arc<Camera>,
    raised: Raised,
    /// Left to right, right to left; in the order of the plan.
    line_counts: Vec<[u64; 2]>,
}

impl Tally {
    /// Nothing counted yet.
    pub fn new(camera: Arc<Camera>) -> Self {
        let line_counts = vec![[0; 2]; camera.lines.len()];
        Self { camera, raised: Raised::default(), line_counts }
    }

    /// Takes what one picture of `size` measured and caused.
    pub fn take(&mut self, measured: &Measured, events: &[Event], tracks: &[Track], size: Size) {
        for crossed in &measured.crossed {
            if let Some([right, left]) = self.line_counts.get_mut(crossed.line) {
                match crossed.direction {
                    Direction::LeftToRight => *right += 1,
                    Direction::RightToLeft => *left += 1,
                }
            }
        }
        for event in events {
            self.raised.take(event, &self.camera, tracks, size);
        }
    }

    /// Takes what ended without a picture.
    pub fn ended(&mut self, events: &[Event]) {
        events.iter().for_each(|event| self.raised.take(event, &self.camera, &[], Size::default()));
    }

    /// Another plan is in force; lines that are still there go on counting.
    pub fn replan(&mut self, camera: Arc<Camera>, diff: &CameraDiff) {
        let mut line_counts = vec![[0; 2]; camera.lines.len()];
        for (counts, to) in self.line_counts.iter().zip(&diff.lines) {
            if let Some(place) = to.and_then(|to| line_counts.get_mut(to)) {
                *place = *counts;
            }
        }
        self.raised.renumber(diff);
        (self.camera, self.line_counts) = (camera, line_counts);
    }

    /// Alerts by when they were active.
    pub fn raised(&self) -> &Raised {
        &self.raised
    }

    /// A picture with what was found in it.
    pub fn seen<'a>(
        &'a self,
        frame: &'a Frame,
        detections: &'a [Detection],
        tracks: &'a [Track],
        measured: &'a Measured,
    ) -> Seen<'a> {
        let Measured { zone_people, shapes, shift, .. } = measured;
        Seen { frame, detections, tracks, zone_people, line_counts: &self.line_counts, shapes, shift: *shift }
    }
}
