//! Rules that are silenced for a time, by a real run: what is open ends, nothing is raised, and it comes back by itself,
//! also over a restart.

use std::time::{Duration, SystemTime};

use lookout::config::plan::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::login::{Browser, PASSWORD, user};
use crate::support::site::{Run, SiteFiles};

const RULE: &str = "/api/v1/cameras/yard/rules/anyone/snooze";

fn site() -> SiteFiles {
    let files = SiteFiles::new("");
    files.camera("yard", "url = \"file:vtest.avi\"\nloop = true");
    files
}

/// States of the rule's alerts, with why they ended.
fn told(files: &SiteFiles) -> Vec<String> {
    let told = files.told();
    let own =
        told.iter().filter(|e| e["rule"] == "anyone" && ["started", "ended"].contains(&e["state"].as_str().unwrap()));
    own.map(|e| format!("{} {}", e["state"].as_str().unwrap(), e["reason"].as_str().unwrap_or("-"))).collect()
}

fn soon(seconds: u64) -> Value {
    let at = SystemTime::now() + Duration::from_secs(seconds);
    json!(jiff::Timestamp::try_from(at).unwrap())
}

async fn login(files: &SiteFiles, run: &Run, name: &str, role: Role) -> Browser {
    user(&files.path("data"), name, role);
    Browser::login(run.address, name, PASSWORD).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silenced_rule_raises_nothing_and_comes_back_by_itself() {
    let files = site();
    let mut run = files.start();
    run.until("an alert", |_| told(&files) == ["started -"]);
    let li = login(&files, &run, "li.na", Role::Analyst).await;
    let viewer = login(&files, &run, "viewer", Role::Viewer).await;
    let hour = json!({ "until": soon(3600), "reason": "works at the gate" });
    assert_eq!(viewer.send(Method::POST, RULE, hour.clone()).await.0, 403);
    let (status, snooze) = li.send(Method::POST, RULE, hour).await;
    assert_eq!((status, &snooze["who"], &snooze["rule"]), (200, &json!("li.na"), &json!("anyone")));
    run.until("what is open ends", |_| told(&files).len() == 2);
    assert_eq!(told(&files)[1], "ended snoozed");
    let (_, cameras) = viewer.get("/api/v1/cameras").await;
    assert_eq!(cameras["cameras"][0]["snoozed"][0], snooze, "it is seen as silenced");
    assert_eq!(viewer.get("/api/v1/snoozes").await.1, json!([snooze]));

    // A restart does not wake it.
    assert_eq!(run.interrupt(), Some(0));
    let mut run = files.start();
    let li = Browser::login(run.address, "li.na", PASSWORD).await;
    run.until("some pictures", |run| run.analysed("yard") >= 15.0);
    assert_eq!(told(&files).len(), 2, "{:?}", told(&files));
    // Its time does.
    let (status, _) = li.send(Method::POST, RULE, json!({ "until": soon(2), "reason": "soon over" })).await;
    assert_eq!(status, 200);
    run.until("it comes back", |_| told(&files).len() == 3);
    assert_eq!(told(&files)[2], "started -");
    assert_eq!(li.get("/api/v1/snoozes").await.1, json!([]));
    assert_eq!(run.interrupt(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_silenced_it_wakes_it_and_nonsense_is_refused() {
    let files = site();
    let mut run = files.start();
    run.until("an alert", |_| told(&files).len() == 1);
    let wang = login(&files, &run, "wang", Role::Operator).await;
    let send = |path: &'static str, until: Value, reason: &'static str| {
        let wang = wang.clone();
        async move { wang.send(Method::POST, path, json!({ "until": until, "reason": reason })).await.0 }
    };
    assert_eq!(send(RULE, json!("2020-01-01T00:00:00Z"), "past").await, 422);
    assert_eq!(send(RULE, soon(30 * 24 * 3600), "a month").await, 422);
    assert_eq!(send(RULE, soon(60), " ").await, 422);
    assert_eq!(send("/api/v1/cameras/yard/rules/none/snooze", soon(60), "x").await, 404);
    assert_eq!(send("/api/v1/cameras/none/rules/anyone/snooze", soon(60), "x").await, 404);
    assert_eq!(wang.request(Method::DELETE, RULE).send().await.unwrap().status(), 404);
    assert_eq!(send("/api/v1/cameras/yard/rules/camera.dark/snooze", soon(60), "night").await, 200);
    assert_eq!(send(RULE, soon(600), "works").await, 200);
    run.until("it ends", |_| told(&files).len() == 2);
    assert_eq!(wang.request(Method::DELETE, RULE).send().await.unwrap().status(), 204);
    run.until("it raises again", |_| told(&files).len() == 3);
    let chief = login(&files, &run, "chief", Role::Admin).await;
    let (_, audit) = chief.get("/api/v1/audit").await;
    let what: Vec<_> = audit["entries"].as_array().unwrap().iter().map(|e| e["what"].as_str().unwrap()).collect();
    assert!(what.contains(&"snooze") && what.contains(&"snooze.end"), "{what:?}");
    assert_eq!(run.interrupt(), Some(0));
}
