//! Records to a topic of Kafka. A delivery counts once all replicas in sync have it (`acks=all`, idempotent). The record's
//! key is the alert, so that one partition keeps its order; the header `ce_id` is the idempotency key, by which consumers
//! drop repeats.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::util::Timeout;

use super::SinkError;
use super::cloudevent::{self, CloudEvent};
use crate::config::plan;
use crate::types::Event;

/// Appends events, as CloudEvents in binary mode, to one topic.
pub struct KafkaSink {
    id: String,
    topic: String,
    timeout: Duration,
    config: ClientConfig,
    producer: Mutex<FutureProducer>,
}

impl KafkaSink {
    /// Records without an acknowledgement at once, of different alerts.
    pub const IN_FLIGHT: usize = 64;

    /// Makes a producer, which connects in the background.
    pub fn new(id: String, plan: &plan::Kafka) -> Result<Self, String> {
        let timeout = Duration::from_secs_f64(plan.timeout.secs_f64());
        let mut config = ClientConfig::new();
        config
            .set("client.id", format!("lookout-{id}"))
            .set("bootstrap.servers", plan.brokers.join(","))
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("linger.ms", "2")
            // The producer repeats by itself only so long; then the outbox does.
            .set("message.timeout.ms", timeout.as_millis().to_string())
            .set("reconnect.backoff.max.ms", "5000");
        let producer = Mutex::new(config.create().map_err(|e| e.to_string())?);
        Ok(Self { id, topic: plan.topic.clone(), timeout, config, producer })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) async fn deliver(&self, event: &Event) -> Result<(), SinkError> {
        let Some(envelope) = CloudEvent::new(event) else { return Ok(()) };
        let body = serde_json::to_vec(event).map_err(|e| SinkError::later(e.to_string()))?;
        let key = event.alert.map(|alert| alert.to_string()).unwrap_or_default();
        let content = Header { key: "content-type", value: Some(cloudevent::DATA_CONTENT_TYPE) };
        let attributes = envelope.attributes();
        let headers = attributes.iter().fold(OwnedHeaders::new().insert(content), |headers, (name, value)| {
            headers.insert(Header { key: &format!("ce_{name}"), value: Some(value) })
        });
        let record = FutureRecord::to(&self.topic).key(&key).payload(&body).headers(headers);
        let producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match producer.send(record, Timeout::After(self.timeout)).await {
            Ok(_) => Ok(()),
            Err((error, _)) => {
                self.renew_if_broken(&producer);
                Err(judge(&error))
            }
        }
    }

    /// An idempotent producer that met a fatal error takes nothing any more.
    fn renew_if_broken(&self, used: &FutureProducer) {
        if used.client().fatal_error().is_none() {
            return;
        }
        let mut producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if producer.client().fatal_error().is_none() {
            // Another delivery has renewed it.
            return;
        }
        match self.config.create() {
            Ok(fresh) => *producer = fresh,
            Err(error) => tracing::error!(sink = self.id, %error, "the producer cannot be made anew"),
        }
    }
}

/// Whether the cluster refused this one record, or could not take any.
fn judge(error: &KafkaError) -> SinkError {
    let reason = error.to_string();
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessage) => SinkError::Refused { reason },
        _ => SinkError::later(reason),
    }
}
