//! Directions: wrong_way, counter_flow. A hundred pixels are a body height of 1.70 m; y counts double.

use super::*;

pub fn zone(rule: &str) -> Camera {
    camera(&format!(
        "id = \"c\"\n[[zone]]\nid = \"z\"\npolygon = [[0,0],[1,0],[1,1],[0,1]]\n[[zone.rule]]\nid = \"r\"\n{rule}\n"
    ))
}

const WRONG_WAY: &str = "kind = \"wrong_way\"\nalong = [[0.1, 0.5], [0.9, 0.5]]\ndistance = \"1bh\"\n";

/// The path of one person at ten pictures a second; gives the seconds at which the rule speaks, and the last value.
fn walk(rule: &str, path: impl Iterator<Item = [f64; 2]>) -> (Vec<f64>, f64) {
    let (mut rules, mut told, mut value) = (RuleSet::new(&zone(rule), false), Vec::new(), 0.0);
    for (i, [x, y]) in path.enumerate() {
        let time = i as f64 * 0.1;
        for signal in &rules.observe(at(time), SIZE, &[person(1, 0.0, [x, y], x, y)]).signals {
            assert_eq!(signal.subject, Subject::Person(TrackId(1)));
            assert!(!signal.calibrated);
            told.push(time);
            value = signal.value;
        }
    }
    (told, value)
}

fn straight(from: [f64; 2], step: [f64; 2], steps: u32) -> impl Iterator<Item = [f64; 2]> + Clone {
    (0..=steps).map(move |i| [0, 1].map(|axis| from[axis] + f64::from(i) * step[axis]))
}

#[test]
fn whoever_has_gone_the_distance_against_the_way_goes_the_wrong_way() {
    let (told, value) = walk(WRONG_WAY, straight([900.0, 500.0], [-12.5, 0.0], 20));
    assert_eq!((told[0], told.len()), (0.8, 13), "a hundred pixels after eight steps");
    assert!((value - 2.5 * 1.70).abs() < 1e-9, "{value} m");
    for (step, tells) in [([12.5, 0.0], false), ([0.0, 10.0], false), ([-12.5, 6.0], true), ([-5.0, 10.0], false)] {
        let (told, _) = walk(WRONG_WAY, straight([500.0, 200.0], step, 30));
        assert_eq!(!told.is_empty(), tells, "{step:?}");
    }
}

#[test]
fn turning_round_and_standing_begin_anew() {
    let there = straight([800.0, 500.0], [-12.5, 0.0], 7);
    let back = straight([712.5, 500.0], [12.5, 0.0], 7);
    assert!(walk(WRONG_WAY, there.chain(back).cycle().take(80)).0.is_empty(), "never a hundred pixels at a stretch");
    // A hundred pixels, then still: the value stays for two seconds.
    let there = straight([800.0, 500.0], [-12.5, 0.0], 8);
    let (told, _) = walk(WRONG_WAY, there.chain(std::iter::repeat_n([700.0, 500.0], 60)));
    assert_eq!((told[0], told[told.len() - 1]), (0.8, 2.7));
}

#[test]
fn a_way_that_bends_has_its_direction_at_each_place() {
    let rule = "kind = \"wrong_way\"\nalong = [[0.1, 0.2], [0.8, 0.2], [0.8, 0.9]]\n";
    let down = || straight([800.0, 300.0], [0.0, 8.0], 60);
    let up = || straight([800.0, 800.0], [0.0, -8.0], 60);
    assert!(walk(rule, down()).0.is_empty());
    assert!(!walk(rule, up()).0.is_empty());
    let right = straight([200.0, 210.0], [10.0, 0.0], 40);
    assert!(walk(rule, right).0.is_empty());
    let round: Vec<_> = up().chain(straight([800.0, 320.0], [-10.0, -2.5], 40)).collect();
    assert_eq!(walk(rule, round.into_iter()).0.len(), 96, "against both pieces in one go");
}

/// People at constant velocities (pixels a second, from x, y), looked at ten times a second; gives the shares.
fn shares(rule: &str, crowd: &[([f64; 2], [f64; 2])], seconds: f64) -> Vec<f64> {
    let mut rules = RuleSet::new(&zone(rule), false);
    (0..=(seconds * 10.0) as u32)
        .map(|i| {
            let time = f64::from(i) * 0.1;
            let tracks: Vec<Track> = crowd
                .iter()
                .zip(1..)
                .map(|((from, v), id)| person(id, 0.0, *from, from[0] + v[0] * time, from[1] + v[1] * time))
                .collect();
            rules.observe(at(time), SIZE, &tracks).signals[0].value
        })
        .collect()
}

const COUNTER: &str = "kind = \"counter_flow\"\n";

fn crowd(along: usize, against: usize) -> Vec<([f64; 2], [f64; 2])> {
    let row = |n: usize, x: f64, v: f64| (0..n).map(move |i| ([x, 300.0 + 40.0 * i as f64], [v, 0.0]));
    row(along, 100.0, 80.0).chain(row(against, 900.0, -80.0)).collect()
}

#[test]
fn the_share_against_the_way_that_most_people_go() {
    let last = |crowd: &[_]| *shares(COUNTER, crowd, 2.0).last().unwrap();
    assert!((last(&crowd(6, 3)) - 1.0 / 3.0).abs() < 1e-12);
    assert!((last(&crowd(2, 8)) - 0.2).abs() < 1e-12, "the main flow is that of the majority");
    assert_eq!(last(&crowd(3, 1)), 0.0, "four people are no flow");
    let mut some_stand = crowd(6, 3);
    some_stand.extend((0..9).map(|i| ([500.0, 300.0 + 40.0 * f64::from(i)], [5.0, 0.0])));
    assert!((last(&some_stand) - 1.0 / 3.0).abs() < 1e-12, "whoever stands is not part of it");
    let scattered: Vec<_> = (0..12)
        .map(|i| {
            let (sin, cos) = (f64::from(i) * std::f64::consts::TAU / 12.0).sin_cos();
            ([500.0, 500.0], [80.0 * cos, 40.0 * sin])
        })
        .collect();
    assert_eq!(last(&scattered), 0.0, "every which way");
    assert_eq!(shares(COUNTER, &crowd(6, 3), 0.4), [0.0; 5], "not yet known to move");
}

#[test]
fn a_way_that_is_drawn_needs_no_majority() {
    let drawn = format!("{COUNTER}along = [[0.1, 0.5], [0.9, 0.5]]\npeople = 2\n");
    assert!((shares(&drawn, &crowd(2, 8), 2.0)[20] - 0.8).abs() < 1e-12);
    assert_eq!(shares(&drawn, &crowd(0, 8), 2.0)[20], 1.0);
    assert_eq!(shares(&drawn, &crowd(8, 0), 2.0)[20], 0.0);
}

#[test]
fn a_few_who_turn_the_flow_do_not_become_it_at_once() {
    // Eight go along for a minute; then only six who come back.
    let mut rules = RuleSet::new(&zone(COUNTER), false);
    let mut share = Vec::new();
    for i in 0..900_u32 {
        let time = f64::from(i) * 0.1;
        let group = |n: u64, first: u64, v: f64| {
            (0..n).map(move |k| {
                let x = 500.0 + v * ((time % 8.0) - 4.0);
                person(first + 10 * u64::from(i / 80) + k, time, [x, 300.0], x, 300.0 + 40.0 * k as f64)
            })
        };
        let tracks: Vec<Track> =
            if time < 60.0 { group(8, 1_000, 80.0).collect() } else { group(6, 5_000, -80.0).collect() };
        share.push(rules.observe(at(time), SIZE, &tracks).signals[0].value);
    }
    assert_eq!((share[590], share[650]), (0.0, 1.0));
    assert_eq!(share[899], 0.0, "half a minute later they are the main flow");
}
