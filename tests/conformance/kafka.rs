//! librdkafka's own mock of a Kafka cluster, in this process.

use std::time::{Duration, Instant};

use lookout::config::plan::{Kafka, Sink, SinkKind};
use lookout::types::{Event, Span, State};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::{Leaves, Peer, Refuses};
use crate::sample::{House, event, item, quick, until};

const TOPIC: &str = "lookout.alerts";
const PARTITIONS: i32 = 3;

/// One broker with a topic of three partitions.
pub struct Mock {
    cluster: MockCluster<'static, DefaultProducerContext>,
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
        cluster.create_topic(TOPIC, PARTITIONS, 1).unwrap();
        Self { cluster }
    }

    /// All that the cluster has, in the order of arrival within each partition. By a consumer of its own: one that has
    /// seen the cluster go would take its time to come back.
    fn read(&self) -> Vec<Got> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.cluster.bootstrap_servers())
            .set("group.id", "watcher")
            .create()
            .unwrap();
        let (mut all, mut from) = (0, TopicPartitionList::new());
        for partition in 0..PARTITIONS {
            let (first, end) = consumer.fetch_watermarks(TOPIC, partition, Duration::from_secs(20)).unwrap();
            all += usize::try_from(end - first).unwrap();
            from.add_partition_offset(TOPIC, partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&from).unwrap();
        let (mut got, begin) = (Vec::new(), Instant::now());
        while got.len() < all {
            // An error is no end: the consumer tries again by itself.
            if let Some(Ok(message)) = consumer.poll(Duration::from_millis(200)) {
                got.push(Got::new(&message));
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "{} of {all} records read", got.len());
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
