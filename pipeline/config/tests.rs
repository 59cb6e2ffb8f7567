use std::path::Path;

use jiff::tz::TimeZone;

use super::plan::{Condition, Length, Stay};
use super::*;
use crate::types::{Severity, Span};

fn camera(text: &str) -> Result<Checked<plan::Camera>, ConfigError> {
    let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
    camera_text(Path::new("cam.toml"), text, &around)
}

fn faults(text: &str) -> Vec<String> {
    camera(text).unwrap_err().faults.iter().map(ToString::to_string).collect()
}

const GOOD: &str = r#"
id = "forecourt"
name = "Courthouse forecourt"
[source]
url = "rtsp://10.0.0.8/stream1"
rate = 8
[detect]
input = [640, 480]
extra = [[320, 256]]
score = 0.4
[[zone]]
id = "steps"
name = "入口台阶"
polygon = [[0.20, 0.45], [0.80, 0.45], [0.90, 0.98], [0.10, 0.98]]
[[zone.rule]]
id = "steps-crowd"
kind = "crowd"
people = 12
release = 10
hold = "10s"
escalate = [{ value = 25, severity = "severe" }]
[[zone.rule]]
id = "steps-loiter"
kind = "loitering"
mode = "linger"
radius = "1.2bh"
dwell = "120s"
gap = "3s"
schedule = { weekdays = ["mon-fri"], from = "18:00", to = "08:00" }
[[line]]
id = "gate"
points = [[0.1, 0.7], [0.9, 0.7]]
[[line.rule]]
id = "in"
kind = "crossing"
direction = "left_to_right"
"#;

#[test]
fn a_good_file_becomes_a_plan() {
    let plan = camera(GOOD).unwrap().plan;
    assert_eq!(plan.own_rules().count(), 3);
    let crowd = &plan.rules[0];
    assert_eq!(crowd.condition, Condition::Crowd { people: 12 });
    assert_eq!((crowd.incident.threshold, crowd.incident.release), (12.0, 10.0));
    assert_eq!((crowd.incident.hold, crowd.incident.gap), (Span::from_secs(10), Span::from_secs(1)));
    assert_eq!(crowd.incident.escalate[0].severity, Severity::Severe);
    let loiter = &plan.rules[1];
    assert_eq!(loiter.condition, Condition::Loitering { mode: Stay::Linger { radius: Length::BodyHeights(1.2) } });
    assert_eq!((loiter.incident.hold, loiter.incident.gap), (Span::from_secs(120), Span::from_secs(3)));
    assert!(loiter.incident.elapsed && loiter.incident.schedule.is_some());
}

#[test]
fn every_fault_is_named_at_once_with_its_place() {
    let text = r#"id = "a b"
[source]
url = "ftp://x/y"
[[zone]]
id = "z"
polygon = [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.5]]
[[zone.rule]]
id = "r"
kind = "crowd"
peple = 3
hold = 10
[[zone.rule]]
id = "r"
kind = "loitering"
hold = "3s"
"#;
    let faults = faults(text);
    let expected = [
        "cam.toml:1:6: id: `a b` is not an id",
        "cam.toml:3:7: source.url: `ftp` is not allowed",
        "cam.toml:6:11: zone[0].polygon: the polygon crosses itself",
        "cam.toml:6:11: zone[0].polygon[3]: [0, 1.5] is outside the picture",
        "cam.toml:7:1: zone[0].rule[0].people: missing",
        "cam.toml:10:1: zone[0].rule[0].peple: unknown key; did you mean `people`?",
        "cam.toml:11:8: zone[0].rule[0].hold: `10` is not a duration with its unit",
        "cam.toml:13:6: zone[0].rule[1].id: `r` is used twice",
        "cam.toml:12:1: zone[0].rule[1].dwell: missing",
        "cam.toml:15:8: zone[0].rule[1].hold: loitering holds for `dwell`",
    ];
    for start in expected {
        assert!(faults.iter().any(|f| f.starts_with(start)), "no `{start}` in\n{}", faults.join("\n"));
    }
    assert_eq!(faults.len(), expected.len(), "{}", faults.join("\n"));
}

#[test]
fn wrong_values_say_what_would_be_right() {
    let zone = |rule: &str| {
        format!("id = \"c\"\n[[zone]]\nid = \"z\"\npolygon = [[0,0],[1,0],[1,1]]\n[[zone.rule]]\nid = \"r\"\n{rule}")
    };
    for (rule, word) in [
        ("kind = \"density\"", "not available in this version"),
        ("kind = \"frozen\"", "write [health.frozen]"),
        ("kind = \"riot\"", "unknown variant"),
        ("kind = \"crossing\"", "belongs to a line"),
        ("kind = \"crowd\"\npeople = 0", "from 1 to"),
        ("kind = \"crowd\"\npeople = \"many\"", "invalid type"),
        ("kind = \"crowd\"\npeople = 3\nrelease = 4", "threshold"),
        ("kind = \"crowd\"\npeople = 3\ndwell = \"3s\"", "does not belong to `crowd`"),
        ("kind = \"crowd\"\npeople = 3\nescalate = [{ value = 2, severity = \"severe\" }]", "must be worse"),
        ("kind = \"crowd\"\npeople = 3\nmin_height = 0.5\nmax_height = 0.2", "nobody counts"),
        ("kind = \"crowd\"\npeople = 3\nschedule = { from = \"18:00\", to = \"18:00\" }", "empty window"),
        ("kind = \"crowd\"\npeople = 3\nschedule = { from = \"18:00\", til = \"19:00\" }", "unknown field `til`"),
        ("kind = \"gathering\"\npeople = 3\nradius = \"2px\"", "body heights"),
        ("kind = \"loitering\"\nmode = \"linger\"\ndwell = \"3s\"", "radius: missing"),
        ("kind = \"loitering\"\ndwell = \"0s\"", "a dwell of 0s is `intrusion`"),
        ("kind = \"loitering\"\ndwell = 10", "not a duration with its unit"),
    ] {
        let faults = faults(&zone(rule));
        assert!(faults.len() == 1 && faults[0].contains(word), "{rule}: {faults:?}");
    }
}

#[test]
fn a_camera_is_watched_for_its_health_unless_switched_off() {
    use super::plan::{Ailment, RulePlace};
    let watched = |text: &str| {
        let plan =
            camera(&format!("id = \"c\"\n[source]\nurl = \"rtsp://h/1\"\noutage = \"7s\"\n{text}")).unwrap().plan;
        plan.rules.iter().map(|r| (r.id.clone(), r.condition.clone(), r.incident.clone())).collect::<Vec<_>>()
    };
    let usual = watched("");
    let ids: Vec<&str> = usual.iter().map(|r| r.0.as_str()).collect();
    assert_eq!(ids, ["camera.offline", "camera.frozen", "camera.dark", "camera.blurred", "camera.moved"]);
    assert_eq!(usual[0].2.hold, Span::from_secs(7), "the outage");
    assert!(usual.iter().all(|r| r.2.quiet && r.2.elapsed && r.2.severity == Severity::Moderate));
    let own = watched(
        "[health]\nfrozen = { watch = false }\n[health.dark]\nlimit = 0.2\nhold = \"5m\"\nseverity = \"minor\"\nschedule = { from = \"07:00\", to = \"18:00\" }\n",
    );
    assert_eq!(own.len(), 4);
    assert_eq!(own[1].1, Condition::Health(Ailment::Dark(0.2)));
    assert_eq!((own[1].2.hold, own[1].2.severity), (Span::from_secs(300), Severity::Minor));
    assert!(own[1].2.schedule.is_some());
    let plan = camera(GOOD).unwrap().plan;
    assert!(plan.rules[3..].iter().all(|r| r.place == RulePlace::Camera));

    let faults = faults(
        "id = \"c\"\n[health.frozen]\nlimit = 0.5\n[health.moved]\nlimit = 0.9\n[health.fogged]\nhold = \"3s\"\n",
    );
    for word in [
        "health.frozen.limit: does not belong to `frozen`",
        "health.moved.limit: 0.9 is not a share",
        "health.fogged: unknown key",
    ] {
        assert!(faults.iter().any(|f| f.contains(word)), "{word}: {faults:?}");
    }
}

#[test]
fn credentials_in_an_address_are_refused_without_repeating_them() {
    let faults = faults("id = \"c\"\n[source]\nurl = \"rtsp://admin:hunter2@10.0.0.8/s\"\n");
    assert!(faults[0].contains("LOOKOUT_CAMERA_") && !faults[0].contains("hunter2"), "{faults:?}");
}

#[test]
fn broken_toml_gives_every_syntax_error_with_its_line() {
    let faults = faults("id = \"c\"\nname = \n[source\n");
    assert!(faults[0].starts_with("cam.toml:2:") && faults.iter().any(|f| f.starts_with("cam.toml:3:")), "{faults:?}");
}

#[test]
fn the_schema_file_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/schema.json");
    let text = format!("{:#}\n", schema());
    if std::env::var_os("LOOKOUT_WRITE_SCHEMA").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(&file).unwrap_or_default() == text,
        "run LOOKOUT_WRITE_SCHEMA=1 cargo test --release schema_file"
    );
}

#[test]
fn the_example_configurations_are_good() {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    for name in ["site.toml", "demo.toml"] {
        let checked = load_site(&configs.join(name)).unwrap_or_else(|e| panic!("{e}"));
        assert!(
            !checked.plan.cameras.is_empty() && checked.plan.cameras.iter().all(|c| c.own_rules().count() > 0),
            "{name}"
        );
    }
}

mod site {
    use super::*;

    fn write(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn faults_of_all_files_come_together() {
        let dir = write(&[
            ("site.toml", "id = \"s\"\nlisten = \"nowhere\"\n[[route]]\nid = \"r\"\nto = [\"x\"]\n"),
            ("cameras/a.toml", "id = \"a\"\n[source]\nurl = \"rtsp://h/1\"\nrate = 0\n"),
            ("cameras/b.toml", "id = \"b\"\n[source]\nurl = \"file:x.mp4\"\n"),
        ]);
        let text = load_site(&dir.path().join("site.toml")).unwrap_err().to_string();
        for word in ["listen: `nowhere`", "there is no sink `x`", "source.rate", "`media_dirs`"] {
            assert!(text.contains(word), "{word}\n{text}");
        }
    }

    #[test]
    fn routes_that_cannot_work_say_why() {
        let route = |keys: &str| format!("[[route]]\nid = \"a\"\nto = [\"w\"]\n{keys}\n");
        let b = "[[route]]\nid = \"b\"\nto = [\"w\"]\n";
        for (routes, word) in [
            (route("escalate_to = \"a\"\nanswer_within = \"5m\""), "an alert would go round in a circle"),
            (route("escalate_to = \"c\"\nanswer_within = \"5m\""), "there is no route `c`"),
            (route("escalate_to = \"b\"") + b, "nothing escalates without `answer_within`"),
            (route("answer_within = \"0s\""), "at least 1s"),
            (route("merge = 120"), "not a duration with its unit"),
            (route("default = true\nkinds = [\"crowd\"]"), "the default route takes what no other does"),
            (route("only_escalated = true\nmin_severity = \"severe\""), "only escalated alerts come here"),
            (route("default = true") + b + "default = true\n", "there is another default route"),
        ] {
            let site = format!("id = \"s\"\n[[sink]]\nid = \"w\"\nkind = \"file\"\npath = \"x\"\n{routes}");
            let dir =
                write(&[("site.toml", &site), ("cameras/a.toml", "id = \"a\"\n[source]\nurl = \"rtsp://h/1\"\n")]);
            let faults = load_site(&dir.path().join("site.toml")).unwrap_err().faults;
            let text: Vec<String> = faults.iter().map(ToString::to_string).collect();
            assert!(faults.len() == 1 && text[0].contains(word), "{routes}: {text:?}");
        }
    }

    #[test]
    fn a_file_source_must_really_lie_under_the_media_folders() {
        let dir = write(&[
            ("site.toml", "id = \"s\"\nmedia_dirs = [\"media\"]\n"),
            ("media/ok.mp4", ""),
            ("secret.mp4", ""),
            ("cameras/a.toml", "id = \"a\"\n[source]\nurl = \"file:ok.mp4\"\n"),
        ]);
        std::os::unix::fs::symlink(dir.path().join("secret.mp4"), dir.path().join("media/link.mp4")).unwrap();
        let site = dir.path().join("site.toml");
        assert!(load_site(&site).is_ok());
        for path in ["../secret.mp4", "link.mp4", "/etc/passwd"] {
            std::fs::write(dir.path().join("cameras/a.toml"), format!("id = \"a\"\n[source]\nurl = \"file:{path}\"\n"))
                .unwrap();
            let text = load_site(&site).unwrap_err().to_string();
            assert!(text.contains("source.url"), "{path}: {text}");
        }
    }

    #[test]
    fn a_secret_in_the_file_is_refused_without_repeating_it() {
        let dir = write(&[
            (
                "site.toml",
                "id = \"s\"\n[[sink]]\nid = \"w\"\nkind = \"webhook\"\nurl = \"https://h/in\"\nsecrets = [\"whsec_abc\"]\n",
            ),
            ("cameras/a.toml", "id = \"a\"\n[source]\nurl = \"rtsp://h/1\"\n"),
        ]);
        let text = load_site(&dir.path().join("site.toml")).unwrap_err().to_string();
        assert!(text.contains("env:NAME") && !text.contains("abc"), "{text}");
    }
}
