//! `lookout run` as it is operated: started, stopped, killed, with cameras that refuse, go and come back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use lookout::capture::SourceError;
use serde_json::Value;

use crate::sample::Receiver;
use crate::support::clips::Clips;
use crate::support::command::{lookout, ran};
use crate::support::rtsp::{Behaviour, Camera};
use crate::support::site::{Run, SiteFiles};

/// Nobody listens on the discard port.
const NOBODY: &str = "url = \"rtsp://127.0.0.1:9/none\"";
const CLIP: &str = "url = \"file:vtest.avi\"\nloop = true";

fn text<'a>(event: &'a Value, field: &str) -> &'a str {
    event[field].as_str().unwrap_or_default()
}

/// Whether the rule started an alert.
fn started(events: &[Value], rule: &str) -> bool {
    events.iter().any(|e| text(e, "rule") == rule && text(e, "state") == "started")
}

/// The events of each alert in the order in which they came.
fn by_alert(events: &[Value]) -> BTreeMap<String, Vec<&Value>> {
    let mut alerts: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for event in events {
        alerts.entry(text(event, "alert").to_owned()).or_default().push(event);
    }
    alerts
}

/// What is true of every alert once a run has ended: it started once, every number came in order, it ended once, and
/// behind its end comes nothing but its evidence.
fn assert_complete(events: &[Value]) {
    for (alert, events) in by_alert(events) {
        let states: Vec<_> = events.iter().map(|e| text(e, "state")).filter(|s| *s != "evidence").collect();
        let numbers: Vec<_> = events.iter().map(|e| e["seq"].as_u64().unwrap()).collect();
        assert!(numbers[0] == 0 && numbers.is_sorted_by(|a, b| a < b), "{alert}: {numbers:?}");
        assert!(
            states[0] == "started" && states.iter().filter(|s| **s == "started").count() == 1,
            "{alert}: {states:?}"
        );
        assert!(
            states.ends_with(&["ended"]) && states.iter().filter(|s| **s == "ended").count() == 1,
            "{alert}: {states:?}"
        );
    }
}

/// Whatever the journal has was told; updates may be overtaken by newer ones.
fn assert_told(files: &SiteFiles, told: &[Value]) {
    for alert in files.alerts(&["list", "--limit", "1000"]) {
        let story = files.alerts(&["show", text(&alert, "alert")]).remove(0);
        for event in story["events"].as_array().unwrap().iter().filter(|e| text(e, "state") != "updated") {
            assert!(told.contains(event), "never told: {event}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sinks_get_the_same_alerts_and_an_end_that_is_told() {
    let receiver = Receiver::start(|_, _| StatusCode::NO_CONTENT.into_response()).await;
    let webhook = format!(
        "[[sink]]\nid = \"hook\"\nkind = \"webhook\"\nurl = \"http://{}/in\"\nallow_private = true\n",
        receiver.address
    );
    let files = SiteFiles::new(&webhook);
    files.camera("yard", CLIP);
    // A proxy that the environment names would get the alerts: it is not asked.
    let nobody = "http://127.0.0.1:9";
    let mut run = files.start_among(&[("http_proxy", nobody), ("HTTP_PROXY", nobody), ("ALL_PROXY", nobody)]);
    run.until("an alert in both sinks", |_| started(&files.told(), "anyone") && !receiver.got().is_empty());
    let before = run.analysed("yard");
    run.until("more pictures", |run| run.analysed("yard") > before);
    let open = files.alerts(&["list", "--open"]);
    assert!(!open.is_empty());
    assert_eq!(run.interrupt(), Some(0));

    let told = files.told();
    assert_complete(&told);
    let hooked: Vec<Value> =
        receiver.got().iter().map(|got| serde_json::from_slice::<Value>(&got.body).unwrap()["data"].take()).collect();
    assert_eq!(by_alert(&hooked), by_alert(&told), "the same to both, each alert in order");
    for alert in open {
        let last =
            by_alert(&told)[text(&alert, "alert")].iter().rfind(|e| text(e, "state") != "evidence").copied().unwrap();
        assert_eq!((text(last, "state"), text(last, "reason")), ("ended", "stopped"), "{last}");
    }
    assert_eq!(files.alerts(&["list", "--open"]), Vec::<Value>::new());
}

#[test]
fn after_a_kill_the_open_alerts_end_once_and_nothing_is_lost() {
    let files = SiteFiles::new("");
    files.camera("yard", CLIP);
    let mut run = files.start();
    run.until("an alert", |_| started(&files.told(), "anyone"));
    run.kill();
    let open = files.alerts(&["list", "--open"]);
    assert!(open.iter().any(|alert| text(&alert["last"], "rule") == "anyone"), "{open:?}");

    let mut run = files.start();
    let ends = |alert: &Value| -> Vec<Value> {
        let id = text(alert, "alert").to_owned();
        files.told().into_iter().filter(|e| text(e, "alert") == id && text(e, "state") == "ended").collect()
    };
    run.until("the old alerts end", |_| open.iter().all(|alert| !ends(alert).is_empty()));
    let others = |events: &[Value]| {
        let is_new = |e: &Value| !open.iter().any(|alert| alert["alert"] == e["alert"]);
        events.iter().filter(|e| is_new(e)).cloned().collect::<Vec<_>>()
    };
    run.until("a new alert", |_| started(&others(&files.told()), "anyone"));
    assert_eq!(run.interrupt(), Some(0));
    for alert in &open {
        let ends = ends(alert);
        assert_eq!(ends.iter().map(|e| text(e, "reason")).collect::<Vec<_>>(), ["stopped"], "{ends:?}");
    }

    // Whatever the journal has was told, whoever was killed meanwhile; a repeat has the same number.
    let mut told = files.told();
    let key = |e: &Value| (text(e, "alert").to_owned(), e["seq"].as_u64().unwrap());
    let mut seen = BTreeSet::new();
    told.retain(|e| seen.insert(key(e)));
    assert_complete(&told);
    assert!(by_alert(&told).len() > open.len());
    assert_told(&files, &told);
}

#[test]
fn one_camera_that_refuses_and_a_second_instance_do_not_disturb() {
    let files = SiteFiles::new("");
    files.camera("gate", NOBODY);
    files.camera("yard", CLIP);
    let mut run = files.start();
    run.until("an alert of the other camera", |_| started(&files.told(), "anyone"));
    run.until("why the first gives nothing", |run| {
        let page = run.get("/api/v1/cameras");
        page.contains("cannot connect") && page.contains("\"offline\"")
    });
    let up = |camera: &str| run.metric(&format!("lookout_camera_up{{camera=\"{camera}\"}}"));
    assert_eq!((up("gate"), up("yard"), run.analysed("gate")), (Some(0.0), Some(1.0), 0.0));
    assert!(files.told().iter().all(|e| text(e, "camera") == "yard" || text(e, "rule") == "camera.offline"));

    let other = files.site("other.toml", "127.0.0.1:0".parse().unwrap(), "");
    ran(lookout().arg("run").arg("--config").arg(other))
        .refused(1, &["data: another lookout is running on this data directory"]);
    let same = files.site("same.toml", run.address, "");
    ran(lookout().arg("run").arg("--config").arg(same)).refused(1, &["cannot listen on 127.0.0.1:"]);
    let open = files.site("open.toml", "0.0.0.0:0".parse().unwrap(), "");
    ran(lookout().arg("run").arg("--config").arg(open)).refused(2, &["listens on loopback only"]);

    let before = run.analysed("yard");
    run.until("more pictures", |run| run.analysed("yard") > before);
    assert_eq!(run.interrupt(), Some(0), "also with a camera that never came");
}

#[test]
fn an_outage_ends_alerts_and_the_camera_comes_back() {
    let clips = Clips::new();
    let options = "-c:v libx264 -preset ultrafast -tune zerolatency -g 12 -slices 1 -threads 1 -pix_fmt yuv420p -an";
    let clip = clips.walkers("walkers.h264", 60, options);
    let behaviour = Behaviour { pause: Duration::from_millis(40), ..Behaviour::default() };
    let camera = Camera::start(&clip, behaviour.clone());
    let files = SiteFiles::new("");
    files.camera("yard", &format!("url = \"{}\"\noutage = \"1s\"", camera.url()));
    let mut run = files.start();
    run.until("an alert", |_| started(&files.told(), "anyone"));

    let address =
        camera.url().strip_prefix("rtsp://").and_then(|u| u.strip_suffix("/stream1")).unwrap().parse().unwrap();
    drop(camera);
    run.until("the signal is lost", |_| files.told().iter().any(|e| text(e, "reason") == "signal_lost"));
    run.until("the metrics say so", |run| {
        run.metric("lookout_camera_up{camera=\"yard\"}") == Some(0.0)
            && run.metric("lookout_rules_suspended{camera=\"yard\",reason=\"signal_lost\"}") == Some(1.0)
    });
    run.until("it is offline", |_| started(&files.told(), "camera.offline"));
    let lost = files.told();
    let of_rules =
        |events: &[Value]| events.iter().filter(|e| text(e, "rule") != "camera.offline").cloned().collect::<Vec<_>>();
    assert_complete(&of_rules(&lost));
    let (first, analysed) = (lost.len(), run.analysed("yard"));

    let camera = Camera::start_at(address, &clip, behaviour);
    run.until("a new alert", |_| started(&files.told()[first..], "anyone"));
    run.until("the metrics say so", |run| {
        run.metric("lookout_camera_up{camera=\"yard\"}") == Some(1.0)
            && run.metric("lookout_rules_suspended{camera=\"yard\",reason=\"signal_lost\"}") == Some(0.0)
    });
    assert!(run.analysed("yard") > analysed);
    let count =
        |reason: &str| run.metric(&format!("lookout_camera_reconnects_total{{camera=\"yard\",reason=\"{reason}\"}}"));
    assert_eq!(SourceError::REASONS.iter().map(|r| count(r).unwrap()).sum::<f64>(), 1.0, "one connection made anew");
    assert_eq!(run.interrupt(), Some(0));
    drop(camera);
    assert_complete(&files.told());
    // Time went on while nothing was seen: it never runs backwards, and the gap is in it. Evidence comes when it is ready
    // and carries the time of the event that it belongs to.
    let told = files.told();
    let incidents = told.iter().filter(|e| text(e, "state") != "evidence");
    let times: Vec<f64> = incidents.map(|e| e["media_time"].as_f64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn a_journal_that_cannot_grow_loses_nothing_and_stops_nothing() {
    let files = SiteFiles::new("");
    files.camera("yard", CLIP);
    // A rule that says much.
    let mut camera = std::fs::File::options().append(true).open(files.path("cameras/yard.toml")).unwrap();
    camera.write_all(b"[[zone.rule]]\nid = \"stay\"\nkind = \"loitering\"\ndwell = \"0.5s\"\ngap = \"0s\"\n").unwrap();
    let mut run = files.start_cramped(160);
    run.until("the journal is full", |run| run.log().contains("the journal cannot be written; trying again"));
    let unwell = |run: &Run| run.metric("lookout_degraded{part=\"journal\"}") == Some(1.0);
    run.until("operations sees it", |run| unwell(run) && run.get("/readyz").contains("events wait in memory"));
    let (analysed, told) = (run.analysed("yard"), files.told().len());
    run.until("pictures go on", |run| run.analysed("yard") > analysed + 10.0);
    run.uncramp();
    run.until("alerts go on", |run| {
        files.told().len() > told + 1 && run.metric("lookout_outbox_pending{sink=\"record\"}") == Some(0.0)
    });
    run.until("it is well", |run| !unwell(run));
    assert_eq!(run.metric("lookout_overflow_total{queue=\"journal\"}"), Some(0.0));
    assert_eq!(run.terminate(), Some(0));
    assert_complete(&files.told());
    assert_told(&files, &files.told());
}

/// Both cameras of the site see the same clip; whoever crosses its path from the left has come.
const PARK: &str = "[[rule]]\nid = \"park\"\nkind = \"occupancy\"\npeople = 1\n\
    [[rule.gate]]\ncamera = \"north\"\nline = \"path\"\ninward = \"left_to_right\"\n\
    [[rule.gate]]\ncamera = \"south\"\nline = \"path\"\ninward = \"left_to_right\"\n";

#[test]
fn people_of_the_whole_site_are_counted_over_cameras_and_restarts() {
    let files = SiteFiles::new(PARK);
    files.camera("north", CLIP);
    files.camera("south", CLIP);
    let of_site = |events: &[Value]| {
        events
            .iter()
            .filter(|e| text(e, "rule") == "park" && text(e, "state") == "started")
            .cloned()
            .collect::<Vec<_>>()
    };
    let mut run = files.start();
    assert_eq!(run.metric("lookout_overflow_total{queue=\"site\"}"), Some(0.0));
    run.until("some have come", |run| run.metric("lookout_occupancy{rule=\"park\"}") >= Some(2.0));
    run.until("an alert", |_| !of_site(&files.told()).is_empty());
    assert_eq!(run.interrupt(), Some(0));
    let first = files.told();
    assert_complete(&first);
    let event = &of_site(&first)[0];
    assert!(event["camera"].is_null() && event["zone"].is_null() && event["line"].is_null(), "{event}");
    assert_eq!((text(event, "kind"), text(event, "unit"), text(event, "grid")), ("occupancy", "people", ""));

    let kept: Value = serde_json::from_slice(&std::fs::read(files.path("data/site.json")).unwrap()).unwrap();
    let number = |field: &str| kept["park"][field].as_f64().unwrap();
    let people = number("entered") - number("left") + number("missed");
    let mut run = files.start();
    run.until("the alert of those who are still there", |_| of_site(&files.told()).len() > of_site(&first).len());
    let again = of_site(&files.told()).pop().unwrap();
    assert_eq!(again["value"].as_f64(), Some(people), "{again}");
    assert_eq!(run.interrupt(), Some(0));
    assert_complete(&files.told());
}

#[test]
fn every_series_is_there_from_the_start_at_zero() {
    let files = SiteFiles::new("");
    files.camera("gate", NOBODY);
    let mut run = files.start();
    run.until("the disk was looked at", |run| run.metric("lookout_disk_free_bytes").is_some_and(|free| free > 0.0));
    let mut wanted: Vec<String> = vec!["lookout_batch_size_count".into()];
    for (series, words) in [
        ("frames_total{camera=\"gate\",outcome=\"*\"}", "analysed idle dropped corrupt"),
        ("frame_age_seconds_count{camera=\"*\"}", "gate"),
        ("stage_seconds_count{stage=\"*\"}", "decode convert infer track rules"),
        ("stage_heartbeat_timestamp_seconds{stage=\"*\"}", "decode convert infer track rules"),
        ("degraded{part=\"*\"}", "journal evidence records configuration database"),
        ("people{camera=\"gate\",zone=\"*\"}", "all"),
        ("crossings_total{camera=\"gate\",direction=\"*\",line=\"path\"}", "left_to_right right_to_left"),
        ("alerts_total{camera=\"gate\",kind=\"intrusion\",severity=\"*\"}", "minor moderate severe extreme"),
        ("alerts_total{camera=\"gate\",kind=\"crowd\",severity=\"*\"}", "minor moderate severe extreme"),
        (
            "rules_suspended{camera=\"gate\",reason=\"*\"}",
            "signal_lost moved turning no_preset other_preset lost out_of_view no_ground",
        ),
        ("alerts_total{camera=\"gate\",kind=\"*\",severity=\"moderate\"}", "offline frozen dark blurred moved"),
        ("deliveries_total{outcome=\"*\",sink=\"record\"}", "delivered failed dead"),
        ("delivery_seconds_count{sink=\"*\"}", "record"),
        ("outbox_pending{sink=\"*\"}", "record"),
        ("outbox_oldest_seconds{sink=\"*\"}", "record"),
        ("camera_up{camera=\"*\"}", "gate"),
        ("camera_reconnects_total{camera=\"gate\",reason=\"*\"}", &SourceError::REASONS.join(" ")),
        ("overflow_total{queue=\"*\"}", "journal tracks incidents site"),
        ("answers_total{outcome=\"*\",route=\"default\"}", "accepted assigned resolved false_alarm"),
        ("answers_refused_total{reason=\"*\"}", "unauthorized forbidden unknown malformed too_many"),
        ("alerts_unanswered{route=\"*\"}", "default"),
        ("alerts_overdue_total{route=\"*\"}", "default"),
        ("alert_test_success_timestamp_seconds{route=\"*\"}", "default"),
        ("kind_alerts_today{figure=\"*\",kind=\"crowd\"}", "received answered resolved false_alarm due in_time"),
        ("kind_answer_minutes_today{kind=\"*\"}", "crowd intrusion"),
        ("kind_false_alarm_share_today{kind=\"*\"}", "crowd intrusion"),
        ("config_reloads_total{outcome=\"*\"}", "applied refused"),
    ] {
        wanted.extend(words.split(' ').map(|word| format!("lookout_{}", series.replace('*', word))));
    }
    let page = run.get("/metrics");
    for series in &wanted {
        assert!(page.lines().any(|line| line == format!("{series} 0")), "no {series} at zero in\n{page}");
    }
    assert_eq!(run.metric(&format!("lookout_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))), Some(1.0));
    assert_eq!(run.interrupt(), Some(0));
}
