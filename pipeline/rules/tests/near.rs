//! Distances and absences: proximity, rush, vanished. A hundred pixels are a body height of 1.70 m; y counts double.

use super::flow::zone;
use super::*;
use crate::types::Signal;

/// Everybody at these places, ten times a second; gives the signals of each picture.
fn look(rule: &str, seconds: f64, people: impl Fn(f64) -> Vec<(u64, [f64; 2])>) -> Vec<Vec<Signal>> {
    let mut rules = RuleSet::new(&zone(rule), true);
    let mut born = std::collections::BTreeMap::new();
    (0..=(seconds * 10.0) as u32)
        .map(|i| {
            let time = f64::from(i) * 0.1;
            let tracks: Vec<Track> = people(time)
                .into_iter()
                .map(|(id, at)| {
                    let (since, birth) = *born.entry(id).or_insert((time, at));
                    person(id, since, birth, at[0], at[1])
                })
                .collect();
            rules.observe(at(time), SIZE, &tracks).signals.clone()
        })
        .collect()
}

const NEAR: &str = "kind = \"proximity\"\ndistance = \"1bh\"\n";

#[test]
fn each_pair_that_is_too_near_is_told_with_its_distance() {
    let row = |_| vec![(3, [300.0, 500.0]), (1, [380.0, 500.0]), (2, [380.0, 545.0]), (4, [700.0, 500.0])];
    let signals = look(NEAR, 0.0, row).remove(0);
    let told: Vec<_> = signals.iter().map(|s| (s.subject, (s.value / 1.70 * 100.0).round())).collect();
    let pair = |a, b| Subject::Pair(TrackId(a), TrackId(b));
    assert_eq!(told, [(pair(1, 2), 90.0), (pair(1, 3), 80.0)]);
    assert!(signals.iter().all(|s| s.people == 2 && !s.calibrated));
}

#[test]
fn people_who_came_together_may_stand_together() {
    let exempt = format!("{NEAR}exempt_together = true\n");
    // One and two come side by side, three alone; then all stand.
    let people = |time: f64| {
        let x = 100.0 + 80.0 * time.min(4.0);
        vec![(1, [x, 500.0]), (2, [x + 20.0, 520.0]), (3, [900.0 - 110.0 * time.min(4.0), 500.0])]
    };
    let pairs = |signals: &[Signal]| signals.iter().map(|s| s.subject).collect::<Vec<_>>();
    let pair = |a, b| Subject::Pair(TrackId(a), TrackId(b));
    let strict = look(NEAR, 10.0, people);
    assert_eq!(pairs(&strict[100]), [pair(1, 2), pair(1, 3), pair(2, 3)]);
    let told = look(&exempt, 10.0, people);
    assert_eq!(pairs(&told[10]), [pair(1, 2)], "not known yet");
    assert_eq!(pairs(&told[100]), [pair(1, 3), pair(2, 3)]);
}

#[test]
fn a_queue_is_one_subject() {
    let rule = format!("{NEAR}people = 4\n");
    let row = |n: u64| move |_| (1..=n).map(|i| (i, [100.0 + 90.0 * i as f64, 500.0])).collect::<Vec<_>>();
    assert_eq!(look(&rule, 0.0, row(3))[0], []);
    let signals = look(&rule, 1.0, row(5));
    assert!(signals.iter().all(|s| s.len() == 1 && s[0].subject == Subject::Cluster(1) && s[0].people == 5));
    assert!((signals[0][0].value - 0.9 * 1.70).abs() < 1e-9);
}

const RUSH: &str = "kind = \"rush\"\npeople = 3\n";

/// Three people at a speed (metres a second) that depends on the time.
fn running(speed: impl Fn(f64) -> f64) -> impl Fn(f64) -> Vec<(u64, [f64; 2])> {
    // The way by steps of a tenth of a second, to and fro.
    move |time| {
        let steps = (time * 10.0).round() as u32;
        let way: f64 = (0..steps).map(|i| speed(f64::from(i) * 0.1) * 10.0 / 1.70).sum();
        let x = 50.0 + way % 900.0;
        let lap = (way / 900.0) as u64;
        (1..=3).map(|i| (10 * lap + i, [x, 300.0 + 40.0 * i as f64])).collect()
    }
}

#[test]
fn a_group_that_begins_to_run_is_a_rush() {
    let value = |signals: &[Vec<Signal>], time: f64| signals[(time * 10.0) as usize][0].value;
    let signals = look(RUSH, 32.0, running(|time| if time < 25.0 { 1.2 } else { 4.0 }));
    assert_eq!(value(&signals, 24.0), 0.0);
    assert!(value(&signals, 28.0) > 2.5, "{}", value(&signals, 28.0));
    // Where people always run, running is nothing.
    let signals = look(RUSH, 200.0, running(|_| 3.0));
    assert!(value(&signals, 2.0) > 2.9, "{}", value(&signals, 2.0));
    assert_eq!(value(&signals, 190.0), 0.0);
    // Two are no group.
    let two = |time: f64| running(|_| 4.0)(time).into_iter().take(2).collect();
    assert!(look(RUSH, 10.0, two).iter().all(|s| s[0].value == 0.0));
}

const WATER: &str = "kind = \"vanished\"\nafter = \"20s\"\n";

/// The lower half is water.
fn shore() -> Camera {
    camera(&format!(
        "id = \"c\"\n[[zone]]\nid = \"z\"\npolygon = [[0,0.5],[1,0.5],[1,1],[0,1]]\n[[zone.rule]]\nid = \"r\"\n{WATER}\n"
    ))
}

/// People by time and place of a short path; gives who is missing at each picture.
fn missing(seconds: f64, people: impl Fn(f64) -> Vec<(u64, [f64; 2])>) -> Vec<Vec<u64>> {
    let mut rules = RuleSet::new(&shore(), true);
    let mut born = std::collections::BTreeMap::new();
    let who = |s: &Signal| if let Subject::Person(id) = s.subject { id.0 } else { 0 };
    (0..=(seconds * 10.0) as u32)
        .map(|i| {
            let time = f64::from(i) * 0.1;
            let tracks: Vec<Track> = people(time)
                .into_iter()
                .map(|(id, at)| {
                    let (since, birth) = *born.entry(id).or_insert((time, at));
                    person(id, since, birth, at[0], at[1])
                })
                .collect();
            rules.observe(at(time), SIZE, &tracks).signals.iter().map(who).collect()
        })
        .collect()
}

/// Into the water from the shore, and there at 600 pixels after two seconds.
fn in_water(time: f64, x: f64) -> [f64; 2] {
    [x, 450.0 + 75.0 * time.min(2.0)]
}

#[test]
fn whoever_is_lost_in_the_water_is_missing_until_seen_again() {
    let told = missing(12.0, |time| if (4.0..8.0).contains(&time) { vec![] } else { vec![(1, in_water(time, 500.0))] });
    let since = told.iter().position(|m| !m.is_empty()).unwrap();
    assert_eq!((since, &told[since..]), (40, [vec![vec![1]; 40], vec![vec![]; 41]].concat().as_slice()));
}

#[test]
fn whoever_leaves_the_water_or_the_picture_is_not_missing() {
    // Back on the shore before the track is lost.
    let back = |time: f64| match time {
        t if t < 4.0 => vec![(1, in_water(t, 500.0))],
        t if t < 6.0 => vec![(1, [500.0, 600.0 - 75.0 * (t - 4.0)])],
        _ => vec![],
    };
    assert!(missing(10.0, back).iter().all(Vec::is_empty));
    // Out of the picture on the left, and by the lower edge.
    let out = |time: f64| if time < 5.0 { vec![(1, [600.0 - 120.0 * time, 700.0])] } else { vec![] };
    assert!(missing(10.0, out).iter().all(Vec::is_empty));
    let down = |time: f64| if time < 5.0 { vec![(1, [500.0, 600.0 + 78.0 * time])] } else { vec![] };
    assert!(missing(10.0, down).iter().all(Vec::is_empty));
    // Half a second in the water is nothing that was followed.
    let bird = |time: f64| if time < 0.5 { vec![(1, [500.0, 700.0])] } else { vec![] };
    assert!(missing(10.0, bird).iter().all(Vec::is_empty));
}

#[test]
fn whoever_comes_up_nearby_is_who_was_missing() {
    let up = |place: [f64; 2], since: f64| {
        move |time: f64| match time {
            t if t < 4.0 => vec![(1, in_water(t, 500.0))],
            t if t >= since => vec![(2, place)],
            _ => vec![],
        }
    };
    let last = |people: &dyn Fn(f64) -> Vec<(u64, [f64; 2])>| missing(12.0, people).pop().unwrap();
    assert_eq!(last(&up([550.0, 600.0], 8.0)), [] as [u64; 0], "within reach");
    assert_eq!(last(&up([980.0, 600.0], 5.0)), [1], "too far for a second");
    assert_eq!(last(&up([500.0, 480.0], 8.0)), [1], "somebody on the shore is somebody else");
    // Two are missing, one comes up: the nearer one is found.
    let two = |time: f64| match time {
        t if t < 4.0 => vec![(1, in_water(t, 400.0)), (2, in_water(t, 600.0))],
        t if t >= 8.0 => vec![(3, [560.0, 600.0])],
        _ => vec![],
    };
    assert_eq!(last(&two), [1]);
}

#[test]
fn after_a_stretch_without_pictures_nobody_is_missing() {
    let mut rules = RuleSet::new(&shore(), true);
    for i in 0..40 {
        let [x, y] = in_water(f64::from(i) * 0.1, 500.0);
        rules.observe(at(f64::from(i) * 0.1), SIZE, &[person(1, 0.0, [500.0, 450.0], x, y)]);
    }
    assert_eq!(rules.observe(at(4.1), SIZE, &[]).signals.len(), 1);
    assert_eq!(rules.observe(at(15.0), SIZE, &[]).signals.len(), 0);
}
