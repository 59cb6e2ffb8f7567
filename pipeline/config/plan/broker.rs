//! Receivers behind a message broker.

use std::path::PathBuf;

use super::Secret;
use crate::config::template::Template;
use crate::types::Span;

/// Where a broker or server is and how to log in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether the connection is TLS.
    pub tls: bool,
    /// PEM file with the only authorities that may vouch for it; `None`: those of the system.
    pub ca: Option<PathBuf>,
    /// User and where the password comes from, if it wants them.
    pub login: Option<(String, Secret)>,
}

impl Broker {
    /// Where the password comes from, if it wants one.
    pub fn password(&self) -> Option<&Secret> {
        self.login.as_ref().map(|(_, password)| password)
    }
}

/// A broker of MQTT 3.1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mqtt {
    /// The broker.
    pub broker: Broker,
    /// Unique among the broker's clients: two with the same throw each other out.
    pub client_id: String,
    /// Topic of an event.
    pub topic: Template,
    /// Topic of what is retained about this site: `online`, or `offline` as the last will.
    pub status: String,
    /// What a message holds.
    pub payload: Payload,
    /// How long an acknowledgement may take.
    pub timeout: Span,
    /// After so long without traffic the connection is tried.
    pub keepalive: Span,
}

/// A server of NATS with JetStream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nats {
    /// The server.
    pub broker: Broker,
    /// Where a token comes from, if it wants one instead of a login.
    pub token: Option<Secret>,
    /// Subject of an event.
    pub subject: Template,
    /// The stream that must take events; `None`: whichever takes the subject.
    pub stream: Option<String>,
    /// How long an acknowledgement may take.
    pub timeout: Span,
}

/// A topic of a Kafka cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kafka {
    /// Some brokers of the cluster, `host:port`.
    pub brokers: Vec<String>,
    /// Where events go.
    pub topic: String,
    /// How long an acknowledgement may take.
    pub timeout: Span,
}

/// What a message to a broker of MQTT holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// A CloudEvent, structured.
    #[default]
    CloudEvent,
    /// `UtcTime`, `Source` and `Data`, as the event broker of ONVIF Profile M has them.
    Onvif,
}
