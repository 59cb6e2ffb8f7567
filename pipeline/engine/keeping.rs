//! What one camera leaves behind besides alerts: trails and numbers, handed over now and then. It never waits.

use std::sync::Arc;

use crossbeam::channel::Sender;

use super::keeper::Record;
use super::numbers::tally::Tally;
use super::trails::recorder::TrailRecorder;
use crate::config::plan::Camera;
use crate::rules::Measured;
use crate::types::{MediaTime, Size, Track};

/// Of one camera and one run.
pub struct Keeping {
    trails: Option<TrailRecorder>,
    numbers: Tally,
    out: Sender<Record>,
    overflow: prometheus::IntCounter,
}

impl Keeping {
    /// For a camera; trails only where they are asked for. Counts in `overflow` what the keeper did not take.
    pub fn new(
        camera: Arc<Camera>,
        trails: Option<TrailRecorder>,
        out: Sender<Record>,
        overflow: prometheus::IntCounter,
    ) -> Self {
        Self { trails, numbers: Tally::new(camera), out, overflow }
    }

    /// Takes one picture of `size`, measured by this plan: all live tracks, ordered by id.
    pub fn observe(
        &mut self,
        camera: &Arc<Camera>,
        (time, utc): (MediaTime, jiff::Timestamp),
        size: Size,
        tracks: &[Track],
        measured: &Measured,
    ) {
        if let Some(trails) = &mut self.trails {
            trails.observe(time, utc, size, tracks, &measured.persons);
        }
        if let Some(counted) = self.numbers.observe(camera, time, utc, measured) {
            self.hand_over(Record::Counted(counted));
        }
    }

    /// Hands over what there is: at the end, and where pictures cease.
    pub fn flush(&mut self) {
        self.trails.iter_mut().for_each(TrailRecorder::flush);
        if let Some(counted) = self.numbers.take() {
            self.hand_over(Record::Counted(counted));
        }
    }

    fn hand_over(&self, record: Record) {
        if self.out.try_send(record).is_err() {
            self.overflow.inc();
        }
    }
}
