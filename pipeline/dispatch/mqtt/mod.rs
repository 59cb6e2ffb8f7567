//! Messages to a broker of MQTT 3.1.1 at QoS 1. A delivery counts once the broker has acknowledged its message.
//!
//! While the connection stands, `online` is retained on the status topic; the broker itself replaces it by `offline`,
//! the last will, when it breaks off.

mod onvif;

use std::time::Duration;

use rumqttc::{
    AsyncClient, ClientError, ConnectReturnCode, ConnectionError, Event as Heard, EventLoop, LastWill, MqttOptions,
    NetworkOptions, Packet, PublishOptions, QoS, TlsConfiguration, Transport,
};

use super::cloudevent::CloudEvent;
use super::http::chain;
use super::link::{Dial, Link};
use super::{SinkError, secret, tls, topic};
use crate::config::plan::{self, Payload};
use crate::types::Event;

/// Largest message that is taken from the broker, which has nothing to send but answers.
const LARGEST_ANSWER: usize = 64 * 1024;
/// Largest message to it.
const LARGEST: usize = 4 * 1024 * 1024;

/// Publishes events to one broker.
pub struct MqttSink {
    id: String,
    plan: plan::Mqtt,
    link: Link<Dialer>,
}

impl MqttSink {
    /// Messages without an acknowledgement at once, of different alerts.
    pub const IN_FLIGHT: usize = 64;

    /// Reads the password and the authorities; reaches nobody before it is started.
    pub fn new(id: String, plan: &plan::Mqtt) -> Result<Self, String> {
        let link = Link::new(Dialer::new(plan)?);
        Ok(Self { id, plan: plan.clone(), link })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The connection to the broker.
    pub(super) fn link(&self) -> &Link<impl Dial + use<>> {
        &self.link
    }

    pub(super) async fn deliver(&self, event: &Event) -> Result<(), SinkError> {
        let Some(envelope) = CloudEvent::new(event) else { return Ok(()) };
        let payload = match self.plan.payload {
            Payload::CloudEvent => serde_json::to_vec(&envelope),
            Payload::Onvif => serde_json::to_vec(&onvif::message(event, envelope.key())),
        };
        let payload = payload.map_err(|e| SinkError::later(e.to_string()))?;
        let odd = |c: char| matches!(c, '/' | '+' | '#') || c.is_control();
        let topic = topic::fill(&self.plan.topic, event, odd, || onvif::topic(event));
        let patience = Duration::from_secs_f64(self.plan.timeout.secs_f64());
        let publish = async |client: AsyncClient| {
            let notice = client.publish_tracked(topic, payload, PublishOptions::at_least_once()).await;
            // Without the client: what it has queued ends with the connection.
            drop(client);
            let acknowledged = notice.map_err(|e| SinkError::later(unsent(&e)))?.wait_completion_async().await;
            acknowledged.map_err(|e| SinkError::later(e.to_string()))
        };
        self.link.with(patience, publish).await
    }
}

/// Connects to the broker.
struct Dialer {
    options: MqttOptions,
    network: NetworkOptions,
    peer: String,
    status: String,
}

impl Dialer {
    fn new(plan: &plan::Mqtt) -> Result<Self, String> {
        let plan::Mqtt { broker, client_id, status, timeout, keepalive, .. } = plan;
        let mut options = MqttOptions::new(client_id.as_str(), (broker.host.as_str(), broker.port));
        if broker.tls {
            let config = tls::client(broker.ca.as_deref())?;
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(config)));
        }
        if let Some((user, password)) = &broker.login {
            options.set_credentials(user.as_str(), secret::resolve(password)?);
        }
        options
            .set_keep_alive(keepalive.secs_f64() as u16)
            .set_max_packet_size(LARGEST_ANSWER, LARGEST)
            // With room for the birth.
            .set_inflight(MqttSink::IN_FLIGHT as u16 + 1)
            .set_max_request_batch(MqttSink::IN_FLIGHT)
            .set_last_will(LastWill::new(status.as_str(), "offline", QoS::AtLeastOnce, true));
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(timeout.secs_f64().ceil() as u64);
        let peer = format!("{}:{}", broker.host, broker.port);
        Ok(Self { options, network, peer, status: status.clone() })
    }
}

impl Dial for Dialer {
    type Line = AsyncClient;
    type Hold = EventLoop;

    fn peer(&self) -> &str {
        &self.peer
    }

    async fn dial(&self) -> Result<(AsyncClient, EventLoop), String> {
        let builder = AsyncClient::builder(self.options.clone()).capacity(MqttSink::IN_FLIGHT + 1);
        let (client, mut events) = builder.try_build().map_err(|e| e.to_string())?;
        events.set_network_options(self.network.clone());
        while !matches!(events.poll().await.map_err(|e| reason(&e))?, Heard::Incoming(Packet::ConnAck(_))) {}
        let birth = client.try_publish(self.status.as_str(), "online", PublishOptions::at_least_once().retained());
        birth.map_err(|e| unsent(&e))?;
        Ok((client, events))
    }

    async fn hold(&self, mut events: EventLoop) -> String {
        loop {
            if let Err(error) = events.poll().await {
                return reason(&error);
            }
        }
    }
}

/// A request that was not taken, without the request itself.
fn unsent(error: &ClientError) -> String {
    match error {
        ClientError::RequestChannelFull(_) => "too much is under way".into(),
        ClientError::RequestChannelDisconnected(_) => "the connection broke off".into(),
        ClientError::InvalidRequest(_) => "the topic is none to publish to".into(),
        other => other.to_string(),
    }
}

/// MQTT 3.1.1, 3.2.2.3, in words.
fn reason(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ConnectionRefused(code) => match code {
            ConnectReturnCode::BadUserNamePassword => "the broker refuses the user name or the password".into(),
            ConnectReturnCode::NotAuthorized => {
                "the broker does not let this client in: wrong user name or password, or none".into()
            }
            ConnectReturnCode::BadClientId => "the broker refuses the client id".into(),
            ConnectReturnCode::RefusedProtocolVersion => "the broker does not speak MQTT 3.1.1".into(),
            ConnectReturnCode::ServiceUnavailable => "the broker takes no clients at present".into(),
            ConnectReturnCode::Success => "the broker broke the connection off".into(),
        },
        other => chain(other),
    }
}
