//! What dispatch answers: by token or in a webhook's answer; kept, counted, and what happens when nobody answers.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use lookout::alerts::evidence::FOLDER;
use lookout::alerts::evidence::link::Linker;
use lookout::alerts::journal::{Appended, Errands, Journal, NewToken, Tokens, Watch};
use lookout::api::evidence::Files;
use lookout::api::{ApiState, bind, serve};
use lookout::config::load_site;
use lookout::config::plan::{Sink, SinkKind, Webhook};
use lookout::dispatch::Router;
use lookout::engine::hub::LiveHub;
use lookout::engine::trails::desk::TrailDesk;
use lookout::engine::trials::Trials;
use lookout::telemetry::Metrics;
use lookout::types::{Span, State};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::sample::{House, Receiver, alert, file, item, quick, site, until, webhook};
use crate::support::command::{lookout, ran};
use crate::support::login::{client, viewer};
use crate::support::server::plans;
use crate::support::site::SiteFiles;

const SECOND: Span = Span::from_secs(1);

/// A journal with workers and the API.
struct Server {
    house: House,
    address: SocketAddr,
    client: Client,
    /// A viewer's token.
    reader: String,
    _stop: watch::Sender<bool>,
}

impl Server {
    async fn start(folder: &Path, sinks: Vec<Sink>) -> Self {
        let house = House::start(folder, &sinks, quick());
        house.metrics.for_route("squad");
        let site = site(folder, sinks);
        let (stop, stopped) = watch::channel(false);
        let linker = Linker::open(folder, None, Span::from_secs(60)).unwrap();
        let files = Files { root: folder.join(FOLDER), linker };
        let (metrics, desk) = (Arc::clone(&house.metrics), Arc::clone(&house.desk));
        let trails = Arc::new(TrailDesk::new(&site).unwrap());
        let hub = LiveHub::new(&site);
        let plans = plans(folder, site.clone(), &hub, &metrics);
        let state = ApiState::new(&site, plans, hub, metrics, files, desk, trails, stopped).unwrap();
        let listener = bind(&site).await.unwrap();
        let address = listener.address();
        tokio::spawn(serve(listener, state));
        Self { house, address, client: client(), reader: viewer(folder), _stop: stop }
    }

    fn append(&mut self, n: u32, sink: &str) {
        let watches = vec![Watch { route: "squad".into(), within: Some(Span::from_secs(3600)) }];
        self.house.append(&[Appended { watches, ..item(n, 0, State::Started, &[sink]) }]);
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        let request = self.client.get(format!("http://{}{path}", self.address));
        request.bearer_auth(&self.reader).send().await.unwrap()
    }

    async fn answer(&self, n: u32, token: Option<&str>, body: &str) -> (u16, Value) {
        let url = format!("http://{}/api/v1/alerts/{}/status", self.address, alert(n));
        let mut request = self.client.post(url).header("content-type", "application/json").body(body.to_owned());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        assert_eq!(answer.headers().contains_key("www-authenticate"), status == 401);
        (status, answer.json().await.unwrap())
    }

    fn answered(&self, outcome: &str) -> f64 {
        self.house.metric(&format!("lookout_answers_total{{outcome=\"{outcome}\",route=\"squad\"}}"))
    }

    fn refused(&self, reason: &str) -> f64 {
        self.house.metric(&format!("lookout_answers_refused_total{{reason=\"{reason}\"}}"))
    }
}

/// The same webhook, whose receiver may answer alerts in its answers.
pub fn answering(sink: Sink) -> Sink {
    let SinkKind::Webhook(plan) = sink.kind else { panic!("{sink:?}") };
    Sink { id: sink.id, kind: SinkKind::Webhook(Webhook { answers: true, ..plan }) }
}

fn token(folder: &Path, name: &str, sinks: &[&str], grids: &[&str]) -> String {
    let own = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect();
    let token = NewToken { name: name.into(), sinks: own(sinks), grids: own(grids), ..NewToken::default() };
    Tokens::open(folder).unwrap().create(&token).unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_answers_the_alerts_that_it_names_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = vec![file("platform", folder.path().join("a")), file("other", folder.path().join("b"))];
    let mut server = Server::start(folder.path(), sinks).await;
    server.append(1, "platform");
    let platform = token(folder.path(), "platform", &["platform"], &[]);
    let squad = token(folder.path(), "squad", &[], &["shizhong-03"]);
    let strangers =
        [token(folder.path(), "strange-sink", &["other"], &[]), token(folder.path(), "strange-grid", &[], &["x"])];
    let over = NewToken {
        name: "over".into(),
        sinks: vec!["platform".into()],
        expires: Some(jiff::Timestamp::now() - jiff::SignedDuration::from_secs(1)),
        ..NewToken::default()
    };
    let over = Tokens::open(folder.path()).unwrap().create(&over).unwrap().unwrap();

    assert_eq!(server.answer(1, None, r#"{"status":"accepted"}"#).await.0, 401);
    assert_eq!(server.answer(1, Some("lookout_x"), r#"{"status":"accepted"}"#).await.0, 401);
    let (status, problem) = server.answer(1, Some(&over), r#"{"status":"accepted"}"#).await;
    assert_eq!((status, problem["detail"].as_str().unwrap().contains("expired")), (401, true), "{problem}");
    for stranger in &strangers {
        assert_eq!(server.answer(1, Some(stranger), r#"{"status":"accepted"}"#).await.0, 403);
    }
    let (status, problem) = server.answer(9, Some(&platform), r#"{"status":"accepted"}"#).await;
    assert_eq!((status, problem["detail"].as_str().unwrap().contains("there is no alert")), (404, true));
    for (body, word) in [
        ("", "EOF"),
        ("accepted", "JSON"),
        (r#"{"status":"seen"}"#, "`seen` is not one of accepted, assigned, resolved, false_alarm"),
        (r#"{"status":"assigned"}"#, "`assigned` needs `unit`"),
    ] {
        let (status, problem) = server.answer(1, Some(&platform), body).await;
        assert!((400..500).contains(&status) && problem["detail"].as_str().unwrap().contains(word), "{problem}");
    }
    let large = format!(r#"{{"status":"assigned","unit":"{}"}}"#, "x".repeat(20_000));
    assert_eq!(server.answer(1, Some(&platform), &large).await.0, 413);
    let refused = ["unauthorized", "forbidden", "unknown", "malformed"].map(|reason| server.refused(reason) as u32);
    assert_eq!(refused, [3, 2, 1, 5]);
    assert_eq!(server.house.reader().show(alert(1)).unwrap().unwrap().answers, []);

    let (status, taken) = server.answer(1, Some(&platform), r#"{"status":"accepted"}"#).await;
    assert_eq!((status, &taken["repeated"], &taken["by"]), (200, &json!(false), &json!("platform")));
    let (status, again) = server.answer(1, Some(&platform), r#"{"status":"accepted"}"#).await;
    assert_eq!((status, &again["repeated"], &again["at"]), (200, &json!(true), &taken["at"]));
    let (status, _) = server.answer(1, Some(&squad), r#"{"status":"assigned","unit":"市中三队"}"#).await;
    assert_eq!((status, server.answered("accepted") as u32, server.answered("assigned") as u32), (200, 1, 1));
    assert_eq!(server.answered("resolved") as u32, 0, "there from the start");

    let story: Value = server.get(&format!("/api/v1/alerts/{}", alert(1))).await.json().await.unwrap();
    assert_eq!(story["answers"][1]["unit"], "市中三队");
    assert_eq!((&story["answers"][0]["via"], &story["routes"][0]["state"]), (&json!("token"), &json!("answered")));
    Tokens::open(folder.path()).unwrap().revoke("platform").unwrap();
    assert_eq!(server.answer(1, Some(&platform), r#"{"status":"accepted"}"#).await.0, 401, "withdrawn");
    server.house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_may_answer_in_its_answer() {
    let receiver = Receiver::start(|_, got| {
        let body = match got.key().as_bytes()[7] {
            b'1' => r#"{"status":"assigned","unit":"squad 3"}"#,
            b'2' => r#"{"status":"assigned"}"#,
            b'3' => r#"{"status":"ok","unit":"squad 3"}"#,
            _ => "",
        };
        (StatusCode::ACCEPTED, body).into_response()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    // A second one says the same, and may not.
    let may = answering(webhook("platform", receiver.address, SECOND));
    let sinks = vec![may, webhook("other", receiver.address, SECOND)];
    let mut server = Server::start(folder.path(), sinks).await;
    for n in 1..=4 {
        server.append(n, "platform");
        server.append(16 + n, "other");
    }
    server.house.append(&[item(1, 1, State::Ended, &[])]);
    let delivered = "lookout_deliveries_total{outcome=\"delivered\",sink=\"platform\"}";
    until("all are delivered", || server.house.metric(delivered) as u32 == 5).await;
    until("the answer is counted", || server.answered("assigned") as u32 == 1).await;
    until("the wrong one too", || server.refused("malformed") as u32 == 1).await;
    until("and those of the other one", || server.refused("forbidden") as u32 == 2).await;
    let reader = server.house.reader();
    let answers = |n| reader.show(alert(n)).unwrap().unwrap().answers;
    let first = answers(1);
    assert_eq!((first.len(), first[0].by.as_str(), first[0].answer.detail()), (1, "platform", Some("squad 3")));
    assert_eq!([answers(2), answers(3), answers(4)], [vec![], vec![], vec![]]);
    assert_eq!([answers(17), answers(18)], [vec![], vec![]]);
    server.house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_spot_is_made_by_an_answer_listed_and_released() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), vec![file("platform", folder.path().join("a"))]).await;
    server.append(1, "platform");
    let platform = token(folder.path(), "platform", &["platform"], &[]);
    let stranger = token(folder.path(), "stranger", &[], &["x"]);
    let body = r#"{"status":"false_alarm","reason":"not_a_person"}"#;
    let (status, taken) = server.answer(1, Some(&platform), body).await;
    let id = taken["quiet"].as_i64().unwrap();
    assert_eq!(status, 200);
    let url = format!("http://{}/api/v1/quiet", server.address);
    let list = async || -> Value { server.get("/api/v1/quiet").await.json().await.unwrap() };
    let listed = list().await;
    assert_eq!((&listed[0]["id"], &listed[0]["camera"]), (&json!(id), &json!("forecourt")));
    assert_eq!((&listed[0]["alert"], listed.as_array().unwrap().len()), (&json!(alert(1).to_string()), 1));
    let release = async |id: &str, token: &str| {
        server.client.delete(format!("{url}/{id}")).bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    let number = id.to_string();
    assert_eq!(release(&number, "lookout_x").await, 401);
    assert_eq!(release(&number, &stranger).await, 403);
    assert_eq!((release("99", &platform).await, release("x", &platform).await), (404, 404));
    assert_eq!(release(&number, &platform).await, 204);
    assert_eq!(release(&number, &platform).await, 404, "it is released");
    assert_eq!(list().await, json!([]));
    server.house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_is_told_in_figures() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), vec![file("platform", folder.path().join("a"))]).await;
    server.append(1, "platform");
    server.append(2, "platform");
    let platform = token(folder.path(), "platform", &["platform"], &[]);
    server.answer(1, Some(&platform), r#"{"status":"resolved","outcome":"left"}"#).await;
    let announced = server.house.reader().show(alert(1)).unwrap().unwrap().routes[0].announced_at;
    let day = jiff::tz::TimeZone::UTC.to_datetime(announced).date();
    let get = async |query: &str| server.get(&format!("/api/v1/statistics{query}")).await;
    let told: Value = get(&format!("?day={day}")).await.json().await.unwrap();
    assert_eq!((&told["site"], &told["time_zone"], &told["day"]), (&json!("weibei"), &json!("UTC"), &json!(day)));
    let figures = &told["grids"][0];
    assert_eq!(figures["grid"], "shizhong-03");
    assert_eq!([&figures["received"], &figures["answered"], &figures["resolved"], &figures["in_time"]], [2, 1, 1, 1]);
    assert_eq!((&told["kinds"][0]["kind"], &told["total"]["due"]), (&json!("loitering"), &json!(2)));
    let before: Value = get("?day=2020-02-29").await.json().await.unwrap();
    assert_eq!((&before["total"]["received"], &before["total"]["median_minutes"]), (&json!(0), &Value::Null));
    for wrong in ["?day=yesterday", "?day=2026-02-30", "?date=2026-01-01"] {
        assert_eq!(get(wrong).await.status(), 400, "{wrong}");
    }
    server.house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_up_is_delivered_again_on_request() {
    let good = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_good = Arc::clone(&good);
    let receiver = Receiver::start(move |_, _| {
        let good = is_good.load(std::sync::atomic::Ordering::SeqCst);
        if good { StatusCode::NO_CONTENT.into_response() } else { StatusCode::BAD_REQUEST.into_response() }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::start(folder.path(), &[webhook("platform", receiver.address, SECOND)], quick());
    house.append(&[item(1, 0, State::Started, &["platform"]), item(2, 0, State::Started, &["platform"])]);
    let reader = house.reader();
    until("both are given up", || reader.dead_letters(None).unwrap().len() == 2).await;
    good.store(true, std::sync::atomic::Ordering::SeqCst);
    let mut errands = Errands::open(folder.path()).unwrap();
    assert_eq!(errands.redeliver(Some(alert(9))).unwrap(), 0);
    assert_eq!(errands.redeliver(Some(alert(1))).unwrap(), 1);
    assert!(house.journal.errands(jiff::Timestamp::now()).unwrap().ring, "a run is told");
    assert!(!house.journal.errands(jiff::Timestamp::now()).unwrap().ring, "once");
    house.bell.ring();
    let delivered = "lookout_deliveries_total{outcome=\"delivered\",sink=\"platform\"}";
    until("the first is there", || house.metric(delivered) as u32 == 1).await;
    assert_eq!(errands.redeliver(None).unwrap(), 1);
    house.bell.ring();
    until("the second too", || house.metric(delivered) as u32 == 2).await;
    until("it is written down", || reader.dead_letters(None).unwrap().is_empty()).await;
    house.stop().await;
}

/// A site whose camera cannot be reached: enough for commands and for a run that tests its routes.
fn idle(more: &str) -> SiteFiles {
    let files = SiteFiles::new(more);
    files.camera("gate", "url = \"rtsp://127.0.0.1:9/none\"");
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_alert_goes_the_whole_way_with_and_without_a_run() {
    let receiver = Receiver::start(|_, _| (StatusCode::OK, r#"{"status":"accepted"}"#).into_response()).await;
    let files = idle(&format!(
        "[[sink]]\nid = \"hook\"\nkind = \"webhook\"\nurl = \"http://{}/in\"\nallow_private = true\nanswers = true\n\
         [[route]]\nid = \"night\"\nto = [\"hook\", \"record\"]\nschedule = {{ from = \"00:00\", to = \"00:01\" }}\n\
         answer_within = \"1s\"\ntest_at = \"06:00\"\n[[route]]\nid = \"rest\"\nto = [\"record\"]\ndefault = true\n",
        receiver.address
    ));
    let config = files.path("site.toml");
    let test = |words: &[&str]| {
        tokio::task::block_in_place(|| ran(lookout().args(["alerts", "test"]).args(words).arg("--config").arg(&config)))
    };
    test(&["--route", "day"]).refused(2, &["there is no route `day`; there are: night, rest"]);
    let alone = test(&["--route", "night"]);
    assert_eq!(alone.code, 0, "{alone:?}");
    for words in ["route night: good", "in the outbox of hook", "delivered", "accepted by hook"] {
        assert!(alone.out.contains(words), "no `{words}` in {}", alone.out);
    }
    let sent: Value = serde_json::from_slice(&receiver.got()[0].body).unwrap();
    assert_eq!((&sent["data"]["test"], &sent["data"]["state"]), (&json!(true), &json!("started")));
    assert!(sent["data"]["text"]["zh"].as_str().unwrap().starts_with("【测试】"), "{sent}");
    let states = |name: &str| -> Vec<String> {
        files.lines(name).iter().map(|e| e["state"].as_str().unwrap().to_owned()).collect()
    };
    until("its end as well", || receiver.got().len() == 2 && states("alerts.jsonl") == ["started", "ended"]).await;

    let success = |route: &str| format!("lookout_alert_test_success_timestamp_seconds{{route=\"{route}\"}}");
    let mut run = tokio::task::block_in_place(|| files.start());
    tokio::task::block_in_place(|| {
        run.until("the last success is known", |run| run.metric(&success("night")) > Some(0.0));
        assert_eq!(run.metric(&success("rest")), Some(0.0));
    });
    let both = test(&["--json"]);
    assert_eq!(both.code, 0, "{both:?}");
    let told: Vec<Value> = both.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        told.iter().map(|t| (&t["route"], &t["good"])).collect::<Vec<_>>(),
        [(&json!("night"), &json!(true)), (&json!("rest"), &json!(true))]
    );
    tokio::task::block_in_place(|| {
        run.until("the other one is known too", |run| run.metric(&success("rest")) > Some(0.0));
        let series = "lookout_alerts_total{camera=\"gate\",kind=\"intrusion\",severity=\"minor\"}";
        assert_eq!(run.metric(series), Some(0.0), "tests are not counted");
        assert_eq!(run.metric("lookout_alerts_unanswered{route=\"night\"}"), Some(0.0), "nor waited for");
        assert!(run.get("/api/v1/statistics").contains("\"received\":0"));
        assert_eq!(run.interrupt(), Some(0));
    });
}

#[test]
fn a_route_is_tested_every_day_at_its_time() {
    let files = idle(
        "[[route]]\nid = \"a\"\nto = [\"record\"]\ntest_at = \"06:00\"\n[[route]]\nid = \"b\"\nto = [\"record\"]\n",
    );
    let site = load_site(&files.path("site.toml")).unwrap_or_else(|e| panic!("{e}")).plan;
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let metrics = Metrics::new().unwrap();
    let mut trials = Trials::new(&site, &Router::new(&site), &metrics, at("2026-11-24T05:00:00Z"));
    let mut due = |text: &str| -> Vec<String> {
        trials
            .due(&[], at(text))
            .iter()
            .map(|item| format!("{} {}", item.event.rule.as_ref().unwrap(), item.event.state))
            .collect()
    };
    assert_eq!(due("2026-11-24T05:59:59Z"), [""; 0]);
    assert_eq!(due("2026-11-24T06:00:01Z"), ["test.a started", "test.a ended"]);
    assert_eq!(due("2026-11-24T06:00:02Z"), [""; 0], "once");
    assert_eq!(due("2026-11-25T06:00:00Z").len(), 2, "and every day");
}

#[test]
fn a_test_alert_that_does_not_arrive_says_where_it_stands() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let files = idle(&format!(
        "[[sink]]\nid = \"hook\"\nkind = \"webhook\"\nurl = \"http://{closed}/in\"\nallow_private = true\n"
    ));
    let config = files.path("site.toml");
    let failed = ran(lookout().args(["alerts", "test", "--wait", "1", "--config"]).arg(config));
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.err.contains("did not arrive on default"), "{}", failed.err);
    for words in ["route default: FAILED", "waiting", "delivered", "onnect"] {
        assert!(failed.out.contains(words), "no `{words}` in {}", failed.out);
    }
}

#[test]
fn a_day_is_reported_in_both_languages() {
    let files = idle("[[grid]]\nid = \"shizhong-03\"\nunit = \"三队, <市中>\"\n");
    let data = files.path("data");
    let mut journal = Journal::open(&data, &[]).unwrap();
    let watches = vec![Watch { route: "default".into(), within: Some(Span::from_secs(60)) }];
    journal.append(&[Appended { watches, ..item(1, 0, State::Started, &[]) }]).unwrap();
    let announced = journal.reader().unwrap().show(alert(1)).unwrap().unwrap().routes[0].announced_at;
    let day = jiff::tz::TimeZone::UTC.to_datetime(announced).date().to_string();
    let report = |day: &str| {
        let mut command = lookout();
        command.args(["report", "--day", day, "--out"]).arg(files.path("reports"));
        ran(command.arg("--config").arg(files.path("site.toml")))
    };
    report(&day).went_well();
    let read = |name: &str| std::fs::read_to_string(files.path(&format!("reports/report-{day}.{name}"))).unwrap();
    assert_eq!(
        read("en.csv").lines().nth(2),
        Some(format!("{day},grid,shizhong-03,\"三队, <市中>\",1,0,0,0,1,0,0.0,,").as_str())
    );
    assert!(read("zh.csv").starts_with("\u{feff}日期,分类,名称,责任单位,收到"));
    assert!(read("zh.csv").contains("类型,滞留,"));
    assert!(read("en.html").contains("<th>三队, &lt;市中&gt;</th>") && read("en.html").contains("<th>received</th>"));
    assert!(read("zh.html").contains("<html lang=\"zh-CN\">") && read("zh.html").contains("<th>收到</th>"));
    assert_eq!(report("2026-02-30").code, 2);
}

#[test]
fn tokens_are_made_listed_and_withdrawn_by_command() {
    let files = SiteFiles::new("[[grid]]\nid = \"yard\"\nunit = \"squad 3\"\n");
    files.camera("gate", "url = \"rtsp://127.0.0.1:9/none\"");
    let config = files.path("site.toml");
    let run = |words: &[&str]| ran(lookout().arg("token").args(words).arg("--config").arg(&config));
    let made = run(&["create", "--name", "platform", "--sink", "record", "--grid", "yard", "--days", "30"]);
    assert!(made.code == 0 && made.out.starts_with("lookout_") && made.err.contains("shown only now"), "{made:?}");
    run(&["create", "--name", "platform", "--sink", "record"]).refused(2, &["there is a token `platform` already"]);
    run(&["create", "--name", "x", "--sink", "nowhere"]).refused(2, &["there is no sink `nowhere`"]);
    run(&["create", "--name", "x", "--grid", "nowhere"]).refused(2, &["there is no grid `nowhere`"]);
    run(&["create", "--name", "x"]).refused(2, &["name at least one"]);
    run(&["create", "--name", "a b", "--sink", "record"]).refused(2, &["--name"]);
    let listed = run(&["list"]);
    assert!(listed.out.contains("good") && listed.out.contains("sink record, grid yard"), "{}", listed.out);
    assert!(!listed.out.contains(made.out.trim()));
    assert_eq!(run(&["create", "--name", "grafana", "--role", "viewer"]).code, 0);
    assert!(run(&["list"]).out.contains("viewer"));
    assert_eq!(run(&["create", "--name", "robot", "--role", "admin"]).code, 2, "machines only read");
    assert_eq!(run(&["revoke", "platform"]).code, 0);
    assert!(run(&["list"]).out.contains("withdrawn"));
    run(&["revoke", "platform"]).refused(2, &["there is no token `platform` to withdraw"]);
}

const CLIP: &str = "url = \"file:vtest.avi\"\nloop = true";

#[test]
fn an_alert_that_nobody_answers_escalates_once_also_across_a_kill() {
    let files = SiteFiles::new(
        "[[sink]]\nid = \"duty\"\nkind = \"file\"\npath = \"duty.jsonl\"\n\
         [[route]]\nid = \"squad\"\nto = [\"record\"]\nanswer_within = \"2s\"\nescalate_to = \"officer\"\n\
         [[route]]\nid = \"officer\"\nto = [\"duty\"]\nonly_escalated = true\n",
    );
    files.camera("yard", CLIP);
    let config = files.path("site.toml");
    let made = ran(lookout().args(["token", "create", "--name", "p", "--sink", "record", "--config"]).arg(&config));
    let token = made.out.trim().to_owned();
    let mut run = files.start();
    for outcome in ["accepted", "assigned", "resolved", "false_alarm"] {
        let series = format!("lookout_answers_total{{outcome=\"{outcome}\",route=\"squad\"}}");
        assert_eq!(run.metric(&series), Some(0.0), "{outcome}");
    }
    let of = |name: &str, state: &str| -> Vec<Value> {
        files.lines(name).into_iter().filter(|e| e["state"] == state).collect()
    };
    run.until("somebody is late", |_| !of("duty.jsonl", "overdue").is_empty());
    assert!(run.metric("lookout_alerts_overdue_total{route=\"squad\"}") >= Some(1.0));
    let late = of("duty.jsonl", "overdue").remove(0);
    assert_eq!(late["overdue"], json!({ "route": "squad", "within_s": 2, "escalated_to": "officer" }));
    assert!(late["text"]["zh"].as_str().unwrap().contains("2秒内无人答复，已升级至“officer”"), "{late}");
    assert!(late["text"]["en"].as_str().unwrap().contains("No answer within 2 s, escalated to \"officer\""), "{late}");
    run.until("the gauge says so", |run| run.metric("lookout_alerts_unanswered{route=\"squad\"}") > Some(0.0));
    let id = late["alert"].as_str().unwrap().to_owned();
    // The answer comes late, but it comes: the alert waits for none any more.
    let path = format!("/api/v1/alerts/{id}/status");
    let answer = run.post(&path, &token, r#"{"status":"false_alarm","reason":"not_a_person"}"#);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let story = files.alerts(&["show", &id]).remove(0);
    assert_eq!(
        (&story["answers"][0]["status"], &story["routes"][0]["state"]),
        (&json!("false_alarm"), &json!("answered"))
    );
    run.kill();

    let mut run = files.start();
    run.until("today's figures", |run| {
        let kind = late["kind"].as_str().unwrap();
        let figure =
            |name: &str| run.metric(&format!("lookout_kind_alerts_today{{figure=\"{name}\",kind=\"{kind}\"}}"));
        figure("received") >= Some(1.0) && figure("false_alarm") >= Some(1.0) && figure("in_time") == Some(0.0)
    });
    let before = files.lines("duty.jsonl").len();
    run.until("later ones are late too", |_| files.lines("duty.jsonl").len() > before + 2);
    assert_eq!(run.interrupt(), Some(0));
    // A repeat, as after a kill, has the same number; each alert is late once on each route.
    let mut numbers: Vec<(String, u64)> = of("duty.jsonl", "overdue")
        .iter()
        .map(|e| (e["alert"].as_str().unwrap().to_owned(), e["seq"].as_u64().unwrap()))
        .collect();
    numbers.sort();
    numbers.dedup();
    let mut alerts: Vec<&String> = numbers.iter().map(|(alert, _)| alert).collect();
    alerts.dedup();
    assert_eq!(alerts.len(), numbers.len(), "{numbers:?}");
    // Whoever heard of the alert hears that it is overdue, and the duty officer hears its end.
    assert!(of("alerts.jsonl", "overdue").iter().any(|e| e["alert"] == id.as_str()));
    assert!(!of("duty.jsonl", "ended").is_empty());
}

#[test]
fn several_rules_that_see_the_same_are_told_once() {
    let files = SiteFiles::new(
        "[[grid]]\nid = \"yard\"\nunit = \"squad 3\"\n\
         [[route]]\nid = \"squad\"\nto = [\"record\"]\nmerge = \"1h\"\nanswer_within = \"1s\"\n",
    );
    files.camera("yard", CLIP);
    let camera = files.path("cameras/yard.toml");
    let text = std::fs::read_to_string(&camera).unwrap();
    std::fs::write(&camera, text.replacen("id = \"all\"", "id = \"all\"\ngrid = \"yard\"", 1)).unwrap();
    let mut run = files.start();
    let listed = || files.alerts(&["list", "--limit", "1000"]);
    run.until("two alerts", |_| listed().len() >= 2);
    let first = listed().pop().unwrap()["alert"].as_str().unwrap().to_owned();
    run.until("nobody has answered", |_| files.told().iter().any(|e| e["state"] == "overdue"));
    // Across a restart too: what was told before still stands for what comes.
    run.kill();
    let before = listed().len();
    let mut run = files.start();
    run.until("more alerts", |_| listed().len() > before);
    assert_eq!(run.interrupt(), Some(0));
    for alert in listed() {
        let id = alert["alert"].as_str().unwrap();
        let related = if id == first { json!([]) } else { json!([first]) };
        assert_eq!(alert["last"]["related"], related, "{id}");
    }
    assert!(files.told().iter().all(|e| e["alert"] == first.as_str()), "one alert of the grid is told");
    let open = files.alerts(&["list", "--unanswered"]);
    assert_eq!(
        open.iter().map(|a| a["alert"].as_str().unwrap()).collect::<Vec<_>>(),
        [&first],
        "and waits for an answer"
    );
}
