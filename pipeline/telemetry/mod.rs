//! Metrics, health and tracing.
