//! What operations sees and does over the API of a real run: figures, stills, plain pictures, tests of routes.

use lookout::config::plan::Role;
use lookout::types::{Rect, Size};
use reqwest::Method;
use serde_json::json;

use crate::support::clips::Clips;
use crate::support::command::{lookout, ran, write};
use crate::support::detail::{Detail, boxes, inside};
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

/// The grey values of a JPEG.
fn luma(jpeg: &[u8]) -> (Size, Vec<u8>) {
    let grey = image::load_from_memory(jpeg).unwrap().to_luma8();
    (Size::new(grey.width(), grey.height()), grey.into_raw())
}

/// People who stand still in a file's pictures, which are all the same, so that pictures of two moments compare pixel by
/// pixel; and where `lookout analyze` sees them, in pixels of `size`.
fn standing(clips: &Clips, size: Size) -> Vec<Rect> {
    clips.walkers_by("one.png", "-ss 30", "-frames:v 1");
    clips.ffmpeg("-loop 1 -framerate 5 -i one.png -t 4 -c:v ffv1 still.mkv");
    let camera = write(&clips.path("camera.toml"), "id = \"c\"\n[detect]\ninput = [320, 256]\n");
    let mut command = lookout();
    command.arg("analyze").arg(clips.path("still.mkv")).arg("--camera").arg(camera).arg("--out").arg(clips.path("out"));
    let done = ran(&mut command);
    assert_eq!(done.code, 0, "{}", done.err);
    let tracks = std::fs::read_to_string(clips.path("out/tracks.txt")).unwrap();
    boxes(&tracks, 15, Size::new(768, 576), size)
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
    let clips = Clips::new();
    let size = Size::new(640, 480);
    let people = standing(&clips, size);
    let site = std::fs::read_to_string(files.path("site.toml")).unwrap();
    let dirs = format!("media_dirs = [{:?}, ", clips.path("."));
    write(&files.path("site.toml"), &site.replace("media_dirs = [", &dirs));
    files.camera("yard", "url = \"file:still.mkv\"\nloop = true");
    let mut run = files.start();
    run.until("people", |run| run.analysed("yard") >= 20.0);
    let (wang, viewer) =
        (login(&files, &run, "wang", Role::Operator).await, login(&files, &run, "viewer", Role::Viewer).await);
    let (status, still) = picture(&viewer, Method::GET, "/api/v1/cameras/yard/still").await;
    assert_eq!(status, 200);
    assert_eq!(picture(&viewer, Method::POST, "/api/v1/cameras/yard/plain").await.0, 403);
    let (status, plain) = picture(&wang, Method::POST, "/api/v1/cameras/yard/plain").await;
    assert_eq!(status, 200);
    let ((still_size, still), (plain_size, plain)) = (luma(&still), luma(&plain));
    assert_eq!((still_size, plain_size), (size, size));
    assert!(people.len() >= 4, "{people:?}");
    let mut ground = Detail::default();
    for person in &people {
        let mut own = Detail::default();
        for (x, y) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))) {
            if inside(person, 0.0, x, y) {
                own.add(&plain, &still, size, x, y);
            }
        }
        assert!(own.original > 20.0 * own.pixels as f64, "{person:?} is plain in the plain picture");
        assert!(own.share() < 0.1, "{person:?} keeps {:.2} of its detail in the still", own.share());
    }
    // What nobody ever comes near: the grass in front.
    (360..470).flat_map(|y| (4..180).map(move |x| (x, y))).for_each(|(x, y)| ground.add(&plain, &still, size, x, y));
    assert!(ground.share() > 0.8, "the ground keeps {:.2}", ground.share());
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
