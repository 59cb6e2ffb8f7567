//! Tables of receivers and routes as written.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::field::Field;
use crate::config::plan::{Acknowledge, Encoding, Mode, Payload, SipTransport};
use crate::config::schedule::ScheduleRaw;
use crate::config::units::{Distance, Duration};
use crate::types::{Kind, Severity, State};

/// A receiver of alerts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SinkRaw {
    /// Sink id.
    pub id: Field<String>,
    /// What it is.
    pub kind: Field<SinkKindRaw>,
    /// webhook, cap: where to send, http or https. mqtt: where the broker is, mqtt or mqtts. nats: where the server is,
    /// nats or tls.
    pub url: Field<String>,
    /// webhook: how a CloudEvent is put into a request; `structured` if left out.
    pub mode: Field<Mode>,
    /// webhook: where the signing secrets are: `env:NAME` or `file:PATH`; the first signs, further ones too, for rotation.
    pub secrets: Field<Vec<String>>,
    /// webhook, cap, mqtt, nats: PEM file with the only authorities that may vouch for the receiver, relative to this file;
    /// those of the system if left out.
    pub ca: Field<String>,
    /// webhook, cap: whether the receiver may have an address that is not public (private, loopback, link-local); `false` if
    /// left out.
    pub allow_private: Field<bool>,
    /// webhook, cap: whether the receiver may answer an alert in its answer to a delivery, as with a token;
    /// `false` if left out.
    pub answers: Field<bool>,
    /// webhook, cap, gb28181, mqtt, nats, kafka: how long an answer may take; `15s` if left out.
    pub timeout: Field<Duration>,
    /// file: JSON lines are appended here, relative to this file.
    pub path: Field<String>,
    /// cap, nats: where the token is, if the receiver wants one: `env:NAME` or `file:PATH`.
    pub token: Field<String>,
    /// cap: who sends, unique in the world, such as `lookout@court.example`.
    pub sender: Field<String>,
    /// cap: for whom messages are; the sink's id if left out.
    pub addresses: Field<Vec<String>>,
    /// cap: how far around a camera its alerts may be; `100m` if left out.
    pub radius: Field<Distance>,
    /// cap: after this a message that nothing followed is out of date; `24h` if left out. gb28181: how long a
    /// registration is to hold; `1h` if left out.
    pub expires: Field<Duration>,
    /// gb28181: name or address of the platform with its port.
    pub server: Field<String>,
    /// gb28181: how SIP travels; `udp` if left out.
    pub transport: Field<SipTransport>,
    /// gb28181: own address and port; any if left out.
    pub local: Field<String>,
    /// gb28181: the platform's code, 20 digits.
    pub server_id: Field<String>,
    /// gb28181: SIP domain; the first ten digits of `server_id` if left out.
    pub domain: Field<String>,
    /// gb28181: this site's code as a device, 20 digits.
    pub device_id: Field<String>,
    /// gb28181, mqtt, nats: name to log in with; for gb28181 `device_id` if left out.
    pub username: Field<String>,
    /// gb28181, mqtt, nats: where the password is: `env:NAME` or `file:PATH`.
    pub password: Field<String>,
    /// gb28181: codes of 20 digits by camera id; alarms of other cameras are those of `device_id`.
    pub channels: Field<BTreeMap<String, String>>,
    /// gb28181: encoding of the XML; `gb18030` if left out.
    pub encoding: Field<Encoding>,
    /// gb28181: what is told of an alert; all but `evidence` if left out.
    pub states: Field<Vec<State>>,
    /// gb28181: when an alarm counts as delivered: with the platform's `response`, as the standard asks for and if left
    /// out, or once it is `accepted` with 200.
    pub acknowledge: Field<Acknowledge>,
    /// gb28181: between keep-alive messages; `60s` if left out. mqtt: after so long without traffic the connection is
    /// tried; `30s` if left out.
    pub keepalive: Field<Duration>,
    /// mqtt: topic of an event, with placeholders such as `{site}`, `{camera}`, `{kind}`;
    /// `{site}/onvif-ej/{onvif}/&{camera}/{rule}`, the form of ONVIF Profile M, if left out. kafka: topic of all events.
    pub topic: Field<String>,
    /// mqtt: topic on which `online` or, as the last will, `offline` is retained; `SITE/lookout/status` if left out.
    pub status: Field<String>,
    /// mqtt: what a message holds; `cloudevent` if left out.
    pub payload: Field<Payload>,
    /// mqtt: unique among the broker's clients; `lookout-SITE-SINK` if left out.
    pub client_id: Field<String>,
    /// nats: subject of an event, with the placeholders of `topic`; `lookout.{site}.{camera}.{kind}.{state}` if left out.
    pub subject: Field<String>,
    /// nats: the stream that must take events; whichever takes the subject if left out.
    pub stream: Field<String>,
    /// kafka: some brokers of the cluster, `host:port`.
    pub brokers: Field<Vec<String>>,
}

impl SinkRaw {
    /// Where each key stands that belongs to some kinds only.
    pub fn places(&self) -> [(&'static str, Option<Range<usize>>); 33] {
        [
            ("url", self.url.place()),
            ("mode", self.mode.place()),
            ("secrets", self.secrets.place()),
            ("ca", self.ca.place()),
            ("allow_private", self.allow_private.place()),
            ("answers", self.answers.place()),
            ("timeout", self.timeout.place()),
            ("path", self.path.place()),
            ("token", self.token.place()),
            ("sender", self.sender.place()),
            ("addresses", self.addresses.place()),
            ("radius", self.radius.place()),
            ("expires", self.expires.place()),
            ("server", self.server.place()),
            ("transport", self.transport.place()),
            ("local", self.local.place()),
            ("server_id", self.server_id.place()),
            ("domain", self.domain.place()),
            ("device_id", self.device_id.place()),
            ("username", self.username.place()),
            ("password", self.password.place()),
            ("channels", self.channels.place()),
            ("encoding", self.encoding.place()),
            ("states", self.states.place()),
            ("acknowledge", self.acknowledge.place()),
            ("keepalive", self.keepalive.place()),
            ("topic", self.topic.place()),
            ("status", self.status.place()),
            ("payload", self.payload.place()),
            ("client_id", self.client_id.place()),
            ("subject", self.subject.place()),
            ("stream", self.stream.place()),
            ("brokers", self.brokers.place()),
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
    /// Common Alerting Protocol 1.2 by HTTP POST.
    Cap,
    /// Alarm notification of GB/T 28181 by SIP.
    Gb28181,
    /// Messages to a broker of MQTT 3.1.1.
    Mqtt,
    /// Messages to a stream of NATS JetStream.
    Nats,
    /// Records to a topic of Kafka; only in a build with the feature `kafka`.
    Kafka,
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
