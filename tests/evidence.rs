//! The still and the clip of an alert of a real run, as its receivers get them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use image::ImageFormat;
use lookout::alerts::evidence::FOLDER;
use serde_json::Value;

use crate::support::site::SiteFiles;

const CLIP: &str = "url = \"file:vtest.avi\"\nloop = true";
const SHORT: &str = "public_url = \"https://lookout.example\"\n";

/// The body of an answer, to nobody or with a token.
fn body(address: SocketAddr, path: &str, token: Option<&str>) -> Vec<u8> {
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let mut answer = Vec::new();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n{token}\r\n").unwrap();
    stream.read_to_end(&mut answer).unwrap();
    let head = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    answer.split_off(head + 4)
}

fn evidence<'a>(told: &'a [Value], alert: &Value) -> Vec<&'a Value> {
    told.iter().filter(|e| e["alert"] == *alert && e["state"] == "evidence").collect()
}

#[test]
fn an_alert_gets_a_still_and_a_clip_that_anybody_can_open() {
    let files = SiteFiles::new("[evidence]\nbefore = \"1s\"\nafter = \"1s\"\n");
    let site = std::fs::read_to_string(files.path("site.toml")).unwrap();
    std::fs::write(files.path("site.toml"), format!("{SHORT}{site}")).unwrap();
    files.camera("yard", CLIP);
    let mut run = files.start();
    let is_start = |e: &&Value| e["rule"] == "anyone" && e["state"] == "started";
    run.until("an alert", |_| files.told().iter().any(|e| is_start(&e)));
    let start = files.told().iter().find(is_start).unwrap().clone();
    assert_eq!(
        start["evidence"],
        serde_json::json!({ "picture": "pending", "clip": "pending" }),
        "it waits for neither"
    );
    assert!(start.get("links").is_none(), "{start}");
    let alert = start["alert"].clone();
    let ready = |e: &Value, file: &str| e["evidence"][file] == "ready";
    run.until("still and clip", |_| {
        evidence(&files.told(), &alert).iter().any(|e| ready(e, "picture") && ready(e, "clip"))
    });
    let told = files.told();
    let news = evidence(&told, &alert);
    assert!(news.len() == 2 && news[0]["seq"].as_u64() > start["seq"].as_u64(), "{news:?}");
    let id = alert.as_str().unwrap();
    for (file, name) in [("picture", "start.jpg"), ("clip", "clip.mp4")] {
        let link = news[1]["links"][file].as_str().unwrap();
        let wanted = format!("https://lookout.example/api/v1/alerts/{id}/evidence/{name}?expires=");
        assert!(link.starts_with(&wanted), "{link}");
        // What the link names is what lies here.
        let target = link.strip_prefix("https://lookout.example").unwrap();
        let bytes = body(run.address, target, None);
        match file {
            "picture" => {
                let picture = image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).unwrap();
                assert_eq!((picture.width(), picture.height()), (640, 480));
            }
            _ => {
                std::fs::write(files.path("clip.mp4"), &bytes).unwrap();
                let (pictures, seconds) = probe(&files.path("clip.mp4"));
                assert!((3..=12).contains(&pictures), "{pictures} pictures at 4 a second for about 2 s");
                assert!(seconds > 0.8 && seconds < 3.0, "{seconds}");
            }
        }
    }
    let list: Value =
        serde_json::from_slice(&body(run.address, &format!("/api/v1/alerts/{id}/evidence"), Some(&run.token))).unwrap();
    let names: Vec<_> = list.as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["clip.mp4", "start.jpg"]);
    assert_eq!(run.interrupt(), Some(0));
    assert!(files.path("data").join(FOLDER).is_dir());

    // At the end of a run everything that was promised has come or is said to have failed.
    let told = files.told();
    for start in told.iter().filter(|e| e["state"] == "started") {
        let last = told.iter().rfind(|e| e["alert"] == start["alert"]).unwrap();
        assert!(last["evidence"]["picture"] != "pending" && last["evidence"]["clip"] != "pending", "{last}");
    }
}

#[test]
fn an_escalation_has_a_picture_of_its_own() {
    let files = SiteFiles::new("[evidence]\nclip = false\n");
    let site = std::fs::read_to_string(files.path("site.toml")).unwrap();
    std::fs::write(files.path("site.toml"), format!("{SHORT}{site}")).unwrap();
    files.camera("yard", CLIP);
    let camera = files.path("cameras/yard.toml");
    let text = std::fs::read_to_string(&camera).unwrap();
    let steps = [(2, "moderate"), (4, "severe"), (6, "extreme")]
        .map(|(people, severity)| format!("{{ value = {people}, severity = \"{severity}\" }}"));
    let rule = format!("people = 1\nseverity = \"minor\"\nescalate = [{}]\n", steps.join(", "));
    std::fs::write(&camera, text.replace("people = 3\n", &rule)).unwrap();
    let mut run = files.start();
    let is_news = |e: &&Value| e["state"] == "evidence" && e["evidence"]["escalated"].is_string();
    run.until("a still of an escalation", |_| files.told().iter().any(|e| is_news(&e)));
    let news = files.told().iter().find(is_news).unwrap().clone();
    let link = news["links"]["picture"].as_str().unwrap();
    let name = format!("/evidence/{}.jpg?expires=", news["evidence"]["escalated"].as_str().unwrap());
    assert!(link.contains(&name), "{link}");
    let bytes = body(run.address, link.strip_prefix("https://lookout.example").unwrap(), None);
    image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).unwrap();
    assert_eq!(run.interrupt(), Some(0));
}

#[test]
fn after_a_kill_what_will_not_come_any_more_is_said_to_have_failed() {
    let files = SiteFiles::new("[evidence]\nafter = \"30s\"\n");
    files.camera("yard", CLIP);
    let mut run = files.start();
    let ended =
        |told: &[Value]| told.iter().find(|e| e["state"] == "ended" && e["evidence"]["clip"] == "pending").cloned();
    run.until("an alert is over before its clip", |_| ended(&files.told()).is_some());
    let alert = ended(&files.told()).unwrap()["alert"].clone();
    run.kill();
    let mut run = files.start();
    run.until("its clip failed", |_| evidence(&files.told(), &alert).iter().any(|e| e["evidence"]["clip"] == "failed"));
    assert_eq!(run.interrupt(), Some(0));
    for row in files.alerts(&["list", "--limit", "1000"]) {
        let evidence = &row["last"]["evidence"];
        assert!(evidence["picture"] != "pending" && evidence["clip"] != "pending", "{row}");
    }
}

#[test]
fn without_evidence_nothing_is_kept() {
    let files = SiteFiles::new("[evidence]\npicture = false\nclip = false\n");
    files.camera("yard", CLIP);
    let mut run = files.start();
    run.until("an alert", |_| files.told().iter().any(|e| e["state"] == "started"));
    assert_eq!(run.interrupt(), Some(0));
    let told = files.told();
    assert!(told.iter().all(|e| e["evidence"]["picture"] == "none" && e["evidence"]["clip"] == "none"));
    assert!(told.iter().all(|e| e["state"] != "evidence"));
    assert_eq!(std::fs::read_dir(files.path("data").join(FOLDER)).unwrap().count(), 0);
}

/// Pictures and seconds of a video, by ffprobe.
fn probe(path: &std::path::Path) -> (u32, f64) {
    let output = std::process::Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames:format=duration"])
        .args(["-of", "json"])
        .arg(path)
        .output()
        .expect("the command `ffprobe` is missing: run scripts/setup");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["streams"][0]["codec_name"], "h264", "{found}");
    let number = |v: &Value| v.as_str().unwrap().parse::<f64>().unwrap();
    (number(&found["streams"][0]["nb_read_frames"]) as u32, number(&found["format"]["duration"]))
}
