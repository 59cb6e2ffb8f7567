//! The `[evidence]` table as written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::field::Field;
use crate::config::units::Duration;

/// Stills and clips of alerts: what is made, how long it is kept.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EvidenceRaw {
    /// Make a still at the start of an alert and at each escalation; `true` if left out.
    pub picture: Field<bool>,
    /// Make a clip; `true` if left out.
    pub clip: Field<bool>,
    /// Time before the start that a clip shows, at most 30s; `5s` if left out.
    pub before: Field<Duration>,
    /// Time after the start that a clip shows, at most 30s; `5s` if left out.
    pub after: Field<Duration>,
    /// Pictures a second of a clip, about, from 1 to 10; 4 if left out.
    pub rate: Field<f64>,
    /// Days for which nothing is deleted, whatever the quota says; 30 if left out.
    pub min_days: Field<u32>,
    /// Days after which everything is deleted; 90 if left out.
    pub max_days: Field<u32>,
    /// Gigabytes of all files together; 20 if left out.
    pub quota_gb: Field<f64>,
    /// How long a link to a file is good, at most 31 days; `24h` if left out.
    pub link: Field<Duration>,
}
