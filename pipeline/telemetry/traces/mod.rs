//! Traces for an OpenTelemetry collector, in OTLP as JSON over HTTP; only built with the feature `otel`, and silent unless the
//! environment names a collector.
//!
//! | variable | what for |
//! |---|---|
//! | `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS` | where to, as OpenTelemetry has it |
//! | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_BSP_*` | the same |
//! | `OTEL_SDK_DISABLED` | `true`: no traces |
//! | `OTEL_TRACES_SAMPLER_ARG` | share of alerts that are traced, 0 to 1; all unless set |
//! | `LOOKOUT_TRACE_PICTURES` | share of analysed pictures that are traced, 0 to 1; one in a thousand unless set |
//!
//! The trace of an alert has its id: `alert` from the picture that caused it to the journal, below it `journal` for each of its
//! events and `delivery` for each attempt. The trace of a picture is `picture`, below it `capture` (packet to worker), `convert`,
//! `infer`, `track` and `rules`. None holds a picture, a place or a person.

use std::time::{Duration, Instant};

#[cfg(feature = "otel")]
mod otlp;
#[cfg(not(feature = "otel"))]
mod silent;

#[cfg(feature = "otel")]
pub use otlp::{Traces, attempted, journalled, picture, start, wants_picture};
#[cfg(not(feature = "otel"))]
pub use silent::{Traces, attempted, journalled, picture, start, wants_picture};

/// When what happened to an analysed picture.
#[derive(Clone, Copy, Debug)]
pub struct Stations {
    /// The demuxer handed over the packet.
    pub arrived: Instant,
    /// A worker took the picture.
    pub taken: Instant,
    /// To the model's size.
    pub convert: Duration,
    /// Model and its outputs.
    pub infer: Duration,
    /// The rules are done.
    pub done: Instant,
    /// Tracker; ends when the rules begin.
    pub track: Duration,
    /// Rules and incidents; from their beginning to `done`.
    pub rules: Duration,
}

/// Traces cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// A variable of the environment.
    #[error("{name} is no number from 0 to 1: `{value}`")]
    Share {
        /// Its name.
        name: &'static str,
        /// What it says.
        value: String,
    },
    /// The exporter refuses its settings.
    #[error("traces: {0}")]
    Exporter(String),
}
