//! The host's clock is set an hour forward, right again, and an hour back while a site runs: alerts, deliveries, deadlines, logins
//! and links are as they would be without.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use axum::response::IntoResponse;
use lookout::config::plan::Role;
use serde_json::Value;

use crate::faults::{assert_told_whole, talkative};
use crate::sample::Receiver;
use crate::support::hours::Hours;
use crate::support::login::{Browser, PASSWORD, user};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_stops_nothing_and_loses_nothing() {
    // The receiver stumbles so often: those deliveries are put off for a second.
    let (stumbles, refused) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<String>>>::default());
    let receiver = {
        let (stumbles, refused) = (Arc::clone(&stumbles), Arc::clone(&refused));
        let answer = move |_: usize, got: &crate::sample::Got| {
            if stumbles.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
                return StatusCode::NO_CONTENT.into_response();
            }
            refused.lock().unwrap().push(got.key());
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        };
        Receiver::start(answer).await
    };
    let files = talkative();
    let hook = format!(
        "[[sink]]\nid = \"hook\"\nkind = \"webhook\"\nurl = \"http://{}/in\"\nallow_private = true\n\
         [[sink]]\nid = \"duty\"\nkind = \"file\"\npath = \"duty.jsonl\"\n\
         [[route]]\nid = \"squad\"\nto = [\"record\", \"hook\"]\nanswer_within = \"15m\"\nescalate_to = \"officer\"\n\
         [[route]]\nid = \"officer\"\nto = [\"duty\"]\nonly_escalated = true\n",
        receiver.address
    );
    let site = std::fs::read_to_string(files.path("site.toml")).unwrap();
    std::fs::write(files.path("site.toml"), format!("public_url = \"https://lookout.example\"\n{site}{hook}")).unwrap();
    let hours = Hours::new(&files.path("."));
    let variables = hours.variables();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut run = files.start_among(&variables);
    user(&files.path("data"), "wang", Role::Viewer);
    let wang = Browser::login(run.address, "wang", PASSWORD).await;
    let linked = |files: &crate::support::site::SiteFiles| {
        files.told().iter().find_map(|e| e["links"]["picture"].as_str().map(str::to_owned))
    };
    run.until("a link to a picture", |_| linked(&files).is_some());
    let link = linked(&files).unwrap().replace("https://lookout.example", "");

    for ahead in [3_600, 0, -3_600] {
        stumbles.store(1, Ordering::SeqCst);
        run.until("a delivery is put off", |_| stumbles.load(Ordering::SeqCst) == 0);
        hours.set(ahead);
        let (key, told, analysed) =
            (refused.lock().unwrap().last().unwrap().clone(), files.told().len(), run.analysed("yard"));
        run.until("it comes", |_| receiver.keys().iter().filter(|k| **k == key).count() == 2);
        run.until("alerts go on", |_| files.told().len() > told + 3);
        run.until("pictures go on", |run| run.analysed("yard") > analysed + 10.0);
        run.until("all is told", |run| {
            ["record", "hook"].iter().all(|sink| {
                let series = |what: &str| run.metric(&format!("lookout_outbox_{what}{{sink=\"{sink}\"}}"));
                series("pending") == Some(0.0) && series("oldest_seconds") < Some(60.0)
            })
        });
        assert_eq!(wang.get("/api/v1/session").await.0, 200, "the login lasts");
        let opened = reqwest::get(format!("http://{}{link}", run.address)).await.unwrap();
        assert_eq!(opened.status(), 200, "the link opens");
    }
    let said = run.log().matches("the host's clock was set").count();
    assert_eq!(said, 3, "{}", run.log());
    assert_eq!(run.interrupt(), Some(0));
    assert_eq!(files.lines("duty.jsonl"), Vec::<Value>::new(), "nobody had an hour to answer");
    assert_told_whole(&files);
    let told = files.told();
    // News of evidence carries the time of its alert.
    let of_rules: Vec<&Value> = told.iter().filter(|e| e["state"] != "evidence" && e["zone"] == "all").collect();
    for key in ["media_time", "at"] {
        let times: Vec<String> = of_rules.iter().map(|e| sortable(&e[key])).collect();
        assert!(times.is_sorted(), "{key} runs backwards: {times:?}");
    }
    let keys = |events: &mut dyn Iterator<Item = Value>| -> BTreeSet<String> {
        events.map(|e| format!("{}.{}", e["alert"].as_str().unwrap(), e["seq"])).collect()
    };
    let mut hooked =
        receiver.got().into_iter().map(|got| serde_json::from_slice::<Value>(&got.body).unwrap()["data"].take());
    assert_eq!(keys(&mut hooked), keys(&mut told.clone().into_iter()), "the same to both");
}

/// Of the same length, so that text sorts like time.
fn sortable(value: &Value) -> String {
    value.as_f64().map_or_else(|| value.as_str().unwrap().to_owned(), |seconds| format!("{seconds:020.6}"))
}
