//! The configuration over the API: read, checked, saved, brought back; by whoever may, and never over somebody else's.

use std::path::PathBuf;

use lookout::config::plan::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::login::{Browser, PASSWORD, user};
use crate::support::server::Server;

const CONFIG: &str = "/api/v1/cameras/forecourt/config";
const HISTORY: &str = "/api/v1/cameras/forecourt/history";

struct Site {
    server: Server,
    file: PathBuf,
}

impl Site {
    async fn start() -> Self {
        let server = Server::start().await;
        let file = server.folder.path().join("cameras/forecourt.toml");
        Self { server, file }
    }

    async fn person(&self, name: &str, role: Role) -> Browser {
        user(self.server.folder.path(), name, role);
        Browser::login(self.server.address, name, PASSWORD).await
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.file).unwrap()
    }
}

async fn etag(browser: &Browser) -> String {
    let answer = browser.request(Method::GET, CONFIG).send().await.unwrap();
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["etag"].as_str(), Some(tag.as_str()));
    tag
}

async fn send(browser: &Browser, method: Method, path: &str, tag: Option<&str>, body: &Value) -> (u16, Value) {
    let request = browser.request(method, path).json(body);
    let request = match tag {
        Some(tag) => request.header("if-match", tag),
        None => request,
    };
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

/// The tables of a camera with a rule more.
async fn with_a_rule(browser: &Browser) -> Value {
    let (_, shown) = browser.get(CONFIG).await;
    let mut zone = shown["camera"]["zone"].clone();
    let more = json!({ "id": "waits", "kind": "loitering", "dwell": "30s" });
    zone[0]["rule"].as_array_mut().unwrap().push(more);
    json!({ "zone": zone })
}

#[tokio::test]
async fn a_save_is_in_the_file_and_in_force_and_keeps_comments() {
    let site = Site::start().await;
    let li = site.person("li.na", Role::Analyst).await;
    let tag = etag(&li).await;
    let camera = with_a_rule(&li).await;

    let (status, checked) = li.send(Method::POST, "/api/v1/cameras/forecourt/check", json!({ "camera": camera })).await;
    assert_eq!((status, &checked["faults"]), (200, &json!([])));
    assert_eq!(site.server.hub.camera("forecourt").unwrap().plan.get().rules.len(), 6, "a check changes nothing");

    let body = json!({ "camera": camera, "reason": "people wait there" });
    let (status, saved) = send(&li, Method::PUT, CONFIG, Some(&tag), &body).await;
    assert_eq!(status, 200, "{saved}");
    let text = site.text();
    assert_eq!((&checked["toml"], &saved["toml"]), (&json!(text), &json!(text)));
    assert!(text.starts_with("# Comments stay.\n") && text.contains("people = 12   # as agreed"), "{text}");
    assert!(text.contains("id = \"waits\"\nkind = \"loitering\"\ndwell = \"30s\""), "{text}");
    let plan = site.server.hub.camera("forecourt").unwrap().plan.get();
    assert!(plan.rules.iter().any(|rule| rule.id == "waits"));
    assert_eq!((saved["restart"].as_bool(), &saved["file"]), (Some(false), &json!("forecourt.toml")));

    // Who, when, why, and the way back.
    let (_, history) = li.get(HISTORY).await;
    let versions = history["versions"].as_array().unwrap();
    let told: Vec<_> = versions.iter().map(|v| (v["version"].as_i64().unwrap(), v["who"].as_str().unwrap())).collect();
    assert_eq!(told, [(2, "li.na"), (1, "")]);
    assert_eq!(versions[0]["reason"], "people wait there");
    assert_eq!((&versions[0]["etag"], versions[1]["etag"].as_str()), (&saved["etag"], Some(tag.as_str())));
    let (_, second) = li.get(&format!("{HISTORY}/2")).await;
    assert_eq!(second["toml"], json!(text));
    let first = second["before"].as_str().unwrap().to_owned();
    let restore = format!("{HISTORY}/1/restore");
    let why = json!({ "reason": "too many" });
    assert_eq!(send(&li, Method::POST, &restore, Some(&tag), &why).await.0, 412);
    let (status, back) = send(&li, Method::POST, &restore, saved["etag"].as_str(), &why).await;
    assert_eq!((status, back["etag"].as_str()), (200, Some(tag.as_str())));
    assert_eq!(site.text(), first);
    let (_, history) = li.get(HISTORY).await;
    assert_eq!(history["versions"][0]["version"], 3);
    let chief = site.person("chief", Role::Admin).await;
    let (_, audit) = chief.get("/api/v1/audit").await;
    let told: Vec<_> = audit["entries"].as_array().unwrap().iter().filter(|e| e["target"] == "forecourt").collect();
    assert_eq!((&told[0]["what"], &told[1]["what"]), (&json!("config.restore"), &json!("config.save")));
    assert_eq!((&told[1]["who"], &told[1]["reason"]), (&json!("li.na"), &json!("people wait there")));
}

#[tokio::test]
async fn nobody_saves_over_what_somebody_else_has_saved() {
    let site = Site::start().await;
    let li = site.person("li.na", Role::Analyst).await;
    let wang = site.person("wang", Role::Analyst).await;
    let tag = etag(&li).await;
    let body = |name: &str| json!({ "camera": { "name": name }, "reason": "a name" });
    assert_eq!(send(&wang, Method::PUT, CONFIG, Some(&tag), &body("North")).await.0, 200);
    let before = site.text();
    let (status, problem) = send(&li, Method::PUT, CONFIG, Some(&tag), &body("South")).await;
    assert_eq!((status, site.text()), (412, before.clone()), "{problem}");
    assert_eq!(send(&li, Method::PUT, CONFIG, None, &body("South")).await.0, 428);
    // Also where it was edited by hand.
    let tag = etag(&li).await;
    std::fs::write(&site.file, before.replace("North", "West")).unwrap();
    assert_eq!(send(&li, Method::PUT, CONFIG, Some(&tag), &body("South")).await.0, 412);
    // The edit by hand is noted once it is seen.
    while li.get(HISTORY).await.1["versions"].as_array().unwrap().len() < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let tag = etag(&li).await;
    assert_eq!(send(&li, Method::PUT, CONFIG, Some(&tag), &body("South")).await.0, 200);
    let (_, history) = li.get(HISTORY).await;
    let who: Vec<_> = history["versions"].as_array().unwrap().iter().map(|v| v["who"].clone()).collect();
    assert_eq!(who, ["li.na", "", "wang", ""]);
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_its_place_and_nothing_is_saved() {
    let site = Site::start().await;
    let li = site.person("li.na", Role::Analyst).await;
    let (tag, before) = (etag(&li).await, site.text());
    let crossed = json!([{ "id": "steps", "polygon": [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]] }]);
    let markup =
        json!([{ "id": "<b>", "name": "<script>alert(1)</script>", "polygon": [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1]] }]);
    for (camera, field) in [
        (json!({ "zone": crossed }), "zone[0].polygon"),
        (json!({ "zone": markup }), "zone[0].id"),
        (json!({ "colour": "red" }), "colour"),
        (json!({ "id": "other" }), "id"),
    ] {
        let (status, problem) =
            send(&li, Method::PUT, CONFIG, Some(&tag), &json!({ "camera": camera, "reason": "x" })).await;
        assert_eq!(status, 422, "{problem}");
        let fault = &problem["faults"][0];
        assert_eq!(
            (fault["field"].as_str(), fault["file"].as_str()),
            (Some(field), Some("forecourt.toml")),
            "{problem}"
        );
        assert!(fault["line"].as_u64().unwrap() > 0);
        let (status, checked) =
            li.send(Method::POST, "/api/v1/cameras/forecourt/check", json!({ "camera": camera })).await;
        assert_eq!((status, &checked["faults"][0]["field"]), (200, &json!(field)));
    }
    for body in [
        json!({ "reason": "nothing" }),
        json!({ "toml": "id = 1", "camera": {}, "reason": "both" }),
        json!({ "toml": before, "reason": "  " }),
        json!({ "camera": { "zone": null, "name": 3 } }),
    ] {
        let (status, _) = send(&li, Method::PUT, CONFIG, Some(&tag), &body).await;
        assert_eq!(status, 422, "{body}");
    }
    let long = json!({ "toml": "x".repeat(50 << 20), "reason": "long" });
    assert_eq!(send(&li, Method::PUT, CONFIG, Some(&tag), &long).await.0, 413);
    assert_eq!(
        send(
            &li,
            Method::PUT,
            "/api/v1/cameras/..%2F..%2Fetc/config",
            Some(&tag),
            &json!({ "toml": "", "reason": "x" })
        )
        .await
        .0,
        404
    );
    assert_eq!(site.text(), before);
    let (_, history) = li.get(HISTORY).await;
    assert_eq!(history["versions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn only_who_may_changes_zones_and_only_an_admin_the_source() {
    let site = Site::start().await;
    let (tag, before) = (etag(&site.person("wang", Role::Operator).await).await, site.text());
    let zones = json!({ "camera": { "zone": [] }, "reason": "x" });
    for (name, role) in [("viewer", Role::Viewer), ("operator", Role::Operator)] {
        let person = site.person(name, role).await;
        assert_eq!(send(&person, Method::PUT, CONFIG, Some(&tag), &zones).await.0, 403, "{name}");
        assert_eq!(
            send(&person, Method::POST, &format!("{HISTORY}/1/restore"), Some(&tag), &json!({ "reason": "x" })).await.0,
            403
        );
        assert_eq!(person.send(Method::POST, "/api/v1/cameras/forecourt/check", json!({ "toml": "" })).await.0, 403);
        assert_eq!(person.get(CONFIG).await.0, 200);
    }
    let source = json!({ "camera": { "source": { "url": "rtsp://127.0.0.1:2/other" } }, "reason": "moved" });
    let li = site.person("li.na", Role::Analyst).await;
    let (status, problem) = send(&li, Method::PUT, CONFIG, Some(&tag), &source).await;
    assert_eq!((status, site.text()), (403, before));
    assert!(problem["detail"].as_str().unwrap().contains("edit_source"), "{problem}");
    let chief = site.person("chief", Role::Admin).await;
    let (status, saved) = send(&chief, Method::PUT, CONFIG, Some(&tag), &source).await;
    assert_eq!((status, saved["restart"].as_bool()), (200, Some(false)), "it is in force");
    let detect = json!({ "camera": { "detect": { "score": 0.3 } }, "reason": "too few" });
    assert_eq!(send(&li, Method::PUT, CONFIG, saved["etag"].as_str(), &detect).await.0, 403);
    let (status, saved) = send(&chief, Method::PUT, CONFIG, saved["etag"].as_str(), &detect).await;
    assert_eq!((status, saved["restart"].as_bool()), (200, Some(true)));
    // An analyst may go on with zones while that waits for a restart.
    let name = json!({ "camera": { "name": "North" }, "reason": "a name" });
    assert_eq!(send(&li, Method::PUT, CONFIG, saved["etag"].as_str(), &name).await.0, 200);
    let (_, operations) = li.get("/api/v1/operations").await;
    assert!(operations["restart"][0].as_str().unwrap().contains("forecourt.toml"), "{operations}");
}

#[tokio::test]
async fn the_site_is_checked_as_it_is_on_disk() {
    let site = Site::start().await;
    let li = site.person("li.na", Role::Viewer).await;
    assert_eq!(li.get("/api/v1/check").await, (200, json!({ "faults": [], "warnings": [] })));
    std::fs::write(&site.file, site.text().replace("people = 12", "people = 0")).unwrap();
    let (_, checked) = li.get("/api/v1/check").await;
    assert_eq!(checked["faults"][0]["field"], "zone[0].rule[0].people");
    let (_, shown) = li.get(CONFIG).await;
    assert_eq!(shown["faults"][0]["field"], "zone[0].rule[0].people", "the last good one is in force");
    assert!(site.server.hub.camera("forecourt").unwrap().plan.get().rules.iter().any(|rule| rule.id == "crowded"));
    let (_, schema) = li.get("/api/v1/schema").await;
    assert!(schema["$defs"]["camera"]["properties"]["zone"].is_object());
}

#[tokio::test]
async fn the_ground_is_a_grid_where_it_is_known() {
    let site = Site::start().await;
    let li = site.person("li.na", Role::Analyst).await;
    let ground = "/api/v1/cameras/forecourt/ground";
    let none = |reason: Value| json!({ "ready": false, "reason": reason, "horizon": [], "lines": [], "step_m": null });
    assert_eq!(li.get(ground).await, (200, none(Value::Null)));
    let learn = json!({ "camera": { "ground": "learn" }, "reason": "let it learn" });
    assert_eq!(send(&li, Method::PUT, CONFIG, Some(&etag(&li).await), &learn).await.0, 200);
    let (_, grid) = li.get(ground).await;
    assert!(grid["reason"].as_str().is_some_and(|why| why.contains("people")), "{grid}");
    assert_eq!(grid, none(grid["reason"].clone()));
    let points = json!([[0.11, 0.62], [0.54, 0.60], [0.93, 0.88], [0.05, 0.95]]);
    let metres = json!([[0.0, 0.0], [12.0, 0.0], [12.0, 9.0], [0.0, 9.0]]);
    let body = json!({ "camera": { "ground": { "points": points, "metres": metres } }, "reason": "measured" });
    assert_eq!(send(&li, Method::PUT, CONFIG, Some(&etag(&li).await), &body).await.0, 200);
    let (_, grid) = li.get(ground).await;
    assert_eq!((&grid["ready"], grid["horizon"].as_array().unwrap().len()), (&json!(true), 33));
    assert!(grid["lines"].as_array().unwrap().len() > 5 && grid["step_m"].as_i64().unwrap() >= 1);
}
