//! Wires the stages for `replay`, `analyze` and `run`; the only place that starts threads.

pub mod analyze;
pub mod replay;
mod stages;

pub use stages::{CameraStages, Observed};
