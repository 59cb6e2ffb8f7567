//! The closed set of receivers and what each of them promises to its worker.

use std::future::pending;
use std::time::Duration;

use crate::alerts::journal::Delivery;
use crate::config::plan::{self, SinkKind};
use crate::types::Answer;

use super::answer::Reply;
use super::cap::CapSink;
use super::file::FileSink;
use super::gb28181::Gb28181Sink;
#[cfg(feature = "kafka")]
use super::kafka::KafkaSink;
use super::log::LogSink;
use super::mqtt::MqttSink;
use super::nats::NatsSink;
use super::webhook::WebhookSink;

/// A receiver of alerts.
pub enum Sink {
    /// JSON lines.
    File(FileSink),
    /// Log lines.
    Log(LogSink),
    /// CloudEvents by HTTP.
    Webhook(WebhookSink),
    /// Common Alerting Protocol by HTTP.
    Cap(CapSink),
    /// GB/T 28181 by SIP.
    Gb28181(Gb28181Sink),
    /// Messages of MQTT.
    Mqtt(Box<MqttSink>),
    /// Messages of NATS JetStream.
    Nats(Box<NatsSink>),
    /// Records of Kafka.
    #[cfg(feature = "kafka")]
    Kafka(KafkaSink),
}

/// Why a receiver did not take a delivery.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// Not now: unreachable, overloaded, or it refused. To be repeated.
    #[error("{reason}")]
    Later {
        /// What happened.
        reason: String,
        /// When the receiver wants to be asked again.
        wish: Option<Duration>,
    },
    /// It is there, but does not want this one as it is. To be repeated all the same: receivers are mended.
    #[error("{reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// The receiver wants nothing any more.
    #[error("{reason}")]
    Gone {
        /// What it said.
        reason: String,
    },
}

impl SinkError {
    /// Whether to repeat the delivery.
    pub const fn retry(&self) -> bool {
        matches!(self, Self::Later { .. } | Self::Refused { .. })
    }

    pub(super) fn later(reason: impl Into<String>) -> Self {
        Self::Later { reason: reason.into(), wish: None }
    }
}

impl Sink {
    /// From the plan: reads secrets, prepares clients, reaches nobody yet. The error is a sentence.
    pub fn build(plan: &plan::Sink) -> Result<Self, String> {
        Ok(match &plan.kind {
            SinkKind::File { path } => Self::File(FileSink::new(plan.id.clone(), path.clone())),
            SinkKind::Log => Self::Log(LogSink::new(plan.id.clone())),
            SinkKind::Webhook(webhook) => Self::Webhook(WebhookSink::new(plan.id.clone(), webhook)?),
            SinkKind::Cap(cap) => Self::Cap(CapSink::new(plan.id.clone(), cap)?),
            SinkKind::Gb28181(gb28181) => Self::Gb28181(Gb28181Sink::new(plan.id.clone(), gb28181)?),
            SinkKind::Mqtt(mqtt) => Self::Mqtt(Box::new(MqttSink::new(plan.id.clone(), mqtt)?)),
            SinkKind::Nats(nats) => Self::Nats(Box::new(NatsSink::new(plan.id.clone(), nats)?)),
            #[cfg(feature = "kafka")]
            SinkKind::Kafka(kafka) => Self::Kafka(KafkaSink::new(plan.id.clone(), kafka)?),
            #[cfg(not(feature = "kafka"))]
            SinkKind::Kafka(_) => return Err("this Lookout is built without Kafka".into()),
        })
    }

    /// Sink id.
    pub fn id(&self) -> &str {
        match self {
            Self::File(sink) => sink.id(),
            Self::Log(sink) => sink.id(),
            Self::Webhook(sink) => sink.id(),
            Self::Cap(sink) => sink.id(),
            Self::Gb28181(sink) => sink.id(),
            Self::Mqtt(sink) => sink.id(),
            Self::Nats(sink) => sink.id(),
            #[cfg(feature = "kafka")]
            Self::Kafka(sink) => sink.id(),
        }
    }

    /// Whether a delivery is to come with what the receiver has got of its alert already, and the receiver is to be told
    /// when an alert was a false alarm: it keeps messages in force until they are cancelled.
    pub const fn looks_back(&self) -> bool {
        matches!(self, Self::Cap(_))
    }

    /// Whether what the receiver says in its answer to a delivery may answer the alert. Off unless it is configured: who
    /// only receives alerts could otherwise end their deadlines and make quiet spots.
    pub const fn may_answer(&self) -> bool {
        match self {
            Self::Webhook(sink) => sink.may_answer(),
            Self::Cap(sink) => sink.may_answer(),
            _ => false,
        }
    }

    /// Before the first delivery, on a runtime: a sink that keeps a connection begins to make it.
    pub fn start(&self) {
        match self {
            Self::Gb28181(sink) => sink.start(),
            Self::Mqtt(sink) => sink.link().start(),
            Self::Nats(sink) => sink.link().start(),
            _ => {}
        }
    }

    /// Waits until a sink that keeps a connection has made it anew: whatever was put off can be tried. Never ends for
    /// others.
    pub async fn returned(&self) {
        match self {
            Self::Mqtt(sink) => sink.link().made().await,
            Self::Nats(sink) => sink.link().made().await,
            _ => pending().await,
        }
    }

    /// Events that one `deliver` may take together.
    pub const fn batch(&self) -> usize {
        match self {
            Self::File(_) => FileSink::BATCH,
            Self::Log(_) => LogSink::BATCH,
            _ => 1,
        }
    }

    /// Calls of `deliver` that may be under way at once, of different alerts.
    pub const fn in_flight(&self) -> usize {
        match self {
            Self::File(_) | Self::Log(_) => 1,
            Self::Webhook(_) => WebhookSink::IN_FLIGHT,
            Self::Cap(_) => CapSink::IN_FLIGHT,
            Self::Gb28181(_) => Gb28181Sink::IN_FLIGHT,
            Self::Mqtt(_) => MqttSink::IN_FLIGHT,
            Self::Nats(_) => NatsSink::IN_FLIGHT,
            #[cfg(feature = "kafka")]
            Self::Kafka(_) => KafkaSink::IN_FLIGHT,
        }
    }

    /// Hands over a batch: all of it is accepted and, as far as the receiver can promise, kept; or none is known to be.
    /// Gives what the receiver answered to the alerts themselves, if it is one that can.
    pub async fn deliver(&self, batch: &[Delivery]) -> Result<Vec<Reply>, SinkError> {
        match self {
            Self::File(sink) => sink.deliver(batch).await?,
            Self::Log(sink) => sink.deliver(batch),
            _ => {
                let mut replies = Vec::new();
                for delivery in batch {
                    let answer = self.deliver_one(delivery).await?;
                    replies.extend(delivery.event.alert.zip(answer).map(|(alert, answer)| Reply { alert, answer }));
                }
                return Ok(replies);
            }
        }
        Ok(Vec::new())
    }

    async fn deliver_one(&self, delivery: &Delivery) -> Result<Option<Result<Answer, String>>, SinkError> {
        match self {
            // These take batches.
            Self::File(_) | Self::Log(_) => Ok(None),
            Self::Webhook(sink) => sink.deliver(&delivery.event).await,
            Self::Cap(sink) => sink.deliver(delivery).await,
            Self::Gb28181(sink) => sink.deliver(delivery).await.map(|()| None),
            Self::Mqtt(sink) => sink.deliver(&delivery.event).await.map(|()| None),
            Self::Nats(sink) => sink.deliver(&delivery.event).await.map(|()| None),
            #[cfg(feature = "kafka")]
            Self::Kafka(sink) => sink.deliver(&delivery.event).await.map(|()| None),
        }
    }
}
