//! Cameras that come and go while a site runs, and the site's own rules that change.

use std::fs;

use lookout::config::plan::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::login::{Browser, PASSWORD, user};
use crate::support::site::{Run, SiteFiles};

const CLIP: &str = "url = \"file:vtest.avi\"\nloop = true";
/// Four times as fast: something happens all the time.
const FAST: &str = "url = \"file:vtest.avi\"\nloop = true\nfps = 28";

fn reloads(run: &Run) -> (f64, f64) {
    let of = |outcome: &str| run.metric(&format!("lookout_config_reloads_total{{outcome=\"{outcome}\"}}")).unwrap();
    (of("applied"), of("refused"))
}

fn is_well(run: &Run) -> bool {
    run.get("/readyz").contains("\"degraded\":[]")
}

/// How often a camera was connected.
fn connected(run: &Run, camera: &str) -> usize {
    run.log().matches(&format!("connected camera=\"{camera}\"")).count()
}

/// Events of a rule of a camera, or of the site's own, as `state reason`.
fn events(files: &SiteFiles, camera: Option<&str>, rule: &str) -> Vec<String> {
    let told = files.told();
    let own = told.iter().filter(|e| e["camera"].as_str() == camera && e["rule"] == rule);
    let told = own.filter(|e| e["state"] != "updated" && e["state"] != "evidence");
    told.map(|e| format!("{} {}", e["state"], e["reason"]).replace('"', "")).collect()
}

/// What a camera says of anybody in its picture.
fn anyone(files: &SiteFiles, camera: &str) -> Vec<String> {
    events(files, Some(camera), "anyone")
}

fn cameras(run: &Run) -> Vec<String> {
    let answer = run.get("/api/v1/cameras");
    let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    body["cameras"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect()
}

const OPEN: [&str; 1] = ["started null"];
const GONE: [&str; 2] = ["started null", "ended reconfigured"];

#[test]
fn a_camera_comes_and_goes_by_its_file_and_others_notice_nothing() {
    let files = SiteFiles::new("");
    files.camera("gate", CLIP);
    files.camera("yard", CLIP);
    let mut run = files.start();
    run.until("alerts of both", |_| anyone(&files, "gate") == OPEN && anyone(&files, "yard") == OPEN);
    let (path, good) = (files.path("cameras/shore.toml"), fs::read_to_string(files.path("cameras/yard.toml")).unwrap());

    // A bad file, and one of a camera that there is: refused with its place, and nothing else changes.
    fs::write(&path, good.replace("people = 3", "people = 0")).unwrap();
    let line = 1 + good.lines().position(|l| l == "people = 3").unwrap();
    let place = format!("shore.toml:{line}:10: zone[0].rule[1].people:");
    run.until("it is refused", |run| reloads(run) == (0.0, 1.0) && run.get("/readyz").contains(&place));
    assert!(run.log().contains(&place), "{}", run.log());
    fs::write(&path, &good).unwrap();
    let taken = "shore.toml:1:1: id: `yard` is already the camera of";
    run.until("so is this", |run| reloads(run) == (0.0, 2.0) && run.get("/readyz").contains(taken));
    assert_eq!(
        (cameras(&run), run.metric("lookout_degraded{part=\"configuration\"}")),
        (vec!["gate".into(), "yard".into()], Some(1.0))
    );

    // It comes, in the order of the files' names.
    fs::write(&path, good.replace("id = \"yard\"", "id = \"shore\"")).unwrap();
    run.until("an alert of the new one", |_| anyone(&files, "shore") == OPEN);
    assert_eq!((cameras(&run).join(" "), reloads(&run)), ("gate shore yard".into(), (1.0, 2.0)));
    let ready = run.get("/readyz");
    assert!(ready.contains("\"degraded\":[]") && ready.contains("\"after_restart\":[]"), "{ready}");
    assert!(run.analysed("shore") > 0.0 && run.metric("lookout_camera_up{camera=\"shore\"}") == Some(1.0));

    // Another id: one goes and another comes.
    fs::write(&path, good.replace("id = \"yard\"", "id = \"pier\"")).unwrap();
    run.until("an alert of the other one", |_| anyone(&files, "pier") == OPEN);
    run.until("that of the first has ended", |_| anyone(&files, "shore") == GONE);
    assert_eq!(cameras(&run).join(" "), "gate pier yard");
    let series = run.get("/metrics");
    assert!(!series.contains("camera=\"shore\"") && series.contains("camera=\"pier\""), "{series}");

    // It goes, and what it left behind stays.
    let analysed = run.analysed("gate");
    fs::remove_file(&path).unwrap();
    run.until("its alert ends", |_| anyone(&files, "pier") == GONE);
    run.until("its series are gone", |run| !run.get("/metrics").contains("camera=\"pier\""));
    run.until("it is gone", |run| reloads(run) == (3.0, 2.0));
    assert_eq!(cameras(&run).join(" "), "gate yard");
    assert!(run.get("/api/v1/cameras/pier/live").starts_with("HTTP/1.1 404"));
    let alerts = files.alerts(&["list", "--limit", "1000"]);
    assert!(alerts.iter().any(|alert| alert["last"]["camera"] == "pier"), "{alerts:?}");
    run.until("the others go on", |run| run.analysed("gate") > analysed + 5.0);

    // A file that is replaced by another with the same name, or has another name, is the same camera's.
    let yard = files.path("cameras/yard.toml");
    fs::rename(&yard, files.path("cameras/court.toml")).unwrap();
    run.until("it is seen", |run| run.log().contains("a camera's file has another name"));
    let analysed = run.analysed("yard");
    run.until("it goes on", |run| run.analysed("yard") > analysed + 5.0);
    assert_eq!((connected(&run, "gate"), connected(&run, "yard"), reloads(&run)), (1, 1, (3.0, 2.0)));
    assert_eq!(run.interrupt(), Some(0));
    for camera in ["gate", "yard"] {
        assert_eq!(anyone(&files, camera), ["started null", "ended stopped"]);
    }
}

#[test]
fn others_drop_no_picture_while_one_changes_comes_and_goes() {
    let files = SiteFiles::new("");
    for camera in ["gate", "yard"] {
        files.camera(camera, CLIP);
        // One picture a second: it is dropped where something else takes a whole second, however busy the machine is.
        let path = files.path(&format!("cameras/{camera}.toml"));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replace("rate = 5", "rate = 1")).unwrap();
    }
    let mut run = files.start();
    run.until("the first pictures", |run| run.analysed("gate") >= 2.0);
    let path = files.path("cameras/yard.toml");
    let good = fs::read_to_string(&path).unwrap();
    let dropped = |run: &Run| {
        let of = |outcome: &str| run.metric(&format!("lookout_frames_total{{camera=\"gate\",outcome=\"{outcome}\"}}"));
        (of("dropped"), of("corrupt"))
    };
    assert_eq!(dropped(&run), (Some(0.0), Some(0.0)), "not even before anything changes");

    let mut applied = 0.0;
    for round in 0..3 {
        // Another rule, another way to capture, another detector, back, and a camera that comes and goes.
        let edits = [
            good.replace("people = 3", "people = 4"),
            good.replace("rate = 1", "rate = 2"),
            good.replace("[320, 256]", "[416, 320]"),
            good.clone(),
        ];
        for edit in edits {
            fs::write(&path, edit).unwrap();
            applied += 1.0;
            run.until("the edit is in force", |run| reloads(run) == (applied, 0.0));
        }
        let comer = files.path(&format!("cameras/comer-{round}.toml"));
        fs::write(&comer, good.replace("id = \"yard\"", &format!("id = \"comer-{round}\""))).unwrap();
        applied += 1.0;
        run.until("it has come", |run| {
            reloads(run) == (applied, 0.0) && run.analysed(&format!("comer-{round}")) >= 1.0
        });
        fs::remove_file(&comer).unwrap();
        applied += 1.0;
        run.until("it has gone", |run| reloads(run) == (applied, 0.0));
    }
    let analysed = run.analysed("gate");
    run.until("pictures go on", |run| run.analysed("gate") >= analysed + 2.0);
    assert_eq!((dropped(&run), connected(&run, "gate")), ((Some(0.0), Some(0.0)), 1));
    assert_eq!(run.interrupt(), Some(0));
}

#[test]
fn what_the_site_names_stays_until_it_is_named_no_more() {
    let files = SiteFiles::new("");
    let write = |more: &str| files.site("site.toml", ([127, 0, 0, 1], 0).into(), more);
    let route = "[[route]]\nid = \"r\"\nto = [\"record\"]\ncameras = [\"gate\"]\n";
    write(route);
    files.camera("gate", CLIP);
    files.camera("yard", CLIP);
    let mut run = files.start();
    run.until("an alert", |_| anyone(&files, "gate") == OPEN);
    fs::remove_file(files.path("cameras/gate.toml")).unwrap();
    let named = "route[0].cameras names camera `gate`";
    run.until("that is refused", |run| reloads(run) == (0.0, 1.0) && run.get("/readyz").contains(named));
    let analysed = run.analysed("gate");
    run.until("it goes on", |run| run.analysed("gate") > analysed + 5.0);
    assert_eq!(anyone(&files, "gate"), OPEN);
    // A site that names what there is not yet is refused, until it is there.
    write("[[route]]\nid = \"r\"\nto = [\"record\"]\ncameras = [\"shore\"]\n");
    run.until("that is refused too", |run| reloads(run) == (0.0, 2.0));
    files.camera("shore", CLIP);
    run.until("all is as it is written", |run| reloads(run) == (3.0, 2.0) && is_well(run));
    run.until("its alert ends", |_| anyone(&files, "gate") == GONE);
    run.until("the new one's alert", |_| anyone(&files, "shore") == OPEN);
    assert_eq!(cameras(&run).join(" "), "shore yard");
    // The last one is needed: a site without any does not start either.
    write("");
    run.until("nothing names it", |run| reloads(run) == (4.0, 2.0));
    fs::remove_file(files.path("cameras/yard.toml")).unwrap();
    run.until("one of two goes", |run| reloads(run) == (5.0, 2.0));
    fs::remove_file(files.path("cameras/shore.toml")).unwrap();
    run.until("the other does not", |run| reloads(run) == (5.0, 3.0));
    assert_eq!((cameras(&run).join(" "), run.interrupt()), ("shore".into(), Some(0)));
}

#[test]
fn the_site_s_own_rules_change_and_those_that_are_the_same_live_on() {
    let files = SiteFiles::new("");
    files.camera("yard", FAST);
    let mut run = files.start();
    // Whoever is counted stays counted for long: it is as full as it ever was.
    let rule = |id: &str, people: u32| {
        format!(
            "[[rule]]\nid = \"{id}\"\nkind = \"occupancy\"\npeople = {people}\ngap = \"10m\"\n\
             [[rule.gate]]\ncamera = \"yard\"\nline = \"path\"\ninward = \"left_to_right\"\n"
        )
    };
    let write = |rules: &[(&str, u32)]| {
        let rules: String = rules.iter().map(|(id, people)| rule(id, *people)).collect();
        files.site("site.toml", ([127, 0, 0, 1], 0).into(), &rules);
    };
    let of = |rule: &str| events(&files, None, rule);
    write(&[("other", 1), ("same", 1), ("gone", 1)]);
    run.until("people are counted", |_| ["other", "same", "gone"].iter().all(|rule| of(rule) == OPEN));
    assert_eq!(reloads(&run), (1.0, 0.0));
    assert!(run.get("/readyz").contains("\"after_restart\":[]"), "{}", run.get("/readyz"));

    write(&[("same", 1), ("other", 100_000)]);
    run.until("what has changed ends", |_| of("other") == GONE && of("gone") == GONE);
    assert_eq!((reloads(&run), of("same")), ((2.0, 0.0), OPEN.map(str::to_owned).to_vec()));
    let people = |run: &Run, rule: &str| run.metric(&format!("lookout_occupancy{{rule=\"{rule}\"}}"));
    run.until("its series is gone", |run| people(run, "gone").is_none());
    // Both count from where the count was.
    run.until("both count", |run| people(run, "same").is_some_and(|same| people(run, "other") == Some(same)));

    write(&[("same", 0)]);
    let wrong = "rule[0].people";
    run.until("a wrong one is refused", |run| reloads(run) == (2.0, 1.0) && run.get("/readyz").contains(wrong));
    // Its line is needed as long as a rule names it.
    let (path, good) = (files.path("cameras/yard.toml"), fs::read_to_string(files.path("cameras/yard.toml")).unwrap());
    fs::write(&path, good.replace("id = \"path\"", "id = \"way\"")).unwrap();
    run.until("it cannot go", |run| reloads(run) == (2.0, 2.0));
    assert_eq!(of("same"), OPEN);
    write(&[]);
    run.until("both are taken", |run| reloads(run) == (4.0, 2.0));
    run.until("the last rule ends", |_| of("same") == GONE);
    run.until("nothing is wrong any more", is_well);
    assert_eq!(run.interrupt(), Some(0));
}

const SHORE: &str = "/api/v1/cameras/shore/config";

#[tokio::test]
async fn an_admin_lets_a_camera_come_and_go_over_the_api() {
    let files = SiteFiles::new("");
    files.camera("yard", CLIP);
    let mut run = files.start();
    let data = files.path("data");
    user(&data, "li.na", Role::Analyst);
    user(&data, "chief", Role::Admin);
    let li = Browser::login(run.address, "li.na", PASSWORD).await;
    let chief = Browser::login(run.address, "chief", PASSWORD).await;
    let text = fs::read_to_string(files.path("cameras/yard.toml")).unwrap().replace("id = \"yard\"", "id = \"shore\"");
    let file = files.path("cameras/shore.toml");
    let put = async |browser: &Browser, headers: &[(&str, &str)], toml: &str| {
        let body = json!({ "toml": toml, "reason": "the new pole" });
        let request = browser.request(Method::PUT, SHORE).json(&body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
    };
    let new = [("if-none-match", "*")];
    assert_eq!(put(&li, &new, &text).await.0, 403, "who may not change sources lets no camera come");
    assert_eq!(put(&chief, &[], &text).await.0, 428);
    assert_eq!(put(&chief, &[("if-none-match", "\"x\"")], &text).await.0, 400);
    let (status, refused) = put(&chief, &new, &text.replace("people = 3", "people = 0")).await;
    assert_eq!((status, refused["faults"][0]["field"].as_str()), (422, Some("zone[0].rule[1].people")), "{refused}");
    assert_eq!(put(&chief, &new, &text.replace("\"shore\"", "\"pier\"")).await.0, 422, "its id is that of the path");
    assert!(!file.exists());
    let check = "/api/v1/cameras/shore/check";
    let (status, checked) = li.send(Method::POST, check, json!({ "toml": text })).await;
    assert_eq!((status, &checked["faults"]), (200, &json!([])), "{checked}");

    let (status, made) = put(&chief, &new, &text).await;
    assert_eq!(
        (status, made["toml"].as_str(), made["restart"].as_bool()),
        (201, Some(text.as_str()), Some(false)),
        "{made}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    run.until("it raises an alert", |_| anyone(&files, "shore") == OPEN);
    assert_eq!(put(&chief, &new, &text).await.0, 412, "there is one");
    let tag = made["etag"].as_str().unwrap();
    let (status, saved) = put(&li, &[("if-match", tag)], &format!("name = \"Shore\"\n{text}")).await;
    assert_eq!(status, 200, "{saved}");

    let delete = async |browser: &Browser, tag: Option<&str>, query: &str| {
        let request = browser.request(Method::DELETE, &format!("{SHORE}{query}"));
        let request = tag.into_iter().fold(request, |request, tag| request.header("if-match", tag));
        request.send().await.unwrap().status().as_u16()
    };
    let (now, why) = (saved["etag"].as_str(), "?reason=the%20pole%20is%20gone");
    assert_eq!(delete(&li, now, why).await, 403);
    assert_eq!([delete(&chief, None, why).await, delete(&chief, Some(tag), why).await], [428, 412]);
    assert_eq!(delete(&chief, now, "").await, 400);
    assert_eq!(delete(&chief, now, why).await, 204);
    assert!(!file.exists());
    run.until("its alert ends", |_| anyone(&files, "shore") == GONE);
    assert_eq!((cameras(&run).join(" "), reloads(&run)), ("yard".into(), (3.0, 0.0)));
    assert_eq!(chief.get(SHORE).await.0, 404);
    // Its history is there, and from it it can come back.
    let (_, history) = chief.get("/api/v1/cameras/shore/history").await;
    let told: Vec<_> = history["versions"].as_array().unwrap().iter().map(|v| v["who"].as_str().unwrap()).collect();
    assert_eq!(told, ["li.na", "chief"]);
    let (_, first) = chief.get("/api/v1/cameras/shore/history/1").await;
    assert_eq!(put(&chief, &new, first["toml"].as_str().unwrap()).await.0, 201);
    run.until("it raises an alert again", |_| anyone(&files, "shore").len() == 3);
    let (_, audit) = chief.get("/api/v1/audit").await;
    let told: Vec<_> = audit["entries"].as_array().unwrap().iter().filter(|e| e["target"] == "shore").collect();
    let what: Vec<_> = told.iter().map(|e| e["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["config.create", "config.remove", "config.save", "config.create"]);
    assert_eq!(told[1]["reason"], "the pole is gone");
    // The only one cannot go.
    let (_, shown) = chief.get("/api/v1/cameras/yard/config").await;
    let yard = chief.request(Method::DELETE, "/api/v1/cameras/yard/config?reason=x");
    let yard = yard.header("if-match", shown["etag"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(yard.status().as_u16(), 204);
    let (_, shown) = chief.get(SHORE).await;
    assert_eq!(delete(&chief, shown["etag"].as_str(), why).await, 422);
    assert_eq!(connected(&run, "yard"), 1);
    assert_eq!(run.interrupt(), Some(0));
}
