//! An inference worker: takes the freshest frames that are waiting, detects, and runs their cameras' stages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::board::Board;
use super::lane::{Judged, Lane};
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
    lanes: Arc<[Lane]>,
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
        lanes: Arc<[Lane]>,
        board: Arc<Board>,
        mail: Arc<[Mailbox]>,
        lull: Arc<Lull>,
        detectors: Vec<OnnxDetector>,
        metrics: &Metrics,
    ) -> Self {
        Self {
            lanes,
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
        let (board, lull, lanes) = (Arc::clone(&self.board), Arc::clone(&self.lull), Arc::clone(&self.lanes));
        let (mut taken, mut scratch) = (Vec::new(), Vec::new());
        let mut found: Vec<Detections> = Vec::new();
        let mut frames: Vec<Frame> = Vec::new();
        let mut failures = 0;
        loop {
            self.pulse.wait();
            let sizes = |group: usize| self.detectors.get(&group).map_or(1, OnnxDetector::batch);
            let Some(group) = board.take(sizes, &mut taken, &mut scratch) else { return Ok(()) };
            self.pulse.beat();
            if let Some(mailbox) = self.mail.get(self.number) {
                mailbox.receive(group, &mut self.detectors);
            }
            frames.clear();
            let mut i = 0;
            while i < taken.len() {
                let lane = &lanes[taken[i].0];
                match lane.slot.take() {
                    Some(frame) => {
                        taken[i].1.adopt(lane);
                        frames.push(taken[i].1.mask(frame));
                        i += 1;
                    }
                    None => {
                        let (camera, state) = taken.swap_remove(i);
                        board.give(camera, state);
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
                    for ((camera, state), (frame, detections)) in taken.iter_mut().zip(frames.iter().zip(&found)) {
                        let lane = &lanes[*camera];
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
                    for ((camera, state), frame) in taken.iter_mut().zip(&frames) {
                        let lane = &lanes[*camera];
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
                    taken.iter().for_each(|(camera, _)| lanes[*camera].metrics.dropped.inc());
                }
            }
            drop(busy);
            for (camera, state) in taken.drain(..) {
                board.give(camera, state);
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
