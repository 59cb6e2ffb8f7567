//! Rules about people who are near each other as a group, and lines.

use std::collections::BTreeSet;

use lookout::types::Direction;

use super::flow::{BODY, motion};
use super::*;

/// A cluster of one picture: indices of its people, the first one first.
type Cluster = Vec<usize>;

fn distance(a: &Seen, b: &Seen) -> f64 {
    length(way(a, b))
}

/// By the definition of DBSCAN, the largest first: whoever has `core` people within `radius` body heights, oneself
/// included, and whoever is that near to one of them.
fn clusters(people: &[(u64, Seen)], radius: f64, core: usize) -> Vec<Cluster> {
    let near = |i: usize| -> Vec<usize> {
        (0..people.len()).filter(|&j| i != j && distance(&people[i].1, &people[j].1) <= radius).collect()
    };
    let is_core = |i: usize| near(i).len() + 1 >= core;
    let (mut taken, mut found) = (BTreeSet::<usize>::new(), Vec::<(usize, BTreeSet<usize>)>::new());
    for first in (0..people.len()).filter(|&i| is_core(i)) {
        if taken.contains(&first) {
            continue;
        }
        let mut members = BTreeSet::from([first]);
        loop {
            let reached = members.iter().filter(|&&i| is_core(i)).flat_map(|&i| near(i));
            let fresh: Vec<usize> = reached.filter(|j| !members.contains(j) && !taken.contains(j)).collect();
            if fresh.is_empty() {
                break;
            }
            members.extend(fresh);
        }
        taken.extend(&members);
        found.push((first, members));
    }
    found.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(&b.0)));
    found.into_iter().map(|(_, members)| members.into_iter().collect()).collect()
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n % 2 == 1 { values[n / 2] } else { (values[n / 2 - 1] + values[n / 2]) / 2.0 }
}

/// A cluster that is known: its number, the last picture of it, who was in it, where, and how high they were.
struct Known {
    id: usize,
    frame: usize,
    people: Vec<u64>,
    place: [f64; 2],
    high: f64,
}

/// Who they are from picture to picture: the one that has the most people of them, else the one at the same place, else
/// somebody new; known for `memory` seconds. Gives each one's values, `value` of its members in a picture.
fn followed(
    paths: &Paths,
    (radius, core, least, memory): (f64, usize, usize, f64),
    value: impl Fn(&[(u64, Seen)], &Cluster) -> f64,
) -> Vec<Vec<Option<f64>>> {
    let pictures = std::cell::RefCell::new(Vec::new());
    let frames = zone(paths, |_, people| {
        pictures.borrow_mut().push(people.to_vec());
        0.0
    })
    .len();
    let (mut known, mut said) = (Vec::<Known>::new(), Vec::<Vec<Option<f64>>>::new());
    for (frame, people) in pictures.into_inner().iter().enumerate() {
        known.retain(|k| (frame - k.frame) as f64 / FPS <= memory + 1e-9);
        for cluster in clusters(people, radius, core).into_iter().filter(|c| c.len() >= least) {
            let who: Vec<u64> = cluster.iter().map(|&i| people[i].0).collect();
            let axis = |k: usize| middle(cluster.iter().map(|&i| people[i].1.feet()[k]).collect());
            let (place, high) = ([axis(0), axis(1)], middle(cluster.iter().map(|&i| people[i].1.high()).collect()));
            let shared = |k: &Known| k.people.iter().filter(|id| who.contains(id)).count();
            let apart = |k: &Known| {
                let mean = (k.high + high) / 2.0;
                length([(place[0] - k.place[0]) / mean, 2.0 * (place[1] - k.place[1]) / mean])
            };
            let free = || known.iter().enumerate().filter(|(_, k)| k.frame < frame);
            let most = free().filter(|(_, k)| shared(k) > 0).max_by_key(|(_, k)| (shared(k), usize::MAX - k.id));
            let near = free().filter(|(_, k)| apart(k) <= radius);
            let nearest = near.min_by(|a, b| apart(a.1).total_cmp(&apart(b.1)).then(a.1.id.cmp(&b.1.id)));
            let found = most.or(nearest).map(|(at, _)| at);
            let id = found.map_or(said.len(), |at| known[at].id);
            let now = Known { id, frame, people: who, place, high };
            match found {
                Some(at) => known[at] = now,
                None => {
                    known.push(now);
                    said.push(vec![None; frames]);
                }
            }
            said[id][frame] = Some(value(people, &cluster));
        }
    }
    said
}

#[test]
fn gathering() {
    let machine = Machine::new(3.0, 2.0, 1.0);
    same("kind = \"gathering\"\npeople = 3\nradius = \"1.5bh\"\nhold = \"2s\"", 1.0, 12, |paths| {
        let said = followed(paths, (1.5, 3, 0, 2.0), |_, cluster| cluster.len() as f64);
        said.iter().flat_map(|values| machine.incidents(values)).collect()
    });
}

#[test]
fn gatherings_that_stand() {
    let machine = Machine::new(3.0, 0.5, 1.0);
    let walks = std::cell::Cell::new(0);
    let rule = "kind = \"gathering\"\npeople = 3\nradius = \"1.5bh\"\nhold = \"500ms\"\nstanding = true";
    same(rule, 1.0, 14, |paths| {
        let frame = |people: &[(u64, Seen)]| (people[0].1.time * FPS).round() as usize;
        let said = followed(paths, (1.5, 3, 0, 2.0), |people, cluster| {
            let speeds = cluster.iter().filter_map(|&i| motion(&paths[&people[i].0], frame(people)));
            let speeds: Vec<f64> = speeds.map(|v| length(v) * BODY).collect();
            let stands = !speeds.is_empty() && middle(speeds) < 0.5;
            walks.set(walks.get() + usize::from(!stands));
            if stands { cluster.len() as f64 } else { 0.0 }
        });
        said.iter().flat_map(|values| machine.incidents(values)).collect()
    });
    assert!(walks.get() > 0, "every gathering stands");
}

#[test]
fn queues() {
    let machine = Machine { falling: true, ..Machine::new(3.4, 1.0, 1.0) };
    let rule = "kind = \"proximity\"\npeople = 4\ndistance = \"2bh\"\nhold = \"1s\"";
    same(rule, 1.0 / BODY, 12, |paths| {
        let said = followed(paths, (2.0, 2, 4, 2.0), |people, cluster| {
            let apart = |i: usize, j: usize| distance(&people[i].1, &people[j].1);
            let others = |i: usize| (0..people.len()).filter(move |j| *j != i);
            let nearest = |&i: &usize| others(i).map(|j| apart(i, j)).fold(f64::INFINITY, f64::min);
            middle(cluster.iter().map(nearest).collect()) * BODY
        });
        said.iter().flat_map(|values| machine.incidents(values)).collect()
    });
}

/// Ends of the line of the test, pixels.
const LINE: [[f64; 2]; 2] = [[0.3 * 768.0, 0.25 * 576.0], [0.62 * 768.0, 0.9 * 576.0]];

/// Twice the area of a triangle; negative where c is on the left for who walks from a to b.
fn turn(a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// Body heights from the line, y counting double.
fn off(seen: &Seen) -> f64 {
    let flat = |p: [f64; 2]| [p[0] / seen.high(), 2.0 * p[1] / seen.high()];
    let (p, [a, b]) = (flat(seen.feet()), LINE.map(flat));
    let (x, y) = (b[0] - a[0], b[1] - a[1]);
    let t = (((p[0] - a[0]) * x + (p[1] - a[1]) * y) / (x * x + y * y)).clamp(0.0, 1.0);
    length([p[0] - a[0] - t * x, p[1] - a[1] - t * y])
}

/// The line of the test, as a camera's text.
pub const LINE_TEXT: &str = "[[line]]\nid = \"l\"\npoints = [[0.3, 0.25], [0.62, 0.9]]\n";

/// Who crosses the line: the picture, and whether from left to right.
pub fn crossed(paths: &Paths) -> Vec<(u64, bool)> {
    let mut plain = Vec::new();
    for path in paths.values() {
        let path: Vec<&Seen> = path.values().collect();
        // From one place off the line to the next one that is off it, or from the very first.
        let off: Vec<usize> = (0..path.len()).filter(|&i| i == 0 || off(path[i]) >= 0.1).collect();
        for pair in off.windows(2) {
            let left = pair.iter().map(|&i| turn(LINE[0], LINE[1], path[i].feet()) < 0.0).collect::<Vec<_>>();
            let met = (pair[0]..pair[1]).any(|i| {
                let (a, b) = (path[i].feet(), path[i + 1].feet());
                let apart = |p, q, r, s| turn(p, q, r) * turn(p, q, s) < 0.0;
                apart(LINE[0], LINE[1], a, b) && apart(a, b, LINE[0], LINE[1])
            });
            if left[0] != left[1] && met {
                plain.push(((path[pair[1]].time * FPS).round() as u64, left[0]));
            }
        }
    }
    plain.sort_unstable();
    plain
}

#[test]
fn crossings() {
    let mut count = 0;
    for seed in 1..=6 {
        let paths = scene(seed, 6);
        let mut told: Vec<(u64, bool)> = all_events(&paths, LINE_TEXT)
            .iter()
            .filter(|e| e.state == State::Counted)
            .map(|e| ((e.media_time * FPS).round() as u64, e.direction == Some(Direction::LeftToRight)))
            .collect();
        told.sort_unstable();
        assert_eq!(told, crossed(&paths), "seed {seed}");
        count += told.len();
    }
    assert!(count > 20, "hardly anybody crosses: {count}");
}
