//! Messages to a broker of MQTT: delivered is what it has acknowledged, whatever happens to it.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lookout::config::plan::{Broker, Mqtt, Payload, Secret, Sink, SinkKind};
use lookout::config::template::Template;
use lookout::dispatch::Backoff;
use lookout::types::{Event, Span, State};
use serde_json::json;

use crate::sample::{House, alert, event, item, quick, until};
use crate::support::broker::{Published, Subscriber, acknowledging, mosquitto, remember};
use crate::support::tls::Authority;

const DELIVERED: &str = "lookout_deliveries_total{outcome=\"delivered\",sink=\"mqtt\"}";
const FAILED: &str = "lookout_deliveries_total{outcome=\"failed\",sink=\"mqtt\"}";

/// A client of this broker, with everything as if left out of the configuration.
pub fn plan(broker: SocketAddr) -> Mqtt {
    let (host, port) = (broker.ip().to_string(), broker.port());
    Mqtt {
        broker: Broker { host, port, tls: false, ca: None, login: None },
        client_id: "lookout-weibei-mqtt".into(),
        topic: Template::parse("{site}/onvif-ej/{onvif}/&{camera}/{rule}").unwrap(),
        status: "weibei/lookout/status".into(),
        payload: Payload::CloudEvent,
        timeout: Span::from_secs(15),
        keepalive: Span::from_secs(30),
    }
}

pub fn sink(plan: Mqtt) -> Sink {
    Sink { id: "mqtt".into(), kind: SinkKind::Mqtt(plan) }
}

/// Events of all topics that are not this site's status.
pub async fn events(broker: SocketAddr) -> Subscriber {
    Subscriber::to(broker, "weibei/onvif-ej/#").await
}

fn started(n: u32) -> lookout::alerts::journal::Appended {
    item(n, 0, State::Started, &["mqtt"])
}

/// Why the first alert could not be delivered by this sink.
async fn refusal(plan: Mqtt) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::start(folder.path(), &[sink(plan)], quick());
    house.append(&[started(1)]);
    let reader = house.reader();
    until("it is given up", || !reader.dead_letters(None).unwrap().is_empty()).await;
    house.stop().await;
    reader.dead_letters(None).unwrap().remove(0).error.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_and_comes_back_gets_everything_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut broker = mosquitto(folder.path(), "");
    let subscriber = events(broker.address).await;
    remember(&broker, folder.path());
    let data = tempfile::tempdir().unwrap();
    // A second attempt only after an hour: the new connection itself must set things going.
    let hour = Duration::from_secs(3600);
    let backoff = Backoff { pauses: vec![hour; 9], first_rest: hour, longest_rest: hour };
    let mut house = House::start(data.path(), &[sink(plan(broker.address))], backoff);
    house.append(&[started(0)]);
    until("the first is there", || subscriber.got().len() == 1).await;
    broker.kill();
    for n in 1..50 {
        house.append(&[started(n), item(n, 1, State::Ended, &[])]);
    }
    until("they fail", || house.metric(FAILED) >= 3.0).await;
    assert_eq!(house.metric(DELIVERED) as usize, 1);
    broker.start();
    until("all are delivered", || house.metric(DELIVERED) as usize == 99).await;
    until("all are there", || subscriber.got().len() >= 99).await;
    house.stop().await;
    let keys = subscriber.keys();
    assert_eq!(keys.len(), 99, "each once");
    for n in 1..50 {
        let of_alert: Vec<_> = keys.iter().filter(|key| key.starts_with(&alert(n).to_string())).collect();
        assert_eq!(of_alert, [&event(n, 0, State::Started).key().unwrap(), &event(n, 1, State::Ended).key().unwrap()]);
    }
}

fn contains(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|part| part == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_settles_its_own_row_and_no_other() {
    // Alert 1 is never acknowledged, those after it are.
    let broker = acknowledging(|body| !contains(body, &alert(1).to_string()));
    let folder = tempfile::tempdir().unwrap();
    let hasty = Mqtt { timeout: Span::from_millis(300), ..plan(broker) };
    let mut house = House::start(folder.path(), &[sink(hasty)], quick());
    house.append(&[started(1), started(2), started(3)]);
    until("the others are delivered", || house.metric(DELIVERED) as usize == 2).await;
    let reader = house.reader();
    until("it is given up", || !reader.dead_letters(None).unwrap().is_empty()).await;
    house.stop().await;
    let dead = reader.dead_letters(None).unwrap().remove(0);
    assert_eq!((dead.alert, dead.attempts), (alert(1), 5));
    assert!(dead.error.as_deref().is_some_and(|error| error.contains("no acknowledgement")), "{dead:?}");
    for n in [2, 3] {
        let row = reader.show(alert(n)).unwrap().unwrap().deliveries.remove(0);
        assert_eq!((row.outcome, row.attempts), ("delivered", 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_a_cloud_event_on_a_topic_of_onvif_or_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let broker = mosquitto(folder.path(), "");
    let subscriber = Subscriber::to(broker.address, "#").await;
    let of = |prefix: &str| -> Vec<Published> {
        subscriber.got().into_iter().filter(|p| p.topic.starts_with(prefix)).collect()
    };
    let own = Template::parse("court/{grid}/{camera}/{zone}/{kind}/{severity}/{state}").unwrap();
    let named =
        |plan: Mqtt, id: &str| Sink { id: id.into(), kind: SinkKind::Mqtt(Mqtt { client_id: id.into(), ..plan }) };
    let sinks = [
        named(plan(broker.address), "a"),
        named(Mqtt { topic: own, ..plan(broker.address) }, "b"),
        named(
            Mqtt { payload: Payload::Onvif, topic: Template::parse("onvif/{onvif}").unwrap(), ..plan(broker.address) },
            "c",
        ),
    ];
    let data = tempfile::tempdir().unwrap();
    let mut house = House::start(data.path(), &sinks, quick());
    house.append(&[item(7, 3, State::Updated, &["a", "b", "c"])]);
    until("all are there", || ["weibei/onvif", "court/", "onvif/"].iter().all(|prefix| !of(prefix).is_empty())).await;
    house.stop().await;

    let sent = event(7, 3, State::Updated);
    let standard = of("weibei/onvif").remove(0);
    assert_eq!(
        standard.topic,
        "weibei/onvif-ej/RuleEngine/LoiteringDetector/ObjectIsLoitering/&forecourt/steps-loiter"
    );
    let envelope = standard.json();
    assert_eq!(envelope["id"], json!(sent.key().unwrap()));
    assert_eq!((&envelope["specversion"], &envelope["type"]), (&json!("1.0"), &json!("lookout.alert.updated")));
    assert_eq!(serde_json::from_value::<Event>(envelope["data"].clone()).unwrap(), sent);
    assert_eq!(of("court/")[0].topic, "court/shizhong-03/forecourt/steps/loitering/moderate/updated");
    let onvif = of("onvif/").remove(0).json();
    assert_eq!(onvif["Source"], json!({ "VideoSource": "forecourt", "Rule": "steps-loiter" }));
    assert_eq!((&onvif["UtcTime"], &onvif["Data"]["Key"]), (&json!("2026-11-24T03:00:12.400Z"), &envelope["id"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_is_said_to_be_online_until_its_connection_ends() {
    let folder = tempfile::tempdir().unwrap();
    let broker = mosquitto(folder.path(), "");
    let data = tempfile::tempdir().unwrap();
    let house = House::start(data.path(), &[sink(plan(broker.address))], quick());
    let early = Subscriber::to(broker.address, "weibei/lookout/status").await;
    let said = |by: &Subscriber| by.got().iter().map(|p| p.payload.clone()).collect::<Vec<_>>();
    until("its birth is told", || said(&early) == [b"online"]).await;
    house.stop().await;
    until("its end is told", || said(&early) == [&b"online"[..], b"offline"]).await;
    drop(early);
    let late = Subscriber::to(broker.address, "+/lookout/status").await;
    until("whoever comes later hears of it", || said(&late) == [b"offline"]).await;
    assert!(late.got()[0].retained);
}

fn login(folder: &Path, password: &str) -> Option<(String, Secret)> {
    let path = folder.join(password);
    std::fs::write(&path, password).unwrap();
    Some(("lookout".into(), Secret::File(path)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_garbage_and_absence_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let passwords = folder.path().join("passwords");
    let made = Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(["lookout", "right"]).status();
    assert!(made.unwrap().success());
    let lines = format!("allow_anonymous false\npassword_file {}\n", passwords.display());
    let broker = mosquitto(folder.path(), &lines);
    let with = |login| {
        let open = plan(broker.address);
        Mqtt { broker: Broker { login, ..open.broker.clone() }, ..open }
    };
    for login in [None, login(folder.path(), "wrong")] {
        let error = refusal(with(login)).await;
        assert!(error.contains("wrong user name or password"), "{error}");
    }
    let absent = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = refusal(plan(absent)).await;
    assert!(error.contains("Connection refused") && error.contains(&absent.to_string()), "{error}");
    let garbage = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = garbage.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = garbage.accept() {
            // The other side may hang up at any time.
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").ok();
        }
    });
    assert!(!refusal(plan(address)).await.is_empty());

    let data = tempfile::tempdir().unwrap();
    let right = with(login(folder.path(), "right"));
    let mut house = House::start(data.path(), &[sink(right)], quick());
    house.append(&[started(1)]);
    until("with the right one it is delivered", || house.metric(DELIVERED) as usize == 1).await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_named_authority_vouches_for_a_broker() {
    let (folder, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (authority, other) = (Authority::new(folder.path()), Authority::new(others.path()));
    let (certificate, key) = (authority.certificate.display(), authority.key.display());
    let lines = format!("allow_anonymous true\ncertfile {certificate}\nkeyfile {key}\n");
    let broker = mosquitto(folder.path(), &lines);
    let with = |ca| {
        let open = plan(broker.address);
        Mqtt { broker: Broker { tls: true, ca, ..open.broker.clone() }, ..open }
    };
    for ca in [None, Some(other.ca)] {
        let error = refusal(with(ca)).await.to_lowercase();
        assert!(error.contains("certificate"), "{error}");
    }
    let data = tempfile::tempdir().unwrap();
    let mut house = House::start(data.path(), &[sink(with(Some(authority.ca)))], quick());
    house.append(&[started(1)]);
    until("it is delivered", || house.metric(DELIVERED) as usize == 1).await;
    house.stop().await;
}
