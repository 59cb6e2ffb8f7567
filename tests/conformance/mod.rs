//! What every sink must do, the same cases for all of them: what is acknowledged is done, what is refused is tried again,
//! and a receiver that was away has everything afterwards, in order for each alert. A new sink is a [`Peer`] and a line
//! in the list below.

mod brokers;
#[cfg(feature = "kafka")]
mod kafka;
mod receivers;

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use lookout::alerts::journal::Appended;
use lookout::config::plan::Sink;
use lookout::dispatch::Backoff;
use lookout::types::State;

use crate::sample::{House, alert, event, item, quick, until};
use brokers::{Hesitant, JetStream, Mosquitto};
use receivers::{Gb, Hook, Lines, LogLines};

/// The other side of a sink.
trait Peer {
    /// The sink that leads to it.
    fn sink(&self) -> Sink;

    /// The idempotency keys that it has got, in the order of arrival, read from the protocol's own place for them.
    async fn keys(&mut self) -> Vec<String>;
}

/// A peer that can be there and take nothing.
trait Refuses: Peer {
    async fn refuse(&mut self, refuse: bool);
}

/// A peer that can go away, keeping what it has, and come back.
trait Leaves: Peer {
    async fn leave(&mut self);
    async fn come_back(&mut self);
}

/// One test for each case that applies to a peer. All on one thread, so that a log's subscriber hears only its own.
macro_rules! conformance {
    ($($name:ident: $peer:expr => $($case:ident)*;)*) => {$(
        mod $name {
            use super::*;
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case($peer.await).await;
                }
            )*
        }
    )*};
}

// MQTT 3.1.1 knows no refusal: a broker that takes nothing acknowledges nothing. Lines of a log are always taken.
conformance! {
    webhook_structured: Hook::structured() => acknowledged refused away hours;
    webhook_binary: Hook::binary() => acknowledged refused away;
    cap: Hook::cap() => acknowledged refused away hours;
    gb28181_udp: Gb::udp() => acknowledged refused away hours;
    gb28181_tcp: Gb::tcp() => acknowledged refused away hours;
    mqtt: Mosquitto::start() => acknowledged away hours;
    mqtt_unacknowledged: Hesitant::start() => acknowledged refused;
    nats: JetStream::start() => acknowledged refused away hours;
    file: Lines::start() => acknowledged away hours;
    log: LogLines::start() => acknowledged;
}

#[cfg(feature = "kafka")]
conformance! {
    kafka_cluster: kafka::Mock::start() => acknowledged refused away hours;
}

/// A quick worker that gives nothing up.
fn patient() -> Backoff {
    Backoff { pauses: vec![Duration::from_millis(50); 10_000], ..quick() }
}

const STATES: [State; 3] = [State::Started, State::Evidence, State::Ended];

/// Start, evidence and end of some alerts.
fn stories(numbers: Range<u32>, sink: &str) -> Vec<Appended> {
    numbers.flat_map(|n| (0..).zip(STATES).map(move |(seq, state)| item(n, seq, state, &[sink]))).collect()
}

fn delivered(house: &House, sink: &str) -> usize {
    house.metric(&format!("lookout_deliveries_total{{outcome=\"delivered\",sink=\"{sink}\"}}")) as usize
}

fn failed(house: &House, sink: &str) -> usize {
    house.metric(&format!("lookout_deliveries_total{{outcome=\"failed\",sink=\"{sink}\"}}")) as usize
}

/// Each alert in order; what came again with the same key is the same event.
fn assert_in_order(keys: &[String], numbers: Range<u32>) {
    for n in numbers {
        let mut seen = BTreeSet::new();
        let mine = keys.iter().filter(|k| k.starts_with(&alert(n).to_string()) && seen.insert(k.as_str()));
        let whole: Vec<String> = (0..3).map(|seq| event(n, seq, State::Started).key().unwrap()).collect();
        assert_eq!(mine.collect::<Vec<_>>(), whole.iter().collect::<Vec<_>>(), "alert {n}");
    }
}

/// The rows of some alerts are all written down as delivered. Ends the house.
async fn assert_done(house: House, sink: &str, numbers: Range<u32>) {
    let journal = house.stop().await;
    assert_eq!(journal.outbox().unwrap().waiting(sink).unwrap(), (0, None));
    let reader = journal.reader().unwrap();
    for n in numbers {
        let rows = reader.show(alert(n)).unwrap().unwrap().deliveries;
        let told: Vec<_> = rows.iter().map(|row| (row.seq, row.outcome)).collect();
        assert_eq!(told, [(0, "delivered"), (1, "delivered"), (2, "delivered")], "alert {n}");
    }
}

/// While nothing fails each event arrives once, in order for each alert, and its row is done.
async fn acknowledged(mut peer: impl Peer) {
    let data = tempfile::tempdir().unwrap();
    let sink = peer.sink();
    let mut house = House::start(data.path(), std::slice::from_ref(&sink), quick());
    let batch = stories(0..40, &sink.id);
    for part in batch.chunks(7) {
        house.append(part);
    }
    until("all are delivered", || delivered(&house, &sink.id) == batch.len()).await;
    let keys = peer.keys().await;
    assert_eq!(keys.len(), batch.len(), "each once");
    assert_in_order(&keys, 0..40);
    let seconds = house.metric(&format!("lookout_delivery_seconds_count{{sink=\"{}\"}}", sink.id));
    assert_eq!(seconds as usize, batch.len());
    assert_done(house, &sink.id, 0..40).await;
}

/// What a peer refuses is counted, and tried again until it is taken.
async fn refused(mut peer: impl Refuses) {
    let data = tempfile::tempdir().unwrap();
    let sink = peer.sink();
    let mut house = House::start(data.path(), std::slice::from_ref(&sink), patient());
    peer.refuse(true).await;
    house.append(&stories(0..5, &sink.id));
    let reader = house.reader();
    let first = || reader.show(alert(0)).unwrap().unwrap().deliveries.remove(0);
    until("the first was tried again", || failed(&house, &sink.id) >= 3 && first().attempts > 0).await;
    assert_eq!((delivered(&house, &sink.id), first().outcome), (0, "waiting"));
    assert!(first().error.is_some_and(|error| !error.is_empty()), "the reason is known");
    peer.refuse(false).await;
    until("all are delivered", || delivered(&house, &sink.id) == 15).await;
    assert_in_order(&peer.keys().await, 0..5);
    assert_done(house, &sink.id, 0..5).await;
}

/// A peer that goes away in the middle and comes back has everything in the end, in order.
async fn away(mut peer: impl Leaves) {
    let data = tempfile::tempdir().unwrap();
    let sink = peer.sink();
    let mut house = House::start(data.path(), std::slice::from_ref(&sink), patient());
    house.append(&stories(0..10, &sink.id));
    until("some are delivered", || delivered(&house, &sink.id) >= 5).await;
    peer.leave().await;
    for part in stories(10..40, &sink.id).chunks(9) {
        house.append(part);
    }
    until("deliveries fail", || failed(&house, &sink.id) >= 3).await;
    assert!(delivered(&house, &sink.id) < 120);
    peer.come_back().await;
    until("all are delivered", || delivered(&house, &sink.id) == 120).await;
    assert_in_order(&peer.keys().await, 0..40);
    assert_done(house, &sink.id, 0..40).await;
}

/// The usual pauses, a quarter of a second for an hour.
fn hurried() -> Backoff {
    let hurry = |pause: Duration| pause.div_f64(4.0 * 3600.0);
    let Backoff { pauses, first_rest, longest_rest } = Backoff::default();
    Backoff {
        pauses: pauses.into_iter().map(hurry).collect(),
        first_rest: hurry(first_rest),
        longest_rest: hurry(longest_rest),
    }
}

/// Start, two updates, evidence and end of some alerts.
fn long_stories(numbers: Range<u32>, sink: &str) -> Vec<Appended> {
    let states = [State::Started, State::Updated, State::Updated, State::Evidence, State::Ended];
    numbers.flat_map(|n| (0..).zip(states).map(move |(seq, state)| item(n, seq, state, &[sink]))).collect()
}

/// A peer that was away for many hours by the usual schedule, while Lookout was restarted, has everything afterwards, in
/// order for each alert; only an update that a newer one has overtaken is left out.
async fn hours(mut peer: impl Leaves) {
    let data = tempfile::tempdir().unwrap();
    let sink = peer.sink();
    let mut house = House::start(data.path(), std::slice::from_ref(&sink), hurried());
    house.append(&stories(0..1, &sink.id));
    until("it is there", || delivered(&house, &sink.id) == 3).await;
    peer.leave().await;
    house.append(&long_stories(1..2, &sink.id));
    let reader = house.reader();
    let attempts = |n| reader.show(alert(n)).unwrap().unwrap().deliveries[0].attempts;
    until("more than two hours have gone by", || attempts(1) >= 6).await;
    drop(house.stop().await);

    let mut house = House::start(data.path(), std::slice::from_ref(&sink), hurried());
    house.append(&long_stories(2..4, &sink.id));
    until("more than seven hours have gone by", || attempts(1) >= 7).await;
    peer.come_back().await;
    let rows = || (1..4).flat_map(|n| reader.show(alert(n)).unwrap().unwrap().deliveries).collect::<Vec<_>>();
    until("nothing waits any more", || rows().iter().all(|row| row.outcome != "waiting")).await;
    let keys = peer.keys().await;
    for n in 1..4 {
        let mut seen = BTreeSet::new();
        let prefix = format!("{}.", alert(n));
        let mine = keys.iter().filter_map(|key| key.strip_prefix(&prefix)).filter(|seq| seen.insert(*seq));
        let mine: Vec<&str> = mine.collect();
        assert!(mine == ["0", "2", "3", "4"] || mine == ["0", "1", "2", "3", "4"], "alert {n}: {mine:?}");
    }
    assert!(rows().iter().all(|row| matches!(row.outcome, "delivered" | "skipped")), "{:?}", rows());
    house.stop().await;
}
