//! Messages of the Common Alerting Protocol: every one keeps the rules of its schema, and refers to what the receiver got.

use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::tz::TimeZone;
use lookout::alerts::journal::{By, Via};
use lookout::config::plan::{Cap, Secret, Sink, SinkKind};
use lookout::dispatch::cap::message::message;
use lookout::types::{Answer, EndReason, Event, Kind, Links, Localized, Place, Severity, Span, State};
use proptest::prelude::*;

use crate::sample::{House, Receiver, alert, event, item, quick, until};
use crate::support::cap::{Element, faults, is_time};

pub fn plan(url: String) -> Cap {
    Cap {
        url,
        token: None,
        ca: None,
        allow_private: true,
        timeout: Span::from_secs(5),
        answers: false,
        sender: "lookout@weibei.example".into(),
        addresses: vec!["duty desk".into(), "platform".into()],
        radius: 150,
        expires: Span::from_secs(24 * 3600),
        time_zone: TimeZone::get("Asia/Shanghai").unwrap(),
    }
}

pub fn sink(cap: Cap) -> Sink {
    Sink { id: "cap".into(), kind: SinkKind::Cap(cap) }
}

fn written(event: &Event, earlier: &[Event], cap: &Cap) -> Element {
    let bytes = message(event, earlier, cap).unwrap().unwrap();
    assert_eq!(faults(&bytes), Vec::<String>::new(), "{}", String::from_utf8_lossy(&bytes));
    Element::read(&bytes).unwrap()
}

fn ended(seq: u32, reason: EndReason) -> Event {
    Event { reason: Some(reason), ..event(1, seq, State::Ended) }
}

#[test]
fn a_message_says_what_the_event_says() {
    let started = event(1, 0, State::Started);
    let alert = written(&started, &[], &plan(String::new()));
    assert_eq!(alert.value("identifier"), started.key().unwrap());
    assert_eq!(alert.value("sent"), "2026-11-24T11:00:12+08:00");
    assert_eq!((alert.value("status"), alert.value("msgType"), alert.value("scope")), ("Actual", "Alert", "Private"));
    assert_eq!(alert.value("addresses"), "\"duty desk\" platform");
    assert_eq!(alert.value("incidents"), started.alert.unwrap().to_string());
    let infos: Vec<&Element> = alert.all("info").collect();
    let [chinese, english] = infos.as_slice() else { panic!("{} infos", infos.len()) };
    assert_eq!((chinese.value("language"), english.value("language")), ("zh-CN", "en"));
    assert_eq!((chinese.value("event"), english.value("event")), ("滞留", "loitering"));
    assert_eq!(chinese.value("description"), started.text.zh);
    assert_eq!(english.value("headline"), started.text.en);
    assert_eq!(english.value("onset"), "2026-11-24T10:58:12+08:00");
    assert_eq!(english.value("expires"), "2026-11-25T11:00:12+08:00");
    assert_eq!(english.value("certainty"), "Likely");
    let area = english.child("area").unwrap();
    assert_eq!(area.value("areaDesc"), "Courthouse forecourt · Entrance steps");
    assert_eq!(area.value("circle"), "34.800000,117.300000 0.150");
}

#[test]
fn utc_is_written_as_minus_zero() {
    let utc = Cap { time_zone: TimeZone::UTC, ..plan(String::new()) };
    assert_eq!(written(&event(1, 0, State::Started), &[], &utc).value("sent"), "2026-11-24T03:00:12-00:00");
    // Before 1901 the offset of Shanghai had seconds.
    let old = Event { at: "1890-01-01T00:00:00Z".parse().unwrap(), ..event(1, 0, State::Started) };
    assert_eq!(written(&old, &[], &plan(String::new())).value("sent"), "1970-01-01T08:00:00+08:00");
}

#[test]
fn what_is_over_is_cancelled_and_what_is_out_of_sight_is_not() {
    let cap = plan(String::new());
    let started = event(1, 0, State::Started);
    let of = |event: &Event, earlier: &[Event]| {
        let alert = written(event, earlier, &cap);
        let info = alert.child("info").unwrap();
        let of = [alert.value("msgType"), info.value("urgency"), info.value("certainty"), info.value("responseType")];
        of.map(str::to_owned)
    };
    let earlier = std::slice::from_ref(&started);
    assert_eq!(of(&event(1, 1, State::Updated), earlier), ["Update", "Expected", "Likely", "Assess"]);
    assert_eq!(of(&event(1, 1, State::Overdue), earlier), ["Update", "Immediate", "Likely", "Assess"]);
    assert_eq!(of(&ended(1, EndReason::Cleared), earlier), ["Cancel", "Past", "Likely", "AllClear"]);
    assert_eq!(of(&ended(1, EndReason::Snoozed), earlier), ["Cancel", "Past", "Likely", ""]);
    assert_eq!(of(&ended(1, EndReason::SignalLost), earlier), ["Update", "Unknown", "Unknown", ""]);
    assert_eq!(of(&ended(1, EndReason::Stopped), earlier), ["Update", "Unknown", "Unknown", ""]);
    // Nothing can be cancelled that the receiver has never got.
    assert_eq!(of(&ended(1, EndReason::Cleared), &[])[0], "Alert");
    // A clip that becomes ready after the end does not bring the alert back, and cancels no cancellation.
    let late = Event { state: State::Evidence, seq: 2, ..ended(1, EndReason::Cleared) };
    let alert = written(&late, &[started.clone(), ended(1, EndReason::Cleared)], &cap);
    assert_eq!(alert.value("msgType"), "Cancel");
    assert_eq!(
        alert.value("references"),
        format!("lookout@weibei.example,{},2026-11-24T11:00:12+08:00", started.key().unwrap())
    );
    // Not seen to come out is not seen to drown.
    let vanished = Event { kind: Kind::Vanished, severity: Some(Severity::Extreme), ..started };
    assert_eq!(of(&vanished, &[])[1..3], ["Immediate", "Possible"]);
}

#[test]
fn evidence_is_linked() {
    let links = Links {
        picture: Some("https://l.example/api/v1/alerts/a/evidence/start.jpg?expires=1&signature=a-b_c".into()),
        clip: Some("https://l.example/clip.mp4".into()),
    };
    let ready = Event { links: Some(links.clone()), ..event(1, 1, State::Evidence) };
    let alert = written(&ready, &[event(1, 0, State::Started)], &plan(String::new()));
    for info in alert.all("info") {
        let found: Vec<_> = info.all("resource").map(|r| (r.value("mimeType"), r.value("uri"))).collect();
        let (picture, clip) = (links.picture.as_deref().unwrap(), links.clip.as_deref().unwrap());
        assert_eq!(found, [("image/jpeg", picture), ("video/mp4", clip)]);
    }
}

/// Any text, also what no XML can hold.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        "[<>&'\"\\]\\[!\\-?a ]{0,30}",
        proptest::collection::vec(any::<char>(), 0..200).prop_map(String::from_iter),
    ]
}

fn made_up() -> impl Strategy<Value = Event> {
    const KINDS: [Kind; 17] = [
        Kind::Crowd,
        Kind::Density,
        Kind::Gathering,
        Kind::Loitering,
        Kind::Intrusion,
        Kind::Crossing,
        Kind::WrongWay,
        Kind::CounterFlow,
        Kind::Rush,
        Kind::Proximity,
        Kind::Vanished,
        Kind::Occupancy,
        Kind::Offline,
        Kind::Frozen,
        Kind::Dark,
        Kind::Blurred,
        Kind::Moved,
    ];
    let severity = prop_oneof![
        Just(None),
        Just(Some(Severity::Minor)),
        Just(Some(Severity::Moderate)),
        Just(Some(Severity::Severe)),
        Just(Some(Severity::Extreme)),
    ];
    let reasons = [
        None,
        Some(EndReason::Cleared),
        Some(EndReason::SignalLost),
        Some(EndReason::Schedule),
        Some(EndReason::Snoozed),
        Some(EndReason::Reconfigured),
        Some(EndReason::Stopped),
    ];
    const STATES: [State; 5] = [State::Started, State::Updated, State::Ended, State::Evidence, State::Overdue];
    let what = (proptest::sample::select(&KINDS), severity, proptest::sample::select(&STATES));
    let why = proptest::sample::select(reasons.to_vec());
    let at = -4_000_000_000_000_i64..250_000_000_000_000;
    let place =
        proptest::option::of((-200.0..200.0_f64, any::<f64>().prop_filter("JSON has no other", |v| v.is_finite())));
    let names = (proptest::option::of(text()), proptest::option::of(text()), text(), text(), any::<f64>());
    let links = proptest::option::of("https://[a-z]{1,8}/[a-zA-Z0-9_\\-]{0,20}\\?a=1&b=2");
    (0..1000_u32, what, why, at, place, names, links).prop_map(|(seq, what, why, at, place, names, links)| {
        let at = jiff::Timestamp::from_millisecond(at).unwrap();
        let (kind, severity, state) = what;
        let (camera_name, zone_name, zh, en, value) = names;
        Event {
            kind,
            severity,
            reason: why,
            at,
            condition_since: (seq % 3 != 0).then_some(at),
            place: place.map(|(lat, lon)| Place { lat, lon }),
            camera_name,
            zone_name,
            value,
            related: vec![alert(seq), alert(7)],
            text: Localized { zh, en },
            links: links.map(|link| Links { picture: Some(link.clone()), clip: (seq % 2 == 0).then_some(link) }),
            grid: (seq % 5 != 0).then(|| "shizhong-03".into()),
            ..event(1, seq, state)
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_keeps_the_rules(
        events in proptest::collection::vec(made_up(), 1..5),
        zone in proptest::sample::select(&["UTC", "Asia/Shanghai", "Asia/Kathmandu", "America/St_Johns", "Africa/Monrovia"]),
    ) {
        let cap = Cap { time_zone: TimeZone::get(zone).unwrap(), ..plan(String::new()) };
        let mut sent: Vec<String> = Vec::new();
        for (i, event) in events.iter().enumerate() {
            let bytes = message(event, &events[..i], &cap).unwrap().unwrap();
            let text = String::from_utf8_lossy(&bytes);
            prop_assert_eq!(faults(&bytes), Vec::<String>::new(), "{}", text);
            let alert = Element::read(&bytes).unwrap();
            for info in alert.all("info") {
                prop_assert_ne!(info.value("certainty"), "Observed");
                prop_assert!(is_time(info.value("effective")));
            }
            // Each reference is a message that went out before, and none of them was a cancellation.
            for reference in alert.value("references").split_whitespace() {
                prop_assert!(sent.iter().any(|s| s == reference), "{} is not in {:?}", reference, sent);
            }
            if alert.value("msgType") != "Cancel" {
                sent.push(["sender", "identifier", "sent"].map(|name| alert.value(name)).join(","));
            }
        }
    }
}

#[test]
fn the_rules_find_what_is_wrong() {
    let good = message(&event(1, 0, State::Started), &[], &plan(String::new())).unwrap().unwrap();
    let good = String::from_utf8(good).unwrap();
    assert_eq!(faults(good.as_bytes()), Vec::<String>::new());
    for (from, to) in [
        ("cap:1.2", "cap:1.1"),
        ("<status>Actual</status>", ""),
        ("<status>Actual</status>", "<status>Real</status>"),
        ("<msgType>Alert</msgType>", "<msgType>Update</msgType>"),
        ("11:00:12+08:00</sent>", "03:00:12Z</sent>"),
        ("11:00:12+08:00</sent>", "11:00:12.400+08:00</sent>"),
        ("lookout@weibei", "look,out@weibei"),
        ("<scope>Private</scope>", "<scope>Public</scope><scope>Private</scope>"),
        ("<urgency>Expected</urgency>", "<urgency>Soon</urgency>"),
        ("<language>en</language>", "<language>zh-CN</language>"),
        ("<category>Security</category>", ""),
        ("<circle>34.8", "<circle>94.8"),
        ("<circle>", "<polygon>1,1 2,2 1,1</polygon><circle>"),
        ("<event>", "<headline>early</headline><event>"),
        ("</alert>", "<more/></alert>"),
        ("<areaDesc>", "<areaDesc>&"),
    ] {
        assert!(good.contains(from), "{from} in {good}");
        assert!(!faults(good.replacen(from, to, 1).as_bytes()).is_empty(), "{from} -> {to}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_alarm_is_cancelled_until_it_becomes_worse() {
    let receiver = Receiver::start(|_, _| StatusCode::OK.into_response()).await;
    let folder = tempfile::tempdir().unwrap();
    let cap = plan(format!("http://{}/cap", receiver.address));
    let mut house = House::start(folder.path(), &[sink(cap)], quick());
    let delivered = "lookout_deliveries_total{outcome=\"delivered\",sink=\"cap\"}";
    // Nobody was told of alert 2.
    house.append(&[item(1, 0, State::Started, &["cap"]), item(2, 0, State::Started, &[])]);
    until("it started", || house.metric(delivered) as usize == 1).await;
    let by = By { via: Via::Token, who: "squad".into() };
    let false_alarm = |reason: &str| Answer::FalseAlarm { reason: Some(reason.into()) };
    for n in [1, 2] {
        // The same answer again changes nothing.
        house.desk.take(alert(n), &false_alarm("not_a_person"), &by).unwrap();
        house.desk.take(alert(n), &false_alarm("not_a_person"), &by).unwrap();
    }
    until("it is cancelled", || house.metric(delivered) as usize == 2).await;
    house.append(&[item(1, 1, State::Updated, &[]), item(1, 2, State::Evidence, &[])]);
    until("they are passed over", || house.metric(delivered) as usize == 4).await;
    let mut worse = item(1, 3, State::Updated, &[]);
    worse.event.severity = Some(Severity::Severe);
    house.append(&[worse]);
    until("it is worse", || house.metric(delivered) as usize == 5).await;
    house.desk.take(alert(1), &false_alarm("a drill"), &by).unwrap();
    until("it is cancelled again", || house.metric(delivered) as usize == 6).await;
    let rows = house.reader().show(alert(1)).unwrap().unwrap().deliveries;
    let told: Vec<_> = rows.iter().filter_map(|row| Some((row.seq, row.answer.as_deref()?))).collect();
    assert_eq!(told, [(0, "false_alarm"), (3, "false_alarm")]);
    house.stop().await;

    let messages: Vec<Element> = receiver
        .got()
        .iter()
        .map(|got| {
            assert_eq!(faults(&got.body), Vec::<String>::new());
            Element::read(&got.body).unwrap()
        })
        .collect();
    let types: Vec<&str> = messages.iter().map(|alert| alert.value("msgType")).collect();
    assert_eq!(types, ["Alert", "Cancel", "Alert", "Cancel"]);
    let reference = |alert: &Element| ["sender", "identifier", "sent"].map(|name| alert.value(name)).join(",");
    assert_eq!(messages[1].value("references"), reference(&messages[0]));
    assert_eq!(messages[3].value("references"), reference(&messages[2]), "the first is cancelled already");
    assert_eq!(
        [&messages[1], &messages[3]].map(|m| m.value("note")),
        ["false_alarm: not_a_person", "false_alarm: a drill"]
    );
    let info = messages[1].child("info").unwrap();
    let said = ["responseType", "urgency", "certainty"].map(|name| info.value(name));
    assert_eq!(said, ["AllClear", "Past", "Unlikely"]);
    assert_eq!(info.value("description"), "误报，已撤销（不是人）：一人在入口台阶停留 120 秒");
    let identifiers: std::collections::BTreeSet<&str> = messages.iter().map(|m| m.value("identifier")).collect();
    assert_eq!(identifiers.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_gets_references_to_what_it_has_got() {
    // The first update is never taken.
    let refused = event(1, 1, State::Updated).key().unwrap();
    let receiver = Receiver::start(move |_, got| {
        let is_refused = String::from_utf8_lossy(&got.body).contains(&format!("<identifier>{refused}<"));
        if is_refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }.into_response()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "secret-word\n").unwrap();
    let cap = Cap { token: Some(Secret::File(token)), ..plan(format!("http://{}/cap", receiver.address)) };
    let mut house = House::start(folder.path(), &[sink(cap)], quick());
    let ended = |n, seq| {
        let mut item = item(n, seq, State::Ended, &[]);
        item.event.reason = Some(EndReason::Cleared);
        item
    };
    house.append(&[item(1, 0, State::Started, &["cap"])]);
    until("it started", || receiver.got().len() == 1).await;
    house.append(&[item(1, 1, State::Updated, &[])]);
    let reader = house.reader();
    until("the update is given up", || reader.dead_letters(None).unwrap().len() == 1).await;
    house.append(&[item(1, 2, State::Updated, &[]), ended(1, 3)]);
    // Another alert reaches this sink only when it has become worse.
    house.append(&[item(2, 0, State::Started, &[]), item(2, 1, State::Updated, &["cap"]), ended(2, 2)]);
    let taken = |n: u32, seq: u32| {
        let key = event(n, seq, State::Started).key().unwrap();
        receiver.got().into_iter().find(|got| Element::read(&got.body).unwrap().value("identifier") == key)
    };
    until("both have ended", || taken(1, 3).is_some() && taken(2, 2).is_some()).await;
    house.stop().await;
    let read = |n, seq| {
        let got = taken(n, seq).unwrap();
        assert_eq!(got.header("content-type"), "application/cap+xml");
        assert_eq!(got.header("authorization"), "Bearer secret-word");
        assert_eq!(faults(&got.body), Vec::<String>::new());
        Element::read(&got.body).unwrap()
    };
    let reference = |alert: &Element| ["sender", "identifier", "sent"].map(|name| alert.value(name)).join(",");
    let (first, second, last) = (read(1, 0), read(1, 2), read(1, 3));
    let types = [&first, &second, &last].map(|alert| alert.value("msgType").to_owned());
    assert_eq!(types, ["Alert", "Update", "Cancel"]);
    assert_eq!(second.value("references"), reference(&first), "the update that was refused is not among them");
    assert_eq!(last.value("references"), format!("{} {}", reference(&first), reference(&second)));
    let (first, last) = (read(2, 1), read(2, 2));
    assert_eq!((first.value("msgType"), last.value("msgType")), ("Alert", "Cancel"));
    assert_eq!(last.value("references"), reference(&first));
    assert!(taken(2, 0).is_none(), "the start was not for this sink");
}
