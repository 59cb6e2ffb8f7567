//! Rules about directions.

use super::*;

/// A body height where there is no ground plane, metres.
pub const BODY: f64 = 1.70;

/// Against the way: since the last beginning, all steps added up anew for each picture. The way is 0.8 across and 0.6 down
/// on the ground.
fn against_the_way(path: &BTreeMap<usize, Seen>, distance: f64, gap: f64) -> BTreeMap<usize, f64> {
    let path: Vec<(usize, Seen)> = path.iter().filter(|(_, s)| s.inside()).map(|(f, s)| (*f, *s)).collect();
    let (mut said, mut begin) = (BTreeMap::new(), 0);
    for now in 0..path.len() {
        if now > 0 && path[now].1.time - path[now - 1].1.time > gap + 1e-6 {
            begin = now;
        }
        let (mut against, mut aside, mut farthest) = (0.0, 0.0, (0.0, path[begin].1.time));
        for pair in path[begin..=now].windows(2) {
            let [x, y] = way(&pair[0].1, &pair[1].1);
            against -= 0.8 * x + 0.6 * y;
            aside += 0.8 * y - 0.6 * x;
            if against > farthest.0 {
                farthest = (against, pair[1].1.time);
            }
        }
        let stands = path[now].1.time - farthest.1 > 2.0 - 1e-6;
        if against <= 0.0 || farthest.0 - against >= distance / 3.0 || stands {
            begin = now;
        } else if against >= distance && against >= 0.5 * length([against, aside]) {
            said.insert(path[now].0, against * BODY);
        }
    }
    said
}

#[test]
fn wrong_way() {
    let metres = 2.0;
    let machine = Machine::new(metres, 0.0, 2.0);
    // 460.8 pixels across and 172.8 down, which count double.
    let rule = "kind = \"wrong_way\"\nalong = [[0.2, 0.3], [0.8, 0.6]]\ndistance = \"2m\"";
    same(rule, 1.0 / BODY, 6, |paths| {
        let said = each(paths, |path| against_the_way(path, metres / BODY, 2.0));
        said.iter().flat_map(|values| machine.incidents(values)).collect()
    });
}

/// Body heights a second over two seconds, or as long as there was no longer interruption than that.
pub fn motion(path: &BTreeMap<usize, Seen>, frame: usize) -> Option<[f64; 2]> {
    let now = path[&frame];
    let (mut first, mut next) = (now, now);
    for (_, seen) in path.range(..frame).rev() {
        if next.time - seen.time > 2.0 + 1e-6 {
            break;
        }
        (first, next) = (*seen, *seen);
        if now.time - seen.time >= 2.0 - 1e-6 {
            break;
        }
    }
    let time = now.time - first.time;
    (time >= 0.5 - 1e-6).then(|| way(&first, &now).map(|w| w / time))
}

fn moving(paths: &Paths, frame: usize, people: &[(u64, Seen)]) -> Vec<[f64; 2]> {
    let motions = people.iter().filter_map(|(id, _)| motion(&paths[id], frame));
    motions.filter(|v| length(*v) * BODY >= 0.5).map(|v| v.map(|part| part / length(v))).collect()
}

/// The share of directions more than 120 degrees from the main one.
fn share(directions: &[[f64; 2]], main: Option<[f64; 2]>) -> f64 {
    let Some(main) = main.filter(|_| directions.len() >= 3) else { return 0.0 };
    let against = directions.iter().filter(|d| d[0] * main[0] + d[1] * main[1] <= -0.5).count();
    against as f64 / directions.len() as f64
}

#[test]
fn counter_flow_on_a_way_that_is_drawn() {
    let machine = Machine::new(0.5, 1.0, 1.0);
    let rule = "kind = \"counter_flow\"\nalong = [[0.2, 0.3], [0.8, 0.6]]\npeople = 3\nshare = 0.5\nhold = \"1s\"";
    same(rule, 1.0, 10, |paths| {
        let said = zone(paths, |frame, people| share(&moving(paths, frame, people), Some([0.8, 0.6])));
        machine.incidents(&said)
    });
}

#[test]
fn counter_flow_against_the_way_that_most_people_go() {
    let machine = Machine { release: 0.2, ..Machine::new(0.4, 1.0, 1.0) };
    let rule = "kind = \"counter_flow\"\npeople = 3\nshare = 0.4\nrelease = 0.2\nhold = \"1s\"";
    same(rule, 1.0, 10, |paths| {
        let mut pictures: Vec<Vec<[f64; 2]>> = Vec::new();
        let frames = zone(paths, |_, _| 0.0).len();
        for frame in 0..frames {
            let seen = paths.iter().filter_map(|(id, path)| Some((*id, *path.get(&frame)?)));
            let people: Vec<(u64, Seen)> = seen.filter(|(_, s)| s.inside()).collect();
            pictures.push(moving(paths, frame, &people));
        }
        // Every picture weighs what a memory of 30 s leaves of it.
        let said: Vec<Option<f64>> = (0..frames)
            .map(|now| {
                let (mut weight, mut sum, mut double) = (0.0, [0.0; 2], [0.0; 2]);
                for (then, directions) in pictures[..=now].iter().enumerate() {
                    let own = if then == 0 { 1.0 } else { 1.0 - (-0.1_f64 / 30.0).exp() };
                    let part = own * (-((now - then) as f64 / FPS) / 30.0).exp();
                    for [x, y] in directions {
                        weight += part;
                        let angle = y.atan2(*x);
                        sum = [sum[0] + part * x, sum[1] + part * y];
                        double = [double[0] + part * (2.0 * angle).cos(), double[1] + part * (2.0 * angle).sin()];
                    }
                }
                let main = (weight > 0.0 && length(double) / weight >= 0.3).then(|| {
                    let angle = double[1].atan2(double[0]) / 2.0;
                    let (x, y) = (angle.cos(), angle.sin());
                    if x * sum[0] + y * sum[1] < 0.0 { [-x, -y] } else { [x, y] }
                });
                Some(share(&pictures[now], main))
            })
            .collect();
        machine.incidents(&said)
    });
}
