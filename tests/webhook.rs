//! What is particular to webhooks: the two modes of CloudEvents, where they may lead, whom they trust.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use lookout::alerts::journal::Reader;
use lookout::config::plan::{Mode, Sink, SinkKind, Webhook};
use lookout::types::{Event, Span, State};

use crate::sample::{House, Receiver, alert, event, item, quick, until};
use crate::support::tls::{self, Authority};

fn webhook(url: String) -> Webhook {
    let mode = Mode::Structured;
    Webhook {
        url,
        mode,
        secrets: Vec::new(),
        ca: None,
        allow_private: true,
        timeout: Span::from_secs(5),
        answers: false,
    }
}

fn sink(webhook: Webhook) -> Sink {
    Sink { id: "platform".into(), kind: SinkKind::Webhook(webhook) }
}

/// Why the first alert was not delivered.
fn refusal(reader: &Reader) -> Option<String> {
    let story = reader.show(alert(1)).unwrap()?;
    story.deliveries.first()?.error.clone()
}

/// Sends one alert to a sink that must not deliver it; gives the reason that the journal has.
async fn refused(webhook: Webhook) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::start(folder.path(), &[sink(webhook)], quick());
    house.append(&[item(1, 0, State::Started, &["platform"])]);
    let reader = house.reader();
    until("it failed", || refusal(&reader).is_some()).await;
    house.stop().await;
    refusal(&reader).unwrap()
}

#[tokio::test]
async fn in_binary_mode_the_event_is_the_body_and_the_envelope_is_headers() {
    let receiver = Receiver::start(|_, _| StatusCode::OK.into_response()).await;
    let folder = tempfile::tempdir().unwrap();
    let binary = Webhook { mode: Mode::Binary, ..webhook(format!("http://{}/in", receiver.address)) };
    let mut house = House::start(folder.path(), &[sink(binary)], quick());
    house.append(&[item(7, 3, State::Ended, &["platform"])]);
    until("it is there", || receiver.got().len() == 1).await;
    let (got, sent) = (receiver.got().remove(0), event(7, 3, State::Ended));
    for (name, value) in [
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", &sent.key().unwrap()),
        ("ce-source", "/weibei/forecourt"),
        ("ce-type", "lookout.alert.ended"),
        ("ce-subject", &alert(7).to_string()),
        ("ce-time", "2026-11-24T03:00:12.400Z"),
        ("webhook-id", &sent.key().unwrap()),
    ] {
        assert_eq!(got.header(name), value, "{name}");
    }
    assert_eq!(serde_json::from_slice::<Event>(&got.body).unwrap(), sent);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_leads_inside_is_refused_when_it_is_looked_up() {
    let receiver = Receiver::start(|_, _| StatusCode::OK.into_response()).await;
    let url = format!("http://localhost:{}/in", receiver.address.port());
    let reason = refused(Webhook { allow_private: false, ..webhook(url.clone()) }).await;
    assert!(reason.contains("`localhost` is at") && reason.contains("not public"), "{reason}");
    assert_eq!(receiver.got().len(), 0, "nobody knocked");

    let folder = tempfile::tempdir().unwrap();
    let mut house = House::start(folder.path(), &[sink(webhook(url))], quick());
    house.append(&[item(1, 0, State::Started, &["platform"])]);
    until("allowed, it is delivered", || receiver.got().len() == 1).await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_named_authority_vouches_for_a_receiver() {
    let (folder, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (authority, other) = (Authority::new(folder.path()), Authority::new(others.path()));
    let (address, answered) = tls::receiver(&authority);
    let with = |address: SocketAddr, ca: Option<PathBuf>| Webhook { ca, ..webhook(format!("https://{address}/in")) };
    for ca in [None, Some(other.ca)] {
        let reason = refused(with(address, ca)).await.to_lowercase();
        assert!(reason.contains("certificate"), "{reason}");
    }
    assert_eq!(answered.load(Ordering::SeqCst), 0, "nothing was said to a stranger");

    let data = tempfile::tempdir().unwrap();
    let mut house = House::start(data.path(), &[sink(with(address, Some(authority.ca)))], quick());
    house.append(&[item(1, 0, State::Started, &["platform"])]);
    until("it is delivered", || {
        house.metric("lookout_deliveries_total{outcome=\"delivered\",sink=\"platform\"}") as usize == 1
    })
    .await;
    assert_eq!(answered.load(Ordering::SeqCst), 1);
    house.stop().await;
}
