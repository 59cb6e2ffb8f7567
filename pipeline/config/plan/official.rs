//! Receivers that speak a published alarm standard.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::Secret;
use crate::types::{Span, State};

/// A receiver of Common Alerting Protocol 1.2 by HTTP POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    /// http or https.
    pub url: String,
    /// Where the bearer token comes from, if the receiver wants one.
    pub token: Option<Secret>,
    /// PEM file with the only authorities that may vouch for the receiver; `None`: those of the system.
    pub ca: Option<PathBuf>,
    /// Whether the receiver may have an address that is not public.
    pub allow_private: bool,
    /// How long an answer may take.
    pub timeout: Span,
    /// Whether what the receiver says in its answer may answer the alert.
    pub answers: bool,
    /// Who sends, unique in the world; no white space, comma, `<` or `&`.
    pub sender: String,
    /// For whom messages are.
    pub addresses: Vec<String>,
    /// How far around a camera its alerts may be, metres.
    pub radius: u32,
    /// After this a message that nothing followed is out of date.
    pub expires: Span,
    /// Of the times in messages.
    pub time_zone: TimeZone,
}

/// A platform of GB/T 28181 that this site registers with as a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gb28181 {
    /// Name or address with a port.
    pub server: String,
    /// How SIP travels.
    pub transport: SipTransport,
    /// Own address; `None`: any.
    pub local: Option<SocketAddr>,
    /// The platform's code, 20 digits.
    pub server_id: String,
    /// SIP domain.
    pub domain: String,
    /// This device's code, 20 digits.
    pub device_id: String,
    /// User name of the digest.
    pub username: String,
    /// Where its password comes from.
    pub password: Option<Secret>,
    /// Codes of cameras, 20 digits, by camera id.
    pub channels: BTreeMap<String, String>,
    /// Of the XML.
    pub encoding: Encoding,
    /// What is told of an alert.
    pub states: Vec<State>,
    /// When an alarm counts as delivered.
    pub acknowledge: Acknowledge,
    /// Between keep-alive messages.
    pub keepalive: Span,
    /// How long a registration is to hold.
    pub expires: Span,
    /// How long an answer may take.
    pub timeout: Span,
    /// Of the times in alarms.
    pub time_zone: TimeZone,
}

/// How SIP travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SipTransport {
    /// Datagrams.
    #[default]
    Udp,
    /// One connection.
    Tcp,
}

/// Encoding of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
pub enum Encoding {
    /// What the standard asks for; GB 2312 is part of it.
    #[default]
    #[serde(rename = "gb18030")]
    Gb18030,
    /// What many platforms read as well.
    #[serde(rename = "utf-8")]
    Utf8,
}

/// When an alarm counts as delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Acknowledge {
    /// When the platform's `Response` with its number says OK, as the standard asks for.
    #[default]
    Response,
    /// When the platform takes the message (200): for platforms that send no `Response`.
    Accepted,
}
