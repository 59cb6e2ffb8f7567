//! Metrics, health and tracing.

mod answers;
pub mod logs;
pub mod metrics;
mod quantile;

pub use answers::{AnswerMetrics, FigureMetrics, Refusal, RouteMetrics};
pub use metrics::{CameraMetrics, Metrics, PlanMetrics, QUEUES, SinkMetrics, SiteMetrics, Stage, StageMetrics};
pub use quantile::quantile;
