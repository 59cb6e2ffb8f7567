//! Traces as a collector gets them (feature `otel`).

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::Value;

use crate::sample::Receiver;
use crate::support::site::{Run, SiteFiles};

/// A span of OTLP's JSON.
#[derive(Clone, Debug)]
struct Span {
    trace: String,
    id: String,
    parent: String,
    name: String,
    from: u64,
    to: u64,
    said: BTreeMap<String, String>,
    failed: bool,
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(String::new, str::to_owned)
}

/// Numbers are text in OTLP's JSON, or numbers.
fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{value}"))
}

fn spans(collector: &Receiver) -> Vec<Span> {
    let mut found = Vec::new();
    for got in collector.got() {
        assert_eq!(got.header("content-type"), "application/json");
        let body: Value = serde_json::from_slice(&got.body).unwrap();
        for resource in body["resourceSpans"].as_array().unwrap() {
            let attributes = &resource["resource"]["attributes"];
            assert!(attributes.to_string().contains("lookout-test"), "the service has its name: {attributes}");
            for scope in resource["scopeSpans"].as_array().unwrap() {
                found.extend(scope["spans"].as_array().unwrap().iter().map(span));
            }
        }
    }
    found
}

fn span(value: &Value) -> Span {
    let attribute = |one: &Value| {
        let inner = one["value"].as_object().unwrap().values().next().unwrap();
        (text(&one["key"]), inner.as_str().map_or_else(|| inner.to_string(), str::to_owned))
    };
    Span {
        trace: text(&value["traceId"]),
        id: text(&value["spanId"]),
        parent: text(&value["parentSpanId"]),
        name: text(&value["name"]),
        from: number(&value["startTimeUnixNano"]),
        to: number(&value["endTimeUnixNano"]),
        said: value["attributes"].as_array().into_iter().flatten().map(attribute).collect(),
        failed: value["status"]["code"].as_u64() == Some(2),
    }
}

fn site(collector: &Receiver, hook: &Receiver, alerts: &str, pictures: &str) -> (SiteFiles, Run) {
    let files = SiteFiles::new(&format!(
        "[[sink]]\nid = \"hook\"\nkind = \"webhook\"\nurl = \"http://{}/in\"\nallow_private = true\n",
        hook.address
    ));
    files.camera("yard", "url = \"file:vtest.avi\"\nloop = true");
    let endpoint = format!("http://{}", collector.address);
    let run = files.start_among(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_SERVICE_NAME", "lookout-test"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_TRACES_SAMPLER_ARG", alerts),
        ("LOOKOUT_TRACE_PICTURES", pictures),
    ]);
    (files, run)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_is_followed_to_its_receivers_and_a_picture_through_its_stages() {
    let collector = Receiver::start(|_, _| StatusCode::OK.into_response()).await;
    // The first attempt fails.
    let hook = Receiver::start(|n, _| {
        if n == 0 { StatusCode::SERVICE_UNAVAILABLE.into_response() } else { StatusCode::NO_CONTENT.into_response() }
    })
    .await;
    let (files, mut run) = site(&collector, &hook, "1", "1");
    run.until("an alert", |_| hook.got().len() > 3);
    run.until("some pictures", |run| run.analysed("yard") > 20.0);
    let log = run.log();
    assert_eq!(run.interrupt(), Some(0));
    let spans = spans(&collector);
    let told = files.told();
    assert!(collector.got().iter().all(|got| got.body.len() < 4 << 20) && !spans.is_empty());

    for start in told.iter().filter(|e| e["state"] == "started") {
        let alert = text(&start["alert"]);
        let own: Vec<&Span> = spans.iter().filter(|s| s.trace == alert).collect();
        let named = |name: &str| own.iter().copied().filter(|s| s.name == name).collect::<Vec<_>>();
        let [root] = named("alert")[..] else { panic!("one span of the alert itself: {own:?}") };
        assert!(root.parent.is_empty() && root.said["lookout.rule"] == text(&start["rule"]), "{root:?}");
        assert!(own.iter().all(|s| s.name == "alert" || s.parent == root.id), "{own:?}");
        let written: Vec<&str> = named("journal").iter().map(|s| s.said["lookout.state"].as_str()).collect();
        assert!(written.contains(&"started") && written.contains(&"ended"), "{written:?}");
        for sink in ["record", "hook"] {
            let good = named("delivery")
                .into_iter()
                .find(|s| s.said["lookout.sink"] == sink && s.said["lookout.state"] == "started" && !s.failed);
            let good = good.unwrap_or_else(|| panic!("{sink} got it: {own:?}"));
            assert!(root.from <= root.to && root.to <= good.to && good.from <= good.to, "{root:?} {good:?}");
        }
    }
    let failed: Vec<&Span> = spans.iter().filter(|s| s.failed).collect();
    assert!(failed.len() == 1 && failed[0].said["lookout.sink"] == "hook" && failed[0].said["lookout.attempt"] == "1");

    let pictures: Vec<&Span> = spans.iter().filter(|s| s.name == "picture").collect();
    assert!(pictures.len() > 20, "{}", pictures.len());
    for picture in pictures {
        assert_eq!(picture.said["lookout.camera"], "yard");
        let mut stages: Vec<&Span> =
            spans.iter().filter(|s| s.parent == picture.id && s.trace == picture.trace).collect();
        stages.sort_by_key(|s| (s.from, s.to));
        let names: Vec<&str> = stages.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["capture", "convert", "infer", "track", "rules"]);
        // Times are taken once a stage, by one clock.
        let within = |s: &&Span| s.from + 1_000_000 >= picture.from && s.to <= picture.to + 1_000_000;
        assert!(stages.iter().all(within), "{picture:?} {stages:?}");
    }
    assert!(!log.contains("picture{") && log.lines().count() < 60, "nothing of it is in the log: {log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_sampled_is_not_sent_and_a_collector_that_is_down_harms_nothing() {
    let collector = Receiver::start(|_, _| StatusCode::SERVICE_UNAVAILABLE.into_response()).await;
    let hook = Receiver::start(|_, _| StatusCode::NO_CONTENT.into_response()).await;
    let (_files, mut run) = site(&collector, &hook, "0", "0");
    run.until("alerts", |_| hook.got().len() > 3);
    assert_eq!(run.interrupt(), Some(0));
    assert!(collector.got().is_empty());

    let (files, mut run) = site(&collector, &hook, "1", "0.5");
    run.until("it is asked", |_| !collector.got().is_empty());
    run.until("alerts go on", |_| files.told().len() > 3);
    assert_eq!(run.interrupt(), Some(0));
    let files = SiteFiles::new("");
    files.camera("yard", "url = \"file:vtest.avi\"\nloop = true");
    let mut wrong = crate::support::command::lookout();
    wrong.arg("run").arg("--config").arg(files.path("site.toml"));
    wrong.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9").env("LOOKOUT_TRACE_PICTURES", "often");
    crate::support::command::ran(&mut wrong).refused(2, &["LOOKOUT_TRACE_PICTURES is no number from 0 to 1: `often`"]);
}
