//! Another plan for a camera that is being watched: what is the same in both lives on as if nothing had happened.

use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use lookout::alerts::IncidentConfig;
use lookout::config::plan::{Camera, CameraDiff};
use lookout::config::{Surroundings, camera_text};
use lookout::engine::CameraStages;
use lookout::track::{SortTracker, TrackerConfig};
use lookout::types::{Detection, EndReason, Event, MediaTime, Rect, Size, Span, State};
use proptest::prelude::*;

const SIZE: Size = Size::new(1280, 720);
const FPS: f64 = 10.0;
const PICTURES: u64 = 300;
const GAP: Span = Span::from_secs(10);

fn camera(text: &str) -> Arc<Camera> {
    let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
    Arc::new(camera_text(Path::new("c.toml"), text, &around).unwrap_or_else(|e| panic!("{e}\n{text}")).plan)
}

/// A zone or a line, and its rules.
fn parts() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        (
            "[[zone]]\nid = \"left\"\npolygon = [[0, 0.2], [0.55, 0.2], [0.55, 1], [0, 1]]\n",
            vec![
                "[[zone.rule]]\nid = \"crowd\"\nkind = \"crowd\"\npeople = 3\nhold = \"1s\"\n",
                "[[zone.rule]]\nid = \"dwell\"\nkind = \"loitering\"\ndwell = \"3s\"\n",
                "[[zone.rule]]\nid = \"linger\"\nkind = \"loitering\"\nmode = \"linger\"\nradius = \"2bh\"\ndwell = \"3s\"\n",
                "[[zone.rule]]\nid = \"near\"\nkind = \"proximity\"\ndistance = \"1.5m\"\nhold = \"0.5s\"\n",
                "[[zone.rule]]\nid = \"rush\"\nkind = \"rush\"\npeople = 2\nhold = \"0.5s\"\nspeed = \"1m/s\"\nfactor = 1\n",
            ],
        ),
        (
            "[[zone]]\nid = \"right\"\npolygon = [[0.45, 0], [1, 0], [1, 1], [0.45, 1]]\n",
            vec![
                "[[zone.rule]]\nid = \"anyone\"\nkind = \"intrusion\"\nmin_height = 0.1\n",
                "[[zone.rule]]\nid = \"gathering\"\nkind = \"gathering\"\npeople = 3\nradius = \"2m\"\nhold = \"1s\"\n",
                "[[zone.rule]]\nid = \"wrong\"\nkind = \"wrong_way\"\nalong = [[0.5, 0.5], [0.9, 0.5]]\n",
                "[[zone.rule]]\nid = \"flow\"\nkind = \"counter_flow\"\npeople = 2\n",
                "[[zone.rule]]\nid = \"gone\"\nkind = \"vanished\"\nafter = \"3s\"\n",
                "[[zone.rule]]\nid = \"queue\"\nkind = \"proximity\"\ndistance = \"2m\"\npeople = 3\nhold = \"1s\"\n",
            ],
        ),
        (
            "[[line]]\nid = \"middle\"\npoints = [[0.5, 0], [0.5, 1]]\n",
            vec!["[[line.rule]]\nid = \"cross\"\nkind = \"crossing\"\ndirection = \"left_to_right\"\n"],
        ),
    ]
}

/// The same plan as a file, in another order and with other names and severities.
fn written(order: &[usize], named: bool) -> String {
    let mut text = "id = \"c\"\n".to_owned();
    let mut list = parts();
    if named {
        text += "name = \"Another name\"\ngrid = \"g-1\"\n";
        // An additional zone shifts all indices; nobody is ever in its middle.
        text += "[[zone]]\nid = \"new\"\npolygon = [[0.2, 0], [0.21, 0], [0.2, 0.01]]\n";
        text += "[[zone.rule]]\nid = \"nobody\"\nkind = \"crowd\"\npeople = 90\ngap = \"7s\"\n";
        text += "[[zone.rule]]\nid = \"nowhere\"\nkind = \"loitering\"\ndwell = \"1h\"\ngap = \"7s\"\n";
    }
    list[..2].rotate_left(order[0] % 2);
    for (k, (place, mut rules)) in list.into_iter().enumerate() {
        text += place;
        if named {
            text += &format!("name = \"Name {k}\"\n");
        }
        let shift = order[k] % rules.len();
        rules.rotate_left(shift);
        for rule in rules {
            text += rule;
            if named {
                text += "severity = \"severe\"\n";
            }
        }
    }
    text
}

/// Somebody who walks to and fro and stands.
#[derive(Clone, Debug)]
struct Walker {
    from: f64,
    to: f64,
    y: f64,
    seconds: f64,
    begins: f64,
    ends: f64,
}

fn walkers() -> impl Strategy<Value = Vec<Walker>> {
    let walker = (0.05..0.95_f64, 0.05..0.95_f64, 0.4..0.95_f64, 2.0..8.0_f64, 0.0..10.0_f64, 15.0..40.0_f64);
    prop::collection::vec(walker, 2..9).prop_map(|list| {
        let made =
            list.into_iter().map(|(from, to, y, seconds, begins, ends)| Walker { from, to, y, seconds, begins, ends });
        made.collect()
    })
}

fn detections(walkers: &[Walker], k: u64) -> Vec<Detection> {
    let time = k as f64 / FPS;
    let there = walkers.iter().filter(|w| (w.begins..w.ends).contains(&time));
    let boxes = there.map(|w| {
        // A walk, then a rest at each end.
        let phase = (time - w.begins) / w.seconds % 4.0;
        let share = [phase, 1.0, 3.0 - phase, 0.0][phase as usize].clamp(0.0, 1.0);
        let (x, y) = ((w.from + share * (w.to - w.from)) * 1280.0, w.y * 720.0);
        let high = 60.0 + 80.0 * w.y;
        Rect::new((x - 0.2 * high) as f32, (y - high) as f32, (0.4 * high) as f32, high as f32)
    });
    boxes.map(|bbox| Detection { bbox, score: 0.9 }).collect()
}

struct Watch {
    stages: CameraStages,
    camera: Arc<Camera>,
    events: Vec<Event>,
}

impl Watch {
    fn new(camera: Arc<Camera>) -> Self {
        let config = IncidentConfig { site: "t".into(), camera: Arc::clone(&camera), outage: GAP };
        let stages = CameraStages::new(config, Box::new(SortTracker::new(TrackerConfig { start_score: 0.4 })));
        Self { stages, camera, events: Vec::new() }
    }

    fn see(&mut self, walkers: &[Walker], pictures: std::ops::Range<u64>) {
        for k in pictures {
            let media = MediaTime::of_frame(k, FPS);
            let utc = Timestamp::UNIX_EPOCH + SignedDuration::from_nanos((media - MediaTime::ZERO).nanos());
            self.stages.observe(media, utc, SIZE, &detections(walkers, k), &mut self.events);
        }
    }

    fn replan(&mut self, camera: Arc<Camera>) {
        let diff = CameraDiff::between(&self.camera, &camera);
        self.stages.replan(&camera, GAP, &diff, &mut self.events);
        self.camera = camera;
    }

    /// What happened, without what plans call it; in an order of its own.
    fn told(&mut self) -> Vec<String> {
        self.stages.judge().stop(EndReason::Stopped, &mut self.events);
        let what = |e: &Event| {
            let Event { at, alert, seq, state, rule, line, direction, value, peak, people, reason, .. } = e;
            format!("{at} {alert:?} {seq} {state:?} {rule:?} {line:?} {direction:?} {value} {peak} {people} {reason:?}")
        };
        let mut told: Vec<String> = self.events.iter().map(what).collect();
        told.sort();
        told
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Exchanged for the same rules in another order, under other names, with a new zone before them: as if never touched.
    #[test]
    fn unchanged_rules_notice_nothing(
        walkers in walkers(),
        orders in prop::collection::vec(prop::collection::vec(0_usize..6, 3), 1..4),
        at in prop::collection::vec(1..PICTURES, 3),
    ) {
        let first = camera(&written(&[0, 0, 0], false));
        let mut untouched = Watch::new(Arc::clone(&first));
        untouched.see(&walkers, 0..PICTURES);
        let mut touched = Watch::new(first);
        let mut at: Vec<u64> = at.into_iter().take(orders.len()).collect();
        at.sort_unstable();
        let mut from = 0;
        for (k, (until, order)) in at.iter().zip(&orders).enumerate() {
            touched.see(&walkers, from..*until);
            touched.replan(camera(&written(order, k % 2 == 0)));
            from = *until;
        }
        touched.see(&walkers, from..PICTURES);
        prop_assert_eq!(touched.told(), untouched.told());
    }
}

/// Everybody stands where some rule of each zone sees them.
fn crowd() -> Vec<Walker> {
    let stands = |x: f64, y: f64| Walker { from: x, to: x, y, seconds: 1.0, begins: 0.0, ends: 1e3 };
    vec![stands(0.2, 0.6), stands(0.3, 0.6), stands(0.4, 0.6), stands(0.7, 0.7)]
}

fn open(events: &[Event], rule: &str) -> Vec<State> {
    events
        .iter()
        .filter(|e| e.rule.as_deref() == Some(rule))
        .map(|e| e.state)
        .filter(|s| *s != State::Updated)
        .collect()
}

#[test]
fn a_changed_rule_ends_its_incidents_and_begins_anew() {
    let before = written(&[0, 0, 0], false);
    let mut watch = Watch::new(camera(&before));
    watch.see(&crowd(), 0..50);
    assert_eq!(open(&watch.events, "crowd"), [State::Started]);
    assert_eq!(open(&watch.events, "anyone"), [State::Started]);
    // The rule asks for two people now; the other zone is not touched.
    watch.replan(camera(&before.replace("people = 3\nhold", "people = 2\nhold")));
    let ended = watch.events.last().unwrap();
    assert_eq!((ended.rule.as_deref(), ended.reason), (Some("crowd"), Some(EndReason::Reconfigured)));
    assert_eq!((ended.media_time, ended.text.en.contains("rule changed")), (4.9, true), "{}", ended.text.en);
    watch.see(&crowd(), 50..100);
    assert_eq!(open(&watch.events, "crowd"), [State::Started, State::Ended, State::Started]);
    let alerts: Vec<_> = watch.events.iter().filter(|e| e.rule.as_deref() == Some("crowd")).map(|e| e.alert).collect();
    assert_ne!(alerts.first(), alerts.last());
    let last = watch.events.iter().rfind(|e| e.rule.as_deref() == Some("crowd")).unwrap();
    assert_eq!(last.threshold, 2.0);
    assert_eq!(open(&watch.events, "anyone"), [State::Started]);
    // The zone moves: all that was open in it ends.
    let open_before: usize = ["crowd", "dwell", "linger"].iter().map(|r| open(&watch.events, r).len() % 2).sum();
    assert!(open_before >= 2);
    watch.events.clear();
    watch.replan(camera(&before.replace("[0.55, 0.2]", "[0.56, 0.2]")));
    assert!(
        watch.events.iter().all(|e| e.reason == Some(EndReason::Reconfigured) && e.zone.as_deref() == Some("left"))
    );
    assert!(watch.events.len() >= open_before);
    // A rule that is gone is silent.
    watch.events.clear();
    watch.replan(camera("id = \"c\"\n"));
    watch.see(&crowd(), 100..150);
    assert!(open(&watch.events, "anyone") == [State::Ended] && watch.events.iter().all(|e| e.state == State::Ended));
}

#[test]
fn a_new_line_counts_nobody_for_the_way_that_was_walked_before() {
    let walker = Walker { from: 0.2, to: 0.8, y: 0.7, seconds: 4.0, begins: 0.0, ends: 100.0 };
    let line = "id = \"c\"\n[[line]]\nid = \"middle\"\npoints = [[0.5, 0], [0.5, 1]]\n";
    let mut watch = Watch::new(camera("id = \"c\"\n"));
    // Across, then to rest on the other side.
    watch.see(std::slice::from_ref(&walker), 0..60);
    watch.replan(camera(line));
    watch.see(std::slice::from_ref(&walker), 60..80);
    assert!(watch.events.is_empty(), "{:?}", watch.events);
    watch.see(std::slice::from_ref(&walker), 80..120);
    let counted: Vec<_> = watch.events.iter().map(|e| (e.state, e.direction.map(|d| d.word()))).collect();
    assert_eq!(counted.len(), 1);
    assert_eq!(counted[0].0, State::Counted);
}
