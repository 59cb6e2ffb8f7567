//! `loitering` with `mode = "linger"`: since when all feet points fit in a circle.

use super::*;

/// Everybody is this high, pixels: the circle is as large at each picture.
const HIGH: f64 = 60.0;
const DWELL: f64 = 5.0;
const GAP: f64 = 2.0;
/// Of the circle, in pixels with y doubled: one body height.
const RADIUS: f64 = HIGH;

fn level(mut paths: Paths) -> Paths {
    for seen in paths.values_mut().flat_map(BTreeMap::values_mut) {
        let [x, y] = seen.feet();
        seen.bbox = Rect::new((x - 12.0) as f32, (y - HIGH) as f32, 24.0, HIGH as f32);
    }
    paths
}

/// The corners of the smallest convex shape around the points (Andrew 1979).
fn hull(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let turn = |a: [f64; 2], b: [f64; 2], c: [f64; 2]| (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    let half = |points: &mut dyn Iterator<Item = [f64; 2]>| {
        let mut out: Vec<[f64; 2]> = Vec::new();
        for p in points {
            while out.len() >= 2 && turn(out[out.len() - 2], out[out.len() - 1], p) <= 0.0 {
                out.pop();
            }
            out.push(p);
        }
        out
    };
    let mut all = half(&mut sorted.iter().copied());
    all.extend(half(&mut sorted.iter().rev().copied()));
    all
}

/// Whether a circle through two of the corners, or through three, has all of them in it and is no larger than allowed.
fn fits(points: &[[f64; 2]]) -> bool {
    let corners = hull(points);
    let apart = |a: [f64; 2], b: [f64; 2]| length([a[0] - b[0], a[1] - b[1]]);
    let around = |centre: [f64; 2]| corners.iter().map(|p| apart(centre, *p)).fold(0.0, f64::max) <= RADIUS;
    let mut centres = vec![corners[0]];
    for (i, a) in corners.iter().enumerate() {
        for (j, b) in corners.iter().enumerate().skip(i + 1) {
            centres.push([(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0]);
            for c in &corners[j + 1..] {
                let d = 2.0 * (a[0] * (b[1] - c[1]) + b[0] * (c[1] - a[1]) + c[0] * (a[1] - b[1]));
                if d.abs() > 1e-9 {
                    let square = |p: &[f64; 2]| p[0] * p[0] + p[1] * p[1];
                    let (a2, b2, c2) = (square(a), square(b), square(c));
                    centres.push([
                        (a2 * (b[1] - c[1]) + b2 * (c[1] - a[1]) + c2 * (a[1] - b[1])) / d,
                        (a2 * (c[0] - b[0]) + b2 * (a[0] - c[0]) + c2 * (b[0] - a[0])) / d,
                    ]);
                }
            }
        }
    }
    centres.into_iter().any(around)
}

/// At each picture in which the person is inside, how long they have been within such a circle, if that is long enough.
fn lingering(path: &BTreeMap<usize, Seen>) -> BTreeMap<usize, f64> {
    let (mut since, mut last, mut said) = (0, None, BTreeMap::new());
    let inside: Vec<(usize, f64, [f64; 2])> = path
        .iter()
        .filter(|(_, seen)| seen.inside())
        .map(|(frame, seen)| (*frame, seen.time, [seen.feet()[0], 2.0 * seen.feet()[1]]))
        .collect();
    for (now, (frame, time, _)) in inside.iter().enumerate() {
        if last.is_some_and(|last| time - last > GAP + 1e-6) {
            since = now;
        }
        last = Some(*time);
        let places = |since: usize| inside[since..=now].iter().map(|(_, _, place)| *place).collect::<Vec<_>>();
        while !fits(&places(since)) {
            since += 1;
        }
        let long = time - inside[since].1;
        if long >= DWELL - 1e-6 {
            said.insert(*frame, long);
        }
    }
    said
}

/// The incidents of one person; how long each lasted counts from where its first circle began.
fn incidents(said: &BTreeMap<usize, f64>, values: &[Option<f64>]) -> Vec<[f64; 3]> {
    let machine = Machine::new(DWELL - 1e-6, 0.0, GAP);
    let frame = |time: f64| (time * FPS).round() as usize;
    let peak = |start: f64, end: f64| {
        let last = said.range(..=frame(end)).next_back().map_or(start, |(last, _)| *last as f64 / FPS);
        last - (start - said[&frame(start)])
    };
    machine.incidents(values).iter().map(|[start, end, _]| [*start, *end, peak(*start, *end)]).collect()
}

#[test]
fn linger() {
    let rule = "kind = \"loitering\"\nmode = \"linger\"\nradius = \"1bh\"\ndwell = \"5s\"";
    same_in(
        |seed| level(scene(seed, 6)),
        rule,
        1.0,
        |paths| {
            let said = paths.values().map(lingering);
            said.zip(each(paths, lingering)).flat_map(|(said, values)| incidents(&said, &values)).collect()
        },
    );
}
