//! Faults inside: a database that is locked or damaged, a folder that can only be read, no more descriptors. (A full disk: `run`;
//! a clock that is set: `clock`.) Pictures go on, operations
//! sees why, and alerts are kept as long as anything can be written.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use rusqlite::Connection;
use rustix::process::Resource;
use serde_json::Value;

use crate::support::command::names;
use crate::support::frozen::Frozen;
use crate::support::login::viewer;
use crate::support::site::{Run, SiteFiles};

const CLIP: &str = "url = \"file:vtest.avi\"\nloop = true";

fn is(event: &Value, rule: &str, state: &str) -> bool {
    event["rule"] == rule && event["state"] == state
}

/// A site with a rule that says much.
pub fn talkative() -> SiteFiles {
    let files = SiteFiles::new("");
    files.camera("yard", CLIP);
    let mut camera = File::options().append(true).open(files.path("cameras/yard.toml")).unwrap();
    camera.write_all(b"[[zone.rule]]\nid = \"stay\"\nkind = \"loitering\"\ndwell = \"0.5s\"\ngap = \"0s\"\n").unwrap();
    files
}

/// Every alert that was told of has ended once, its numbers in order.
pub fn assert_told_whole(files: &SiteFiles) {
    let told = files.told();
    for start in told.iter().filter(|e| e["state"] == "started") {
        let own: Vec<&Value> = told.iter().filter(|e| e["alert"] == start["alert"]).collect();
        assert_eq!(own.iter().filter(|e| e["state"] == "ended").count(), 1, "{start}");
        assert!(own.iter().map(|e| e["seq"].as_u64().unwrap()).is_sorted(), "{own:?}");
    }
}

fn degraded(run: &Run, part: &str) -> Option<f64> {
    run.metric(&format!("lookout_degraded{{part=\"{part}\"}}"))
}

#[test]
fn a_locked_journal_stops_nothing_and_loses_nothing() {
    let files = talkative();
    let mut run = files.start();
    run.until("an alert", |_| files.told().iter().any(|e| e["state"] == "started"));
    let other = Connection::open(files.path("data/lookout.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    run.until("operations sees it", |run| run.get("/readyz").contains("locked by another process"));
    assert_eq!(degraded(&run, "journal"), Some(1.0));
    let (analysed, told) = (run.analysed("yard"), files.told().len());
    run.until("pictures go on", |run| run.analysed("yard") > analysed + 10.0);
    other.execute_batch("ROLLBACK").unwrap();
    run.until("it is well", |run| degraded(run, "journal") == Some(0.0));
    run.until("alerts go on", |_| files.told().len() > told + 2);
    assert_eq!(run.metric("lookout_overflow_total{queue=\"journal\"}"), Some(0.0));
    assert_eq!(run.interrupt(), Some(0));
    assert_told_whole(&files);
}

#[test]
#[allow(clippy::print_stderr)] // Why it is skipped.
fn a_data_folder_that_can_only_be_read_stops_nothing_and_loses_nothing() {
    let files = talkative();
    let mut run = files.start();
    run.until("an alert", |_| files.told().iter().any(|e| e["state"] == "started"));
    let frozen = match Frozen::new(&files.path("data")) {
        Ok(frozen) => frozen,
        Err(why) => {
            return eprintln!("skipped: no folder can be made immutable (root on ext4, xfs or btrfs can): {why}");
        }
    };
    run.until("operations sees it", |run| {
        degraded(run, "journal") == Some(1.0) && run.get("/readyz").contains("events wait in memory")
    });
    let (analysed, told) = (run.analysed("yard"), files.told().len());
    run.until("pictures go on", |run| run.analysed("yard") > analysed + 20.0);
    assert_eq!(files.told().len(), told, "nothing is told that is not on disk");
    run.until("so does evidence", |run| degraded(run, "evidence") == Some(1.0));
    drop(frozen);
    run.until("alerts go on", |_| files.told().len() > told + 3);
    run.until("it is well", |run| degraded(run, "journal") == Some(0.0));
    run.until("all is told", |run| run.metric("lookout_outbox_pending{sink=\"record\"}") == Some(0.0));
    assert_eq!(run.metric("lookout_overflow_total{queue=\"journal\"}"), Some(0.0));
    assert_eq!(run.interrupt(), Some(0));
    assert_told_whole(&files);
}

/// Writes over a file from byte `from` to its end.
fn garble(file: &std::path::Path, from: u64) {
    let mut file = File::options().write(true).open(file).unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(&vec![0xa5; usize::try_from(length.saturating_sub(from)).unwrap()]).unwrap();
}

#[test]
fn a_journal_that_is_damaged_in_use_is_set_aside_and_alerts_go_on() {
    let files = SiteFiles::new("");
    files.camera("yard", CLIP);
    let mut run = files.start();
    run.until("an alert", |_| files.told().iter().any(|e| is(e, "anyone", "started")));
    let first = files.told().into_iter().find(|e| is(e, "anyone", "started")).unwrap();
    garble(&files.path("data/lookout.db"), 100);
    garble(&files.path("data/lookout.db-wal"), 32);
    assert_eq!(run.ended(), Some(1), "a supervisor starts it again");

    let mut run = files.start();
    run.token = viewer(&files.path("data"));
    assert_eq!((degraded(&run, "database"), degraded(&run, "journal")), (Some(1.0), Some(0.0)));
    assert!(run.get("/readyz").contains("it was damaged and is set aside as"), "{}", run.get("/readyz"));
    assert!(names(&files.path("data")).iter().any(|name| name.starts_with("lookout.db.damaged-")));
    run.until("what was open has ended, and alerts go on", |_| {
        let told = files.told();
        let others = told.iter().filter(|e| is(e, "anyone", "started") && e["alert"] != first["alert"]).count();
        others > 0 && told.iter().any(|e| is(e, "anyone", "ended") && e["alert"] == first["alert"])
    });
    assert_eq!(run.interrupt(), Some(0));
    let ends: Vec<Value> =
        files.told().into_iter().filter(|e| is(e, "anyone", "ended") && e["alert"] == first["alert"]).collect();
    assert_eq!(ends.iter().map(|e| e["reason"].as_str().unwrap()).collect::<Vec<_>>(), ["stopped"]);

    let run = files.start();
    assert_eq!(degraded(&run, "database"), Some(0.0));
    assert_eq!(run.interrupt(), Some(0));
}

#[test]
fn without_descriptors_alerts_are_kept_and_all_is_well_once_there_are_some() {
    let files = talkative();
    let mut run = files.start();
    run.until("an alert", |_| files.told().iter().any(|e| e["state"] == "started"));
    let known = || files.alerts(&["list", "--limit", "1000"]).len();
    let before = known();
    // Not one more than there are; what is open stays open.
    run.limit(Resource::Nofile, Some(run.descriptors()));
    run.until("alerts are kept", |_| known() > before + 3);
    run.limit(Resource::Nofile, Some(1024));
    run.until("the API answers", |run| run.get("/readyz").starts_with("HTTP/1.1 200"));
    let analysed = run.analysed("yard");
    run.until("pictures go on", |run| run.analysed("yard") > analysed + 5.0);
    run.until("all is told", |run| run.metric("lookout_outbox_pending{sink=\"record\"}") == Some(0.0));
    assert_eq!(run.interrupt(), Some(0));
    assert_told_whole(&files);
}
