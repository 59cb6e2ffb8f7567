//! Frame to detections: letterbox, ONNX session, batcher, one file per output head, NMS, model catalog.
//!
//! | file | what is there |
//! |---|---|
//! | [`catalog`] | which models there are, and what must be known of each to run it |
//! | [`runtime`] | where `models/` and the ONNX Runtime library are found; the library loaded once |
//! | [`letterbox`] | picture to input tensor, and boxes back to the picture |
//! | [`session`] | one ONNX Runtime session: providers, fixed shapes, warm-up |
//! | [`heads`] | output tensors to candidates, one file per family |
//! | [`nms`] | candidates to detections |
//! | [`onnx`] | [`OnnxDetector`]: all of the above behind [`Detector`] |
//! | [`batch`] | which cameras go through the model together, fairly |

pub mod batch;
pub mod catalog;
pub mod heads;
pub mod letterbox;
pub mod nms;
pub mod onnx;
pub mod runtime;
pub mod session;
#[cfg(test)]
mod tests;

pub use batch::{Key, Rota};
pub use catalog::{Catalog, Entry};
pub use onnx::{OnnxDetector, Spent};

use std::path::PathBuf;

use crate::types::{Batch, Detections, PictureError, Size};

/// Finds people in pictures.
pub trait Detector: Send {
    /// Fills one [`Detections`] for each frame of the batch; `out` keeps its allocations. Boxes are in pixels of the
    /// source picture; all candidates with a score of at least [`MIN_SCORE`], best first. An error concerns the whole
    /// batch, and what `out` then holds is not complete.
    fn detect(&mut self, batch: &Batch<'_>, out: &mut Vec<Detections>) -> Result<(), DetectError>;
}

/// Detections below this are not reported: the tracker's second stage and redaction use what is above it.
pub const MIN_SCORE: f32 = 0.1;

/// Why detection failed. Everything but [`DetectError::Infer`] and [`DetectError::Picture`] is found before the first
/// picture and means that the installation, the catalog or the arguments are wrong.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// A worker was asked for a detector that it was never given: a fault of Lookout's own.
    #[error("no detector serves group {group} of the cameras")]
    NoDetector {
        /// Index.
        group: usize,
    },
    /// No `models/catalog.toml` anywhere.
    #[error("no model catalog: looked for {looked}")]
    NoCatalog {
        /// All places, in order.
        looked: String,
    },
    /// The catalog cannot be read or is wrong.
    #[error("{}: {reason}", path.display())]
    Catalog {
        /// The catalog.
        path: PathBuf,
        /// What is wrong, with line and column where known.
        reason: String,
    },
    /// No model of this name.
    #[error("model `{id}` is neither a file nor in {}, which has {known}", catalog.display())]
    UnknownModel {
        /// What was asked for.
        id: String,
        /// Where it was looked up.
        catalog: PathBuf,
        /// All ids.
        known: String,
    },
    /// A model file that no catalog describes.
    #[error(
        "{} has no entry in {}: head, class, normalisation, fit and sizes of the model must be known; add a [[model]] with \
         file and sha256 = \"{sha256}\"",
        path.display(), catalog.display()
    )]
    NoEntry {
        /// The model.
        path: PathBuf,
        /// Where its entry belongs.
        catalog: PathBuf,
        /// Of the file.
        sha256: String,
    },
    /// The model's file cannot be read.
    #[error("model `{id}`: cannot read {}: {source}{}", path.display(), if *fetchable { " (`lookout models fetch` can get it)" } else { "" })]
    Unreadable {
        /// Catalog id.
        id: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
        /// The entry has an address.
        fetchable: bool,
    },
    /// The model's file is another one.
    #[error("model `{id}`: {} is not the file of the catalog: its sha256 is {found}, not {wanted}", path.display())]
    Hash {
        /// Catalog id.
        id: String,
        /// The file.
        path: PathBuf,
        /// Of the file.
        found: String,
        /// Of the catalog.
        wanted: String,
    },
    /// ONNX Runtime is not there.
    #[error(
        "the ONNX Runtime library was not found: looked for {looked}; scripts/setup-runtime puts it there, or name one in \
         ORT_DYLIB_PATH"
    )]
    NoRuntime {
        /// All places, in order.
        looked: String,
    },
    /// ONNX Runtime is there, but too old or something else.
    #[error("{} cannot serve as ONNX Runtime: {reason}", path.display())]
    BadRuntime {
        /// The library.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// ONNX Runtime refuses the file.
    #[error("model `{id}`: {} is not a model that ONNX Runtime can load: {reason}", path.display())]
    Model {
        /// Catalog id.
        id: String,
        /// The file.
        path: PathBuf,
        /// In ONNX Runtime's words.
        reason: String,
    },
    /// An input size that the model does not take.
    #[error("model `{id}` does not take an input of {size}: {reason}")]
    Size {
        /// Catalog id.
        id: String,
        /// What was asked for.
        size: Size,
        /// What it takes.
        reason: String,
    },
    /// The model's inputs are not those of a detector.
    #[error("model `{id}`: its inputs do not fit: {reason}")]
    Input {
        /// Catalog id.
        id: String,
        /// What was found.
        reason: String,
    },
    /// The model's outputs are not those of its head.
    #[error("model `{id}`: its outputs do not fit head `{head}`: {reason}")]
    Output {
        /// Catalog id.
        id: String,
        /// Of the catalog.
        head: heads::Kind,
        /// What was found and what would fit.
        reason: String,
    },
    /// An inference failed.
    #[error("inference failed: {0}")]
    Infer(String),
    /// A picture could not be converted.
    #[error(transparent)]
    Picture(#[from] PictureError),
}

impl DetectError {
    /// Whether it is worth going on with the next picture.
    pub const fn retry(&self) -> bool {
        matches!(self, Self::Infer(_) | Self::Picture(_))
    }
}
