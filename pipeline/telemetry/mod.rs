//! Metrics, health and tracing.

mod answers;
pub mod logs;
pub mod metrics;

pub use answers::{AnswerMetrics, FigureMetrics, Refusal, RouteMetrics};
pub use metrics::{CameraMetrics, Metrics, PlanMetrics, SinkMetrics, SiteMetrics, Stage, StageMetrics};
