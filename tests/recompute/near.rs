//! Rules about distances, speeds and absences.

use super::flow::{BODY, motion};
use super::*;

/// The pictures in which both are in the zone and so near, with their distance in metres.
fn near(paths: &Paths, a: u64, b: u64, metres: f64) -> BTreeMap<usize, f64> {
    let both = paths[&a].iter().filter_map(|(frame, one)| Some((*frame, *one, *paths[&b].get(frame)?)));
    let inside = both.filter(|(_, one, other)| one.inside() && other.inside());
    let apart = inside.map(|(frame, one, other)| (frame, length(way(&one, &other)) * BODY));
    apart.filter(|(_, distance)| *distance <= metres).collect()
}

/// Whether they have moved alike for two seconds by this picture, with no longer interruption than one.
fn together(paths: &Paths, a: u64, b: u64, near: &BTreeMap<usize, f64>, now: usize) -> bool {
    let alike = |frame: usize| {
        let (Some(v), Some(w)) = (motion(&paths[&a], frame), motion(&paths[&b], frame)) else { return false };
        let faster = length(v).max(length(w));
        faster * BODY >= 0.5 && length([v[0] - w[0], v[1] - w[1]]) <= 0.5 * faster
    };
    let moved: Vec<usize> = near.range(..=now).map(|(frame, _)| *frame).filter(|frame| alike(*frame)).collect();
    let mut begin = 0;
    (0..moved.len()).any(|i| {
        if i > 0 && moved[i] - moved[i - 1] > 10 {
            begin = i;
        }
        moved[i] - moved[begin] >= 20
    })
}

fn pairs(paths: &Paths) -> Vec<(u64, u64)> {
    let ids: Vec<u64> = paths.keys().copied().collect();
    ids.iter().flat_map(|a| ids.iter().filter(move |b| a < *b).map(move |b| (*a, *b))).collect()
}

fn line(paths: &Paths, said: &BTreeMap<usize, f64>) -> Vec<Option<f64>> {
    let frames = zone(paths, |_, _| 0.0).len();
    (0..frames).map(|frame| said.get(&frame).copied()).collect()
}

#[test]
fn proximity() {
    let machine = Machine { falling: true, ..Machine::new(2.5, 1.0, 1.0) };
    same("kind = \"proximity\"\ndistance = \"2.5m\"\nhold = \"1s\"", 1.0 / BODY, 9, |paths| {
        let said = |(a, b)| machine.incidents(&line(paths, &near(paths, a, b, 2.5)));
        pairs(paths).into_iter().flat_map(said).collect()
    });
}

#[test]
fn proximity_of_those_who_did_not_come_together() {
    let machine = Machine { falling: true, ..Machine::new(4.0, 1.0, 1.0) };
    let rule = "kind = \"proximity\"\ndistance = \"4m\"\nhold = \"1s\"\nexempt_together = true";
    let left_out = std::cell::Cell::new(0);
    same(rule, 1.0 / BODY, 9, |paths| {
        let said = |(a, b)| {
            let all = near(paths, a, b, 4.0);
            let mut told = all.clone();
            told.retain(|frame, _| !together(paths, a, b, &all, *frame));
            left_out.set(left_out.get() + all.len() - told.len());
            machine.incidents(&line(paths, &told))
        };
        pairs(paths).into_iter().flat_map(said).collect()
    });
    assert!(left_out.get() > 0, "nobody moves together");
}

#[test]
fn rush() {
    let machine = Machine::new(1.2, 1.0, 1.0);
    let rule = "kind = \"rush\"\nspeed = \"1.2m/s\"\nfactor = 1.1\npeople = 3\nhold = \"1s\"";
    same(rule, 1.0 / BODY, 9, |paths| {
        // Each picture's speeds first, then in one go what was usual before it.
        let pictures = std::cell::RefCell::new(Vec::new());
        zone(paths, |frame, people| {
            let motions = people.iter().filter_map(|(id, _)| motion(&paths[id], frame));
            let mut list: Vec<f64> = motions.map(|v| length(v) * BODY).collect();
            list.sort_by(f64::total_cmp);
            pictures.borrow_mut().push(list);
            0.0
        });
        let (mut usual, mut seen, mut said) = (1.3, None, Vec::new());
        for (frame, list) in pictures.into_inner().iter().enumerate() {
            if list.len() < 3 {
                said.push(Some(0.0));
                continue;
            }
            let n = list.len();
            let median = if n % 2 == 1 { list[n / 2] } else { (list[n / 2 - 1] + list[n / 2]) / 2.0 };
            said.push(Some(if median >= 1.1 * usual { median } else { 0.0 }));
            let step = seen.map_or(0.0, |last: usize| ((frame - last) as f64 / FPS).min(2.0));
            usual += (1.0 - (-step / 60.0).exp()) * (median - usual);
            seen = Some(frame);
        }
        machine.incidents(&said)
    });
}

/// Pixels in the coming second, by the last one.
fn velocity(path: &BTreeMap<usize, Seen>, frame: usize) -> [f64; 2] {
    let now = path[&frame];
    let first = path.range(frame.saturating_sub(10)..).next().map_or(now, |(_, seen)| *seen);
    let time = now.time - first.time;
    if time < 0.3 - 1e-6 {
        return [0.0; 2];
    }
    [0, 1].map(|axis| (now.feet()[axis] - first.feet()[axis]) / time)
}

fn leaves(seen: &Seen, velocity: [f64; 2]) -> bool {
    let b = seen.bbox;
    let out = |low: f64, high: f64, speed: f64, size: f64| {
        low.min(low + speed) <= 0.01 * size || high.max(high + speed) >= 0.99 * size
    };
    out(f64::from(b.left), f64::from(b.left + b.width), velocity[0], 768.0)
        || out(f64::from(b.top), f64::from(b.top + b.height), velocity[1], 576.0)
}

#[test]
fn vanished() {
    let machine = Machine { elapsed: true, ..Machine::new(1.0, 3.0, 0.0) };
    same("kind = \"vanished\"\nafter = \"3s\"", 1.0, 9, |paths| {
        let frames = zone(paths, |_, _| 0.0).len();
        let missing = |path: &BTreeMap<usize, Seen>, now: usize| {
            let (frame, last) = path.range(..=now).next_back()?;
            // Back from the last sighting, as far as every one is inside.
            let followed = path.range(..=*frame).rev().take_while(|(_, seen)| seen.inside()).last()?;
            let missing = *frame < now && last.time - followed.1.time >= 1.0 - 1e-6;
            (missing && !leaves(last, velocity(path, *frame))).then_some(1.0)
        };
        let said = |path: &BTreeMap<usize, Seen>| (0..frames).map(|now| missing(path, now)).collect::<Vec<_>>();
        paths.values().flat_map(|path| machine.incidents(&said(path))).collect()
    });
}
