mod sinks;

use std::path::Path;

use jiff::tz::TimeZone;

use super::plan::{Condition, Length, Stay};
use super::*;
use crate::types::{Direction, Kind, Severity, Span, Unit};

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
        ("kind = \"density\"", "the camera needs `[ground]`"),
        ("kind = \"crowd\"\npeople = 3\ndensity = 2.0", "density: does not belong to `crowd`"),
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
        ("kind = \"occupancy\"\npeople = 3", "of the site file"),
        ("kind = \"wrong_way\"", "along: missing: the allowed way"),
        ("kind = \"wrong_way\"\nalong = [[0.1, 0.1]]", "1 points; needs two or more"),
        ("kind = \"wrong_way\"\nalong = [[0.1, 0.1], [0.1, 0.1]]", "two points in a row are the same"),
        ("kind = \"wrong_way\"\nalong = [[0.1, 0.1], [0.9, 1.1]]", "outside the picture"),
        ("kind = \"wrong_way\"\nalong = [[0.1, 0.1], [0.9, 0.1]]\ndistance = 2", "not a length"),
        ("kind = \"counter_flow\"\nshare = 1.5", "not above 0 and at most 1"),
        ("kind = \"counter_flow\"\npeople = 1", "from 2 to"),
        ("kind = \"counter_flow\"\nspeed = \"2m/s\"", "speed: does not belong to `counter_flow`"),
        ("kind = \"rush\"\nspeed = \"2.5m\"", "metres a second"),
        ("kind = \"rush\"\nfactor = 0.5", "from 1 to 100"),
        ("kind = \"proximity\"", "distance: missing: how near"),
        ("kind = \"proximity\"\ndistance = \"2m\"\npeople = 4\nexempt_together = true", "only for pairs"),
        (
            "kind = \"proximity\"\ndistance = \"2m\"\nescalate = [{ value = 3, severity = \"severe\" }]",
            "does not follow moderate from 2 down",
        ),
        ("kind = \"vanished\"", "after: missing: how long not seen"),
        ("kind = \"vanished\"\nafter = \"1s\"", "less than 3s"),
        ("kind = \"vanished\"\nafter = \"20s\"\ngap = \"2s\"", "leave `gap` out"),
        ("kind = \"vanished\"\nafter = \"20s\"\nhold = \"2s\"", "leave `hold` out"),
    ] {
        let faults = faults(&zone(rule));
        assert!(faults.len() == 1 && faults[0].contains(word), "{rule}: {faults:?}");
    }
}

const COURT: &str = "points = [[0.11, 0.62], [0.54, 0.60], [0.93, 0.88], [0.05, 0.95]]\n\
    metres = [[0.0, 0.0], [12.0, 0.0], [12.0, 9.0], [0.0, 9.0]]\n";

#[test]
fn a_ground_is_known_points_or_learnt() {
    let ground = |text: &str| camera(&format!("id = \"c\"\n{text}")).unwrap_or_else(|e| panic!("{e}")).plan.ground;
    let known = ground(&format!("[ground]\n{COURT}")).unwrap();
    let plan::GroundPlane::Known(plane) = known.plane else { panic!("not known") };
    assert_eq!(plane.error(), None, "a plane meets any four points");
    let learnt = |height, freeze| plan::Ground { lens: None, plane: plan::GroundPlane::Learnt { height, freeze } };
    assert_eq!(ground("ground = \"learn\"\n"), Some(learnt(1.7, false)));
    assert_eq!(ground("[ground]\nlearn = true\nfreeze = true\nheight = \"1.6m\"\n"), Some(learnt(1.6, true)));
    let lens = ground("[ground]\nlearn = true\n[ground.lens]\nfocal = [0.9, 1.2]\ndistortion = [-0.2, 0.1]\n").unwrap();
    assert_eq!(lens.lens.unwrap().distortion, [-0.2, 0.1, 0.0, 0.0, 0.0]);
    assert_eq!(ground(""), None);
}

#[test]
fn what_is_no_ground_is_refused_with_its_place() {
    let court = |extra: &str| format!("[ground]\n{COURT}{extra}");
    let with = |points: &str| format!("[ground]\npoints = [{points}]\nmetres = [[0, 0], [12, 0], [12, 9], [0, 9]]\n");
    let zone = |polygon: &str| court(&format!("[[zone]]\nid = \"z\"\npolygon = {polygon}\n"));
    let line = |points: &str| court(&format!("[[line]]\nid = \"l\"\npoints = {points}\n"));
    for (text, start) in [
        ("ground = \"guess\"\n".to_owned(), "cam.toml:2:10: ground: `guess` is not \"learn\""),
        (
            with("[0.1, 0.6], [0.5, 0.6], [0.9, 0.6], [0.5, 0.9]"),
            "cam.toml:3:10: ground.points: all places but at most one",
        ),
        (with("[0.1, 0.6], [0.9, 0.9], [0.9, 0.6], [0.1, 0.9]"), "cam.toml:3:10: ground.points["),
        (with("[0.11, 0.38], [0.54, 0.40], [0.93, 0.12], [0.05, 0.05]"), "cam.toml:3:10: ground.points["),
        (with("[0.1, 0.6], [0.1, 0.6], [0.9, 0.6], [0.5, 0.9]"), "cam.toml:3:10: ground.points[1]: the same place"),
        (with("[0.1, 0.6], [0.9, 0.6], [0.5, 0.9]"), "cam.toml:3:10: ground.points: 3 points; needs four or more"),
        (court("learn = true\n"), "cam.toml:3:10: ground.points: does not go with `learn`"),
        (court("freeze = true\n"), "cam.toml:5:10: ground.freeze: only with `learn = true`"),
        (court("height = \"1.6m\"\n"), "cam.toml:5:10: ground.height: only with `learn = true`"),
        (
            "[ground]\nlearn = true\nheight = \"1.2bh\"\n".into(),
            "cam.toml:4:10: ground.height: a body height is what this says",
        ),
        (court("[ground.lens]\ndistortion = [0.1]\n"), "cam.toml:5:1: ground.lens.focal: missing"),
        (
            court("[ground.lens]\nfocal = [0.5, 0.6]\ndistortion = [-2.0]\n"),
            "cam.toml:5:1: ground.lens.distortion: folds",
        ),
        (zone("[[0.1, 0.0], [0.9, 0.0], [0.5, 0.02]]"), "cam.toml:7:11: zone[0].polygon: lies above the horizon"),
        (line("[[0.1, 0.0], [0.9, 0.02]]"), "cam.toml:7:10: line[0].points: lies above the horizon"),
    ] {
        let faults = faults(&format!("id = \"c\"\n{text}"));
        let first = &faults[0];
        assert!(first.starts_with(start), "{text}\n{}", faults.join("\n"));
    }
    // A slip in one of six shows; a zone that reaches into the sky is said.
    let six = "[ground]\npoints = [[0.11, 0.62], [0.54, 0.60], [0.93, 0.88], [0.05, 0.95], [0.3, 0.7], [0.5, 0.8]]\n\
        metres = [[0, 0], [12, 0], [12, 9], [0, 9], [9, 4], [7, 7]]\n";
    let warned = |text: &str| camera(&format!("id = \"c\"\n{text}")).unwrap_or_else(|e| panic!("{e}")).warnings;
    assert!(warned(six)[0].to_string().contains("the plane misses the places by"));
    assert!(
        warned(&zone("[[0.1, 0.0], [0.9, 0.0], [0.9, 0.9], [0.1, 0.9]]"))[0].message.contains("only the part below")
    );
    assert!(warned(&zone("[[0.1, 0.7], [0.9, 0.7], [0.9, 0.9], [0.1, 0.9]]")).is_empty());
    assert!(warned(&line("[[0.1, 0.0], [0.9, 0.9]]"))[0].message.contains("nobody can cross it there"));
    assert!(warned(&line("[[0.1, 0.7], [0.9, 0.9]]")).is_empty());
}

#[test]
fn what_a_camera_that_moves_may_ask_for() {
    use super::plan::{Motion, Tied};
    let zone = |more: &str| format!("[[zone]]\nid = \"z\"\npolygon = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]\n{more}");
    let good = |text: &str| camera(&format!("id = \"c\"\n{text}")).unwrap_or_else(|e| panic!("{e}")).plan;
    let ptz = "motion = \"ptz\"\n[[preset]]\nid = \"a\"\n[[preset]]\nid = \"b\"\nname = \"Back\"\n";
    let dome = good(&format!("{ptz}{}", zone("preset = \"b\"\n")));
    assert_eq!((dome.motion, dome.zones[0].preset, dome.presets[1].name.as_str()), (Motion::Ptz, Some(1), "Back"));
    let drone = good(&format!("motion = \"moving\"\n{}", zone("tied = \"ground\"\n")));
    assert_eq!((drone.zones[0].tied, good(&zone("")).zones[0].tied), (Tied::Ground, Tied::Picture));
    for moves in [&dome, &drone] {
        let ids: Vec<&str> = moves.rules.iter().map(|r| r.id.as_str()).collect();
        assert_eq!(
            ids,
            ["camera.offline", "camera.frozen", "camera.dark", "camera.blurred"],
            "never told to have moved"
        );
    }
    for (text, start) in [
        ("motion = \"flying\"\n".to_owned(), "cam.toml:2:10: motion: unknown variant `flying`"),
        ("motion = \"ptz\"\n".into(), "cam.toml:2:10: motion: a `ptz` camera has presets"),
        ("[[preset]]\nid = \"a\"\n".into(), "cam.toml:2:1: preset[0]: only a camera with `motion = \"ptz\"`"),
        (format!("{ptz}[[preset]]\nid = \"a\"\n"), "cam.toml:9:6: preset[2].id: `a` is used twice"),
        (format!("{ptz}{}", zone("")), "cam.toml:8:1: zone[0].preset: missing"),
        (format!("{ptz}{}", zone("preset = \"x\"\n")), "cam.toml:11:10: zone[0].preset: there is no preset `x`"),
        (format!("{ptz}{}", zone("preset = \"a\"\ntied = \"ground\"\n")), "cam.toml:12:8: zone[0].tied: only"),
        (zone("preset = \"a\"\n"), "cam.toml:5:10: zone[0].preset: only a camera with"),
        (zone("tied = \"picture\"\n"), "cam.toml:5:8: zone[0].tied: only what a camera with"),
        ("motion = \"moving\"\nground = \"learn\"\n".into(), "cam.toml:3:10: ground: a camera that moves has no"),
        ("motion = \"moving\"\n[health.moved]\nhold = \"5s\"\n".into(), "cam.toml:3:1: health.moved: only a fixed"),
        (
            format!("{ptz}[[mask]]\nkind = \"privacy\"\npreset = \"a\"\npolygon = [[0, 0], [1, 0], [0, 1]]\n"),
            "cam.toml:10:10: mask[0].preset: what is private is blacked out wherever",
        ),
    ] {
        let faults = faults(&format!("id = \"c\"\n{text}"));
        assert!(faults[0].starts_with(start), "{text}\n{}", faults.join("\n"));
    }
}

#[test]
fn each_kind_has_its_own_defaults() {
    let rule = |rule: &str| {
        let text = format!(
            "id = \"c\"\n[[zone]]\nid = \"z\"\npolygon = [[0,0],[1,0],[1,1]]\n[[zone.rule]]\nid = \"r\"\n{rule}"
        );
        camera(&text).unwrap().plan.rules.remove(0)
    };
    let times = |rule: &plan::Rule| (rule.incident.hold.secs_f64(), rule.incident.gap.secs_f64());
    let wrong = rule("kind = \"wrong_way\"\nalong = [[0.1, 0.5], [0.9, 0.5]]");
    assert_eq!((wrong.incident.threshold, wrong.incident.unit, times(&wrong)), (1.5, Unit::Metres, (0.0, 2.0)));
    let counter = rule("kind = \"counter_flow\"");
    assert_eq!(counter.condition, Condition::CounterFlow { along: None, people: 5 });
    assert_eq!((counter.incident.threshold, counter.incident.unit), (0.3, Unit::Share));
    let rush = rule("kind = \"rush\"");
    assert_eq!(rush.condition, Condition::Rush { people: 5, factor: 2.0 });
    assert_eq!((rush.incident.threshold, rush.incident.unit, times(&rush)), (2.5, Unit::MetresPerSecond, (2.0, 1.0)));
    let near = rule("kind = \"proximity\"\ndistance = \"1bh\"\nescalate = [{ value = 0.5, severity = \"severe\" }]");
    assert_eq!((near.incident.threshold, near.incident.falling, times(&near)), (1.7, true, (3.0, 1.0)));
    let gone = rule("kind = \"vanished\"\nafter = \"20s\"");
    assert_eq!((gone.incident.severity, times(&gone)), (Severity::Minor, (20.0, 0.0)));
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
    // With a slash in it the password's rest would be a path.
    for address in ["rtsp://admin:hunter2@10.0.0.8/s", "rtsp://admin:hunter2/x@10.0.0.8/s", "rtsp://[::1]:hunter2/s"] {
        let faults = faults(&format!("id = \"c\"\n[source]\nurl = \"{address}\"\n"));
        assert!(faults[0].contains("LOOKOUT_CAMERA_") && !faults[0].contains("hunter2"), "{faults:?}");
    }
    for address in ["rtsp://10.0.0.8:554/live@1", "rtsp://[fe80::1]/s", "http://camera.example:8080"] {
        assert!(camera(&format!("id = \"c\"\n[source]\nurl = \"{address}\"\n")).is_ok(), "{address}");
    }
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
fn the_examples_show_every_kind_of_rule() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/site.toml");
    let site = load_site(&file).unwrap_or_else(|e| panic!("{e}")).plan;
    let rules = site.cameras.iter().flat_map(|c| &c.rules).chain(&site.rules);
    let kinds: std::collections::BTreeSet<Kind> = rules.map(|r| r.condition.kind()).collect();
    for kind in [
        Kind::Crowd,
        Kind::Density,
        Kind::Gathering,
        Kind::Crossing,
        Kind::Loitering,
        Kind::Intrusion,
        Kind::WrongWay,
        Kind::CounterFlow,
        Kind::Rush,
        Kind::Proximity,
        Kind::Vanished,
        Kind::Occupancy,
    ] {
        assert!(kinds.contains(&kind), "no example of {kind}");
    }
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

    pub(super) fn write(files: &[(&str, &str)]) -> tempfile::TempDir {
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
    fn who_may_reach_the_site_is_checked() {
        let load = |keys: &str| {
            let site = format!("id = \"s\"\n{keys}");
            let dir =
                write(&[("site.toml", &site), ("cameras/a.toml", "id = \"a\"\n[source]\nurl = \"rtsp://h/1\"\n")]);
            load_site(&dir.path().join("site.toml")).map(|checked| checked.plan.access).map_err(|e| e.to_string())
        };
        let standard = load("").unwrap();
        assert!(standard.metrics_from.contains("127.0.0.1".parse().unwrap()) && standard.plain.is_empty());
        let proxied = "listen = \"0.0.0.0:80\"\nbehind_proxy = [\"10.0.0.0/8\", \"::1\"]\nmetrics_from = []\n";
        let access = load(&format!("{proxied}[privacy]\nplain = [\"admin\"]\n")).unwrap();
        assert_eq!((access.behind_proxy.0.len(), access.metrics_from.0.len()), (2, 0));
        assert_eq!(access.plain, [plan::Role::Admin]);
        let tls = "listen = \"[::]:443\"\n[tls]\ncert = \"a.pem\"\nkey = \"b.pem\"\n";
        assert!(load(tls).unwrap().tls.unwrap().cert.is_absolute());
        for (keys, word) in [
            ("listen = \"0.0.0.0:80\"\n", "listen: without `[tls]` or `behind_proxy`"),
            ("metrics_from = [\"10.0.0.1/8\"]\n", "metrics_from[0]: `10.0.0.1/8` has bits beyond its prefix"),
            ("behind_proxy = [\"10.0.0.0/8\", \"proxy\"]\n", "behind_proxy[1]: `proxy` is not a network"),
            ("[tls]\ncert = \"a.pem\"\n", "tls.key: missing"),
            ("[privacy]\nplain = [\"root\"]\n", "privacy.plain"),
        ] {
            let text = load(keys).unwrap_err();
            assert!(text.contains(word), "{word}\n{text}");
        }
    }

    fn park(rule: &str) -> tempfile::TempDir {
        let site = format!("id = \"s\"\ntime_zone = \"Asia/Shanghai\"\n[[rule]]\nid = \"park\"\n{rule}");
        let camera =
            "id = \"a\"\n[source]\nurl = \"rtsp://h/1\"\n[[line]]\nid = \"gate\"\npoints = [[0.1, 0.5], [0.9, 0.5]]\n";
        write(&[("site.toml", site.as_str()), ("cameras/a.toml", camera)])
    }

    const GATE: &str = "[[rule.gate]]\ncamera = \"a\"\nline = \"gate\"\ninward = \"left_to_right\"\n";

    #[test]
    fn a_rule_of_the_site_counts_at_lines_of_its_cameras() {
        let dir = park(&format!("kind = \"occupancy\"\npeople = 100\nreset = \"03:30\"\nhold = \"1m\"\n{GATE}"));
        let rule = load_site(&dir.path().join("site.toml")).unwrap_or_else(|e| panic!("{e}")).plan.rules.remove(0);
        let Condition::Occupancy { people, gates, reset } = &rule.condition else { panic!("{rule:?}") };
        assert_eq!((*people, rule.incident.threshold, rule.incident.hold), (100, 100.0, Span::from_secs(60)));
        assert_eq!((gates[0].line.as_str(), gates[0].inward), ("gate", Direction::LeftToRight));
        let day = |time: &str| reset.day(format!("{time}+08:00").parse().unwrap());
        assert_eq!(day("2026-11-24T03:29:59") + 1, day("2026-11-24T03:30:00"));
        assert_eq!(day("2026-11-24T03:30:00"), day("2026-11-25T03:29:59"));
    }

    #[test]
    fn a_wrong_rule_of_the_site_says_what_would_be_right() {
        for (rule, word) in [
            (format!("kind = \"crowd\"\npeople = 3\n{GATE}"), "belongs to a zone or a line of a camera"),
            (format!("kind = \"occupancy\"\n{GATE}"), "people: missing"),
            (format!("kind = \"occupancy\"\npeople = 0\n{GATE}"), "give 1 or more"),
            ("kind = \"occupancy\"\npeople = 3\n".into(), "0 gates; needs 1 to 1000"),
            (format!("kind = \"occupancy\"\npeople = 3\nreset = \"4\"\n{GATE}"), "not a time of day"),
            (format!("kind = \"occupancy\"\npeople = 3\n{GATE}{GATE}"), "named twice"),
            (format!("kind = \"occupancy\"\npeople = 3\n{}", GATE.replace("\"a\"", "\"b\"")), "no camera `b`"),
            (format!("kind = \"occupancy\"\npeople = 3\n{}", GATE.replace("gate\"", "door\"")), "no line `door`"),
            (format!("kind = \"occupancy\"\npeople = 3\n{}", GATE.replace("inward", "in")), "gate[0].in: unknown key"),
        ] {
            let dir = park(&rule);
            let text = load_site(&dir.path().join("site.toml")).unwrap_err().to_string();
            assert!(text.contains(word), "{rule}: {text}");
        }
    }

    #[test]
    fn alerts_are_kept_no_shorter_than_their_pictures() {
        let load = |more: &str| {
            let (site, camera) = (format!("id = \"t\"\n{more}"), "id = \"a\"\n[source]\nurl = \"rtsp://h/1\"\n");
            let dir = write(&[("site.toml", &site), ("cameras/a.toml", camera)]);
            load_site(&dir.path().join("site.toml"))
                .map(|loaded| loaded.plan.journal.keep_days)
                .map_err(|e| e.to_string())
        };
        assert_eq!(load(""), Ok(730));
        assert_eq!(load("[evidence]\nmax_days = 1000\n"), Ok(1000));
        assert_eq!(load("[journal]\nkeep_days = 90\n"), Ok(90));
        let fault = load("[journal]\nkeep_days = 89\n").unwrap_err();
        assert!(fault.contains("site.toml:3:13: journal.keep_days: 89 is less than evidence.max_days = 90"), "{fault}");
    }
}
