//! Frame to detections: letterbox, ONNX session, batcher, one file per output head, NMS, model catalog.

use crate::types::{Batch, Detections};

/// Finds people in pictures.
pub trait Detector: Send {
    /// Fills one [`Detections`] for each frame of the batch; `out` keeps its allocations.
    fn detect(&mut self, batch: &Batch<'_>, out: &mut Vec<Detections>) -> Result<(), DetectError>;
}

/// Why detection failed.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {}
