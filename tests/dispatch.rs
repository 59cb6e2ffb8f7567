//! From the journal to the receiver: durable, in order for each alert, at least once, whatever the receiver does.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use base64::Engine as _;
use lookout::alerts::journal::{AlertFilter, Journal, Reader};
use lookout::config::plan::Secret;
use lookout::dispatch::Dispatcher;
use lookout::telemetry::Metrics;
use lookout::types::{Span, State};

use crate::answers::answering;
use crate::sample::{House, Receiver, event, item, quick, signed, site, until, webhook};

const SECOND: Span = Span::from_secs(1);

fn ok() -> axum::response::Response {
    StatusCode::NO_CONTENT.into_response()
}

fn key(n: u32, seq: u32) -> String {
    event(n, seq, State::Started).key().unwrap()
}

/// Started with `--ignored` by the test below; runs until it is killed.
#[test]
#[ignore = "not a test: the writer that `a_killed_writer_loses_nothing_committed` kills"]
fn writer_to_be_killed() {
    let data = std::env::var("LOOKOUT_TEST_DATA").expect("run by another test");
    let mut journal = Journal::open(data.as_ref(), &["platform".to_owned()]).unwrap();
    for n in 0.. {
        journal.append(&[item(n, 0, State::Started, &["platform"]), item(n, 1, State::Ended, &["platform"])]).unwrap();
        println!("committed {n}");
    }
}

#[test]
fn a_killed_writer_loses_nothing_committed() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "dispatch::writer_to_be_killed", "--ignored", "--nocapture"])
        .env("LOOKOUT_TEST_DATA", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut committed = 0_u32;
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut killed = false;
    for line in output.lines() {
        if let Some(n) = line.unwrap().rsplit_once("committed ").map(|(_, n)| n.parse::<u32>().unwrap()) {
            committed = n + 1;
        }
        if committed == 50 && !killed {
            child.kill().unwrap();
            killed = true;
        }
    }
    assert!(!child.wait().unwrap().success() && committed >= 50);
    let reader = Reader::open(folder.path()).unwrap();
    let list = reader.list(&AlertFilter { limit: 1000, ..AlertFilter::default() }).unwrap();
    assert!(list.len() >= committed as usize, "{} alerts of {committed} committed", list.len());
    assert!(list.iter().all(|a| a.last.state == State::Ended), "a batch is there as a whole or not at all");
    let mut journal = Journal::open(folder.path(), &["platform".to_owned()]).unwrap();
    journal.append(&[item(9_000_000, 0, State::Started, &["platform"])]).unwrap();
    assert_eq!(journal.open_alerts().unwrap().len(), 1);
    let waiting = journal.outbox().unwrap().waiting("platform").unwrap().0;
    assert_eq!(waiting as usize, 2 * list.len() + 1, "every event still waits for its sink");
}

#[tokio::test]
async fn a_webhook_is_a_signed_cloud_event() {
    let receiver = Receiver::start(|_, _| ok()).await;
    let folder = tempfile::tempdir().unwrap();
    let secrets = [(1_u8, "new"), (2, "old")].map(|(byte, name)| {
        let path = folder.path().join(name);
        let coded = base64::engine::general_purpose::STANDARD.encode([byte; 24]);
        std::fs::write(&path, format!("whsec_{coded}\n")).unwrap();
        Secret::File(path)
    });
    let sink = signed("platform", receiver.address, SECOND, secrets.to_vec());
    let mut house = House::start(folder.path(), &[sink], quick());
    house.append(&[item(7, 0, State::Started, &["platform"])]);
    until("it is there", || receiver.got().len() == 1).await;
    let got = receiver.got().remove(0);
    assert_eq!(got.header("content-type"), "application/cloudevents+json");
    assert_eq!(got.key(), key(7, 0));
    let now = jiff::Timestamp::now().as_second();
    assert!((now - got.header("webhook-timestamp").parse::<i64>().unwrap()).abs() <= 60);
    let signatures = got.header("webhook-signature");
    assert_eq!(signatures.split(' ').filter(|s| s.starts_with("v1,") && s.len() == 47).count(), 2);
    let body: serde_json::Value = serde_json::from_slice(&got.body).unwrap();
    let sent = event(7, 0, State::Started);
    assert_eq!(
        body,
        serde_json::json!({
            "specversion": "1.0", "id": key(7, 0), "source": "/weibei/forecourt", "type": "lookout.alert.started",
            "subject": sent.alert.unwrap().to_string(), "time": "2026-11-24T03:00:12.400Z",
            "datacontenttype": "application/json", "data": serde_json::to_value(&sent).unwrap(),
        })
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_delivery_is_repeated_before_its_successors() {
    // Alert 1 fails twice, alert 2 never.
    let fails = std::sync::atomic::AtomicUsize::new(2);
    let receiver = Receiver::start(move |_, got| {
        let left = fails.load(std::sync::atomic::Ordering::SeqCst);
        if got.key().starts_with(&key(1, 0)[..32]) && left > 0 {
            fails.store(left - 1, std::sync::atomic::Ordering::SeqCst);
            return (StatusCode::SERVICE_UNAVAILABLE, "busy").into_response();
        }
        ok()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::start(folder.path(), &[webhook("platform", receiver.address, SECOND)], quick());
    let sinks = ["platform"];
    house.append(&[
        item(1, 0, State::Started, &sinks),
        item(1, 1, State::Ended, &sinks),
        item(2, 0, State::Started, &sinks),
        item(2, 1, State::Ended, &sinks),
    ]);
    until("all are delivered", || {
        house.metric("lookout_deliveries_total{outcome=\"delivered\",sink=\"platform\"}") as usize == 4
    })
    .await;
    let keys = receiver.keys();
    let of = |n: u32| keys.iter().filter(|k| k.starts_with(&key(n, 0)[..32])).cloned().collect::<Vec<_>>();
    assert_eq!(of(1), [key(1, 0), key(1, 0), key(1, 0), key(1, 1)]);
    assert_eq!(of(2), [key(2, 0), key(2, 1)]);
    assert_eq!(house.metric("lookout_deliveries_total{outcome=\"failed\",sink=\"platform\"}") as usize, 2);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_always_fails_becomes_a_dead_letter() {
    let receiver = Receiver::start(|_, _| (StatusCode::BAD_REQUEST, "no\u{7}such\nthing").into_response()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::start(folder.path(), &[webhook("platform", receiver.address, SECOND)], quick());
    house.append(&[item(1, 0, State::Started, &["platform"])]);
    let reader = house.reader();
    until("it is given up", || !reader.dead_letters(Some("platform")).unwrap().is_empty()).await;
    let dead = reader.dead_letters(Some("platform")).unwrap().remove(0);
    assert_eq!((dead.attempts, dead.outcome, dead.due_at), (5, "dead", None));
    assert_eq!(dead.error.as_deref(), Some("400 Bad Request: no such thing"));
    assert_eq!(receiver.got().len(), 5);
    assert_eq!(house.metric("lookout_deliveries_total{outcome=\"dead\",sink=\"platform\"}") as usize, 1);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gone_means_gone_until_the_next_start() {
    let receiver = Receiver::start(|_, _| StatusCode::GONE.into_response()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::start(folder.path(), &[webhook("platform", receiver.address, SECOND)], quick());
    house.append(&[item(1, 0, State::Started, &["platform"]), item(1, 1, State::Ended, &["platform"])]);
    let reader = house.reader();
    until("both are dead", || reader.dead_letters(None).unwrap().len() == 2).await;
    house.append(&[item(2, 0, State::Started, &["platform"])]);
    until("later ones too", || reader.dead_letters(None).unwrap().len() == 3).await;
    assert_eq!(receiver.keys(), [key(1, 0)], "the receiver was asked once");
    until("all are counted", || {
        house.metric("lookout_deliveries_total{outcome=\"dead\",sink=\"platform\"}") as usize == 3
    })
    .await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_after_holds_the_sink_back() {
    let receiver = Receiver::start(|n, _| match n {
        0 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "2")]).into_response(),
        _ => ok(),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::start(folder.path(), &[webhook("platform", receiver.address, SECOND)], quick());
    house.append(&[item(1, 0, State::Started, &["platform"])]);
    let reader = house.reader();
    let row = || reader.show(crate::sample::alert(1)).unwrap().unwrap().deliveries.remove(0);
    until("it failed", || row().attempts == 1).await;
    house.append(&[item(2, 0, State::Started, &["platform"])]);
    let due = row().due_at.expect("another attempt");
    until("both are there", || receiver.got().len() == 3).await;
    assert!(jiff::Timestamp::now() >= due, "not before the receiver wanted");
    assert_eq!(receiver.keys().into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([key(1, 0), key(2, 0)]));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::start(|_, _| ok()).await;
    let to = format!("http://{}/in", elsewhere.address);
    let receiver =
        Receiver::start(move |_, _| (StatusCode::TEMPORARY_REDIRECT, [("location", to.clone())]).into_response()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::start(folder.path(), &[webhook("platform", receiver.address, SECOND)], quick());
    house.append(&[item(1, 0, State::Started, &["platform"])]);
    let reader = house.reader();
    until("it is given up", || !reader.dead_letters(None).unwrap().is_empty()).await;
    assert_eq!(elsewhere.got().len(), 0);
    house.stop().await;
}

/// A receiver below HTTP: answers each connection with `bytes`, or never. Its thread ends with the process.
fn raw(bytes: Option<&'static [u8]>) -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept() {
            match bytes {
                Some(bytes) => {
                    let mut request = [0; 65536];
                    while stream.read(&mut request).is_ok_and(|n| n == request.len()) {}
                    // The other side may hang up at any time.
                    stream.write_all(bytes).ok();
                }
                None => kept.push(stream),
            }
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_silence_and_absence_are_failures_that_slow_no_other_sink() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let receiver = Receiver::start(|_, _| ok()).await;
    let sinks = [
        webhook("garbage", raw(Some(b"\x00\xff this is no HTTP\r\n\r\n")), SECOND),
        webhook("half-line", raw(Some(b"HTTP/1.1 2")), SECOND),
        webhook("half-head", raw(Some(b"HTTP/1.1 200 OK\r\ncontent-le")), SECOND),
        webhook("silent", raw(None), Span::from_millis(50)),
        webhook("absent", closed, SECOND),
        webhook("good", receiver.address, SECOND),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::start(folder.path(), &sinks, quick());
    let all = ["garbage", "half-line", "half-head", "silent", "absent", "good"];
    for n in 0..6 {
        house.append(&[item(n, 0, State::Started, &all)]);
    }
    until("the good one has all", || receiver.got().len() == 6).await;
    let reader = house.reader();
    for bad in &all[..5] {
        until("it is given up", || reader.dead_letters(Some(bad)).unwrap().len() == 6).await;
        let dead = reader.dead_letters(Some(bad)).unwrap();
        assert!(dead.iter().all(|d| d.attempts == 5 && d.error.as_ref().is_some_and(|e| !e.is_empty())), "{dead:?}");
        let counted = |outcome| {
            house.metric(&format!("lookout_deliveries_total{{outcome=\"{outcome}\",sink=\"{bad}\"}}")) as usize
        };
        assert_eq!((counted("delivered"), counted("dead")), (0, 6), "{bad}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_breaks_off_behind_its_head_is_taken_by_its_status() {
    let half =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"status\":\"accepted\"";
    let folder = tempfile::tempdir().unwrap();
    let sinks = [answering(webhook("platform", raw(Some(half)), SECOND))];
    let mut house = House::start(folder.path(), &sinks, quick());
    house.append(&[item(1, 0, State::Started, &["platform"])]);
    until("it is delivered", || {
        house.metric("lookout_deliveries_total{outcome=\"delivered\",sink=\"platform\"}") as usize == 1
    })
    .await;
    let answers = house.reader().show(crate::sample::alert(1)).unwrap().unwrap().answers;
    assert_eq!(answers, [], "half an answer answers no alert");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_answer_is_not_read_to_its_end() {
    let receiver = Receiver::start(|_, _| vec![b'x'; 10 << 20].into_response()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::start(folder.path(), &[webhook("platform", receiver.address, Span::from_secs(5))], quick());
    for n in 0..3 {
        house.append(&[item(n, 0, State::Started, &["platform"])]);
    }
    until("all are accepted", || {
        house.metric("lookout_deliveries_total{outcome=\"delivered\",sink=\"platform\"}") as usize == 3
    })
    .await;
    assert_eq!(receiver.got().len(), 3, "accepted once each: the status decides");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waited_while_a_sink_was_down_is_delivered_when_it_is_back() {
    let up = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_up = up.clone();
    let receiver = Receiver::start(move |_, _| {
        if is_up.load(std::sync::atomic::Ordering::SeqCst) { ok() } else { StatusCode::BAD_GATEWAY.into_response() }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    // A second attempt of the same delivery only after an hour: without coming back early the test cannot end.
    let hour = Duration::from_secs(3600);
    let backoff = lookout::dispatch::Backoff { pauses: vec![hour; 9], ..quick() };
    let mut house = House::start(folder.path(), &[webhook("platform", receiver.address, SECOND)], backoff);
    for n in 0..200 {
        house.append(&[item(n, 0, State::Started, &["platform"])]);
    }
    until("it is down", || receiver.got().len() >= 5).await;
    up.store(true, std::sync::atomic::Ordering::SeqCst);
    until("all are delivered", || {
        house.metric("lookout_deliveries_total{outcome=\"delivered\",sink=\"platform\"}") as usize == 200
    })
    .await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stop_left_is_delivered_at_the_next_start() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let backoff = lookout::dispatch::Backoff { pauses: vec![Duration::from_millis(1); 1000], ..quick() };
    let mut house = House::start(folder.path(), &[webhook("platform", closed, SECOND)], backoff);
    house.append(&[item(1, 0, State::Started, &["platform"]), item(1, 1, State::Ended, &["platform"])]);
    let reader = house.reader();
    until("it failed", || reader.show(crate::sample::alert(1)).unwrap().unwrap().deliveries[0].attempts > 0).await;
    drop(house.stop().await);
    let receiver = Receiver::start(|_, _| ok()).await;
    let house = House::start(folder.path(), &[webhook("platform", receiver.address, SECOND)], quick());
    until("both came", || receiver.keys() == [key(1, 0), key(1, 1)]).await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_with_the_end_still_leaves() {
    let receiver = Receiver::start(|_, _| ok()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::start(folder.path(), &[webhook("platform", receiver.address, SECOND)], quick());
    house.append(&[item(1, 0, State::Started, &["platform"])]);
    until("it came", || receiver.keys() == [key(1, 0)]).await;
    // Nobody rings for these: the stop comes first, as when the alerts end with the run.
    house.journal.append(&[item(1, 1, State::Updated, &[]), item(1, 2, State::Ended, &[])]).unwrap();
    house.stop().await;
    assert_eq!(receiver.keys().last(), Some(&key(1, 2)));
}

#[test]
fn a_sink_without_its_secret_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    let sink = signed("platform", address, SECOND, vec![Secret::Env("LOOKOUT_TEST_SECRET_THAT_IS_NOT_SET".into())]);
    let site = site(folder.path(), vec![sink]);
    let journal = Journal::open(&site.data, &["platform".to_owned()]).unwrap();
    let error = Dispatcher::new(&site.sinks, &journal, &Metrics::new().unwrap()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "sink `platform`: environment variable LOOKOUT_TEST_SECRET_THAT_IS_NOT_SET is not set"
    );
    assert!(!error.retry());
}
