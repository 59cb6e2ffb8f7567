//! Metrics, health and tracing.

pub mod logs;
pub mod metrics;

pub use metrics::{CameraMetrics, Metrics, SinkMetrics, SiteMetrics, Stage, StageMetrics};
