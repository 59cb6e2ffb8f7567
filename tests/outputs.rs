//! What `analyze`, `track` and `replay` write: whole or not at all, and the same each time.

use std::fs::File;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::commands::CAMERA;
use crate::support::clips::Clips;
use crate::support::command::{cramped, lookout, names, ran, write};

/// Detections of two people who stand still for twelve seconds, ten pictures a second.
fn detections() -> String {
    let row = |frame: u32| {
        format!("{frame},-1,100,200,40,120,0.9,-1,-1,-1\n{frame},-1,{}.5,210,42,118,0.8,-1,-1,-1\n", 300 + frame % 2)
    };
    (1..=120).map(row).collect()
}

fn track(folder: &Path, out: &str) -> Command {
    let mut command = lookout();
    command.current_dir(folder).args([
        "track",
        "--detections",
        "det.txt",
        "--fps",
        "10",
        "--size",
        "640x480",
        "--out",
        out,
    ]);
    command
}

fn replay(folder: &Path, out: &str) -> Command {
    let mut command = lookout();
    command.current_dir(folder).args(["replay", "--tracks", "tracks.txt", "--fps", "10", "--size", "640x480"]);
    command.args(["--camera", "yard.toml", "--out", out]);
    command
}

fn analyze(video: &Path, camera: &Path, out: &Path) -> Command {
    let mut command = lookout();
    command.arg("analyze").arg(video).arg("--camera").arg(camera).arg("--out").arg(out);
    command
}

fn events(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn detections_become_tracks_and_tracks_become_events() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(&path.join("det.txt"), &detections());
    write(&path.join("yard.toml"), CAMERA);
    ran(&mut track(path, "tracks.txt")).went_well();
    let tracks = std::fs::read_to_string(path.join("tracks.txt")).unwrap();
    let rows: Vec<Vec<&str>> = tracks.lines().map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == 10 && row[7..] == ["-1", "-1", "-1"]), "{tracks}");
    let mut ids: Vec<&str> = rows.iter().map(|row| row[1]).collect();
    ids.sort_unstable();
    ids.dedup();
    assert!(ids.len() == 2 && rows.len() > 230, "{} rows of {ids:?}", rows.len());

    ran(replay(path, "events.jsonl").args(["--start", "2026-11-24T03:00:00Z"])).went_well();
    let text = std::fs::read_to_string(path.join("events.jsonl")).unwrap();
    let events = events(&text);
    let told: Vec<_> = events
        .iter()
        .map(|e| (e["rule"].as_str().unwrap(), e["state"].as_str().unwrap(), e["seq"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("two", "started", 0), ("two", "ended", 1)]);
    assert_eq!(events[0]["alert"], events[1]["alert"]);
    assert_eq!(
        (events[1]["reason"].as_str(), events[1]["at"].as_str()),
        (Some("stopped"), Some("2026-11-24T03:00:11.900Z"))
    );
    assert_eq!((&events[0]["people"], &events[0]["zone"]), (&Value::from(2), &Value::from("all")));

    // Each once more: the same bytes, and a pipe or a device is written to, not replaced.
    // By links of our own: a fault here must not cost the machine its devices.
    symlink("/proc/self/fd/1", path.join("stdout")).unwrap();
    assert_eq!(ran(&mut track(path, "stdout")).out, tracks);
    symlink("/dev/null", path.join("nothing")).unwrap();
    ran(&mut replay(path, "nothing")).went_well();
    assert!(std::fs::metadata(path.join("nothing")).unwrap().file_type().is_char_device());
    ran(replay(path, "again.jsonl").args(["--start", "2026-11-24T03:00:00Z"])).went_well();
    assert_eq!(std::fs::read_to_string(path.join("again.jsonl")).unwrap(), text);
}

#[test]
fn a_full_disk_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(&path.join("det.txt"), &detections());
    ran(&mut track(path, "tracks.txt")).went_well();
    // A rule that says much: somebody comes and goes all the time.
    let camera = CAMERA.replace("people = 2", "people = 1\ngap = \"0s\"");
    write(&path.join("yard.toml"), &camera);
    let restless: String =
        (1..200).filter(|f| f % 3 > 0).map(|f| format!("{f},1,100,200,40,120,0.9,-1,-1,-1\n")).collect();
    write(&path.join("tracks.txt"), &restless);
    let old = write(&path.join("old"), "what was there\n");
    let before = names(path);
    for make in [track, replay] {
        ran(&mut cramped(&make(path, "new"), 1)).refused(1, &["cannot write new", "File too large"]);
        ran(&mut cramped(&make(path, "old"), 1)).refused(1, &["cannot write old", "File too large"]);
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "what was there\n");
        assert_eq!(names(path), before, "nothing is left");
    }
    // The device that is always full.
    symlink("/dev/full", path.join("full")).unwrap();
    ran(&mut track(path, "full")).refused(1, &["cannot write full", "No space left"]);
    assert!(std::fs::metadata(path.join("full")).unwrap().file_type().is_char_device());
}

#[test]
fn three_results_are_replaced_together_or_not_at_all() {
    let clips = Clips::new();
    let clip = clips.walkers("walkers.avi", 24, "-c copy");
    let folder = tempfile::tempdir().unwrap();
    // No rule and no line: the events are an empty file, which fits on any disk.
    let camera = write(&folder.path().join("yard.toml"), "id = \"yard\"\n");
    let out = folder.path().join("out");
    ran(&mut cramped(&analyze(&clip, &camera, &out), 1)).refused(1, &["cannot write", "tracks.txt", "File too large"]);
    assert_eq!(names(&out), Vec::<String>::new());
    let results = ["events.jsonl", "report.json", "tracks.txt"];
    for name in results {
        write(&out.join(name), name);
    }
    ran(&mut cramped(&analyze(&clip, &camera, &out), 1)).refused(1, &["cannot write", "tracks.txt", "File too large"]);
    assert_eq!(names(&out), results);
    for name in results {
        assert_eq!(std::fs::read_to_string(out.join(name)).unwrap(), name, "{name} was replaced");
    }
}

#[test]
fn a_stdout_that_is_full_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let camera = write(&folder.path().join("yard.toml"), CAMERA);
    for words in [["models", "list"].as_slice(), &["check", "--config", camera.to_str().unwrap()]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let child = lookout().args(words).stdout(Stdio::from(full)).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words:?}: {err}");
        assert!(err.starts_with("error: cannot write") && err.contains("No space left"), "{words:?}: {err}");
    }
}

#[test]
fn analysing_twice_gives_the_same_bytes_and_opens_no_source() {
    let clips = Clips::new();
    let clip = clips.walkers("walkers.avi", 40, "-c copy");
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let more = format!(
        "[[zone.rule]]\nid = \"anyone\"\nkind = \"intrusion\"\n[[line]]\nid = \"path\"\npoints = [[0.3, 0.98], [0.62, 0.22]]\n\
         [source]\nurl = \"rtsp://{}/stream1\"\n",
        listener.local_addr().unwrap()
    );
    let camera = write(&folder.path().join("yard.toml"), &format!("{CAMERA}{more}"));
    let mut results = Vec::new();
    for out in ["first", "second"] {
        let out = folder.path().join(out);
        let ran = ran(analyze(&clip, &camera, &out).args(["--json", "--fps-override", "7"]));
        ran.went_well();
        assert_eq!(names(&out), ["events.jsonl", "report.json", "tracks.txt"]);
        let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
        let mut report: Value = serde_json::from_str(&read("report.json")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap(), report, "--json prints the report");
        let cpu = report.as_object_mut().unwrap().remove("cpu_s").unwrap();
        assert!(cpu.as_f64().unwrap() > 0.0);
        results.push((read("events.jsonl"), read("tracks.txt"), report.to_string()));
    }
    assert!(results[0] == results[1], "{results:?}");
    let (events_text, tracks, report) = &results[0];
    let report: Value = serde_json::from_str(report).unwrap();
    assert_eq!(
        (&report["frames"], &report["analysed"], &report["truncated"]),
        (&Value::from(40), &Value::from(40), &Value::from(false))
    );
    assert!((report["duration_s"].as_f64().unwrap() - 39.0 / 7.0).abs() < 1e-3);
    assert_eq!(report["alerts"]["anyone"], 1, "people are in view all the time: {report}");
    assert!(events(events_text).iter().any(|e| e["rule"] == "anyone" && e["state"] == "started"), "{events_text}");
    assert!(tracks.lines().count() > 40, "{tracks}");
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "the camera was called");
}

#[test]
fn a_clip_that_breaks_off_is_analysed_as_far_as_it_goes() {
    let clips = Clips::new();
    let whole = clips.walkers("whole.avi", 20, "-c:v mjpeg -q:v 5");
    let cut = clips.cut("cut.avi", &whole, 0.6003);
    let folder = tempfile::tempdir().unwrap();
    let camera = write(&folder.path().join("yard.toml"), CAMERA);
    let out = folder.path().join("out");
    let ran = ran(analyze(&cut, &camera, &out).arg("--json"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.starts_with("warning: ") && ran.err.contains("cut.avi: breaks off before its end"), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let frames = report["frames"].as_u64().unwrap();
    assert!(report["truncated"] == true && (6..16).contains(&frames) && report["analysed"] == frames, "{report}");
    assert_eq!(names(&out), ["events.jsonl", "report.json", "tracks.txt"]);
}

#[test]
fn an_interrupted_analysis_leaves_nothing_half_written() {
    let clips = Clips::new();
    let video = clips.walkers("long.mp4", 900, "-c:v mpeg4 -q:v 5");
    let folder = tempfile::tempdir().unwrap();
    let camera = write(&folder.path().join("yard.toml"), CAMERA);
    let out = folder.path().join("out");
    let mut child = analyze(&video, &camera, &out).arg("--annotate").stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !out.is_dir() || names(&out).len() < 3 {
        assert!(Instant::now() < deadline, "it never began to write");
        std::thread::sleep(Duration::from_millis(10));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
    assert!(said.contains("stopped"), "{said}");
    assert_eq!(names(&out), [""; 0]);
}
