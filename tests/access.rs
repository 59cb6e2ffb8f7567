//! Who gets in, what each may do, and what is refused: logins, sessions, roles, tokens.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use lookout::alerts::journal::{NewToken, Tokens};
use lookout::config::plan::{Access, Networks, Role};
use lookout::types::State;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::sample::{alert, event, item};
use crate::support::command::{lookout, ran};
use crate::support::login::{Browser, PASSWORD, user, viewer};
use crate::support::server::Server;
use crate::support::site::SiteFiles;

/// What is there to read, and to change.
const READ: [&str; 18] = [
    "/api/v1/cameras",
    "/api/v1/cameras/forecourt/live",
    "/api/v1/alerts",
    "/api/v1/quiet",
    "/api/v1/statistics",
    "/api/v1/events",
    "/api/v1/users",
    "/api/v1/audit",
    "/api/v1/cameras/forecourt/config",
    "/api/v1/cameras/forecourt/history",
    "/api/v1/cameras/forecourt/history/1",
    "/api/v1/cameras/forecourt/still",
    "/api/v1/cameras/forecourt/ground",
    "/api/v1/schema",
    "/api/v1/check",
    "/api/v1/snoozes",
    "/api/v1/operations",
    "/api/v1/deliveries?state=dead",
];
const CHANGE: [(Method, &str); 16] = [
    (Method::POST, "/api/v1/users"),
    (Method::PATCH, "/api/v1/users/wang"),
    (Method::DELETE, "/api/v1/users/wang"),
    (Method::POST, "/api/v1/users/wang/password"),
    (Method::DELETE, "/api/v1/quiet/1"),
    (Method::POST, "/api/v1/alerts/00000001000000000000000000000000/status"),
    (Method::POST, "/api/v1/session/password"),
    (Method::PUT, "/api/v1/cameras/forecourt/config"),
    (Method::POST, "/api/v1/cameras/forecourt/check"),
    (Method::POST, "/api/v1/cameras/forecourt/history/1/restore"),
    (Method::POST, "/api/v1/cameras/forecourt/plain"),
    (Method::POST, "/api/v1/cameras/forecourt/rules/crowded/snooze"),
    (Method::DELETE, "/api/v1/cameras/forecourt/rules/crowded/snooze"),
    (Method::POST, "/api/v1/deliveries/redeliver"),
    (Method::POST, "/api/v1/alerts-test"),
    (Method::POST, "/api/v1/cameras/forecourt/reference"),
];

async fn status(client: &Client, address: SocketAddr, method: &Method, path: &str) -> u16 {
    let request = client.request(method.clone(), format!("http://{address}{path}"));
    request.json(&json!({ "status": "accepted" })).send().await.unwrap().status().as_u16()
}

/// The first line of the answer to bytes as they are.
fn raw(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn nobody_gets_anything_but_the_page_health_and_the_login() {
    let server = Server::start().await;
    let nobody = Client::new();
    for path in READ {
        assert_eq!(status(&nobody, server.address, &Method::GET, path).await, 401, "{path}");
    }
    for (method, path) in &CHANGE {
        assert_eq!(status(&nobody, server.address, method, path).await, 401, "{path}");
    }
    let evidence = format!("/api/v1/alerts/{}/evidence/start.jpg", alert(1));
    assert_eq!(status(&nobody, server.address, &Method::GET, &evidence).await, 401);
    for path in ["/", "/healthz", "/metrics"] {
        assert_eq!(status(&nobody, server.address, &Method::GET, path).await, 200, "{path}");
    }
    assert_eq!(status(&nobody, server.address, &Method::GET, "/api/v1/session").await, 401);
    let wrong = nobody.get(format!("http://{}/api/v1/cameras", server.address));
    let told = wrong.basic_auth("admin", Some("admin")).send().await.unwrap();
    assert_eq!(
        (told.status().as_u16(), told.headers()["www-authenticate"].to_str().unwrap()),
        (401, "Bearer realm=\"lookout\"")
    );
}

#[tokio::test]
async fn metrics_are_open_to_the_named_networks_alone() {
    let access = Access { metrics_from: Networks::default(), ..Access::default() };
    let server = Server::start_with(access).await;
    assert_eq!(status(&Client::new(), server.address, &Method::GET, "/metrics").await, 401);
    assert_eq!(server.get("/metrics").await.status(), 200, "a viewer's token");
    let open = Server::start().await;
    let forwarded =
        Client::new().get(format!("http://{}/metrics", open.address)).header("x-forwarded-for", "127.0.0.1");
    assert_eq!(forwarded.send().await.unwrap().status(), 401, "through somebody's proxy");
}

#[tokio::test]
async fn a_session_is_a_cookie_that_scripts_and_other_sites_cannot_use() {
    let server = Server::start().await;
    user(server.folder.path(), "wang", Role::Operator);
    let answer = Browser::try_login(server.address, "wang", PASSWORD).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["lookout_session=", "; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=604800"] {
        assert!(cookie.contains(part), "no {part} in {cookie}");
    }
    assert!(!cookie.contains("Secure"), "it came by HTTP");
    let browser = Browser::entered(server.address, answer).await;
    let said = &browser.session;
    assert_eq!(
        (&said["name"], &said["role"], &said["must_change"]),
        (&json!("wang"), &json!("operator"), &json!(false))
    );
    assert_eq!(said["rights"], json!(["see", "answer", "snooze"]));
    assert_eq!(browser.get("/api/v1/session").await, (200, said.clone()), "the same again");
    assert_eq!(browser.get("/api/v1/cameras").await.0, 200);

    let body = json!({ "old": "x", "new": "y" });
    let path = "/api/v1/session/password";
    let without = browser.without_csrf(Method::POST, path).json(&body).send().await.unwrap();
    assert_eq!(without.status(), 403);
    assert!(without.text().await.unwrap().contains("X-Lookout-CSRF"));
    let guessed = browser.without_csrf(Method::POST, path).header("x-lookout-csrf", "guess").json(&body);
    assert_eq!(guessed.send().await.unwrap().status(), 403);
    let foreign = browser.request(Method::POST, path).header("sec-fetch-site", "cross-site").json(&body);
    assert!(foreign.send().await.unwrap().text().await.unwrap().contains("another site"));

    let other = Browser::login(server.address, "wang", PASSWORD).await;
    let out = browser.request(Method::DELETE, "/api/v1/session").send().await.unwrap();
    assert_eq!(
        (out.status().as_u16(), out.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0")),
        (204, true)
    );
    assert_eq!((browser.get("/api/v1/cameras").await.0, other.get("/api/v1/cameras").await.0), (401, 200));
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_are_the_same_fault() {
    let server = Server::start().await;
    user(server.folder.path(), "wang", Role::Viewer);
    let said = async |name: &str, password: &str| {
        let answer = Browser::try_login(server.address, name, password).await;
        assert!(!answer.headers().contains_key("set-cookie"));
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let wrong = said("wang", "not this one at all").await;
    assert_eq!(wrong.0, 401);
    for (name, password) in [("nobody", PASSWORD), ("", ""), ("wang ", PASSWORD), ("'; DROP TABLE user; --", "x")] {
        assert_eq!(said(name, password).await, wrong, "{name}");
    }
    for body in [
        "",
        "{}",
        "[]",
        r#"{"name":"wang"}"#,
        r#"{"name":"wang","password":1}"#,
        r#"{"name":"w","password":"p","x":1}"#,
    ] {
        let request = Client::new().post(format!("http://{}/api/v1/session", server.address));
        let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
        assert!([400, 422].contains(&answer.status().as_u16()), "{body}");
    }
}

#[tokio::test]
async fn a_thousand_tries_are_few_and_the_right_password_waits_as_well() {
    let server = Server::start().await;
    user(server.folder.path(), "wang", Role::Admin);
    let admin = Browser::login(server.address, "wang", PASSWORD).await;
    let (client, url) = (Client::new(), format!("http://{}/api/v1/session", server.address));
    let (mut wrong, mut often) = (0_usize, 0_usize);
    for n in 0..1000 {
        let body = json!({ "name": "wang", "password": format!("guess number {n}") });
        match client.post(&url).json(&body).send().await.unwrap().status().as_u16() {
            401 => wrong += 1,
            429 => often += 1,
            other => panic!("{other}"),
        }
    }
    // One more for every half minute that a slow machine needs.
    assert!((10..=13).contains(&wrong) && wrong + often == 1000, "{wrong} tries were let through");
    let locked = Browser::try_login(server.address, "wang", PASSWORD).await;
    assert_eq!(locked.status(), 429);
    let wait: u64 = locked.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=31).contains(&wait), "{wait}");
    assert_eq!(admin.get("/api/v1/cameras").await.0, 200, "who is in stays in");
    let failed = admin.get("/api/v1/audit?limit=500").await.1;
    let failed = failed["entries"].as_array().unwrap().iter().filter(|e| e["what"] == "login.failed").count();
    assert_eq!(failed, wrong, "what was not tried is not recorded");
    let series = "lookout_overflow_total{queue=\"logins\"}";
    assert!(server.get("/metrics").await.text().await.unwrap().contains(&format!("{series} {}", often + 1)));
}

#[tokio::test]
async fn the_first_password_must_be_changed_before_anything_else() {
    let server = Server::start().await;
    user(server.folder.path(), "chief", Role::Admin);
    let chief = Browser::login(server.address, "chief", PASSWORD).await;
    let (code, added) = chief.send(Method::POST, "/api/v1/users", json!({ "name": "li", "role": "analyst" })).await;
    assert_eq!((code, &added["role"], &added["must_change"]), (201, &json!("analyst"), &json!(true)));
    let first = added["password"].as_str().unwrap();
    let li = Browser::login(server.address, "li", first).await;
    assert_eq!(li.session["must_change"], true);
    for path in READ {
        let (code, problem) = li.get(path).await;
        assert_eq!((code, &problem["type"]), (403, &json!("/problems/password-must-change")), "{path}");
    }
    let (code, problem) = li.send(Method::POST, &format!("/api/v1/alerts/{}/status", alert(1)), json!({})).await;
    assert_eq!((code, &problem["type"]), (403, &json!("/problems/password-must-change")));
    let path = "/api/v1/session/password";
    for (old, new, code) in [
        ("wrong", "a good new password", 403),
        (first, "short", 422),
        (first, first, 422),
        (first, "aaaaaaaaaaaaaaaaaaa", 422),
    ] {
        assert_eq!(li.send(Method::POST, path, json!({ "old": old, "new": new })).await.0, code, "{new}");
    }
    let other = Browser::login(server.address, "li", first).await;
    let body = json!({ "old": first, "new": "a good new password" });
    let changed = li.request(Method::POST, path).json(&body).send().await.unwrap();
    assert_eq!(changed.status(), 200);
    let fresh = Browser::entered(server.address, changed).await;
    assert_eq!(fresh.session["must_change"], false);
    let codes =
        [fresh.get("/api/v1/cameras").await.0, li.get("/api/v1/cameras").await.0, other.get("/api/v1/cameras").await.0];
    assert_eq!(codes, [200, 401, 401], "the secret changes with the password, other sessions end");
    assert_eq!(Browser::try_login(server.address, "li", first).await.status(), 401);
}

#[tokio::test]
async fn users_are_managed_by_admins_and_every_change_is_recorded() {
    let server = Server::start().await;
    for (name, role) in
        [("chief", Role::Admin), ("wang", Role::Viewer), ("li", Role::Analyst), ("zhao", Role::Operator)]
    {
        user(server.folder.path(), name, role);
    }
    let chief = Browser::login(server.address, "chief", PASSWORD).await;
    for name in ["wang", "li", "zhao"] {
        let browser = Browser::login(server.address, name, PASSWORD).await;
        for path in ["/api/v1/users", "/api/v1/audit"] {
            let (code, problem) = browser.get(path).await;
            assert_eq!(code, 403, "{name}");
            assert!(problem["detail"].as_str().unwrap().contains("needs the right"), "{problem}");
        }
        for (method, path) in &CHANGE[..4] {
            let body = json!({ "name": "x", "role": "admin" });
            let body = if *method == Method::PATCH { json!({ "role": "admin" }) } else { body };
            assert_eq!(browser.send(method.clone(), path, body).await.0, 403, "{name} {path}");
        }
    }
    let (_, listed) = chief.get("/api/v1/users").await;
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|u| u["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["chief", "li", "wang", "zhao"]);
    assert!(!listed.to_string().contains("argon2"), "no hash leaves");

    let wang = Browser::login(server.address, "wang", PASSWORD).await;
    let mut live = wang.request(Method::GET, "/api/v1/events").send().await.unwrap();
    let (code, changed) = chief.send(Method::PATCH, "/api/v1/users/wang", json!({ "role": "operator" })).await;
    assert_eq!((code, &changed["role"]), (200, &json!("operator")));
    assert_eq!(wang.get("/api/v1/session").await.1["role"], "operator", "at once");
    assert_eq!(chief.send(Method::PATCH, "/api/v1/users/wang", json!({ "disabled": true })).await.0, 200);
    assert_eq!(wang.get("/api/v1/cameras").await.0, 401);
    assert_eq!(Browser::try_login(server.address, "wang", PASSWORD).await.status(), 401);
    let ended = tokio::time::timeout(Duration::from_secs(20), async { while live.chunk().await.unwrap().is_some() {} });
    ended.await.expect("what they watched ends too");

    let zhao = Browser::login(server.address, "zhao", PASSWORD).await;
    let (code, reset) = chief.send(Method::POST, "/api/v1/users/zhao/password", json!({})).await;
    assert_eq!((code, zhao.get("/api/v1/cameras").await.0), (200, 401));
    let new = reset["password"].as_str().unwrap();
    assert_eq!(Browser::login(server.address, "zhao", new).await.session["must_change"], true);
    assert_eq!(chief.send(Method::DELETE, "/api/v1/users/zhao", json!({})).await.0, 204);
    assert_eq!(Browser::try_login(server.address, "zhao", new).await.status(), 401);

    for (method, path, body, code) in [
        (Method::POST, "/api/v1/users", json!({ "name": "li", "role": "viewer" }), 409),
        (Method::POST, "/api/v1/users", json!({ "name": "<b>x</b>", "role": "viewer" }), 422),
        (Method::POST, "/api/v1/users", json!({ "name": "x", "role": "root" }), 422),
        (Method::PATCH, "/api/v1/users/nobody", json!({ "role": "viewer" }), 404),
        (Method::PATCH, "/api/v1/users/chief", json!({ "role": "viewer" }), 409),
        (Method::PATCH, "/api/v1/users/chief", json!({ "disabled": true }), 409),
        (Method::DELETE, "/api/v1/users/chief", json!({}), 409),
        (Method::DELETE, "/api/v1/users/nobody", json!({}), 404),
        (Method::POST, "/api/v1/users/nobody/password", json!({}), 404),
        (Method::PATCH, "/api/v1/users/li", json!({ "name": "admin" }), 422),
    ] {
        assert_eq!(chief.send(method.clone(), path, body.clone()).await.0, code, "{method} {path} {body}");
    }
    let (_, audit) = chief.get("/api/v1/audit").await;
    let told: Vec<(String, String)> = audit["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["who"] == "chief" && e["what"] != "login")
        .map(|e| (e["what"].as_str().unwrap().to_owned(), e["target"].as_str().unwrap().to_owned()))
        .collect();
    let expected =
        [("user.remove", "zhao"), ("user.password", "zhao"), ("user.change", "wang"), ("user.change", "wang")];
    assert_eq!(told, expected.map(|(what, target)| (what.to_owned(), target.to_owned())));
    assert!(audit["entries"].as_array().unwrap().iter().all(|e| e["from"] == "127.0.0.1"));
    assert!(!audit.to_string().contains(PASSWORD) && !audit.to_string().contains(new));
    let page = chief.get("/api/v1/audit?limit=2").await.1;
    let next = chief.get(&format!("/api/v1/audit?limit=1&before={}", page["next"])).await.1;
    assert_eq!(next["entries"][0], audit["entries"][2]);
}

#[tokio::test]
async fn operators_answer_and_tokens_do_what_they_are_for() {
    let mut server = Server::start().await;
    server.journal.append(&[item(1, 0, State::Started, &[]), item(2, 0, State::Started, &[])]).unwrap();
    for (name, role) in [("wang", Role::Viewer), ("li", Role::Analyst), ("zhao", Role::Operator)] {
        user(server.folder.path(), name, role);
    }
    let path = |n| format!("/api/v1/alerts/{}/status", alert(n));
    let body = json!({ "status": "false_alarm", "reason": "not_a_person" });
    for name in ["wang", "li"] {
        let browser = Browser::login(server.address, name, PASSWORD).await;
        assert_eq!(browser.send(Method::POST, &path(1), body.clone()).await.0, 403, "{name}");
    }
    let zhao = Browser::login(server.address, "zhao", PASSWORD).await;
    let (code, taken) = zhao.send(Method::POST, &path(1), body.clone()).await;
    assert_eq!((code, &taken["by"], &taken["via"]), (200, &json!("zhao"), &json!("user")));
    let wang = Browser::login(server.address, "wang", PASSWORD).await;
    let quiet = format!("/api/v1/quiet/{}", taken["quiet"]);
    assert_eq!(wang.send(Method::DELETE, &quiet, json!({})).await.0, 403);
    assert_eq!(zhao.send(Method::DELETE, &quiet, json!({})).await.0, 204);
    let without = zhao.without_csrf(Method::POST, &path(2)).json(&body).send().await.unwrap();
    assert_eq!(without.status(), 403);

    // A viewer's token reads and changes nothing; one for answers answers and reads nothing.
    for (method, path) in &CHANGE {
        assert_eq!(status(&server.client, server.address, method, path).await / 100, 4, "{path}");
    }
    let grid = event(2, 0, State::Started).grid.unwrap();
    let new = NewToken { name: "squad".into(), grids: vec![grid], ..NewToken::default() };
    let squad = Tokens::open(server.folder.path()).unwrap().create(&new).unwrap().unwrap();
    let squad = |request: reqwest::RequestBuilder| request.bearer_auth(&squad).send();
    let url = |path: &str| format!("http://{}{path}", server.address);
    for read in READ.iter().chain(&["/api/v1/alerts/00000002000000000000000000000000/evidence/start.jpg"]) {
        assert_eq!(squad(Client::new().get(url(read))).await.unwrap().status(), 403, "{read}");
    }
    assert_eq!(squad(Client::new().post(url(&path(2))).json(&body)).await.unwrap().status(), 200);
    assert_eq!(
        squad(Client::new().post(url("/api/v1/users")).json(&json!({}))).await.unwrap().status().as_u16() / 100,
        4
    );
    let who: Value = squad(Client::new().get(url("/api/v1/session"))).await.unwrap().json().await.unwrap();
    assert_eq!((&who["name"], &who["role"], &who["csrf"]), (&json!("squad"), &Value::Null, &Value::Null));
    Tokens::open(server.folder.path()).unwrap().revoke("squad").unwrap();
    assert_eq!(squad(Client::new().post(url(&path(2))).json(&body)).await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_and_paths_that_climb_are_refused_early() {
    let server = Server::start().await;
    let token = viewer(server.folder.path());
    let host = format!("Host: {}\r\nAuthorization: Bearer {token}\r\n", server.address);
    for path in ["/api/v1/session", "/api/v1/users", &format!("/api/v1/alerts/{}/status", alert(1))] {
        let head = format!(
            "POST {path} HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: 50000000\r\n\r\n{{"
        );
        assert_eq!(raw(server.address, &head), "HTTP/1.1 413", "{path}: before the body has come");
    }
    for path in [
        "/../../etc/passwd",
        "/api/v1/../../../etc/passwd",
        "/api/v1/alerts/..%2F..%2F..%2Fconsole.sqlite",
        "/api/v1/alerts/00000001000000000000000000000000/evidence/..%2f..%2fadmin-password",
        "/api/v1/cameras/..%2f..%2fsite/live",
        "//api/v1/cameras",
        "/api/v1/%63ameras",
        "/assets/..%2f..%2fetc/passwd",
    ] {
        let line = raw(server.address, &format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n\r\n"));
        assert!(["HTTP/1.1 404", "HTTP/1.1 400"].contains(&line.as_str()), "{path}: {line}");
    }
}

#[test]
fn the_first_start_leaves_a_password_that_opens_once_and_is_nowhere_else() {
    let files = SiteFiles::new("");
    files.camera("gate", "url = \"rtsp://127.0.0.1:9/none\"");
    let config = files.path("site.toml");
    let run = files.start();
    let path = files.path("data/admin-password");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let password = std::fs::read_to_string(&path).unwrap().trim().to_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    rustls::crypto::ring::default_provider().install_default().ok();
    runtime.block_on(async {
        let admin = Browser::login(run.address, "admin", &password).await;
        assert_eq!((&admin.session["role"], &admin.session["must_change"]), (&json!("admin"), &json!(true)));
        let body = json!({ "old": password, "new": "a password of one's own" });
        assert_eq!(admin.send(Method::POST, "/api/v1/session/password", body).await.0, 200);
    });
    assert!(!path.exists(), "it is good no more");
    assert!(!run.log().contains(&password) && !run.log().contains("one's own"));
    assert!(run.log().contains("logged in"));

    // Users by command, also while it runs.
    let user = |words: &[&str], input: &str| {
        let mut command = lookout();
        command.arg("user").args(words).arg("--config").arg(&config);
        let file = files.path("input");
        std::fs::write(&file, input).unwrap();
        ran(command.stdin(std::fs::File::open(file).unwrap()))
    };
    let made = user(&["add", "wang", "--role", "operator"], "");
    assert!(made.code == 0 && made.out.trim().len() == 23 && made.err.contains("shown only now"), "{made:?}");
    user(&["add", "wang", "--role", "viewer"], "").refused(2, &["there is a user `wang` already"]);
    user(&["add", "a/b", "--role", "viewer"], "").refused(2, &["a name has"]);
    user(&["add", "li", "--role", "viewer", "--stdin"], "short\n").refused(2, &["at least 12"]);
    user(&["add", "li", "--role", "viewer", "--stdin"], "long enough for li\n").went_well();
    user(&["passwd", "nobody"], "").refused(2, &["there is no user `nobody`"]);
    assert_eq!(user(&["add", "x", "--role", "root"], "").code, 2);
    let listed = user(&["list"], "").out;
    let line = |name: &str| listed.lines().find(|l| l.starts_with(name)).unwrap().to_owned();
    assert!(line("wang").contains("must change") && line("li").contains("good") && line("admin").contains("admin"));
    runtime.block_on(async {
        let li = Browser::login(run.address, "li", "long enough for li").await;
        assert_eq!(li.get("/api/v1/cameras").await.0, 200);
        tokio::task::block_in_place(|| user(&["passwd", "li", "--stdin"], "another one for li\n").went_well());
        assert_eq!(li.get("/api/v1/cameras").await.0, 401, "their sessions end");
    });
    assert_eq!(run.interrupt(), Some(0));
    let run = files.start();
    assert!(!path.exists(), "there is an admin");
    assert_eq!(run.interrupt(), Some(0));
}
