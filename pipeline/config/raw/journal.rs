//! The `[journal]` table as written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::field::Field;

/// Alerts, their answers and what became of each delivery: how long they are kept.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct JournalRaw {
    /// Days after which alerts that have ended and were delivered are deleted, no fewer than `evidence.max_days`; 730 if
    /// left out.
    pub keep_days: Field<u32>,
}
