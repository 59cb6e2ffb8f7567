//! Tables of receivers and routes as written.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::field::Field;
use crate::config::plan::Mode;
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
    /// webhook: how a CloudEvent is put into a request; `structured` if left out.
    pub mode: Field<Mode>,
    /// webhook: where the signing secrets are: `env:NAME` or `file:PATH`; the first signs, further ones too, for rotation.
    pub secrets: Field<Vec<String>>,
    /// webhook: PEM file with the only authorities that may vouch for the receiver, relative to this file; those of the
    /// system if left out.
    pub ca: Field<String>,
    /// webhook: whether the receiver may have an address that is not public (private, loopback, link-local); `false` if
    /// left out.
    pub allow_private: Field<bool>,
    /// webhook: how long an answer may take; `15s` if left out.
    pub timeout: Field<Duration>,
    /// file: JSON lines are appended here, relative to this file.
    pub path: Field<String>,
}

impl SinkRaw {
    /// Where each key stands that belongs to some kinds only.
    pub fn places(&self) -> [(&'static str, Option<Range<usize>>); 7] {
        [
            ("url", self.url.place()),
            ("mode", self.mode.place()),
            ("secrets", self.secrets.place()),
            ("ca", self.ca.place()),
            ("allow_private", self.allow_private.place()),
            ("timeout", self.timeout.place()),
            ("path", self.path.place()),
        ]
    }
}

/// Kinds of receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SinkKindRaw {
    /// JSON lines appended to a file.
    File,
    /// Lines of Lookout's own log.
    Log,
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
    /// One notification for alerts of the same grid within this time. Not in force yet.
    pub merge: Field<Duration>,
    /// How soon the unit must answer. Not in force yet.
    pub answer_within: Field<Duration>,
    /// Route to which an unanswered alert goes. Not in force yet.
    pub escalate_to: Field<String>,
}
