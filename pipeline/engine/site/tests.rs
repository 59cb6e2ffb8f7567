use super::*;
use crate::config::load_site;
use crate::types::Direction;

/// A park with two gates, at most three people, nobody at four in the morning in Shanghai.
fn site(folder: &Path) -> Site {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for id in ["north", "south"] {
        let source = "[source]\nurl = \"rtsp://10.0.0.8/1\"\n";
        let line = "[[line]]\nid = \"gate\"\npoints = [[0.1, 0.5], [0.9, 0.5]]\n";
        write(&format!("cameras/{id}.toml"), &format!("id = \"{id}\"\n{source}{line}"));
    }
    let gate = |camera: &str, inward: &str| {
        format!("[[rule.gate]]\ncamera = \"{camera}\"\nline = \"gate\"\ninward = \"{inward}\"\n")
    };
    let rule = "[[rule]]\nid = \"park\"\nkind = \"occupancy\"\npeople = 3\nrelease = 2\nescalate = [{ value = 5, severity = \"severe\" }]\n";
    let head = "id = \"park\"\ntime_zone = \"Asia/Shanghai\"\ndata = \"data\"\n";
    write("site.toml", &format!("{head}{rule}{}{}", gate("north", "left_to_right"), gate("south", "right_to_left")));
    load_site(&folder.join("site.toml")).unwrap_or_else(|e| panic!("{e}")).plan
}

fn at(seconds: i64) -> Timestamp {
    "2026-11-24T10:00:00+08:00".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

/// One more or one fewer person at this second.
fn crossed(seconds: i64, camera: usize, inward: bool) -> SiteCrossed {
    let direction = if inward == (camera == 0) { Direction::LeftToRight } else { Direction::RightToLeft };
    SiteCrossed { at: at(seconds), camera: ["north", "south"][camera].into(), line: "gate".into(), direction }
}

fn told(events: &[Event]) -> Vec<(State, i64, f64)> {
    events.iter().map(|e| (e.state, e.at.duration_since(at(0)).as_secs(), e.value)).collect()
}

fn day(stage: &mut SiteStage, order: &[usize]) -> Vec<Event> {
    let all = [
        (1, 0, true),
        (2, 1, true),
        (2, 0, true),
        (3, 1, true),
        (3, 1, true),
        (8, 0, false),
        (9, 0, false),
        (9, 1, false),
        (9, 1, false),
    ];
    let mut events = Vec::new();
    order.iter().for_each(|i| stage.put(crossed(all[*i].0, all[*i].1, all[*i].2)));
    (0..15).for_each(|second| stage.advance(at(second), &mut events));
    events
}

#[test]
fn people_of_all_gates_add_up_in_whatever_order_cameras_tell() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path());
    let events = day(&mut SiteStage::new(&site), &[0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(told(&events), [(State::Started, 2, 3.0), (State::Updated, 3, 5.0), (State::Ended, 10, 4.0)]);
    let again = day(&mut SiteStage::new(&site), &[8, 3, 5, 1, 0, 7, 6, 2, 4]);
    assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&events).unwrap());

    let event = serde_json::to_value(&events[0]).unwrap();
    for field in ["camera", "camera_name", "zone", "line", "where", "box", "place"] {
        assert!(event[field].is_null(), "{field} is {}", event[field]);
    }
    assert_eq!((&event["kind"], &event["rule"]), (&"occupancy".into(), &"park".into()));
    assert_eq!(event["text"]["en"], "[moderate] park, the whole site: 3 people, threshold 3");
    assert_eq!(event["text"]["zh"], "【较重】park全场：3人，阈值3人");
}

#[test]
fn the_reset_at_four_in_the_morning_ends_the_day() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = SiteStage::new(&site(folder.path()));
    (0..4).for_each(|_| stage.put(crossed(1, 0, true)));
    let mut events = Vec::new();
    stage.advance(at(2), &mut events);
    assert_eq!(stage.people(), [4.0]);
    // 10:00 and 18 hours is 04:00 of the next day.
    let night = 18 * 3600;
    stage.advance(at(night - 1), &mut events);
    assert_eq!(stage.people(), [4.0]);
    (0..4).for_each(|second| stage.advance(at(night + second), &mut events));
    assert_eq!(stage.people(), [0.0]);
    let states: Vec<State> = events.iter().map(|e| e.state).collect();
    assert_eq!(states, [State::Started, State::Ended]);
}

#[test]
fn counts_survive_a_restart_and_a_broken_file_is_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path());
    std::fs::create_dir_all(&site.data).unwrap();
    let metrics = crate::telemetry::Metrics::new().unwrap();
    let worker = || {
        let (out, events) = bounded(64);
        (SiteWorker::new(&site, out, Arc::clone(&metrics)), events)
    };
    let run = |crossings: &[SiteCrossed]| {
        let (sender, receiver) = queue();
        crossings.iter().for_each(|c| sender.send(c.clone()).unwrap());
        drop(sender);
        let (worker, events) = worker();
        worker.run(&receiver).unwrap();
        events.try_iter().count()
    };
    let now = Timestamp::now();
    let person =
        SiteCrossed { at: now, camera: "north".into(), line: "gate".into(), direction: Direction::LeftToRight };
    assert_eq!(run(&[person.clone(), person.clone()]), 0);
    // The third person comes in the next run: started, and stopped at its end.
    assert_eq!(run(std::slice::from_ref(&person)), 2);
    let text = metrics.encode().unwrap();
    assert!(text.contains("lookout_occupancy{rule=\"park\"} 3"), "{text}");
    std::fs::write(site.data.join(FILE), "{").unwrap();
    assert_eq!(run(&[person]), 0, "from nobody again");
}

/// The site's own rules from a text for its gate in the north.
fn with_rules(folder: &Path, rules: &[(&str, u32, &str)]) -> Site {
    let gate = "[[rule.gate]]\ncamera = \"north\"\nline = \"gate\"\ninward = \"left_to_right\"\n";
    let rule = |(id, people, more): &(&str, u32, &str)| {
        format!("[[rule]]\nid = \"{id}\"\nkind = \"occupancy\"\npeople = {people}\n{more}{gate}")
    };
    let rules: String = rules.iter().map(rule).collect();
    std::fs::write(folder.join("site.toml"), format!("id = \"park\"\ndata = \"data\"\n{rules}")).unwrap();
    load_site(&folder.join("site.toml")).unwrap_or_else(|e| panic!("{e}")).plan
}

#[test]
fn rules_that_are_the_same_live_on_and_all_others_end_reconfigured() {
    let folder = tempfile::tempdir().unwrap();
    site(folder.path());
    let sites = [
        &[("gone", 1, ""), ("same", 2, ""), ("other", 2, "")][..],
        &[("new", 3, ""), ("other", 4, ""), ("same", 2, "severity = \"severe\"\n")],
        &[],
    ]
    .map(|rules| with_rules(folder.path(), rules));
    let (mut stage, mut events) = (SiteStage::new(&sites[0]), Vec::new());
    let told = |events: &mut Vec<Event>| -> Vec<String> {
        let reason = |e: &Event| e.reason.map_or(String::new(), |reason| format!(" {reason:?}"));
        let told = events.drain(..).map(|e| format!("{} {}{}", e.rule.as_deref().unwrap(), e.state, reason(&e)));
        told.collect()
    };
    (0..3).for_each(|_| stage.put(crossed(1, 0, true)));
    stage.advance(at(2), &mut events);
    assert_eq!(told(&mut events), ["gone started", "same started", "other started"]);
    stage.replan(&sites[1], &mut events);
    assert_eq!(told(&mut events), ["gone ended Reconfigured", "other ended Reconfigured"]);
    // One more: whoever was counted under the same id is there, and nobody for a rule that is new.
    stage.put(crossed(3, 0, true));
    stage.advance(at(4), &mut events);
    assert_eq!(
        (stage.people(), stage.rules().collect::<Vec<_>>()),
        (&[1.0, 4.0, 4.0][..], vec!["new", "other", "same"])
    );
    let (started, same): (Vec<_>, Vec<_>) = told(&mut events).into_iter().partition(|told| !told.starts_with("same"));
    assert_eq!((started, same.iter().any(|told| told.contains("started"))), (vec!["other started".to_owned()], false));
    stage.replan(&sites[2], &mut events);
    assert_eq!(told(&mut events), ["other ended Reconfigured", "same ended Reconfigured"]);
    stage.advance(at(5), &mut events);
    assert!(events.is_empty() && stage.people().is_empty());
}
