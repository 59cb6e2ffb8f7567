//! Verdict to webhook: how long from the call that journals an event to the receiver's answer, at ten alerts a second and
//! in a burst of ten thousand; and such a burst to four sinks of which one is down and comes back. The receivers are on
//! loopback, the journal on the disk of the temporary directory.

// A bench speaks on stdout and may break off.
#![allow(clippy::print_stdout, clippy::expect_used)]

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use lookout::alerts::journal::Backlog;
use lookout::dispatch::Backoff;
use lookout::types::{Span, State};

#[allow(dead_code, clippy::unwrap_used, clippy::panic)]
#[path = "../../tests/sample.rs"]
mod sample;

const RATE: Duration = Duration::from_millis(100);
const STEADY: u32 = 200;
const BURST: u32 = 10_000;
/// Alerts at each of the two when the bench is only tried.
const TRIED: u32 = 20;

/// Prints both measurements; with `tried` of few alerts, to see that it works.
pub fn run(tried: bool) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let (steady, burst) = if tried { (TRIED, TRIED) } else { (STEADY, BURST) };
    runtime.block_on(async {
        measure(steady, burst).await;
        one_of_four_is_down(burst).await;
    });
}

async fn measure(steady: u32, burst: u32) {
    let answered: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
    let note = answered.clone();
    let receiver = sample::Receiver::start(move |_, got| {
        note.lock().expect("no panic").entry(got.key()).or_insert_with(Instant::now);
        StatusCode::NO_CONTENT.into_response()
    })
    .await;
    let folder = tempfile::tempdir().expect("a directory");
    let sink = sample::webhook("platform", receiver.address, Span::from_secs(15));
    let mut house = sample::House::start(folder.path(), &[sink], Backoff::default());

    let mut asked = Vec::new();
    for n in 0..steady {
        let item = sample::item(n, 0, State::Started, &["platform"]);
        let begin = Instant::now();
        asked.push((item.event.key().expect("an alert"), begin));
        // SQLite blocks: the engine does this on a thread of its own.
        tokio::task::block_in_place(|| house.append(&[item]));
        tokio::time::sleep(RATE.saturating_sub(begin.elapsed())).await;
    }
    sample::until("all are there", || answered.lock().expect("no panic").len() == steady as usize).await;
    let seen = answered.lock().expect("no panic").clone();
    let mut millis: Vec<f64> = asked.iter().map(|(key, begin)| (seen[key] - *begin).as_secs_f64() * 1e3).collect();
    millis.sort_by(f64::total_cmp);
    let at = |share: f64| millis[((millis.len() - 1) as f64 * share).round() as usize];
    println!(
        "dispatch, 10 alerts a second: verdict to webhook p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms ({steady} alerts)",
        at(0.5),
        at(0.99),
        at(1.0)
    );

    let mut backlog = Backlog::new(2 * burst as usize);
    for n in steady..steady + burst {
        backlog.push(sample::item(n, 0, State::Started, &["platform"]));
    }
    let begin = Instant::now();
    let bell = house.bell.clone();
    tokio::task::block_in_place(|| backlog.flush(&mut house.journal, |_, _| bell.ring()))
        .expect("the journal takes it");
    let journalled = begin.elapsed();
    let all = (steady + burst) as usize;
    while answered.lock().expect("no panic").len() < all && begin.elapsed() < Duration::from_secs(120) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let delivered = answered.lock().expect("no panic").len() - steady as usize;
    let requests = receiver.got().len() - steady as usize;
    println!(
        "dispatch, burst of {burst}: journalled in {:.2} s, {delivered} delivered in {:.2} s, {} repeats",
        journalled.as_secs_f64(),
        begin.elapsed().as_secs_f64(),
        requests - delivered
    );
    assert_eq!(delivered, burst as usize, "none is lost");
    house.stop().await;
}

/// Keys that a receiver has got.
type Keys = Arc<Mutex<HashSet<String>>>;

/// A receiver that keeps nothing but keys, so that what memory grows by is dispatch's.
async fn counting(address: SocketAddr) -> (SocketAddr, Keys) {
    let listener = tokio::net::TcpListener::bind(address).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let keys = Keys::default();
    let note = keys.clone();
    let take = move |headers: HeaderMap| async move {
        let key = headers["webhook-id"].to_str().expect("plain text").to_owned();
        note.lock().expect("no panic").insert(key);
        StatusCode::NO_CONTENT
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(take)).await.expect("it serves") });
    (address, keys)
}

/// A burst to two webhooks, a file, and a webhook whose receiver comes only when the others are done.
async fn one_of_four_is_down(burst: u32) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let ((first, first_keys), (second, second_keys)) = (counting(any).await, counting(any).await);
    let folder = tempfile::tempdir().expect("a directory");
    // A port that nobody listens on yet.
    let late = std::net::TcpListener::bind(any).and_then(|l| l.local_addr()).expect("a port");
    let timeout = Span::from_secs(15);
    let sinks = [
        sample::webhook("first", first, timeout),
        sample::webhook("second", second, timeout),
        sample::file("file", folder.path().join("alerts.jsonl")),
        sample::webhook("late", late, timeout),
    ];
    // So that the bench need not wait five minutes for the sink that was down to be asked again.
    let backoff = Backoff { longest_rest: Duration::from_secs(1), ..Backoff::default() };
    let mut house = sample::House::start(&folder.path().join("data"), &sinks, backoff);
    let names: Vec<&str> = sinks.iter().map(|sink| sink.id.as_str()).collect();
    let before = resident();
    let (begin, mut most) = (Instant::now(), before);
    for batch in (0..burst).collect::<Vec<_>>().chunks(100) {
        let items: Vec<_> = batch.iter().map(|n| sample::item(*n, 0, State::Started, &names)).collect();
        tokio::task::block_in_place(|| house.append(&items));
        most = most.max(resident());
    }
    let journalled = begin.elapsed();
    let mut wait = async |sinks: &[&str]| {
        let begin = Instant::now();
        let delivered = |sink: &&str| {
            house.metric(&format!("lookout_deliveries_total{{outcome=\"delivered\",sink=\"{sink}\"}}")) as u32
        };
        while begin.elapsed() < Duration::from_secs(300) && sinks.iter().any(|sink| delivered(sink) < burst) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            most = most.max(resident());
        }
        assert!(sinks.iter().all(|sink| delivered(sink) == burst), "none is lost");
        begin.elapsed()
    };
    let three = journalled + wait(&names[..3]).await;
    let (_, late_keys) = counting(late).await;
    let fourth = wait(&names[3..]).await;
    for keys in [first_keys, second_keys, late_keys] {
        assert_eq!(keys.lock().expect("no panic").len(), burst as usize, "none is lost");
    }
    println!(
        "dispatch, burst of {burst} to four sinks, one down: three done in {:.1} s, the fourth {:.1} s after its return; \
         resident {} MB before, at most {} MB",
        three.as_secs_f64(),
        fourth.as_secs_f64(),
        before / 1_000_000,
        most / 1_000_000
    );
    house.stop().await;
}

/// Resident memory, bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
