//! The incidents of `replay` against a plain re-computation: what each rule says at each picture, from all rows at once
//! and by its definition, then holds, gaps and releases over the whole list.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;
use lookout::alerts::IncidentConfig;
use lookout::config::{Surroundings, camera_text};
use lookout::engine::replay::{Replay, Row};
use lookout::types::{Event, Rect, Size, Span, State};

mod flow;
mod groups;
mod linger;
mod near;
mod park;

const SIZE: Size = Size::new(768, 576);
const FPS: f64 = 10.0;
/// Pictures of a scene.
const FRAMES: usize = 900;
/// What rounding to milliseconds may cost.
const MILLI: f64 = 2e-3;

/// Somebody at one picture.
#[derive(Clone, Copy, Debug)]
struct Seen {
    time: f64,
    bbox: Rect,
}

impl Seen {
    fn feet(&self) -> [f64; 2] {
        [f64::from(self.bbox.left + self.bbox.width * 0.5), f64::from(self.bbox.top + self.bbox.height)]
    }

    fn high(&self) -> f64 {
        f64::from(self.bbox.height)
    }

    /// Within the zone of all tests: a rectangle with some of the picture around it.
    fn inside(&self) -> bool {
        let [x, y] = self.feet();
        (0.2 * 768.0..0.8 * 768.0).contains(&x) && (0.3 * 576.0..0.9 * 576.0).contains(&y)
    }
}

const ZONE: &str = "[[zone]]\nid = \"z\"\npolygon = [[0.2, 0.3], [0.8, 0.3], [0.8, 0.9], [0.2, 0.9]]\n";

/// The way on the ground from one to another, body heights: y counts double.
fn way(a: &Seen, b: &Seen) -> [f64; 2] {
    let high = (a.high() + b.high()) / 2.0;
    [(b.feet()[0] - a.feet()[0]) / high, 2.0 * (b.feet()[1] - a.feet()[1]) / high]
}

fn length([x, y]: [f64; 2]) -> f64 {
    (x * x + y * y).sqrt()
}

/// For each person, everything that was seen of them.
type Paths = BTreeMap<u64, BTreeMap<usize, Seen>>;

/// A random sequence that is the same everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }
}

/// People who go from place to place, faster and slower, stand in between, and are missed now and then.
fn scene(seed: u64, people: u64) -> Paths {
    let mut chance = Chance(seed);
    let mut paths = Paths::new();
    for id in 1..=people {
        let path = paths.entry(id).or_default();
        let place = |chance: &mut Chance| [chance.between(80.0, 690.0), chance.between(130.0, 560.0)];
        let (mut at, mut to, mut speed) = (place(&mut chance), place(&mut chance), 60.0);
        let (mut pause, mut hidden) = (0.0, 0);
        for frame in 0..FRAMES {
            let left = [to[0] - at[0], to[1] - at[1]];
            let distance = length(left);
            if pause > 0.0 {
                pause -= 1.0 / FPS;
            } else if distance < speed / FPS {
                (at, to) = (to, place(&mut chance));
                speed = chance.between(20.0, 160.0);
                pause = if chance.next() < 0.5 { chance.between(0.0, 8.0) } else { 0.0 };
            } else {
                at = [0, 1].map(|axis| at[axis] + left[axis] / distance * speed / FPS);
            }
            if frame > 0 && chance.next() < 0.02 {
                hidden = (chance.next() * 40.0) as usize;
            }
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            let high = 60.0 + chance.between(-2.0, 2.0);
            let bbox = Rect::new((at[0] - 12.0) as f32, (at[1] - high) as f32, 24.0, high as f32);
            path.insert(frame, Seen { time: frame as f64 / FPS, bbox });
        }
    }
    paths
}

fn events(paths: &Paths, rule: &str) -> Vec<Event> {
    all_events(paths, &format!("{ZONE}[[zone.rule]]\nid = \"r\"\n{rule}\n"))
}

/// Of a camera that watches for this.
fn all_events(paths: &Paths, watched: &str) -> Vec<Event> {
    let mut rows: Vec<Row> = Vec::new();
    for (&id, path) in paths {
        rows.extend(path.iter().map(|(&f, s)| Row { frame: f as u64 + 1, id, bbox: s.bbox, score: 1.0 }));
    }
    rows.sort_by_key(|row| (row.frame, row.id));
    let text = format!("id = \"yard\"\n{watched}");
    let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
    let plan = camera_text(Path::new("yard.toml"), &text, &around).unwrap_or_else(|e| panic!("{e}")).plan;
    let incidents = IncidentConfig { site: "t".into(), camera: plan.into(), outage: Span::from_secs(10) };
    let start = jiff::Timestamp::UNIX_EPOCH;
    Replay { incidents, fps: FPS, size: SIZE, start, inherit: false }.run(&rows, |_| ())
}

/// Start, end (that of the clip where it was open then) and peak of every incident, in the order of starts.
fn told(events: &[Event]) -> Vec<[f64; 3]> {
    let mut incidents = BTreeMap::new();
    for event in events {
        let entry = incidents.entry(event.alert).or_insert([0.0; 3]);
        match event.state {
            State::Started => entry[0] = event.media_time,
            State::Ended => (entry[1], entry[2]) = (event.media_time, event.peak),
            _ => {}
        }
    }
    sorted(incidents.into_values().collect())
}

fn sorted(mut list: Vec<[f64; 3]>) -> Vec<[f64; 3]> {
    list.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])).then(a[2].total_cmp(&b[2])));
    list
}

/// How values become incidents.
#[derive(Clone, Copy)]
struct Machine {
    threshold: f64,
    release: f64,
    hold: f64,
    gap: f64,
    /// The value is the time since the condition began.
    elapsed: bool,
    /// Less is worse.
    falling: bool,
}

impl Machine {
    fn new(threshold: f64, hold: f64, gap: f64) -> Self {
        Self { threshold, release: threshold, hold, gap, elapsed: false, falling: false }
    }

    /// Incidents of one subject; `values` has one value for each picture, nothing where the rule says nothing.
    fn incidents(&self, values: &[Option<f64>]) -> Vec<[f64; 3]> {
        let reaches = |v: f64, level: f64| if self.falling { v <= level } else { v >= level };
        let time = |i: usize| i as f64 / FPS;
        // Sums of tenths of a second: a limit that is met exactly is met.
        let over = |span: f64, limit: f64| span > limit + 1e-6;
        let mut list = Vec::new();
        let mut i = 0;
        while i < values.len() {
            if !values[i].is_some_and(|v| reaches(v, self.threshold)) {
                i += 1;
                continue;
            }
            let (since, mut last, mut interrupted, mut started) = (time(i), i, false, None);
            let (mut j, mut peak, mut end) = (i, None, None);
            while j < values.len() {
                let level = if started.is_some() { self.release } else { self.threshold };
                let holds = values[j].is_some_and(|v| reaches(v, level));
                if (interrupted || !holds) && over(time(j) - time(last), self.gap) {
                    end = Some(j);
                    break;
                }
                interrupted = !holds;
                if holds {
                    last = j;
                    if started.is_none() && !over(self.hold, time(j) - since) {
                        started = Some(time(j));
                    }
                    let value = if self.elapsed { time(j) - since } else { values[j].unwrap() };
                    if started.is_some() && peak.is_none_or(|p| reaches(value, p)) {
                        peak = Some(value);
                    }
                }
                j += 1;
            }
            if let Some(start) = started {
                list.push([start, time(end.unwrap_or(values.len() - 1)), peak.unwrap()]);
            }
            i = j;
        }
        list
    }
}

/// The rule's incidents in `replay` are these, over several scenes; there are some in all.
fn same(rule: &str, unit: f64, people: u64, plain: impl Fn(&Paths) -> Vec<[f64; 3]>) {
    same_in(|seed| scene(seed, people), rule, unit, plain);
}

fn same_in(scene: impl Fn(u64) -> Paths, rule: &str, unit: f64, plain: impl Fn(&Paths) -> Vec<[f64; 3]>) {
    let mut count = 0;
    for seed in 1..=6 {
        let paths = scene(seed);
        let (told, plain) = (told(&events(&paths, rule)), sorted(plain(&paths)));
        let good = told.len() == plain.len()
            && told.iter().zip(&plain).all(|(a, b)| {
                (a[0] - b[0]).abs() < MILLI && (a[1] - b[1]).abs() < MILLI && (a[2] - b[2] * unit).abs() < MILLI
            });
        assert!(good, "{rule}\nseed {seed}\ntold  {told:?}\nplain {plain:?}");
        count += told.len();
    }
    assert!(count > 5, "{rule} hardly ever happens: {count}");
}

/// What one person's rule says at each picture of the clip.
fn each(paths: &Paths, value: impl Fn(&BTreeMap<usize, Seen>) -> BTreeMap<usize, f64>) -> Vec<Vec<Option<f64>>> {
    let last = paths.values().filter_map(|p| p.keys().next_back()).max().copied().unwrap_or(0);
    let line = |said: BTreeMap<usize, f64>| (0..=last).map(|f| said.get(&f).copied()).collect();
    paths.values().map(|path| line(value(path))).collect()
}

/// What a zone's rule says at each picture of the clip; `people` are those who are seen inside.
fn zone(paths: &Paths, value: impl Fn(usize, &[(u64, Seen)]) -> f64) -> Vec<Option<f64>> {
    let last = paths.values().filter_map(|p| p.keys().next_back()).max().copied().unwrap_or(0);
    let at = |f: usize| -> Vec<(u64, Seen)> {
        let seen = paths.iter().filter_map(|(id, path)| Some((*id, *path.get(&f)?)));
        seen.filter(|(_, s)| s.inside()).collect()
    };
    (0..=last).map(|f| Some(value(f, &at(f)))).collect()
}

#[test]
fn crowds_and_intrusions() {
    let machine = Machine::new(4.0, 2.0, 1.0);
    let count = |paths: &Paths| zone(paths, |_, people| people.len() as f64);
    same("kind = \"crowd\"\npeople = 4\nhold = \"2s\"", 1.0, 9, |paths| machine.incidents(&count(paths)));
    let machine = Machine { release: 3.0, ..machine };
    let rule = "kind = \"crowd\"\npeople = 4\nrelease = 3\nhold = \"2s\"";
    same(rule, 1.0, 9, |paths| machine.incidents(&count(paths)));
    let machine = Machine::new(1.0, 0.0, 0.5);
    same("kind = \"intrusion\"\ngap = \"500ms\"", 1.0, 2, |paths| machine.incidents(&count(paths)));
}

#[test]
fn loitering() {
    let machine = Machine { elapsed: true, ..Machine::new(1.0, 5.0, 2.0) };
    let inside =
        |path: &BTreeMap<usize, Seen>| path.iter().filter(|(_, s)| s.inside()).map(|(f, _)| (*f, 1.0)).collect();
    same("kind = \"loitering\"\ndwell = \"5s\"", 1.0, 6, |paths| {
        each(paths, inside).iter().flat_map(|values| machine.incidents(values)).collect()
    });
}

/// The zone of all tests is three metres by three there.
const PLANE: &str =
    "[ground]\npoints = [[0, 0.2], [1, 0.2], [1, 1], [0, 1]]\nmetres = [[0, 0], [5, 0], [5, 4], [0, 4]]\n";

#[test]
fn density() {
    let machine = Machine { release: 0.33, ..Machine::new(0.44, 1.0, 1.0) };
    let rule = format!("kind = \"density\"\ndensity = 0.44\nhold = \"1s\"\n{PLANE}");
    same(&rule, 1.0, 9, |paths| machine.incidents(&zone(paths, |_, people| people.len() as f64 / 9.0)));
}
