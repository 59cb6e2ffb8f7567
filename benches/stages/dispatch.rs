//! Verdict to webhook: how long from the call that journals an event to the receiver's answer, at ten alerts a second and
//! in a burst of ten thousand. The receiver is on loopback, the journal on the disk of the temporary directory.

// A bench speaks on stdout and may break off.
#![allow(clippy::print_stdout, clippy::expect_used)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
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
    runtime.block_on(measure(steady, burst));
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
