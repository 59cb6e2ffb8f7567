//! An inference worker: takes the freshest frames that are waiting, detects, and runs their cameras' stages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::board::Board;
use super::lane::{Judged, Lane, Seat};
use super::lull::Lull;
use super::models::Mailbox;
use crate::detect::{DetectError, Detector, OnnxDetector, Spent as Found};
use crate::telemetry::traces::{self, Stations};
use crate::telemetry::{Metrics, Pulse, Stage, StageMetrics};
use crate::types::{Batch, Detections, Frame, PictureError};

/// Consecutive failed inferences after which a worker ends the process rather than go on blind.
const MOST_FAILURES: u32 = 20;

/// One worker thread's state: a detector for each group of cameras.
pub struct Worker {
    board: Arc<Board>,
    lull: Arc<Lull>,
    detectors: BTreeMap<usize, OnnxDetector>,
    /// How others come, and which of them.
    mail: Arc<[Mailbox]>,
    number: usize,
    convert: StageMetrics,
    infer: StageMetrics,
    batch_size: prometheus::Histogram,
    candidates: prometheus::IntCounter,
    pulse: Pulse,
}

/// No inference takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

impl Worker {
    /// Worker `number` of those that get mail. `detectors[g]` serves group g; `lull` knows while it works.
    pub fn new(
        number: usize,
        board: Arc<Board>,
        mail: Arc<[Mailbox]>,
        lull: Arc<Lull>,
        detectors: Vec<OnnxDetector>,
        metrics: &Metrics,
    ) -> Self {
        Self {
            board,
            lull,
            detectors: detectors.into_iter().enumerate().collect(),
            mail,
            number,
            convert: metrics.stage(Stage::Convert),
            infer: metrics.stage(Stage::Infer),
            batch_size: metrics.batch_size.clone(),
            candidates: metrics.overflow("candidates"),
            pulse: metrics.health.pulse(format!("worker-{number}"), PATIENCE, None),
        }
    }

    /// Works until the board closes.
    pub fn run(mut self) -> Result<(), String> {
        let (board, lull) = (Arc::clone(&self.board), Arc::clone(&self.lull));
        let (mut taken, mut scratch) = (Vec::new(), Vec::new());
        let mut found: Vec<Detections> = Vec::new();
        let mut frames: Vec<Frame> = Vec::new();
        let (mut failures, mut calls) = (0, 0);
        loop {
            self.pulse.wait();
            let sizes = |group: usize| self.detectors.get(&group).map_or(1, OnnxDetector::batch);
            let Some(group) = board.take(sizes, &mut taken, &mut scratch, &mut calls) else { return Ok(()) };
            self.pulse.beat();
            if let Some(mailbox) = self.mail.get(self.number) {
                mailbox.receive(group, &mut self.detectors);
            }
            frames.clear();
            let mut i = 0;
            while i < taken.len() {
                let Seat { lane, state, .. } = &mut *taken[i].1;
                match lane.slot.take() {
                    Some(frame) => {
                        state.adopt(lane);
                        frames.push(state.mask(frame));
                        i += 1;
                    }
                    None => {
                        let (camera, seat) = taken.swap_remove(i);
                        board.give(camera, seat);
                    }
                }
            }
            if taken.is_empty() {
                continue;
            }
            let (busy, took) = (lull.work(), Instant::now());
            match self.detect(group, &frames, &mut found) {
                Ok(()) => {
                    failures = 0;
                    for ((_, seat), (frame, detections)) in taken.iter_mut().zip(frames.iter().zip(&found)) {
                        let Seat { lane, state, .. } = &mut **seat;
                        usable(lane);
                        let judged = state.observe(lane, frame, &detections.items);
                        if let (true, Some(detector)) = (traces::wants_picture(), self.detectors.get(&group)) {
                            let spent = detector.spent();
                            traces::picture(&lane.id, stations(frame, took, spent, judged));
                        }
                    }
                }
                // A camera's own fault, whatever it sends: it ends nothing, and spoils no other camera's picture.
                Err(DetectError::Picture(_)) => {
                    for ((_, seat), frame) in taken.iter_mut().zip(&frames) {
                        let Seat { lane, state, .. } = &mut **seat;
                        match self.detect(group, std::slice::from_ref(frame), &mut found) {
                            Ok(()) => {
                                usable(lane);
                                state.observe(lane, frame, &found[0].items);
                            }
                            Err(DetectError::Picture(error)) => unusable(lane, &error),
                            Err(error) => {
                                tracing::error!(%error, "a picture could not be analysed");
                                lane.metrics.dropped.inc();
                            }
                        }
                    }
                }
                Err(error) => {
                    failures += 1;
                    if failures >= MOST_FAILURES || !error.retry() {
                        return Err(error.to_string());
                    }
                    tracing::error!(%error, "a picture could not be analysed");
                    taken.iter().for_each(|(_, seat)| seat.lane.metrics.dropped.inc());
                }
            }
            drop(busy);
            for (camera, seat) in taken.drain(..) {
                board.give(camera, seat);
            }
        }
    }

    /// Finds people in pictures of one group.
    fn detect(&mut self, group: usize, frames: &[Frame], found: &mut Vec<Detections>) -> Result<(), DetectError> {
        let Some(detector) = self.detectors.get_mut(&group) else {
            return Err(DetectError::NoDetector { group });
        };
        let lost = detector.overflow();
        detector.detect(&Batch { frames }, found)?;
        self.candidates.inc_by(detector.overflow() - lost);
        let spent = detector.spent();
        self.convert.done(spent.convert);
        self.infer.done(spent.infer + spent.decode);
        self.batch_size.observe(frames.len() as f64);
        Ok(())
    }
}

/// When what happened to a picture that was traced.
fn stations(frame: &Frame, taken: Instant, found: Found, judged: Judged) -> Stations {
    Stations {
        arrived: frame.arrived,
        taken,
        convert: found.convert,
        infer: found.infer + found.decode,
        done: frame.arrived + judged.age,
        track: judged.spent.track,
        rules: judged.spent.rules,
    }
}

/// Counts a picture that cannot be converted, and says once why.
fn unusable(lane: &Lane, error: &PictureError) {
    lane.metrics.dropped.inc();
    if !lane.unusable.swap(true, Ordering::Relaxed) {
        tracing::error!(camera = lane.id, %error, "pictures of this camera cannot be analysed");
        lane.hub.update(|s| s.message = Some(error.to_string()));
    }
}

/// A picture was converted: what was said of earlier ones is over.
fn usable(lane: &Lane) {
    if lane.unusable.load(Ordering::Relaxed) && lane.unusable.swap(false, Ordering::Relaxed) {
        lane.hub.update(|s| s.message = None);
    }
}

#[cfg(test)]
mod tests;
