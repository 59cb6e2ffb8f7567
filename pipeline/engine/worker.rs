//! An inference worker: takes the freshest frames that are waiting, detects, and runs their cameras' stages.

use std::sync::Arc;

use super::board::Board;
use super::lane::Lane;
use super::lull::Lull;
use crate::detect::{DetectError, Detector, OnnxDetector};
use crate::telemetry::{Metrics, Stage, StageMetrics};
use crate::types::{Batch, Detections, Frame};

/// Consecutive failed inferences after which a worker ends the process rather than go on blind.
const MOST_FAILURES: u32 = 20;

/// One worker thread's state: a detector for each group of cameras.
pub struct Worker {
    lanes: Arc<[Lane]>,
    board: Arc<Board>,
    /// Group of each camera.
    groups: Arc<[usize]>,
    lull: Arc<Lull>,
    detectors: Vec<OnnxDetector>,
    convert: StageMetrics,
    infer: StageMetrics,
    batch_size: prometheus::Histogram,
    candidates: prometheus::IntCounter,
}

impl Worker {
    /// `detectors[g]` serves group g; `lull` knows while it works.
    pub fn new(
        lanes: Arc<[Lane]>,
        board: Arc<Board>,
        groups: Arc<[usize]>,
        lull: Arc<Lull>,
        detectors: Vec<OnnxDetector>,
        metrics: &Metrics,
    ) -> Self {
        Self {
            lanes,
            board,
            groups,
            lull,
            detectors,
            convert: metrics.stage(Stage::Convert),
            infer: metrics.stage(Stage::Infer),
            batch_size: metrics.batch_size.clone(),
            candidates: metrics.overflow("candidates"),
        }
    }

    /// Works until the board closes.
    pub fn run(mut self) -> Result<(), String> {
        let (board, lull) = (Arc::clone(&self.board), Arc::clone(&self.lull));
        let (mut taken, mut scratch) = (Vec::new(), Vec::new());
        let mut found: Vec<Detections> = Vec::new();
        let mut frames: Vec<Frame> = Vec::new();
        let sizes: Vec<usize> = self.detectors.iter().map(OnnxDetector::batch).collect();
        let mut failures = 0;
        while board.take(|group| sizes[group], &mut taken, &mut scratch) {
            frames.clear();
            let mut i = 0;
            while i < taken.len() {
                let lane = &self.lanes[taken[i].0];
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
            let busy = lull.work();
            match self.detect(self.groups[taken[0].0], &frames, &mut found) {
                Ok(()) => {
                    failures = 0;
                    for ((camera, state), (frame, detections)) in taken.iter_mut().zip(frames.iter().zip(&found)) {
                        state.observe(&self.lanes[*camera], frame, &detections.items);
                    }
                }
                Err(error) => {
                    failures += 1;
                    if failures >= MOST_FAILURES || !error.retry() {
                        return Err(error.to_string());
                    }
                    tracing::error!(%error, "a picture could not be analysed");
                    taken.iter().for_each(|(camera, _)| self.lanes[*camera].metrics.dropped.inc());
                }
            }
            drop(busy);
            for (camera, state) in taken.drain(..) {
                board.give(camera, state);
            }
        }
        Ok(())
    }

    fn detect(&mut self, group: usize, frames: &[Frame], found: &mut Vec<Detections>) -> Result<(), DetectError> {
        let detector = &mut self.detectors[group];
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
