//! `lookout alerts list|show` on a journal.

use std::path::Path;
use std::process::{Command, Output};

use lookout::alerts::journal::Journal;
use lookout::types::State;

use crate::sample::{alert, item};

fn site(folder: &Path) -> String {
    std::fs::create_dir(folder.join("cameras")).unwrap();
    let camera = "id = \"forecourt\"\nname = \"Courthouse forecourt\"\n[source]\nurl = \"rtsp://127.0.0.1:9/none\"\n";
    std::fs::write(folder.join("cameras/forecourt.toml"), camera).unwrap();
    let file = folder.join("site.toml");
    let text = "id = \"weibei\"\ntime_zone = \"Asia/Shanghai\"\ncameras = \"cameras\"\ndata = \"data\"\n";
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn lookout(config: &str, args: &[&str]) -> (i32, String, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_lookout")).arg("alerts").args(args).args(["--config", config]).output();
    let Output { status, stdout, stderr } = run.unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_site_that_never_ran_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = lookout(&site(folder.path()), &["list"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("there is no journal yet"), "{err}");
}

#[test]
fn alerts_are_listed_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let config = site(folder.path());
    let mut journal = Journal::open(&folder.path().join("data"), &["platform".to_owned()]).unwrap();
    journal
        .append(&[
            item(1, 0, State::Started, &["platform"]),
            item(1, 1, State::Ended, &[]),
            item(2, 0, State::Started, &[]),
        ])
        .unwrap();
    // While the journal is open for writing, as when `lookout run` runs.
    let (code, out, err) = lookout(&config, &["list"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert!(lines[1].starts_with("00000002  2026-11-24 11:00:12  open"), "newest first, in the site's time: {out}");
    assert!(lines[2].contains("One person has stayed"), "{out}");
    let (_, open, _) = lookout(&config, &["list", "--open", "--kind", "loitering", "--json"]);
    let rows: Vec<serde_json::Value> = open.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(rows.iter().map(|r| r["alert"].clone()).collect::<Vec<_>>(), [alert(2).to_string()]);

    let (code, story, _) = lookout(&config, &["show", "00000001"]);
    assert_eq!(code, 0);
    for text in ["一人在入口台阶停留 120 秒", "ended", "platform", "waiting"] {
        assert!(story.contains(text), "no {text} in {story}");
    }
    let (_, json, _) = lookout(&config, &["show", &alert(1).to_string(), "--json"]);
    let story: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(story["events"].as_array().unwrap().len(), 2);
    assert_eq!(story["deliveries"].as_array().unwrap().len(), 2, "who heard of its start hears of its end");
}

#[test]
fn an_id_must_name_one_alert() {
    let folder = tempfile::tempdir().unwrap();
    let config = site(folder.path());
    let mut journal = Journal::open(&folder.path().join("data"), &[]).unwrap();
    journal.append(&[item(1, 0, State::Started, &[]), item(2, 0, State::Started, &[])]).unwrap();
    for (id, word) in [("f", "there is no alert `f`"), ("zz", "there is no alert `zz`"), ("0000", "several alerts")] {
        let (code, out, err) = lookout(&config, &["show", id]);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.contains(word), "{err}");
    }
    assert_eq!(lookout(&config, &["list", "--kind", "dance"]).0, 2);
    // Nothing to list is nothing to parse.
    assert_eq!(lookout(&config, &["list", "--camera", "none", "--json"]), (0, String::new(), String::new()));
}
