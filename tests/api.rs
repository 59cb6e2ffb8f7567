//! The HTTP side by a real listener.

use std::sync::Arc;
use std::time::Duration;

use lookout::alerts::evidence::FOLDER;
use lookout::alerts::evidence::store::{self, utc_day};
use lookout::api::{ApiError, bind};
use lookout::config::plan::{Role, Site};
use lookout::engine::hub::{CameraState, Look, MAX_VIEWERS};
use lookout::types::State;
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use crate::sample::{alert, event, item, site, until};
use crate::support::login::{Browser, PASSWORD, user};
use crate::support::server::Server;

#[tokio::test]
async fn only_loopback_is_listened_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = |listen: &str| Site { listen: listen.parse().unwrap(), ..site(folder.path(), Vec::new()) };
    let error = bind(&at("0.0.0.0:0")).await.err().unwrap();
    assert!(matches!(error, ApiError::NotLoopback(_)) && !error.retry());
    assert!(error.to_string().contains("loopback"), "{error}");
    let taken = bind(&at("127.0.0.1:0")).await.unwrap();
    let error = bind(&at(&taken.address().to_string())).await.err().unwrap();
    assert!(matches!(error, ApiError::Bind { .. }) && error.retry(), "{error}");
}

#[tokio::test]
async fn another_name_for_this_machine_is_refused() {
    let server = Server::start().await;
    let with = async |host: String| {
        let request = server.client.get(format!("http://{}/api/v1/cameras", server.address)).header("host", host);
        request.send().await.unwrap().status()
    };
    let port = server.address.port();
    assert_eq!(with(format!("evil.example:{port}")).await, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(with("127.0.0.1:1".into()).await, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(with(format!("localhost:{port}")).await, StatusCode::OK);
    assert_eq!(with(format!("[::1]:{port}")).await, StatusCode::OK);
}

#[tokio::test]
async fn health_says_ok_and_readiness_is_not_one_camera() {
    let server = Server::start().await;
    assert_eq!(server.get("/healthz").await.text().await.unwrap(), "ok\n");
    assert_eq!(server.problem("/readyz").await, (503, "not ready".into()));
    server.hub.set_ready(true);
    server.hub.camera("shore").unwrap().update(|s| s.state = CameraState::Offline);
    assert_eq!(server.get("/readyz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let server = Server::start().await;
    let answer = server.get("/metrics").await;
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert!(answer.text().await.unwrap().contains("\nlookout_build_info{version=\""));
}

#[tokio::test]
async fn the_console_runs_nothing_but_its_own_scripts() {
    let server = Server::start().await;
    for path in ["/", "/api/v1/cameras", "/nothing"] {
        let answer = server.get(path).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(policy.contains("script-src 'self'"), path == "/", "{policy}");
    }
    let page = server.get("/").await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.text().await.unwrap().starts_with("<!doctype html>"));
}

#[tokio::test]
async fn cameras_show_their_newest_state() {
    let server = Server::start().await;
    server.hub.camera("forecourt").unwrap().update(|s| {
        s.state = CameraState::Online;
        s.people = 9;
        s.zones[0].people = 4;
        s.lines[0].left_to_right = 15;
        s.last_picture = Some("2026-11-24T03:00:12.400Z".parse().unwrap());
    });
    let body = server.json("/api/v1/cameras").await;
    assert_eq!(body["site"], "weibei");
    let first = &body["cameras"][0];
    assert_eq!((&first["id"], &first["state"], &first["people"]), (&"forecourt".into(), &"online".into(), &9.into()));
    assert_eq!(first["zones"][0], serde_json::json!({"id": "steps", "name": "Entrance steps", "people": 4}));
    assert_eq!((&first["lines"][0]["left"], &first["lines"][0]["left_to_right"]), (&"street".into(), &15.into()));
    assert_eq!(
        (&first["last_picture"], &first["live"]),
        (&"2026-11-24T03:00:12.400Z".into(), &"/api/v1/cameras/forecourt/live".into())
    );
    assert_eq!(
        (&body["cameras"][1]["state"], &body["cameras"][1]["last_picture"]),
        (&"connecting".into(), &Value::Null)
    );
}

#[tokio::test]
async fn alerts_are_listed_filtered_paged_and_shown() {
    let mut server = Server::start().await;
    let batch: Vec<_> = (1..=5).map(|n| item(n, 0, State::Started, &[])).collect();
    server.journal.append(&batch).unwrap();
    server.journal.append(&[item(2, 1, State::Ended, &[])]).unwrap();
    let ids = |body: &Value| -> Vec<String> {
        body["alerts"].as_array().unwrap().iter().map(|a| a["alert"].as_str().unwrap().to_owned()).collect()
    };
    let names = |list: &[u32]| list.iter().map(|n| alert(*n).to_string()).collect::<Vec<_>>();
    let all = server.json("/api/v1/alerts").await;
    assert_eq!((ids(&all), &all["next"]), (names(&[5, 4, 3, 2, 1]), &Value::Null));
    assert_eq!(all["alerts"][0]["last"], serde_json::to_value(event(5, 0, State::Started)).unwrap());
    assert_eq!(
        ids(&server.json("/api/v1/alerts?open=true&kind=loitering&min_severity=moderate").await),
        names(&[5, 4, 3, 1])
    );
    assert_eq!(ids(&server.json("/api/v1/alerts?camera=shore").await), names(&[]));
    assert_eq!(
        ids(&server.json("/api/v1/alerts?since=2026-11-24T03:00:12.400Z&until=2027-01-01T00:00:00Z").await).len(),
        5
    );
    let page = server.json("/api/v1/alerts?limit=2").await;
    assert_eq!(ids(&page), names(&[5, 4]));
    let next = page["next"].as_str().unwrap();
    assert_eq!(ids(&server.json(&format!("/api/v1/alerts?limit=2&after={next}")).await), names(&[3, 2]));
    let story = server.json(&format!("/api/v1/alerts/{}", alert(2))).await;
    assert_eq!((story["events"].as_array().unwrap().len(), &story["events"][1]["state"]), (2, &"ended".into()));
}

#[tokio::test]
async fn evidence_is_fetched_here_or_by_a_link_that_expires() {
    let mut server = Server::start().await;
    server.journal.append(&[item(1, 0, State::Started, &[])]).unwrap();
    let (id, started) = (alert(1), event(1, 0, State::Started).started_at.unwrap());
    let path = format!("/api/v1/alerts/{id}/evidence");
    assert_eq!(server.json(&path).await, serde_json::json!([]));
    assert_eq!(server.get(&format!("{path}/start.jpg")).await.status(), 404, "not made yet");
    let folder = store::folder(&server.folder.path().join(FOLDER), utc_day(started), id);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("start.jpg"), b"\xff\xd8picture").unwrap();
    std::fs::write(folder.join("clip.mp4.part"), b"half").unwrap();
    assert_eq!(server.json(&path).await, serde_json::json!([{ "name": "start.jpg", "bytes": 9 }]));
    let whole = server.get(&format!("{path}/start.jpg")).await;
    assert_eq!(whole.headers()["content-type"], "image/jpeg");
    assert_eq!(&whole.bytes().await.unwrap()[..], b"\xff\xd8picture");
    let url = format!("http://{}{path}/start.jpg", server.address);
    let part = server.client.get(&url).header("Range", "bytes=2-4").send().await.unwrap();
    assert_eq!((part.status(), &part.bytes().await.unwrap()[..]), (StatusCode::PARTIAL_CONTENT, &b"pic"[..]));
    for name in ["clip.mp4.part", "..%2F..%2Flookout.db", "START.JPG"] {
        assert_eq!(server.get(&format!("{path}/{name}")).await.status(), 404, "{name}");
    }
    // From elsewhere, through a proxy that keeps the name: by a good link alone.
    let link = server.linker.link(id, "start.jpg", jiff::Timestamp::now()).unwrap();
    let old = server.linker.link(id, "start.jpg", jiff::Timestamp::UNIX_EPOCH).unwrap();
    let target = link.strip_prefix("https://lookout.example").unwrap();
    let outside = async |target: &str| {
        let url = format!("http://{}{target}", server.address);
        server.client.get(&url).header("Host", "lookout.example").send().await.unwrap().status().as_u16()
    };
    assert_eq!(outside(target).await, 200);
    assert_eq!(outside(&format!("{path}/start.jpg")).await, 421);
    assert_eq!(outside("/api/v1/alerts").await, 421);
    assert_eq!(outside(old.strip_prefix("https://lookout.example").unwrap()).await, 410);
    assert_eq!(outside(&target.replace("start.jpg", "clip.mp4")).await, 403);
}

#[tokio::test]
async fn the_present_view_is_accepted_by_json_and_by_analysts_alone() {
    let server = Server::start().await;
    user(server.folder.path(), "ana", Role::Analyst);
    user(server.folder.path(), "vic", Role::Viewer);
    let ana = Browser::login(server.address, "ana", PASSWORD).await;
    let vic = Browser::login(server.address, "vic", PASSWORD).await;
    let post = async |who: &Browser, camera: &str, kind: &str| {
        let request = who.request(Method::POST, &format!("/api/v1/cameras/{camera}/reference"));
        request.header("content-type", kind).body("{}").send().await.unwrap().status()
    };
    let camera = server.hub.camera("shore").unwrap();
    // What a page of another site can send without asking.
    assert_eq!(post(&ana, "shore", "text/plain").await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(post(&vic, "shore", "application/json").await, StatusCode::FORBIDDEN);
    assert!(!camera.takes_view());
    assert_eq!(post(&ana, "none", "application/json").await, StatusCode::NOT_FOUND);
    assert_eq!(post(&ana, "shore", "application/json").await, StatusCode::ACCEPTED);
    assert!(camera.takes_view() && !camera.takes_view(), "once");
    assert!(!server.hub.camera("forecourt").unwrap().takes_view());
}

#[tokio::test]
async fn faults_are_problem_details() {
    let server = Server::start().await;
    assert_eq!(server.problem("/nothing").await.0, 404);
    assert_eq!(server.problem("/api/v1/cameras/none/live").await, (404, "there is no camera `none`".into()));
    assert_eq!(server.problem(&format!("/api/v1/alerts/{}", alert(1))).await.0, 404);
    let (status, detail) = server.problem("/api/v1/alerts/xyz").await;
    assert!(status == 400 && detail.contains("32 hexadecimal"), "{detail}");
    for query in ["kind=dance", "limit=-1", "since=yesterday", "colour=red", "after=12"] {
        assert_eq!(server.problem(&format!("/api/v1/alerts?{query}")).await.0, 400, "{query}");
    }
    let post = server.client.post(format!("http://{}/api/v1/alerts", server.address)).send().await.unwrap();
    assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(post.headers()["content-type"], "application/problem+json");
}

/// Reads until `wanted` has come.
async fn read_until(answer: &mut Response, seen: &mut Vec<u8>, wanted: &[u8]) {
    while !seen.windows(wanted.len()).any(|w| w == wanted) {
        let chunk = tokio::time::timeout(Duration::from_secs(20), answer.chunk()).await.expect("in time").unwrap();
        seen.extend_from_slice(&chunk.expect("the stream goes on"));
    }
}

#[tokio::test]
async fn events_arrive_as_they_are_committed() {
    let server = Server::start().await;
    let mut answer = server.get("/api/v1/events").await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let said = Arc::new(event(3, 1, State::Updated));
    server.hub.announce(said.clone());
    let mut seen = Vec::new();
    read_until(&mut answer, &mut seen, b"\n\n").await;
    let text = String::from_utf8(seen).unwrap();
    let line = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!((line("event:"), line("id:")), ("alert".into(), said.key().unwrap()));
    assert_eq!(serde_json::from_str::<lookout::types::Event>(&line("data:")).unwrap(), *said);
}

#[tokio::test]
async fn live_pictures_are_made_only_while_somebody_watches() {
    let server = Server::start().await;
    let camera = server.hub.camera("forecourt").unwrap().clone();
    assert!(camera.watched().is_none());
    camera.publish(b"a stale picture", jiff::Timestamp::UNIX_EPOCH);
    let (mut one, mut two) =
        (server.get("/api/v1/cameras/forecourt/live").await, server.get("/api/v1/cameras/forecourt/live").await);
    assert_eq!(one.headers()["content-type"], "multipart/x-mixed-replace; boundary=frame");
    assert_eq!((camera.watched(), server.hub.camera("shore").unwrap().watched()), (Some(Look::Large), None));
    camera.publish(b"\xff\xd8 picture one", jiff::Timestamp::UNIX_EPOCH);
    let part = b"--frame\r\nContent-Type: image/jpeg\r\nX-Lookout-Time: 1970-01-01T00:00:00.000Z\r\nContent-Length: 14\r\n\r\n\xff\xd8 picture one\r\n--frame\r\n";
    for viewer in [&mut one, &mut two] {
        let mut seen = Vec::new();
        read_until(viewer, &mut seen, b"picture one\r\n--frame\r\n").await;
        assert_eq!(seen, part, "from the first picture on, nothing stale");
    }
    drop((one, two));
    until("the viewers are gone", || {
        // A connection that was closed is noticed when something is written to it.
        camera.publish(b"\xff\xd8 picture", jiff::Timestamp::UNIX_EPOCH);
        camera.watched().is_none()
    })
    .await;
}

#[tokio::test]
async fn one_connection_shows_a_whole_wall() {
    let server = Server::start().await;
    let cameras = ["forecourt", "shore"].map(|id| server.hub.camera(id).unwrap().clone());
    let mut wall = server.get("/api/v1/live?cameras=shore,forecourt,shore&rate=4").await;
    assert_eq!(wall.headers()["content-type"], "multipart/x-mixed-replace; boundary=frame");
    assert!(cameras.iter().all(|camera| camera.watched() == Some(Look::Tile)));
    for (camera, picture) in cameras.iter().zip(["\u{7f} one", "\u{7f} two"]) {
        camera.publish(picture.as_bytes(), jiff::Timestamp::UNIX_EPOCH);
        let part = format!(
            "Content-Type: image/jpeg\r\nX-Lookout-Camera: {}\r\nX-Lookout-Time: 1970-01-01T00:00:00.000Z\r\nContent-Length: 5\r\n\r\n{picture}\r\n--frame\r\n",
            camera.id
        );
        let mut seen = Vec::new();
        read_until(&mut wall, &mut seen, format!("{picture}\r\n--frame\r\n").as_bytes()).await;
        assert!(seen.ends_with(part.as_bytes()), "{}", String::from_utf8_lossy(&seen));
    }
    drop(wall);
    until("the viewer is gone", || {
        cameras.iter().for_each(|camera| camera.publish(b"more", jiff::Timestamp::UNIX_EPOCH));
        !cameras.iter().any(|camera| camera.watched().is_some())
    })
    .await;
    for (query, status) in
        [("", 400), ("?cameras=", 400), ("?cameras=none", 404), ("?cameras=shore&rate=x", 400), ("?cameras=a&b=c", 400)]
    {
        assert_eq!(server.problem(&format!("/api/v1/live{query}")).await.0, status, "{query}");
    }
}

#[tokio::test]
async fn viewers_are_bounded() {
    let server = Server::start().await;
    let camera = server.hub.camera("forecourt").unwrap().clone();
    let viewers: Vec<_> = (0..MAX_VIEWERS).map(|_| camera.watch(Look::Large).expect("room")).collect();
    assert_eq!(server.problem("/api/v1/cameras/forecourt/live").await.0, 503);
    assert!(server.get("/metrics").await.text().await.unwrap().contains("lookout_overflow_total{queue=\"viewers\"} 1"));
    drop(viewers);
    assert_eq!(server.get("/api/v1/cameras/forecourt/live").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_stop_ends_open_streams() {
    let server = Server::start().await;
    let mut events = server.get("/api/v1/events").await;
    let mut live = server.get("/api/v1/cameras/forecourt/live").await;
    server.stop.send(true).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(20), server.run).await.expect("in time");
    ended.unwrap();
    while events.chunk().await.unwrap().is_some() {}
    while live.chunk().await.unwrap().is_some() {}
}
