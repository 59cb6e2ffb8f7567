use super::*;
use crate::types::{Point, Polygon};

fn camera() -> plan::Camera {
    let rule = plan::Rule {
        id: "steps-crowd".into(),
        condition: plan::Condition::Crowd { people: 6 },
        place: plan::RulePlace::Zone(0),
        filter: plan::Filter { anchor: plan::Anchor::Feet, min_height: 0.0, max_height: 1.0, min_score: 0.0 },
        incident: plan::Incident {
            threshold: 6.0,
            release: 6.0,
            falling: false,
            unit: crate::types::Unit::People,
            elapsed: false,
            hold: crate::types::Span::ZERO,
            gap: crate::types::Span::ZERO,
            cooldown: crate::types::Span::ZERO,
            schedule: None,
            quiet: false,
            severity: Severity::Moderate,
            escalate: Vec::new(),
        },
    };
    let corner = |x, y| Point { x, y };
    plan::Camera {
        id: "forecourt".into(),
        name: "Forecourt".into(),
        grid: None,
        place: None,
        source: None,
        detect: plan::Detect::default(),
        ground: None,
        motion: plan::Motion::Fixed,
        presets: Vec::new(),
        zones: vec![plan::Zone {
            id: "steps".into(),
            name: "Steps".into(),
            grid: None,
            polygon: Polygon::new(vec![corner(0.0, 0.0), corner(1.0, 0.0), corner(0.0, 1.0)]),
            preset: None,
            tied: plan::Tied::Picture,
        }],
        lines: vec![plan::Line {
            id: "gate".into(),
            name: "Gate".into(),
            grid: None,
            points: vec![corner(0.0, 0.5), corner(1.0, 0.5)],
            left: None,
            right: None,
            preset: None,
            tied: plan::Tied::Picture,
        }],
        masks: Vec::new(),
        rules: vec![rule],
    }
}

/// Families of a text exposition: name, type.
fn families(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter_map(|l| l.strip_prefix("# TYPE "));
    lines.filter_map(|l| l.split_once(' ').map(|(n, t)| (n.to_owned(), t.to_owned()))).collect()
}

#[test]
fn names_follow_the_prometheus_rules() {
    let metrics = Metrics::new().unwrap();
    let _camera = (metrics.for_camera("forecourt"), metrics.for_plan(&camera()));
    let _sink = metrics.for_sink("platform");
    let found = families(&metrics.encode().unwrap());
    for (name, kind) in &found {
        assert!(name.starts_with("lookout_") || name.starts_with("process_"), "{name}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        for unit in ["_ms", "_millis", "_milliseconds", "_minutes", "_kb", "_mb", "_percent"] {
            assert!(!name.contains(unit), "{name} is not in base units");
        }
        if kind == "histogram" {
            assert!(name.ends_with("_seconds") || name == "lookout_batch_size", "{name}");
        }
    }
}

#[test]
fn every_series_stands_at_zero_from_the_start() {
    let metrics = Metrics::new().unwrap();
    let _camera = (metrics.for_camera("forecourt"), metrics.for_plan(&camera()));
    let _sink = metrics.for_sink("platform");
    let text = metrics.encode().unwrap();
    for series in [
        r#"lookout_frames_total{camera="forecourt",outcome="analysed"} 0"#,
        r#"lookout_frames_total{camera="forecourt",outcome="idle"} 0"#,
        r#"lookout_frames_total{camera="forecourt",outcome="dropped"} 0"#,
        r#"lookout_frames_total{camera="forecourt",outcome="corrupt"} 0"#,
        r#"lookout_frame_age_seconds_count{camera="forecourt"} 0"#,
        r#"lookout_stage_seconds_count{stage="decode"} 0"#,
        r#"lookout_stage_seconds_count{stage="rules"} 0"#,
        r#"lookout_stage_heartbeat_timestamp_seconds{stage="infer"} 0"#,
        "lookout_batch_size_count 0",
        r#"lookout_people{camera="forecourt",zone="steps"} 0"#,
        r#"lookout_crossings_total{camera="forecourt",direction="left_to_right",line="gate"} 0"#,
        r#"lookout_alerts_total{camera="forecourt",kind="crowd",severity="extreme"} 0"#,
        r#"lookout_rules_suspended{camera="forecourt",reason="signal_lost"} 0"#,
        r#"lookout_deliveries_total{outcome="dead",sink="platform"} 0"#,
        r#"lookout_delivery_seconds_count{sink="platform"} 0"#,
        r#"lookout_outbox_pending{sink="platform"} 0"#,
        r#"lookout_outbox_oldest_seconds{sink="platform"} 0"#,
        r#"lookout_camera_up{camera="forecourt"} 0"#,
        r#"lookout_camera_reconnects_total{camera="forecourt",reason="stalled"} 0"#,
        r#"lookout_overflow_total{queue="journal"} 0"#,
        r#"lookout_config_reloads_total{outcome="refused"} 0"#,
        "lookout_disk_free_bytes 0",
        r#"lookout_build_info{version="0.1.0"} 1"#,
    ] {
        assert!(text.lines().any(|l| l == series), "missing {series} in\n{text}");
    }
}

#[test]
fn counts_reach_their_own_series() {
    let metrics = Metrics::new().unwrap();
    let (plan, camera) = (metrics.for_plan(&camera()), metrics.for_camera("forecourt"));
    plan.crossed(0, Direction::RightToLeft);
    plan.crossed(7, Direction::RightToLeft);
    plan.alert(Kind::Crowd, Severity::Severe);
    camera.reconnected("stalled");
    camera.suspended("signal_lost", true);
    metrics.stage(Stage::Track).done(Duration::from_micros(30));
    let text = metrics.encode().unwrap();
    for series in [
        r#"lookout_crossings_total{camera="forecourt",direction="left_to_right",line="gate"} 0"#,
        r#"lookout_crossings_total{camera="forecourt",direction="right_to_left",line="gate"} 1"#,
        r#"lookout_alerts_total{camera="forecourt",kind="crowd",severity="severe"} 1"#,
        r#"lookout_camera_reconnects_total{camera="forecourt",reason="stalled"} 1"#,
        r#"lookout_rules_suspended{camera="forecourt",reason="signal_lost"} 1"#,
        r#"lookout_stage_seconds_bucket{stage="track",le="0.00005"} 1"#,
        r#"lookout_stage_seconds_bucket{stage="track",le="0.00002"} 0"#,
    ] {
        assert!(text.lines().any(|l| l == series), "missing {series} in\n{text}");
    }
}

#[test]
fn what_another_plan_does_not_name_has_no_series_and_the_rest_goes_on() {
    let metrics = Metrics::new().unwrap();
    let old = camera();
    let mut new = camera();
    (new.zones[0].id, new.lines[0].name) = ("yard".into(), "Main gate".into());
    let plan = metrics.for_plan(&old);
    plan.people[0].set(3);
    plan.crossed(0, Direction::RightToLeft);
    let plan = metrics.replan(&old, &new);
    plan.crossed(0, Direction::RightToLeft);
    let text = metrics.encode().unwrap();
    assert!(!text.contains("zone=\"steps\""), "{text}");
    for series in [
        r#"lookout_people{camera="forecourt",zone="yard"} 0"#,
        r#"lookout_crossings_total{camera="forecourt",direction="right_to_left",line="gate"} 2"#,
    ] {
        assert!(text.lines().any(|l| l == series), "missing {series} in\n{text}");
    }
}

#[test]
fn a_camera_that_is_gone_has_no_series_and_others_keep_theirs() {
    let metrics = Metrics::new().unwrap();
    let mut other = camera();
    other.id = "yard".into();
    let handles = [camera(), other].map(|camera| (metrics.for_camera(&camera.id), metrics.for_plan(&camera)));
    let yard = |text: &str| text.lines().filter(|line| line.contains("camera=\"yard\"")).count();
    let before = yard(&metrics.encode().unwrap());
    metrics.forget(&camera());
    let text = metrics.encode().unwrap();
    assert!(before > 20 && !text.contains("camera=\"forecourt\""), "{text}");
    assert_eq!(yard(&text), before);
    drop(handles);
}
