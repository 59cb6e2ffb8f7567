//! Rules start on what is kept when they started live, but where a condition is met or missed by a hair: by less than two
//! places a second can tell.

use std::collections::HashMap;

use lookout::engine::stages::Judge;
use lookout::types::{EndReason, Rect, TrackId};
use proptest::prelude::RngExt as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::*;

/// Seconds between what is kept of somebody.
const GRAIN: f64 = 0.5;
/// Seconds.
const WITHIN: f64 = 1.0;
/// How often everybody is moved.
const TRIES: usize = 24;

/// All that start on the clip.
const RULES: [&str; 13] = [
    "crowd",
    "density",
    "gathering",
    "linger",
    "wrong-way",
    "counter-flow",
    "rush",
    "proximity",
    "queue",
    "dwell",
    "vanished",
    "intrusion",
    "crossing",
];

/// Of one list whether each can be paired, one to one, with one of the other; both rise.
fn paired(one: &[f64], other: &[f64]) -> Vec<bool> {
    let (mut paired, mut next) = (Vec::new(), 0);
    for start in one {
        while other.get(next).is_some_and(|o| *o < start - WITHIN - 1e-9) {
            next += 1;
        }
        let found = other.get(next).is_some_and(|o| *o <= start + WITHIN + 1e-9);
        next += usize::from(found);
        paired.push(found);
    }
    paired
}

/// What rules start that see these people.
fn judged(pictures: &[Seen], mut place: impl FnMut(&Seen, &Track) -> Rect) -> Starts {
    let config = IncidentConfig { site: "t".into(), camera: camera(CAMERA), outage: Span::from_secs(10) };
    let (mut judge, mut events, mut starts) = (Judge::new(config, false), Vec::new(), Starts::new());
    for seen in pictures {
        let people: Vec<Track> = seen.people.iter().map(|track| Track { bbox: place(seen, track), ..*track }).collect();
        judge.observe(seen.time, seen.utc, seen.size, &people, &mut events);
        events.drain(..).for_each(|event| note(&mut starts, &event));
    }
    judge.stop(EndReason::Stopped, &mut events);
    starts
}

/// By how much, in heights of the box, half of all feet are off the straight way between places half a second apart.
fn off_the_straight_way(pictures: &[Seen]) -> f64 {
    let mut ways: HashMap<TrackId, Vec<(f64, Rect)>> = HashMap::new();
    for seen in pictures {
        for track in &seen.people {
            ways.entry(track.id).or_default().push((seen.time.secs_f64(), track.bbox));
        }
    }
    let mut off = Vec::new();
    for way in ways.values() {
        let knots: Vec<&[(f64, Rect)]> = way.chunk_by(|a, b| (a.0 / GRAIN).floor() == (b.0 / GRAIN).floor()).collect();
        for pair in knots.windows(2) {
            let (Some((from, a)), Some((to, b))) = (pair[0].last(), pair[1].last()) else { continue };
            for (time, bbox) in &pair[1][..pair[1].len() - 1] {
                let share = (time - from) / (to - from);
                let (a, b, here) = (a.feet(), b.feet(), bbox.feet());
                let straight = [a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)];
                off.push((here.x - straight[0]).hypot(here.y - straight[1]) / f64::from(bbox.height));
            }
        }
    }
    off.sort_by(f64::total_cmp);
    off[off.len() / 2]
}

/// Everybody moved, each by another way that bends every half second: at most so many heights of the box across and down.
fn moved(pictures: &[Seen], most: f64, seed: u8) -> Starts {
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut knots: HashMap<(TrackId, u64), [f64; 2]> = HashMap::new();
    judged(pictures, |seen, track| {
        let at = seen.time.secs_f64() / GRAIN;
        let mut knot =
            |n: u64| *knots.entry((track.id, n)).or_insert_with(|| [0, 1].map(|_| random.random_range(-most..=most)));
        let (before, after, share) = (knot(at as u64), knot(at as u64 + 1), at.fract());
        let by = [0, 1].map(|i| ((1.0 - share) * before[i] + share * after[i]) as f32 * track.bbox.height);
        Rect::new(track.bbox.left + by[0], track.bbox.top + by[1], track.bbox.width, track.bbox.height)
    })
}

/// Of an answer.
fn starts(live: &Live, answer: &Answer) -> Starts {
    let mut starts = Starts::new();
    for incident in &answer.now {
        let after = incident.started_at.duration_since(live.start).as_secs_f64();
        starts.entry(incident.rule.clone()).or_default().push(after);
    }
    starts
}

#[test]
fn rules_start_on_trails_when_they_started_live() {
    let live = &*LIVE;
    let then = starts(live, &ask(live, None));
    assert_eq!(judged(&live.pictures, |_, track| track.bbox), live.starts, "the same people, the same starts");
    let most = off_the_straight_way(&live.pictures);
    let others: Vec<Starts> = (0..TRIES).map(|seed| moved(&live.pictures, most, seed as u8)).collect();

    let (mut all, mut alone, mut firm, mut wrong) = (0, 0, 0, Vec::new());
    let none = Vec::new();
    for rule in RULES {
        let of = |starts: &'_ Starts| starts.get(rule).cloned().unwrap_or_default();
        let (was, is) = (live.starts.get(rule).unwrap_or(&none), of(&then));
        assert!(!was.is_empty() && !is.is_empty(), "{rule} never starts");
        println!("{rule}\n  live  {was:.2?}\n  trail {is:.2?}");
        // Live ones that start wherever people are within what is not kept: the trail has them, too.
        let always: Vec<Vec<bool>> = others.iter().map(|other| paired(was, &of(other))).collect();
        for (i, found) in paired(was, &is).into_iter().enumerate() {
            let is_firm = always.iter().all(|tried| tried[i]);
            (all, alone, firm) = (all + 1, alone + usize::from(!found), firm + usize::from(is_firm));
            if is_firm && !found {
                wrong.push(format!("{rule} at {:.2} s is missing", was[i]));
            }
        }
        // Those of the trail that start nowhere else: nobody would ever have seen them live.
        let ever: Vec<Vec<bool>> = others.iter().map(|other| paired(&is, &of(other))).collect();
        for (i, found) in paired(&is, was).into_iter().enumerate() {
            (all, alone) = (all + 1, alone + usize::from(!found));
            if !found && !ever.iter().any(|tried| tried[i]) {
                wrong.push(format!("{rule} at {:.2} s is made up", is[i]));
            }
        }
    }
    println!("{alone} of {all} starts have none within a second on the other side");
    let lives: usize = RULES.iter().map(|rule| live.starts[*rule].len()).sum();
    println!("{firm} of {lives} live starts are firm: there wherever people are within {most:.4} of their height");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(firm * 4 > lives * 3, "hardly any start is firm: {firm} of {lives}");
    assert!(alone * 20 <= all, "{alone} of {all}");
}

#[test]
fn over_more_hours_a_few_that_hang_by_a_hair_differ_and_the_answer_says_so() {
    let live = &*LIVE;
    let hours = SignedDuration::from_hours;
    let (fine, coarse) = (ask_for(live, None, hours(6)), ask_for(live, None, hours(7)));
    let said = |answer: &Answer| answer.left_out.iter().any(|note| note.why.en.contains("two pictures a second"));
    assert!(said(&coarse) && !said(&fine));
    let then = starts(live, &coarse);
    let (mut all, mut alone) = (0, 0);
    for rule in RULES {
        let (was, is) = (&live.starts[rule], then.get(rule).cloned().unwrap_or_default());
        let matched = paired(was, &is).into_iter().filter(|found| *found).count();
        assert!(matched > 0, "{rule}: {was:?}, {is:?}");
        (all, alone) = (all + was.len() + is.len(), alone + was.len() + is.len() - 2 * matched);
    }
    println!("coarse: {alone} of {all} starts have none within a second on the other side");
    assert!(alone * 10 <= all, "{alone} of {all}");
}
