//! What operations sees and does over the API of a real run: figures, stills, plain pictures, tests of routes.

use lookout::config::plan::Role;
use reqwest::Method;
use serde_json::json;

use crate::support::login::{Browser, PASSWORD, user};
use crate::support::site::{Run, SiteFiles};

const CLIP: &str = "url = \"file:vtest.avi\"\nloop = true";
const ROUTES: &str = "[[route]]\nid = \"all\"\nto = [\"record\"]\n";

async fn login(files: &SiteFiles, run: &Run, name: &str, role: Role) -> Browser {
    user(&files.path("data"), name, role);
    Browser::login(run.address, name, PASSWORD).await
}

async fn picture(browser: &Browser, method: Method, path: &str) -> (u16, Vec<u8>) {
    let request = browser.request(method, path);
    let answer = request.json(&json!({ "reason": "a child is missing" })).send().await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

/// Mean difference of neighbouring pixels, in grey values: what pixelating takes away.
fn detail(jpeg: &[u8]) -> f64 {
    let grey = image::load_from_memory(jpeg).unwrap().to_luma8();
    assert!(grey.width() <= 640);
    let row = |y: u32| (1..grey.width()).map(move |x| (x, y));
    let step = |(x, y): (u32, u32)| f64::from(grey.get_pixel(x, y)[0].abs_diff(grey.get_pixel(x - 1, y)[0]));
    (0..grey.height()).flat_map(row).map(step).sum::<f64>() / f64::from(grey.width() * grey.height())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_sees_how_everything_is_and_tests_a_route() {
    let files = SiteFiles::new(ROUTES);
    files.camera("yard", CLIP);
    let mut run = files.start();
    run.until("some pictures", |run| run.analysed("yard") >= 10.0);
    let wang = login(&files, &run, "wang", Role::Operator).await;
    let (status, now) = wang.get("/api/v1/operations").await;
    assert_eq!(status, 200);
    let camera = &now["cameras"][0];
    assert_eq!((&camera["id"], &camera["state"], &camera["reconnects"]), (&json!("yard"), &json!("online"), &json!(0)));
    let (half, most) = (camera["age_p50_ms"].as_f64().unwrap(), camera["age_p99_ms"].as_f64().unwrap());
    assert!(half > 0.0 && half <= most && camera["analysed"].as_u64().unwrap() >= 10);
    let stages: Vec<_> = now["stages"].as_array().unwrap().iter().map(|s| s["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["decode", "convert", "infer", "track", "rules"]);
    assert!(now["stages"][2]["heartbeat"].is_string() && now["disk_free_bytes"].as_i64().unwrap() > 0);
    assert_eq!((&now["sinks"][0]["id"], &now["sinks"][0]["kind"]), (&json!("record"), &json!("file")));

    let (status, tests) = wang.send(Method::POST, "/api/v1/alerts-test", json!({ "route": "all" })).await;
    assert_eq!((status, &tests["tests"][0]["route"]), (202, &json!("all")));
    let id = tests["tests"][0]["alert"].as_str().unwrap().to_owned();
    run.until("the test arrives", |_| files.told().iter().any(|e| e["alert"] == id.as_str() && e["test"] == true));
    assert_eq!(wang.send(Method::POST, "/api/v1/alerts-test", json!({ "route": "none" })).await.0, 422);
    let viewer = login(&files, &run, "viewer", Role::Viewer).await;
    assert_eq!(viewer.send(Method::POST, "/api/v1/alerts-test", json!({})).await.0, 403);
    assert_eq!(viewer.send(Method::POST, "/api/v1/deliveries/redeliver", json!({ "all_dead": true })).await.0, 403);
    let (_, dead) = viewer.get("/api/v1/deliveries?state=dead").await;
    assert_eq!(dead, json!({ "deliveries": [], "more": false }));
    let again = wang.send(Method::POST, "/api/v1/deliveries/redeliver", json!({ "all_dead": true })).await;
    assert_eq!(again, (200, json!({ "redelivered": 0 })));
    assert_eq!(wang.send(Method::POST, "/api/v1/deliveries/redeliver", json!({})).await.0, 422);
    assert_eq!(run.interrupt(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_still_is_redacted_and_a_plain_picture_needs_right_and_reason() {
    let files = SiteFiles::new("[privacy]\nplain = [\"operator\"]\n");
    files.camera("yard", CLIP);
    let mut run = files.start();
    run.until("people", |run| run.analysed("yard") >= 20.0);
    let (wang, viewer) =
        (login(&files, &run, "wang", Role::Operator).await, login(&files, &run, "viewer", Role::Viewer).await);
    let (status, still) = picture(&viewer, Method::GET, "/api/v1/cameras/yard/still").await;
    assert_eq!(status, 200);
    assert_eq!(picture(&viewer, Method::POST, "/api/v1/cameras/yard/plain").await.0, 403);
    let (status, plain) = picture(&wang, Method::POST, "/api/v1/cameras/yard/plain").await;
    assert_eq!(status, 200);
    // The clip has seven people or more at any time: what covers them is missing in the still.
    assert!(detail(&still) < detail(&plain), "{} {}", detail(&still), detail(&plain));
    let without = wang.send(Method::POST, "/api/v1/cameras/yard/plain", json!({ "reason": "" })).await;
    assert_eq!(without.0, 422);
    let chief = login(&files, &run, "chief", Role::Admin).await;
    assert_eq!(picture(&chief, Method::POST, "/api/v1/cameras/yard/plain").await.0, 403, "the policy names operators");
    let (_, audit) = chief.get("/api/v1/audit").await;
    let views: Vec<_> = audit["entries"].as_array().unwrap().iter().filter(|e| e["what"] == "camera.plain").collect();
    assert_eq!(views.len(), 1);
    assert_eq!((&views[0]["who"], &views[0]["reason"]), (&json!("wang"), &json!("a child is missing")));
    assert_eq!(viewer.get("/api/v1/cameras/none/still").await.0, 404);
    assert_eq!(run.interrupt(), Some(0));
}
