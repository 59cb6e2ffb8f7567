//! Messages to a stream of NATS JetStream: delivered is what the stream has, each once, whatever happens to the server.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use lookout::config::plan::{Broker, Nats, Secret, Sink, SinkKind};
use lookout::config::template::Template;
use lookout::dispatch::Backoff;
use lookout::types::{Event, Span, State};

use crate::sample::{House, alert, event, item, quick, until};
use crate::support::broker::{Stream, UNLIMITED, nats};
use crate::support::tls::Authority;

const DELIVERED: &str = "lookout_deliveries_total{outcome=\"delivered\",sink=\"nats\"}";
const FAILED: &str = "lookout_deliveries_total{outcome=\"failed\",sink=\"nats\"}";

/// A client of this server, with everything as if left out of the configuration.
pub fn plan(server: SocketAddr) -> Nats {
    let (host, port) = (server.ip().to_string(), server.port());
    Nats {
        broker: Broker { host, port, tls: false, ca: None, login: None },
        token: None,
        subject: Template::parse("lookout.{site}.{camera}.{kind}.{state}").unwrap(),
        stream: None,
        timeout: Span::from_secs(15),
    }
}

pub fn sink(plan: Nats) -> Sink {
    Sink { id: "nats".into(), kind: SinkKind::Nats(plan) }
}

fn started(n: u32) -> lookout::alerts::journal::Appended {
    item(n, 0, State::Started, &["nats"])
}

/// Why the first alert could not be delivered by this sink.
async fn refusal(plan: Nats) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::start(folder.path(), &[sink(plan)], quick());
    house.append(&[started(1)]);
    let reader = house.reader();
    until("it is given up", || !reader.dead_letters(None).unwrap().is_empty()).await;
    house.stop().await;
    reader.dead_letters(None).unwrap().remove(0).error.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_and_comes_back_gets_everything_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = nats(folder.path(), "");
    Stream::make(server.address, "ALERTS", "lookout.>", UNLIMITED).await;
    let data = tempfile::tempdir().unwrap();
    // A second attempt only after an hour: the new connection itself must set things going.
    let hour = Duration::from_secs(3600);
    let backoff = Backoff { pauses: vec![hour; 9], first_rest: hour, longest_rest: hour };
    let mut house = House::start(data.path(), &[sink(plan(server.address))], backoff);
    house.append(&[started(0)]);
    until("the first is there", || house.metric(DELIVERED) as usize == 1).await;
    server.kill();
    for n in 1..50 {
        house.append(&[started(n), item(n, 1, State::Ended, &[])]);
    }
    until("they fail", || house.metric(FAILED) >= 3.0).await;
    assert_eq!(house.metric(DELIVERED) as usize, 1);
    server.start();
    until("all are delivered", || house.metric(DELIVERED) as usize == 99).await;
    house.stop().await;
    let stream = Stream::make(server.address, "ALERTS", "lookout.>", UNLIMITED).await;
    let keys = stream.keys().await;
    assert_eq!(keys.len(), 99, "each once");
    for n in 0..50 {
        let of_alert: Vec<_> = keys.iter().filter(|key| key.starts_with(&alert(n).to_string())).collect();
        let both = [event(n, 0, State::Started).key().unwrap(), event(n, 1, State::Ended).key().unwrap()];
        assert_eq!(of_alert, both.iter().take(if n == 0 { 1 } else { 2 }).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_is_dropped_by_the_stream_and_counts_as_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let server = nats(folder.path(), "");
    let stream = Stream::make(server.address, "ALERTS", "lookout.>", UNLIMITED).await;
    // A journal that was lost with its acknowledgements sends everything again.
    for _ in 0..2 {
        let data = tempfile::tempdir().unwrap();
        let mut house = House::start(data.path(), &[sink(plan(server.address))], quick());
        house.append(&[started(1), item(1, 1, State::Ended, &[])]);
        until("both are delivered", || house.metric(DELIVERED) as usize == 2).await;
        house.stop().await;
    }
    let stored = stream.stored().await;
    let [first, second] = &stored[..] else { panic!("{stored:?}") };
    assert_eq!(
        (first.subject.as_str(), second.subject.as_str()),
        ("lookout.weibei.forecourt.loitering.started", "lookout.weibei.forecourt.loitering.ended")
    );
    let envelope: serde_json::Value = serde_json::from_slice(&first.payload).unwrap();
    assert_eq!(envelope["id"].as_str(), Some(first.key.as_str()));
    assert_eq!(serde_json::from_value::<Event>(envelope["data"].clone()).unwrap(), event(1, 0, State::Started));
}

fn secret(folder: &Path, text: &str) -> Secret {
    let path = folder.join(text);
    std::fs::write(&path, text).unwrap();
    Secret::File(path)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_a_missing_stream_and_absence_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let server = nats(folder.path(), "authorization { user: lookout, password: right }");
    let with = |password: &str| {
        let open = plan(server.address);
        let login = Some(("lookout".to_owned(), secret(folder.path(), password)));
        Nats { broker: Broker { login, ..open.broker.clone() }, ..open }
    };
    for plan in [plan(server.address), with("wrong")] {
        let error = refusal(plan).await;
        assert!(error.contains("wrong user name, password or token"), "{error}");
    }
    let error = refusal(with("right")).await;
    assert_eq!(error, "no stream of the server takes this subject");
    let absent = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = refusal(plan(absent)).await;
    assert!(error.contains("Connection refused") && error.contains(&absent.to_string()), "{error}");

    let other = tempfile::tempdir().unwrap();
    let server = nats(other.path(), "authorization { token: secret }");
    let token = Some(secret(other.path(), "secret"));
    let error = refusal(Nats { token, ..plan(server.address) }).await;
    assert_eq!(error, "no stream of the server takes this subject", "it is let in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_for_another_stream_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let server = nats(folder.path(), "");
    let stream = Stream::make(server.address, "OTHERS", "lookout.>", UNLIMITED).await;
    let error = refusal(Nats { stream: Some("ALERTS".into()), ..plan(server.address) }).await;
    assert!(error.contains("expected stream does not match"), "{error}");
    assert_eq!(stream.keys().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subject_that_is_not_allowed_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let allowed = "authorization { users: [{ user: lookout, password: right, permissions: { publish: \"$JS.>\" } }] }";
    let server = nats(folder.path(), allowed);
    let open = plan(server.address);
    let login = Some(("lookout".to_owned(), secret(folder.path(), "right")));
    let error = refusal(Nats { broker: Broker { login, ..open.broker.clone() }, ..open }).await;
    assert!(error.contains("Permissions Violation") && error.contains("lookout.weibei.forecourt"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_named_authority_vouches_for_a_server() {
    let (folder, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (authority, other) = (Authority::new(folder.path()), Authority::new(others.path()));
    let (certificate, key) = (authority.certificate.display(), authority.key.display());
    let server = nats(folder.path(), &format!("tls {{ cert_file: {certificate:?}, key_file: {key:?} }}"));
    let with = |ca| {
        let open = plan(server.address);
        Nats { broker: Broker { tls: true, ca, ..open.broker.clone() }, ..open }
    };
    for ca in [None, Some(other.ca)] {
        let error = refusal(with(ca)).await.to_lowercase();
        assert!(error.contains("certificate"), "{error}");
    }
    assert_eq!(refusal(with(Some(authority.ca))).await, "no stream of the server takes this subject", "it is reached");
}
