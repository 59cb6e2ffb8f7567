//! librdkafka's own mock of a Kafka cluster, in this process.

use std::time::{Duration, Instant};

use lookout::config::plan::{Kafka, Sink, SinkKind};
use lookout::types::{Event, Span, State};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::{Leaves, Peer, Refuses};
use crate::sample::{House, event, item, quick, until};

const TOPIC: &str = "lookout.alerts";

/// One broker with a topic of three partitions.
pub struct Mock {
    cluster: MockCluster<'static, DefaultProducerContext>,
    consumer: BaseConsumer,
}

/// One record.
struct Got {
    key: String,
    id: String,
    body: Vec<u8>,
    content_type: String,
}

impl Got {
    fn new(message: &BorrowedMessage<'_>) -> Self {
        let header = |name: &str| {
            let headers = message.headers().unwrap();
            let found = headers.iter().find(|header| header.key == name).unwrap();
            String::from_utf8(found.value.unwrap().to_vec()).unwrap()
        };
        Self {
            key: String::from_utf8(message.key().unwrap().to_vec()).unwrap(),
            id: header("ce_id"),
            body: message.payload().unwrap().to_vec(),
            content_type: header("content-type"),
        }
    }
}

impl Mock {
    pub async fn start() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 3, 1).unwrap();
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("group.id", "watcher")
            .set("auto.offset.reset", "earliest")
            .create()
            .unwrap();
        consumer.subscribe(&[TOPIC]).unwrap();
        Self { cluster, consumer }
    }

    /// Reads on until all that the cluster has is read: until nothing came for two seconds after the first.
    fn read(&self) -> Vec<Got> {
        let (mut got, mut last) = (Vec::new(), Instant::now());
        let patience = |got: &Vec<Got>| Duration::from_secs(if got.is_empty() { 20 } else { 2 });
        while last.elapsed() < patience(&got) {
            // The coordinator of the group may still be busy: an error is no end.
            if let Some(Ok(message)) = self.consumer.poll(Duration::from_millis(200)) {
                got.push(Got::new(&message));
                last = Instant::now();
            }
        }
        got
    }
}

impl Peer for Mock {
    fn sink(&self) -> Sink {
        let brokers = vec![self.cluster.bootstrap_servers()];
        let kafka = Kafka { brokers, topic: TOPIC.into(), timeout: Span::from_secs(1) };
        Sink { id: "kafka".into(), kind: SinkKind::Kafka(kafka) }
    }

    async fn keys(&mut self) -> Vec<String> {
        self.read().into_iter().map(|got| got.id).collect()
    }
}

impl Refuses for Mock {
    async fn refuse(&mut self, refuse: bool) {
        self.cluster.clear_request_errors(RDKafkaApiKey::Produce);
        if refuse {
            let refusals = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 10_000];
            self.cluster.request_errors(RDKafkaApiKey::Produce, &refusals);
        }
    }
}

impl Leaves for Mock {
    async fn leave(&mut self) {
        self.cluster.broker_down(1).unwrap();
    }

    async fn come_back(&mut self) {
        self.cluster.broker_up(1).unwrap();
    }
}

#[tokio::test]
async fn a_record_of_kafka_is_a_binary_cloud_event_with_the_alert_as_key() {
    let data = tempfile::tempdir().unwrap();
    let peer = Mock::start().await;
    let mut house = House::start(data.path(), &[peer.sink()], quick());
    house.append(&[item(7, 0, State::Started, &["kafka"])]);
    let delivered = "lookout_deliveries_total{outcome=\"delivered\",sink=\"kafka\"}";
    until("it is acknowledged", || house.metric(delivered) as usize == 1).await;
    let (got, sent) = (peer.read().remove(0), event(7, 0, State::Started));
    assert_eq!((got.key, got.id), (sent.alert.unwrap().to_string(), sent.key().unwrap()));
    assert_eq!(got.content_type, "application/json");
    assert_eq!(serde_json::from_slice::<Event>(&got.body).unwrap(), sent);
    house.stop().await;
}
