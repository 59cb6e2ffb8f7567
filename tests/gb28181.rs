//! Alarms to a GB/T 28181 platform: registered, taken, acknowledged, whatever happens on the way.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use lookout::config::plan::{Acknowledge, Encoding, Gb28181, Secret, Sink, SinkKind, SipTransport};
use lookout::dispatch::Backoff;
use lookout::types::{Kind, Severity, Span, State};

use crate::sample::{House, alert, event, item, quick, until};
use crate::support::sip::{Conduct, DEVICE, DOMAIN, Platform, SERVER};

const DELIVERED: &str = "lookout_deliveries_total{outcome=\"delivered\",sink=\"gb\"}";
const FAILED: &str = "lookout_deliveries_total{outcome=\"failed\",sink=\"gb\"}";

/// A device of this platform that answers fast.
pub fn plan(platform: &Platform, transport: SipTransport) -> Gb28181 {
    Gb28181 {
        server: platform.address.to_string(),
        transport,
        local: None,
        server_id: SERVER.into(),
        domain: DOMAIN.into(),
        device_id: DEVICE.into(),
        username: DEVICE.into(),
        password: None,
        channels: BTreeMap::from([("forecourt".into(), "34020000001310000007".into())]),
        encoding: Encoding::Gb18030,
        states: vec![State::Started, State::Updated, State::Ended, State::Overdue],
        acknowledge: Acknowledge::Response,
        keepalive: Span::from_secs(60),
        expires: Span::from_secs(3600),
        timeout: Span::from_secs(5),
        time_zone: TimeZone::get("Asia/Shanghai").unwrap(),
    }
}

pub fn sink(plan: Gb28181) -> Sink {
    Sink { id: "gb".into(), kind: SinkKind::Gb28181(plan) }
}

/// A sink that reports every state, by the way that the platform listens on.
pub fn tells_all(platform: &Platform) -> Sink {
    let transport = if platform.reliable { SipTransport::Tcp } else { SipTransport::Udp };
    let states = [State::Started, State::Updated, State::Ended, State::Evidence, State::Overdue];
    sink(Gb28181 { states: states.to_vec(), ..plan(platform, transport) })
}

/// Many attempts, close together.
fn patient() -> Backoff {
    Backoff { pauses: vec![Duration::from_millis(50); 1000], ..quick() }
}

fn house(folder: &Path, plan: Gb28181, backoff: Backoff) -> House {
    House::start(folder, &[sink(plan)], backoff)
}

fn started(n: u32) -> lookout::alerts::journal::Appended {
    item(n, 0, State::Started, &["gb"])
}

fn password(folder: &Path, password: &str) -> Option<Secret> {
    let path = folder.join("password");
    std::fs::write(&path, password).unwrap();
    Some(Secret::File(path))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_is_registered_for_taken_and_acknowledged() {
    for (transport, encoding) in [(SipTransport::Udp, Encoding::Gb18030), (SipTransport::Tcp, Encoding::Utf8)] {
        let conduct = Conduct { password: Some("12345678"), ..Conduct::default() };
        let platform = match transport {
            SipTransport::Udp => Platform::udp(conduct).await,
            SipTransport::Tcp => Platform::tcp(conduct).await,
        };
        let folder = tempfile::tempdir().unwrap();
        let secret = password(folder.path(), "12345678\n");
        let plan = Gb28181 { password: secret, encoding, ..plan(&platform, transport) };
        let mut house = house(folder.path(), plan, quick());
        let mut severe = started(1);
        (severe.event.kind, severe.event.severity) = (Kind::Intrusion, Some(Severity::Severe));
        house.append(&[severe]);
        until("it is acknowledged", || house.metric(DELIVERED) as usize == 1).await;
        let alarm = platform.alarms().remove(0);
        let sent = event(1, 0, State::Started);
        assert_eq!(alarm.key(), sent.key().unwrap());
        assert_eq!(std::str::from_utf8(&alarm.bytes).is_ok(), encoding == Encoding::Utf8, "written as it says");
        for (name, value) in [
            ("CmdType", "Alarm"),
            ("DeviceID", "34020000001310000007"),
            ("AlarmPriority", "2"),
            ("AlarmMethod", "5"),
            ("AlarmTime", "2026-11-24T11:00:12"),
            ("AlarmDescription", &format!("{} / {}", sent.text.zh, sent.text.en)),
            ("Longitude", "117.300000"),
            ("Latitude", "34.800000"),
            ("AlarmType", "6"),
            ("EventType", "1"),
        ] {
            assert_eq!(alarm.value(name), value, "{name} in {}", alarm.body);
        }
        until("the Response is answered", || platform.answers() == 1).await;
        let journal = house.stop().await;
        assert_eq!(journal.outbox().unwrap().waiting("gb").unwrap().0, 0);
        assert_eq!((platform.registrations(), platform.alarms().len()), (1, 1));
        assert_eq!(platform.faults(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_gets_lost_is_repeated_and_taken_once() {
    let platform = Platform::udp(Conduct { lose_requests: 1, ..Conduct::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let mut house = house(folder.path(), plan(&platform, SipTransport::Udp), quick());
    until("it is registered", || platform.registrations() == 1).await;
    // The alarm gets lost, then the answer to it.
    platform.set(|conduct| (conduct.lose_requests, conduct.lose_answers) = (1, 1));
    // The Response comes after the next repetition.
    platform.set(|conduct| conduct.delay = Duration::from_millis(1300));
    house.append(&[started(1)]);
    until("it is acknowledged", || house.metric(DELIVERED) as usize == 1).await;
    assert_eq!(house.metric(FAILED) as usize, 0, "SIP itself has repeated it");
    // The platform saw one request twice: it had not heard the first, nor been heard about the second.
    assert_eq!((platform.alarms().len(), platform.repeated()), (1, 1));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_that_restarts_gets_a_registration_and_the_alarm() {
    for transport in [SipTransport::Udp, SipTransport::Tcp] {
        let platform = match transport {
            SipTransport::Udp => Platform::udp(Conduct::default()).await,
            SipTransport::Tcp => Platform::tcp(Conduct::default()).await,
        };
        let folder = tempfile::tempdir().unwrap();
        let mut house = house(folder.path(), plan(&platform, transport), patient());
        house.append(&[started(1)]);
        until("the first is acknowledged", || house.metric(DELIVERED) as usize == 1).await;
        platform.restart();
        house.append(&[started(2)]);
        until("the second is acknowledged", || house.metric(DELIVERED) as usize == 2).await;
        assert_eq!(platform.registrations(), 2);
        house.stop().await;
        let keys: Vec<String> = platform.alarms().iter().map(|a| a.key()).collect();
        assert_eq!(keys, [1, 2].map(|n| event(n, 0, State::Started).key().unwrap()), "each once");
        assert_eq!(platform.faults(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waited_while_the_platform_was_silent_is_delivered_when_it_is_back() {
    let platform = Platform::udp(Conduct::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let quick_plan = Gb28181 { timeout: Span::from_millis(300), ..plan(&platform, SipTransport::Udp) };
    let mut house = house(folder.path(), quick_plan, patient());
    until("it is registered", || platform.registrations() == 1).await;
    platform.set(|conduct| conduct.down = true);
    house.append(&[started(1), item(1, 1, State::Ended, &[]), started(2)]);
    until("it has failed", || house.metric(FAILED) >= 2.0).await;
    platform.set(|conduct| conduct.down = false);
    platform.restart();
    until("all are acknowledged", || house.metric(DELIVERED) as usize == 3).await;
    house.stop().await;
    let of_first: Vec<String> = platform.alarms().iter().map(|a| a.key()).filter(|k| k.ends_with(".0")).collect();
    assert_eq!(of_first.len(), 2, "{of_first:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_told_and_repeated() {
    for (conduct, reason) in [
        (Conduct { code: (500, ""), ..Conduct::default() }, "500 Reason"),
        (Conduct { code: (488, ""), ..Conduct::default() }, "488 Reason"),
        (Conduct { result: Some("ERROR"), ..Conduct::default() }, "the platform's Response has the result `ERROR`"),
    ] {
        let platform = Platform::udp(conduct).await;
        let folder = tempfile::tempdir().unwrap();
        let mut house = house(folder.path(), plan(&platform, SipTransport::Udp), quick());
        house.append(&[started(1)]);
        let reader = house.reader();
        until("it is given up", || !reader.dead_letters(None).unwrap().is_empty()).await;
        let dead = reader.dead_letters(None).unwrap().remove(0);
        assert_eq!((dead.attempts, dead.error.as_deref()), (5, Some(reason)));
        house.stop().await;
        let alarms = platform.alarms();
        assert_eq!(alarms.len(), 5);
        assert!(alarms.iter().all(|a| a.value("SN") == alarms[0].value("SN")), "one number for one delivery");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_after_is_obeyed() {
    let platform = Platform::udp(Conduct { code: (503, "Retry-After: 1\r\n"), ..Conduct::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let mut house = house(folder.path(), plan(&platform, SipTransport::Udp), quick());
    let began = Instant::now();
    house.append(&[started(1)]);
    let reader = house.reader();
    until("it failed", || reader.show(alert(1)).unwrap().unwrap().deliveries[0].attempts == 1).await;
    platform.set(|conduct| conduct.code = (200, ""));
    until("it is acknowledged", || house.metric(DELIVERED) as usize == 1).await;
    assert!(began.elapsed() >= Duration::from_secs(1), "not before the platform wanted");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_response_that_comes_late_counts_and_spares_a_repetition() {
    let conduct = Conduct { delay: Duration::from_millis(700), ..Conduct::default() };
    let platform = Platform::udp(conduct).await;
    let folder = tempfile::tempdir().unwrap();
    let hasty = Gb28181 { timeout: Span::from_millis(200), ..plan(&platform, SipTransport::Udp) };
    let pause = Duration::from_secs(2);
    let backoff = Backoff { pauses: vec![pause; 3], longest_rest: 2 * pause, ..quick() };
    let mut house = house(folder.path(), hasty, backoff);
    house.append(&[started(1)]);
    until("it is acknowledged", || house.metric(DELIVERED) as usize == 1).await;
    assert_eq!((platform.alarms().len(), house.metric(FAILED) as usize), (1, 1));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_without_responses_is_told_of_or_believed() {
    let platform = Platform::udp(Conduct { result: None, ..Conduct::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let hasty = Gb28181 { timeout: Span::from_millis(100), ..plan(&platform, SipTransport::Udp) };
    let mut strict = house(folder.path(), hasty.clone(), quick());
    strict.append(&[started(1)]);
    let reader = strict.reader();
    until("it is given up", || !reader.dead_letters(None).unwrap().is_empty()).await;
    let error = reader.dead_letters(None).unwrap().remove(0).error.unwrap();
    assert!(error.contains("no Response with its number") && error.contains("acknowledge = \"accepted\""), "{error}");
    drop(strict.stop().await);
    let believing = Gb28181 { acknowledge: Acknowledge::Accepted, ..hasty };
    let mut house = house(folder.path(), believing, quick());
    house.append(&[started(2)]);
    until("it is accepted", || house.metric(DELIVERED) as usize == 1).await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_an_absent_platform_are_said() {
    let platform = Platform::udp(Conduct { password: Some("12345678"), ..Conduct::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let wrong = Gb28181 { password: password(folder.path(), "guess"), ..plan(&platform, SipTransport::Udp) };
    let absent = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let absent = Gb28181 { server: absent.to_string(), ..plan(&platform, SipTransport::Tcp) };
    for (plan, reason) in [(wrong, "registration refused: 403 Reason"), (absent, "Connection refused")] {
        let folder = tempfile::tempdir().unwrap();
        let mut house = house(folder.path(), plan, quick());
        house.append(&[started(1)]);
        let reader = house.reader();
        until("it is given up", || !reader.dead_letters(None).unwrap().is_empty()).await;
        let error = reader.dead_letters(None).unwrap().remove(0).error.unwrap();
        assert!(error.contains(reason), "{error}");
        house.stop().await;
    }
    assert_eq!((platform.registrations(), platform.alarms().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_is_renewed_and_kept_alive() {
    let platform = Platform::udp(Conduct { granted: 2, ..Conduct::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let lively = Gb28181 { keepalive: Span::from_secs(1), ..plan(&platform, SipTransport::Udp) };
    let house = house(folder.path(), lively, quick());
    until("it is renewed and kept alive", || platform.registrations() >= 3 && platform.keepalives() >= 2).await;
    house.stop().await;
    assert_eq!(platform.faults(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_are_answered_and_garbage_is_passed_over() {
    let platform = Platform::udp(Conduct::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut house = house(folder.path(), plan(&platform, SipTransport::Udp), quick());
    until("it is registered", || platform.registrations() == 1).await;
    for garbage in
        [&b"\x00\xff\xfe"[..], b"SIP/2.0 200\r\n\r\n", b"MESSAGE x SIP/2.0\r\nContent-Length: 9\r\n\r\n", b"\r\n"]
    {
        platform.send(garbage);
    }
    platform.ask("<?xml version=\"1.0\"?><Query><CmdType>Catalog</CmdType><SN>17</SN><DeviceID>1</DeviceID></Query>");
    until("the catalog is there", || platform.responses().len() == 1).await;
    let catalog = platform.responses().remove(0);
    for part in
        ["<SN>17</SN>", "<SumNum>1</SumNum>", "<DeviceID>34020000001310000007</DeviceID>", "<Name>forecourt</Name>"]
    {
        assert!(catalog.contains(part), "{part} in {catalog}");
    }
    house.append(&[started(1)]);
    until("it is acknowledged", || house.metric(DELIVERED) as usize == 1).await;
    house.stop().await;
    assert_eq!(platform.faults(), Vec::<String>::new());
}
