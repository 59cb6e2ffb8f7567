//! Tables of receivers and routes as written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::field::Field;
use crate::config::schedule::ScheduleRaw;
use crate::config::units::Duration;
use crate::types::{Kind, Severity};

/// A receiver of alerts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SinkRaw {
    /// Sink id.
    pub id: Field<String>,
    /// What it is.
    pub kind: Field<SinkKindRaw>,
    /// webhook: where to send CloudEvents, http or https.
    pub url: Field<String>,
    /// webhook: where the signing secrets are: `env:NAME` or `file:PATH`; the first signs, further ones too, for rotation.
    pub secrets: Field<Vec<String>>,
    /// webhook: how long an answer may take; `15s` if left out.
    pub timeout: Field<Duration>,
    /// file: JSON lines are appended here, relative to this file.
    pub path: Field<String>,
}

/// Kinds of receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SinkKindRaw {
    /// JSON lines appended to a file.
    File,
    /// CloudEvents by HTTP POST with Standard Webhooks signatures.
    Webhook,
}

/// Which alerts go to which receivers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RouteRaw {
    /// Route id.
    pub id: Field<String>,
    /// Sink ids.
    pub to: Field<Vec<String>>,
    /// Least severity; `minor` if left out.
    pub min_severity: Field<Severity>,
    /// Only these kinds.
    pub kinds: Field<Vec<Kind>>,
    /// Only these cameras.
    pub cameras: Field<Vec<String>>,
    /// Only these zones.
    pub zones: Field<Vec<String>>,
    /// Only these grids.
    pub grids: Field<Vec<String>>,
    /// Only in these windows.
    pub schedule: Field<ScheduleRaw>,
    /// Takes what no other route takes; has no conditions of its own. One at most.
    pub default: Field<bool>,
    /// Takes only what another route escalates to it.
    pub only_escalated: Field<bool>,
    /// The first alert of a grid within this time stands for later ones, which notify only if they are more severe.
    pub merge: Field<Duration>,
    /// How soon an alert must be answered, from 1s; without it none need be.
    pub answer_within: Field<Duration>,
    /// Time of day, `HH:MM`, at which a marked test alert goes the whole way; none if left out.
    pub test_at: Field<String>,
    /// Route to which an alert goes that was not answered in time.
    pub escalate_to: Field<String>,
}
