//! Receivers of alerts and which alerts go to them.

use std::path::PathBuf;

use super::{Cap, Gb28181, Kafka, Mqtt, Nats};
use crate::config::schedule::Schedule;
use crate::types::{Kind, Severity, Span};

/// A receiver of alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Sink id, a metric label.
    pub id: String,
    /// What it is.
    pub kind: SinkKind,
}

/// The closed set of receivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkKind {
    /// JSON lines appended to a file.
    File {
        /// Absolute.
        path: PathBuf,
    },
    /// Lines of Lookout's own log.
    Log,
    /// CloudEvents by HTTP POST with Standard Webhooks signatures.
    Webhook(Webhook),
    /// Common Alerting Protocol by HTTP POST.
    Cap(Cap),
    /// A platform of GB/T 28181.
    Gb28181(Gb28181),
    /// A broker of MQTT.
    Mqtt(Mqtt),
    /// A server of NATS.
    Nats(Nats),
    /// A topic of Kafka.
    Kafka(Kafka),
}

/// A receiver of HTTP requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// http or https.
    pub url: String,
    /// How a CloudEvent is put into a request.
    pub mode: Mode,
    /// Where the signing secrets come from; the first signs first.
    pub secrets: Vec<Secret>,
    /// PEM file with the only authorities that may vouch for the receiver; `None`: those of the system.
    pub ca: Option<PathBuf>,
    /// Whether the receiver may have an address that is not public.
    pub allow_private: bool,
    /// How long an answer may take.
    pub timeout: Span,
    /// Whether what the receiver says in its answer may answer the alert.
    pub answers: bool,
}

/// How a CloudEvent is put into a message. Source: CloudEvents 1.0, HTTP protocol binding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One JSON document: the envelope with the event as its `data`.
    #[default]
    Structured,
    /// The event as the body, the envelope as `ce-` headers.
    Binary,
}

impl Sink {
    /// Where all its secrets come from.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let (several, one): (&[Secret], _) = match &self.kind {
            SinkKind::File { .. } | SinkKind::Log | SinkKind::Kafka(_) => (&[], None),
            SinkKind::Webhook(webhook) => (&webhook.secrets, None),
            SinkKind::Cap(cap) => (cap.token.as_slice(), None),
            SinkKind::Gb28181(gb28181) => (gb28181.password.as_slice(), None),
            SinkKind::Mqtt(mqtt) => (&[], mqtt.broker.password()),
            SinkKind::Nats(nats) => (nats.token.as_slice(), nats.broker.password()),
        };
        several.iter().chain(one)
    }
}

/// A secret that is never written in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// Name of an environment variable.
    Env(String),
    /// Path of a file.
    File(PathBuf),
}

/// Which alerts go to which receivers.
#[derive(Clone, Debug)]
pub struct Route {
    /// Route id, a metric label.
    pub id: String,
    /// Indices into the site's sinks.
    pub to: Vec<usize>,
    /// Least severity.
    pub min_severity: Severity,
    /// Empty: all.
    pub kinds: Vec<Kind>,
    /// Empty: all.
    pub cameras: Vec<String>,
    /// Empty: all.
    pub zones: Vec<String>,
    /// Empty: all.
    pub grids: Vec<String>,
    /// When the route is in force; `None`: always.
    pub schedule: Option<Schedule>,
    /// Takes what no other route takes.
    pub default: bool,
    /// Takes only what another route escalates to it.
    pub only_escalated: bool,
    /// The first alert of a grid within this time stands for later ones that are not more severe.
    pub merge: Option<Span>,
    /// How soon an alert must be answered.
    pub answer_within: Option<Span>,
    /// Time of day of a daily test alert, in the site's time zone.
    pub test_at: Option<jiff::civil::Time>,
    /// Index into the site's routes of where an unanswered alert goes.
    pub escalate_to: Option<usize>,
}

impl Route {
    /// To all of so many sinks, without conditions: what a site without routes has.
    pub fn to_all(sinks: usize) -> Self {
        Self {
            id: "default".into(),
            to: (0..sinks).collect(),
            min_severity: Severity::Minor,
            kinds: Vec::new(),
            cameras: Vec::new(),
            zones: Vec::new(),
            grids: Vec::new(),
            schedule: None,
            default: true,
            only_escalated: false,
            merge: None,
            answer_within: None,
            test_at: None,
            escalate_to: None,
        }
    }
}
