//! Files that are edited while a site runs.

use std::fs;

use crate::support::command::root;
use crate::support::site::{Run, SiteFiles};

const CLIP: &str = "url = \"file:vtest.avi\"\nloop = true";
/// Four times as fast: something happens all the time.
const FAST: &str = "url = \"file:vtest.avi\"\nloop = true\nfps = 28";

fn reloads(run: &Run, outcome: &str) -> f64 {
    run.metric(&format!("lookout_config_reloads_total{{outcome=\"{outcome}\"}}")).unwrap()
}

/// Events of a rule, as `camera state reason`.
fn of_rule(files: &SiteFiles, rule: &str) -> Vec<String> {
    let told = files.told();
    let own = told.iter().filter(|e| e["rule"] == rule && e["state"] != "updated" && e["state"] != "evidence");
    own.map(|e| format!("{} {} {}", e["camera"], e["state"], e["reason"]).replace('"', "")).collect()
}

#[test]
fn an_edited_file_is_in_force_and_other_cameras_notice_nothing() {
    let files = SiteFiles::new("");
    files.camera("yard", CLIP);
    files.camera("gate", CLIP);
    let mut run = files.start();
    run.until("alerts of both", |_| of_rule(&files, "anyone").len() == 2);
    let path = files.path("cameras/yard.toml");
    let good = fs::read_to_string(&path).unwrap();

    // A rule more; the others go on.
    let more =
        good.replace("[[line]]", "[[zone.rule]]\nid = \"more\"\nkind = \"crowd\"\npeople = 1\ngap = \"10s\"\n[[line]]");
    fs::write(&path, &more).unwrap();
    run.until("an alert of the new rule", |_| of_rule(&files, "more") == ["yard started null"]);
    assert_eq!((reloads(&run, "applied"), reloads(&run, "refused")), (1.0, 0.0));
    assert_eq!(of_rule(&files, "anyone").len(), 2);

    // A bad file: refused with its place, and everything goes on.
    fs::write(&path, more.replace("people = 1\n", "people = 0\n")).unwrap();
    run.until("it is refused", |run| reloads(run, "refused") == 1.0);
    let line = 1 + more.lines().position(|l| l == "people = 1").unwrap();
    assert!(run.log().contains(&format!("yard.toml:{line}:10: zone[0].rule[2].people:")), "{}", run.log());
    assert_eq!(run.metric("lookout_degraded{part=\"configuration\"}"), Some(1.0));
    let told = run.get("/readyz");
    let place = format!("yard.toml:{line}:10: zone[0].rule[2].people:");
    assert!(told.starts_with("HTTP/1.1 200") && told.contains(&place), "one camera's file is no reason: {told}");
    let analysed = run.analysed("yard");
    run.until("pictures go on", |run| run.analysed("yard") > analysed + 5.0);
    assert_eq!((of_rule(&files, "more").len(), of_rule(&files, "anyone").len()), (1, 2));

    // The zone gets another shape: what is open in it ends, and begins anew.
    fs::write(&path, good.replace("[1,1]", "[0.99,1]")).unwrap();
    run.until("nothing is wrong", |run| run.metric("lookout_degraded{part=\"configuration\"}") == Some(0.0));
    assert!(run.get("/readyz").contains("\"degraded\":[]"), "{}", run.get("/readyz"));
    run.until("all anew", |_| of_rule(&files, "anyone").len() == 4);
    let yard: Vec<String> = of_rule(&files, "anyone").into_iter().filter(|e| e.starts_with("yard")).collect();
    assert_eq!(yard, ["yard started null", "yard ended reconfigured", "yard started null"]);
    assert_eq!(of_rule(&files, "more"), ["yard started null", "yard ended reconfigured"]);
    assert_eq!(run.metric("lookout_camera_up{camera=\"gate\"}"), Some(1.0));
    assert_eq!(run.interrupt(), Some(0));
    let gate: Vec<String> = of_rule(&files, "anyone").into_iter().filter(|e| e.starts_with("gate")).collect();
    assert_eq!(gate, ["gate started null", "gate ended stopped"]);
}

/// What a file sink has: alert and number of each event, in order.
fn keys(files: &SiteFiles, name: &str) -> Vec<(String, u64)> {
    let key = |e: &serde_json::Value| (e["alert"].as_str().unwrap().to_owned(), e["seq"].as_u64().unwrap());
    files.lines(name).iter().map(key).collect()
}

/// Starts of the rule that starts all the time.
fn starts(files: &SiteFiles, name: &str) -> usize {
    files.lines(name).iter().filter(|e| e["rule"] == "three" && e["state"] == "started").count()
}

/// Every event once, those of each alert in order.
fn assert_in_order(keys: &[(String, u64)]) {
    let mut last = std::collections::BTreeMap::new();
    for (alert, seq) in keys {
        let before = last.insert(alert, seq);
        assert!(before.is_none_or(|before| before < seq), "{alert}: {before:?}, then {seq}");
    }
}

#[test]
fn receivers_come_change_and_go_while_alerts_flow() {
    let files = SiteFiles::new("");
    files.camera("yard", FAST);
    let mut run = files.start();
    let write = |more: &str| files.site("site.toml", ([127, 0, 0, 1], 0).into(), more);
    let file = |path: &str| format!("[[sink]]\nid = \"second\"\nkind = \"file\"\npath = \"{path}\"\n");
    run.until("alerts", |_| starts(&files, "alerts.jsonl") >= 1);

    write(&file("second.jsonl"));
    run.until("the new one gets alerts", |_| starts(&files, "second.jsonl") >= 1);
    assert_eq!((reloads(&run, "applied"), reloads(&run, "refused")), (1.0, 0.0));
    assert!(run.metric("lookout_outbox_pending{sink=\"second\"}").is_some());

    write(&file("third.jsonl"));
    run.until("it gets them elsewhere", |_| starts(&files, "third.jsonl") >= 2);
    let (second, third) = (keys(&files, "second.jsonl"), keys(&files, "third.jsonl"));
    assert_in_order(&[second.clone(), third].concat());

    write("");
    run.until("it is gone", |run| reloads(run, "applied") == 3.0);
    let told = starts(&files, "alerts.jsonl");
    run.until("the first one goes on", |_| starts(&files, "alerts.jsonl") >= told + 2);
    let third = starts(&files, "third.jsonl");
    run.until("and on", |_| starts(&files, "alerts.jsonl") >= told + 4);
    assert_eq!(starts(&files, "third.jsonl"), third, "whoever is gone gets nothing");
    assert_eq!(keys(&files, "second.jsonl"), second);
    assert_eq!(run.metric("lookout_outbox_pending{sink=\"second\"}"), Some(0.0));

    // Back again, and what it did not get while it was away stays so.
    write(&file("third.jsonl"));
    run.until("it is back", |_| starts(&files, "third.jsonl") > third);
    assert_eq!(run.interrupt(), Some(0));
    assert_in_order(&keys(&files, "alerts.jsonl"));
    assert_in_order(&[second, keys(&files, "third.jsonl")].concat());
    // All that the journal has came to the one that was there all the time, but for updates that newer ones overtook.
    let ended = |name: &str| files.lines(name).iter().filter(|e| e["state"] == "ended").count();
    assert_eq!(ended("alerts.jsonl"), files.alerts(&["list", "--limit", "1000"]).len());
}

#[test]
fn routes_change_and_a_wrong_site_file_leaves_the_last_good_one() {
    let files = SiteFiles::new("");
    files.camera("yard", FAST);
    let mut run = files.start();
    let write = |more: &str| files.site("site.toml", ([127, 0, 0, 1], 0).into(), more);
    run.until("alerts", |_| starts(&files, "alerts.jsonl") >= 1);

    let line = fs::read_to_string(write("")).unwrap().lines().count() + 3;
    write("[[sink]]\nid = \"x\"\nkind = \"nothing\"\n");
    run.until("it is refused", |run| reloads(run, "refused") == 1.0);
    let place = format!("site.toml:{line}:8: sink[1].kind");
    run.until("its place is told", |run| run.log().contains(&place) && run.get("/readyz").contains(&place));
    write("[[sink]]\nid = \"x\"\nkind = \"webhook\"\nurl = \"https://h/in\"\nsecrets = [\"env:LOOKOUT_NOT_SET\"]\n");
    run.until("it is refused as well", |run| reloads(run, "refused") == 2.0);
    let unset = "sink `x`: environment variable LOOKOUT_NOT_SET";
    run.until("whoever may see is told", |run| run.get("/readyz").contains(unset));
    write("[[route]]\nid = \"r\"\nto = [\"record\"]\nzones = [\"nowhere\"]\n");
    run.until("so is a zone that no camera has", |run| reloads(run, "refused") == 3.0);
    let told = starts(&files, "alerts.jsonl");
    run.until("alerts go on", |_| starts(&files, "alerts.jsonl") >= told + 2);
    run.until("its health says so", |run| run.metric("lookout_degraded{part=\"configuration\"}") == Some(1.0));

    write(
        "[[route]]\nid = \"quiet\"\nto = [\"record\"]\nkinds = [\"intrusion\"]\nanswer_within = \"1s\"\n[evidence]\nquota_gb = 3\n",
    );
    run.until("it is taken", |run| reloads(run, "applied") == 1.0);
    run.until("its health says so", |run| run.metric("lookout_degraded{part=\"configuration\"}") == Some(0.0));
    let ready = run.get("/readyz");
    assert!(ready.contains("site.toml: evidence") && !ready.contains("site.toml: listen"), "{ready}");
    run.until("its series are there", |run| run.metric("lookout_alerts_unanswered{route=\"quiet\"}").is_some());
    // Whoever heard of an alert hears of its end.
    let crowds =
        |run: &Run| run.metric("lookout_alerts_total{camera=\"yard\",kind=\"crowd\",severity=\"moderate\"}").unwrap();
    let (before, then) = (crowds(&run), starts(&files, "alerts.jsonl"));
    run.until("crowds go on", |run| crowds(run) >= before + 3.0);
    assert!(starts(&files, "alerts.jsonl") <= then + 1, "crowds go to nobody any more");
    assert_eq!(run.interrupt(), Some(0));
    assert_in_order(&keys(&files, "alerts.jsonl"));
}

#[test]
fn a_camera_goes_over_to_another_detector_and_others_notice_nothing() {
    let files = SiteFiles::new("");
    files.camera("yard", CLIP);
    files.camera("gate", CLIP);
    let mut run = files.start();
    run.until("alerts of both", |_| of_rule(&files, "anyone").len() == 2);
    let path = files.path("cameras/yard.toml");
    let good = fs::read_to_string(&path).unwrap();
    let detect = |more: &str| fs::write(&path, good.replace("input = [320, 256]", more)).unwrap();
    let own = |camera: &str| -> Vec<String> {
        of_rule(&files, "anyone").into_iter().filter(|e| e.starts_with(camera)).collect()
    };

    detect("model = \"nothing\"");
    run.until("what there is not is refused", |run| reloads(run, "refused") == 1.0);
    assert!(run.get("/readyz").contains("detect: model `nothing` is neither a file nor in"), "{}", run.get("/readyz"));
    let analysed = run.analysed("yard");
    run.until("pictures go on", |run| run.analysed("yard") > analysed + 5.0);

    detect("input = [256, 192]\nscore = 0.99");
    run.until("it is taken", |run| reloads(run, "applied") == 1.0);
    run.until("nobody is sure enough any more", |_| own("yard").len() == 2);
    assert_eq!(own("yard"), ["yard started null", "yard ended cleared"]);
    assert!(!run.get("/readyz").contains("yard.toml"), "nothing waits: {}", run.get("/readyz"));

    detect("input = [416, 320]");
    run.until("people are found again", |_| own("yard").len() == 3);
    assert_eq!(reloads(&run, "applied"), 2.0);
    let analysed = run.analysed("gate");
    run.until("the other one goes on", |run| run.analysed("gate") > analysed + 5.0);
    assert_eq!(own("gate"), ["gate started null"]);
    detect("input = [416, 320]\ngate = true");
    run.until("its capture begins anew behind a motion gate", |run| connected(run, "yard") == 2);
    assert!(run.get("/readyz").contains("\"after_restart\":[]"), "{}", run.get("/readyz"));
    assert_eq!(connected(&run, "gate"), 1);
    assert_eq!(run.interrupt(), Some(0));
}

/// How often a camera was connected.
fn connected(run: &Run, camera: &str) -> usize {
    run.log().matches(&format!("connected camera=\"{camera}\"")).count()
}

#[test]
fn another_source_is_taken_and_other_cameras_notice_nothing() {
    let files = SiteFiles::new("");
    // The same clip under another name in another folder.
    fs::create_dir(files.path("clips")).unwrap();
    fs::copy(root().join("media/vtest.avi"), files.path("clips/other.avi")).unwrap();
    let site = fs::read_to_string(files.path("site.toml")).unwrap();
    fs::write(files.path("site.toml"), site.replace("media_dirs = [", "media_dirs = [\"clips\", ")).unwrap();
    files.camera("yard", CLIP);
    files.camera("gate", CLIP);
    let mut run = files.start();
    run.until("alerts of both", |_| of_rule(&files, "anyone").len() == 2);
    let up = |run: &Run, camera: &str| run.metric(&format!("lookout_camera_up{{camera=\"{camera}\"}}")).unwrap();
    let go_on = |run: &mut Run, camera: &str| {
        let analysed = run.analysed(camera);
        run.until("pictures go on", |run| run.analysed(camera) >= analysed + 5.0);
    };
    let path = files.path("cameras/yard.toml");
    let good = fs::read_to_string(&path).unwrap();

    fs::write(&path, good.replace("file:vtest.avi", "file:other.avi")).unwrap();
    run.until("it is connected there", |run| connected(run, "yard") == 2);
    go_on(&mut run, "yard");
    // One that nobody answers at, which is no reason to refuse it.
    fs::write(&path, good.replace("file:vtest.avi", "rtsp://127.0.0.1:1/nobody").replace("loop = true\n", "")).unwrap();
    run.until("there are no pictures there", |run| up(run, "yard") == 0.0 && reloads(run, "applied") == 2.0);
    go_on(&mut run, "gate");
    // Back, and no back-off is waited for.
    fs::write(&path, good.replace("rate = 5", "rate = 4")).unwrap();
    run.until("it is connected again", |run| connected(run, "yard") == 3 && up(run, "yard") == 1.0);
    go_on(&mut run, "yard");
    assert_eq!((reloads(&run, "applied"), reloads(&run, "refused")), (3.0, 0.0));
    assert!(run.get("/readyz").contains("\"after_restart\":[]"), "{}", run.get("/readyz"));
    assert_eq!((connected(&run, "gate"), up(&run, "gate")), (1, 1.0));
    assert_eq!(run.interrupt(), Some(0));
    let gate: Vec<String> = of_rule(&files, "anyone").into_iter().filter(|e| e.starts_with("gate")).collect();
    assert_eq!(gate, ["gate started null", "gate ended stopped"]);
}
