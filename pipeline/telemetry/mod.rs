//! Metrics, health and tracing.

mod answers;
mod health;
pub mod logs;
pub mod metrics;
mod process;
mod quantile;
pub mod traces;

pub use answers::{AnswerMetrics, FigureMetrics, Refusal, RouteMetrics};
pub use health::{Health, PARTS, Part, Pulse, Sign};
pub use metrics::{CameraMetrics, Metrics, PlanMetrics, QUEUES, SinkMetrics, SiteMetrics, Stage, StageMetrics};
pub use quantile::quantile;
