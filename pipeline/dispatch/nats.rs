//! Messages to a stream of NATS JetStream. A delivery counts once the server has acknowledged that the stream has it;
//! the stream drops a repeat by its `Nats-Msg-Id`, the idempotency key.

use std::error::Error as _;
use std::time::Duration;

use async_nats::jetstream::context::{ContextBuilder, PublishError, PublishErrorKind};
use async_nats::jetstream::{Context, message::PublishMessage};
use async_nats::{ConnectError, ConnectErrorKind, ConnectOptions, Event as Heard};
use tokio::sync::{broadcast, mpsc};

use super::cloudevent::{self, CloudEvent};
use super::http::chain;
use super::link::{Dial, Link};
use super::{SinkError, secret, tls, topic};
use crate::config::plan;
use crate::types::Event;

/// Silence after which the server is asked whether it is there; twice unanswered, it is not.
const PING: Duration = Duration::from_secs(15);
/// Complaints that a delivery may be behind.
const COMPLAINTS: usize = 64;

/// Publishes events to one server.
pub struct NatsSink {
    id: String,
    plan: plan::Nats,
    link: Link<Dialer>,
}

impl NatsSink {
    /// Messages without an acknowledgement at once, of different alerts.
    pub const IN_FLIGHT: usize = 64;

    /// Reads the secrets and the authorities; reaches nobody before it is started.
    pub fn new(id: String, plan: &plan::Nats) -> Result<Self, String> {
        let link = Link::new(Dialer::new(plan)?);
        Ok(Self { id, plan: plan.clone(), link })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The connection to the server.
    pub(super) fn link(&self) -> &Link<impl Dial + use<>> {
        &self.link
    }

    pub(super) async fn deliver(&self, event: &Event) -> Result<(), SinkError> {
        let Some(envelope) = CloudEvent::new(event) else { return Ok(()) };
        let payload = serde_json::to_vec(&envelope).map_err(|e| SinkError::later(e.to_string()))?;
        let mut message = PublishMessage::build()
            .message_id(envelope.key())
            .header("Content-Type", cloudevent::CONTENT_TYPE)
            .payload(payload.into());
        if let Some(stream) = &self.plan.stream {
            message = message.expected_stream(stream);
        }
        let odd = |c: char| matches!(c, '.' | '*' | '>') || c.is_whitespace() || c.is_control();
        let subject = topic::fill(&self.plan.subject, event, odd, String::new);
        let publish = async |line: Line| {
            let mut complaints = line.complaints.subscribe();
            let place = format!("\"{subject}\"");
            let acknowledged = async {
                let acknowledgement = line.context.send_publish(subject, message).await.map_err(|e| refused(&e))?;
                acknowledgement.await.map(drop).map_err(|e| refused(&e))
            };
            tokio::select! {
                done = acknowledged => done,
                reason = about(&mut complaints, &place) => Err(SinkError::Refused { reason }),
            }
        };
        self.link.with(duration(self.plan.timeout), publish).await
    }
}

/// What deliveries use.
#[derive(Clone)]
struct Line {
    context: Context,
    /// What the server said that is no answer to a message, such as that a subject may not be published to: nothing else
    /// tells why no acknowledgement comes.
    complaints: broadcast::Sender<String>,
}

/// What tells how the connection fares.
struct Hold {
    events: mpsc::Receiver<Heard>,
    complaints: broadcast::Sender<String>,
}

/// The next complaint with these words in it.
async fn about(complaints: &mut broadcast::Receiver<String>, words: &str) -> String {
    loop {
        match complaints.recv().await {
            Ok(complaint) if complaint.contains(words) => return complaint,
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            // The acknowledgement, or its absence, decides.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Connects to the server.
struct Dialer {
    options: ConnectOptions,
    url: String,
    peer: String,
    timeout: Duration,
}

impl Dialer {
    fn new(plan: &plan::Nats) -> Result<Self, String> {
        let plan::Nats { broker, token, timeout, .. } = plan;
        let mut options = ConnectOptions::new()
            .name("lookout")
            .ping_interval(PING)
            .connection_timeout(duration(*timeout))
            // The link makes connections anew, not the client with what it has queued.
            .max_reconnects(1)
            .ignore_discovered_servers()
            .require_tls(broker.tls)
            // Also for a server that wants TLS unasked.
            .tls_client_config((*tls::client(broker.ca.as_deref())?).clone());
        if let Some((user, password)) = &broker.login {
            options = options.user_and_password(user.clone(), secret::resolve(password)?);
        }
        if let Some(token) = token {
            options = options.token(secret::resolve(token)?);
        }
        let peer = format!("{}:{}", broker.host, broker.port);
        let host = if broker.host.contains(':') { format!("[{}]", broker.host) } else { broker.host.clone() };
        let url = format!("nats://{host}:{}", broker.port);
        Ok(Self { options, url, peer, timeout: duration(*timeout) })
    }
}

impl Dial for Dialer {
    type Line = Line;
    type Hold = Hold;

    fn peer(&self) -> &str {
        &self.peer
    }

    async fn dial(&self) -> Result<(Line, Hold), String> {
        let (tell, events) = mpsc::channel(16);
        let tell = move |event| {
            let tell = tell.clone();
            async move {
                // Nobody listens any more to a connection that was given up.
                tell.send(event).await.ok();
            }
        };
        let connecting = self.options.clone().event_callback(tell).connect(&self.url);
        let client = connecting.await.map_err(|e| reason(&e))?;
        let context =
            ContextBuilder::new().timeout(self.timeout).max_ack_inflight(4 * NatsSink::IN_FLIGHT).build(client);
        let complaints = broadcast::Sender::new(COMPLAINTS);
        Ok((Line { context, complaints: complaints.clone() }, Hold { events, complaints }))
    }

    async fn hold(&self, mut hold: Hold) -> String {
        while let Some(event) = hold.events.recv().await {
            match event {
                Heard::Disconnected | Heard::Closed => return "the connection broke off".into(),
                Heard::ServerError(error) => {
                    tracing::warn!(peer = self.peer, %error, "the server complains");
                    // Fails when nothing is under way.
                    hold.complaints.send(error.to_string()).ok();
                }
                _ => {}
            }
        }
        "the connection is closed".into()
    }
}

fn duration(span: crate::types::Span) -> Duration {
    Duration::from_secs_f64(span.secs_f64())
}

fn reason(error: &ConnectError) -> String {
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation => {
            "the server does not let this client in: wrong user name, password or token, or none".into()
        }
        _ => chain(error),
    }
}

fn refused(error: &PublishError) -> SinkError {
    let reason = match error.kind() {
        PublishErrorKind::StreamNotFound => "no stream of the server takes this subject".to_owned(),
        // The cause alone is in the server's words.
        _ => error.source().map_or_else(|| error.to_string(), chain),
    };
    match error.kind() {
        PublishErrorKind::MaxPayloadExceeded => SinkError::Refused { reason },
        _ => SinkError::later(reason),
    }
}
