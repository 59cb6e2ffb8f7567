//! Without the feature: nothing.

use std::time::Instant;

use super::{Stations, TraceError};
use crate::types::Event;

/// What is traced with.
#[derive(Debug)]
pub struct Traces;

impl Traces {
    /// Nothing is left.
    pub const fn end(self) {}
}

/// Says nothing.
pub fn start(_: &tokio::runtime::Handle) -> Result<Traces, TraceError> {
    Ok(Traces)
}

/// Never.
pub const fn wants_picture() -> bool {
    false
}

/// Says nothing.
pub const fn picture(_: &str, _: Stations) {}

/// Says nothing.
pub const fn journalled(_: &Event, _: Instant) {}

/// Says nothing.
pub const fn attempted(_: &Event, _: &str, _: u32, _: Instant, _: Option<&str>) {}
