//! What waits: a sink that comes back is noticed; one event that is refused holds up no other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::IntoResponse;
use lookout::dispatch::Backoff;
use lookout::types::{Span, State};

use crate::sample::{House, Receiver, alert, event, file, item, quick, until, webhook};

const DELIVERED: &str = "lookout_deliveries_total{outcome=\"delivered\",sink=\"platform\"}";

/// A receiver that answers with a status until it is up.
async fn switched(down: StatusCode) -> (Receiver, Arc<AtomicBool>) {
    let up: Arc<AtomicBool> = Arc::default();
    let is_up = up.clone();
    let answer =
        move |_: usize, _: &_| if is_up.load(Ordering::SeqCst) { StatusCode::OK } else { down }.into_response();
    (Receiver::start(answer).await, up)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_is_back_is_noticed_long_before_the_next_attempt() {
    let (receiver, up) = switched(StatusCode::BAD_GATEWAY).await;
    let folder = tempfile::tempdir().unwrap();
    // The second attempt comes after an hour: only a probe can deliver within this test.
    let backoff = Backoff { pauses: vec![Duration::from_secs(3600); 9], ..quick() };
    let mut house = House::start(folder.path(), &[webhook("platform", receiver.address, Span::from_secs(5))], backoff);
    house.append(&[item(1, 0, State::Started, &["platform"])]);
    until("it was probed", || receiver.got().len() >= 5).await;
    let row = house.reader().show(alert(1)).unwrap().unwrap().deliveries.remove(0);
    assert_eq!((row.outcome, row.attempts), ("waiting", 1), "a probe uses up no attempt");
    up.store(true, Ordering::SeqCst);
    until("it is delivered", || house.metric(DELIVERED) as usize == 1).await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_a_silent_sink_is_probed_too() {
    let (receiver, up) = switched(StatusCode::BAD_GATEWAY).await;
    let folder = tempfile::tempdir().unwrap();
    let backoff = || Backoff { pauses: vec![Duration::from_secs(3600); 9], ..quick() };
    let sinks = [webhook("platform", receiver.address, Span::from_secs(5))];
    let mut house = House::start(folder.path(), &sinks, backoff());
    house.append(&[item(1, 0, State::Started, &["platform"]), item(1, 1, State::Ended, &["platform"])]);
    until("it failed", || !receiver.got().is_empty()).await;
    drop(house.stop().await);
    up.store(true, Ordering::SeqCst);
    let house = House::start(folder.path(), &sinks, backoff());
    until("both are delivered", || house.metric(DELIVERED) as usize == 2).await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_what_was_put_off_comes_as_soon_as_the_sink_takes_something() {
    let (receiver, up) = switched(StatusCode::BAD_GATEWAY).await;
    let folder = tempfile::tempdir().unwrap();
    // Neither the second attempt nor a probe comes within this test.
    let hour = Duration::from_secs(3600);
    let backoff = || Backoff { pauses: vec![hour; 9], longest_rest: hour, ..quick() };
    let sinks = [webhook("platform", receiver.address, Span::from_secs(5))];
    let pending = "lookout_outbox_pending{sink=\"platform\"}";
    let mut house = House::start(folder.path(), &sinks, backoff());
    house.append(&[item(1, 0, State::Started, &["platform"])]);
    let reader = house.reader();
    until("it failed", || reader.show(alert(1)).unwrap().unwrap().deliveries[0].attempts == 1).await;
    drop(house.stop().await);
    up.store(true, Ordering::SeqCst);
    let mut house = House::start(folder.path(), &sinks, backoff());
    assert_eq!(house.metric(pending) as usize, 1, "what waits is shown from the start");
    house.append(&[item(2, 0, State::Started, &["platform"])]);
    until("both are delivered", || house.metric(DELIVERED) as usize == 2).await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_wants_rest_gets_it_also_if_it_takes_what_was_under_way() {
    let times: Arc<Mutex<BTreeMap<usize, Instant>>> = Arc::default();
    let note = times.clone();
    let receiver = Receiver::start(move |n, _| {
        note.lock().unwrap().insert(n, Instant::now());
        match n {
            0 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "2")]).into_response(),
            1 => {
                // The first is answered before.
                std::thread::sleep(Duration::from_millis(200));
                StatusCode::OK.into_response()
            }
            _ => StatusCode::OK.into_response(),
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::start(folder.path(), &[webhook("platform", receiver.address, Span::from_secs(5))], quick());
    house.append(&[item(1, 0, State::Started, &["platform"]), item(2, 0, State::Started, &["platform"])]);
    until("one is delivered", || house.metric(DELIVERED) as usize == 1).await;
    house.append(&[item(3, 0, State::Started, &["platform"])]);
    until("all are delivered", || house.metric(DELIVERED) as usize == 3).await;
    let rest = {
        let times = times.lock().unwrap();
        times[&2] - times[&0]
    };
    assert!(rest >= Duration::from_secs(2), "not before the receiver wanted");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_event_that_is_refused_holds_up_no_other_alert() {
    let poison = event(0, 0, State::Started).key().unwrap();
    let receiver = Receiver::start(move |_, got| {
        if got.key() == poison { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }.into_response()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    // A sink that were taken for down would rest for an hour.
    let hour = Duration::from_secs(3600);
    let backoff = Backoff { pauses: vec![Duration::from_millis(5); 9], first_rest: hour, longest_rest: hour };
    let mut house = House::start(folder.path(), &[webhook("platform", receiver.address, Span::from_secs(5))], backoff);
    house.append(&[item(0, 0, State::Started, &["platform"])]);
    for n in 1..100 {
        house.append(&[item(n, 0, State::Started, &["platform"])]);
    }
    until("the others are delivered", || house.metric(DELIVERED) as usize == 99).await;
    let reader = house.reader();
    until("it is given up", || reader.dead_letters(None).unwrap().len() == 1).await;
    let dead = reader.dead_letters(None).unwrap().remove(0);
    assert_eq!((dead.alert, dead.attempts), (alert(0), 10));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_is_down_holds_up_no_other_and_has_everything_afterwards() {
    const ALERTS: usize = 500;
    let data = tempfile::tempdir().unwrap();
    let timeout = Span::from_secs(5);
    let up = || Receiver::start(|_, _| StatusCode::NO_CONTENT.into_response());
    let (hook, emergency) = (up().await, up().await);
    let late = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sinks = [
        webhook("hook", hook.address, timeout),
        crate::cap::sink(crate::cap::plan(format!("http://{}/cap", emergency.address))),
        file("file", data.path().join("alerts.jsonl")),
        webhook("late", late, timeout),
    ];
    let names = ["hook", "cap", "file", "late"];
    let backoff = Backoff { pauses: vec![Duration::from_secs(1); 1000], ..quick() };
    let mut house = House::start(data.path(), &sinks, backoff);
    let batch: Vec<_> = (0..ALERTS as u32).map(|n| item(n, 0, State::Started, &names)).collect();
    house.append(&batch);
    let delivered = |sink: &str| {
        house.metric(&format!("lookout_deliveries_total{{outcome=\"delivered\",sink=\"{sink}\"}}")) as usize
    };
    until("the others are done", || names[..3].iter().all(|sink| delivered(sink) == ALERTS)).await;
    assert_eq!(delivered("late"), 0);
    let receiver = Receiver::start_at(late, |_, _| StatusCode::NO_CONTENT.into_response()).await;
    until("it has everything", || delivered("late") == ALERTS).await;
    let keys: std::collections::BTreeSet<String> = receiver.keys().into_iter().collect();
    assert_eq!(keys.len(), ALERTS);
    house.stop().await;
}
