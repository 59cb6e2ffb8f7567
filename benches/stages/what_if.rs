//! A day of stored trails, ten people in view on average at eight pictures a second: how large it is, and how long today's
//! rules and others take over it on two threads.

// A bench speaks on stdout and may break off.
#![allow(clippy::print_stdout, clippy::expect_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use lookout::config::plan::{Camera, Trails};
use lookout::config::{Surroundings, camera_text};
use lookout::engine::keeper::{Keeper, queue};
use lookout::engine::trails::FOLDER;
use lookout::engine::trails::read::Stretch;
use lookout::engine::trails::recorder::TrailRecorder;
use lookout::engine::trails::store::files;
use lookout::engine::trails::what_if::{Question, WhatIf};
use lookout::telemetry::Metrics;
use lookout::types::{MediaTime, Point, Rect, Size, Track, TrackId, TrackState};

const RATE: f64 = 8.0;
const SIZE: Size = Size::new(1280, 720);
/// Seconds for which somebody is in view, and between two who come.
const STAY: f64 = 60.0;
const EVERY: f64 = 6.0;

/// Six rules; `more` of what each of them asks for.
fn camera(more: u32) -> Arc<Camera> {
    let text = format!(
        "id = \"yard\"\n[[zone]]\nid = \"all\"\npolygon = [[0,0],[1,0],[1,1],[0,1]]\n\
         [[zone.rule]]\nid = \"crowd\"\nkind = \"crowd\"\npeople = {}\nhold = \"5s\"\n\
         [[zone.rule]]\nid = \"gathering\"\nkind = \"gathering\"\npeople = {}\nradius = \"2m\"\nhold = \"5s\"\n\
         [[zone.rule]]\nid = \"dwell\"\nkind = \"loitering\"\ndwell = \"{}s\"\n\
         [[zone]]\nid = \"middle\"\npolygon = [[0.3,0.3],[0.7,0.3],[0.7,0.8],[0.3,0.8]]\n\
         [[zone.rule]]\nid = \"linger\"\nkind = \"loitering\"\nmode = \"linger\"\nradius = \"2m\"\ndwell = \"{}s\"\n\
         [[zone.rule]]\nid = \"intrusion\"\nkind = \"intrusion\"\nhold = \"{}s\"\n\
         [[line]]\nid = \"gate\"\npoints = [[0.5,0.1],[0.5,0.95]]\n\
         [[line.rule]]\nid = \"crossing\"\nkind = \"crossing\"\ncooldown = \"{}s\"\n",
        11 + more,
        3 + more,
        40 + more,
        10 + more,
        1 + more,
        10 + more,
    );
    let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
    camera_text(Path::new("yard.toml"), &text, &around).expect("a good camera").plan.into()
}

/// Somebody's box so many seconds after they came: across the picture, with a rest on the way.
fn bbox(person: u64, after: f64, tremble: f32) -> Rect {
    let chance = |salt: u64| ((person.wrapping_mul(2_654_435_761).wrapping_add(salt * 97)) % 1_000) as f32 / 1_000.0;
    let walked = (after / STAY) as f32;
    let rest = walked.min(0.4) + (walked - 0.7).max(0.0);
    let high = 70.0 + 50.0 * chance(1);
    let across = if chance(2) < 0.5 { rest / 0.7 } else { 1.0 - rest / 0.7 };
    let (x, y) = (40.0 + 1_200.0 * across, 150.0 + 540.0 * chance(3) + 40.0 * (walked - 0.5));
    Rect::new(x - 0.2 * high + 2.0 * tremble, y - high + tremble, 0.4 * high + tremble, high + 2.0 * tremble)
}

/// Writes so many hours and prints both measurements.
pub fn run(hours: i64) {
    let folder = tempfile::tempdir().expect("a directory");
    let metrics = Metrics::new().expect("metrics");
    let lost = metrics.overflow("trails");
    let (out, records) = queue();
    let mut keeper = Keeper::new(folder.path(), Trails::DEFAULT, lost.clone()).expect("a keeper");
    let mut recorder = TrailRecorder::new("yard", 1, out, lost.clone());
    let start: Timestamp = "2026-11-24T00:00:00Z".parse().expect("a time");
    let (mut state, mut seen) = (7_u64, 0_u64);
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 24) as f32
    };
    let pictures = (hours as f64 * 3_600.0 * RATE) as u64;
    let (mut tracks, mut persons) = (Vec::new(), Vec::new());
    for k in 0..pictures {
        let time = MediaTime::of_frame(k, RATE);
        let now = time.secs_f64();
        tracks.clear();
        let first = ((now - STAY) / EVERY).floor().max(0.0) as u64;
        for person in first..=(now / EVERY) as u64 {
            let came = person as f64 * EVERY;
            // One in eight pictures misses somebody.
            if !(0.0..STAY).contains(&(now - came)) || random() < 0.125 {
                continue;
            }
            tracks.push(Track {
                id: TrackId(person + 1),
                state: TrackState::Confirmed,
                bbox: bbox(person, now - came, random() - 0.5),
                velocity: [0.0; 2],
                score: 0.5 + 0.4 * random(),
                matched: true,
                born: MediaTime::from_secs_f64(came),
                birth: Point { x: 40.0, y: 400.0 },
                seen: time,
            });
        }
        seen += tracks.len() as u64;
        persons.clear();
        persons.extend(tracks.iter().map(|t| (t.id, t.id)));
        recorder.observe(time, time.utc(start), SIZE, &tracks, &persons);
        records.try_iter().for_each(|record| keeper.keep(&record).expect("kept"));
    }
    recorder.flush();
    records.try_iter().for_each(|record| keeper.keep(&record).expect("kept"));
    assert_eq!(lost.get(), 0, "nothing is lost");
    let bytes: u64 = files(&folder.path().join(FOLDER)).expect("files").iter().map(|f| f.bytes).sum();
    let day = 24.0 / hours as f64;
    println!(
        "trails, {hours} h, {:.1} people in view, {RATE} pictures a second: {:.1} MB, {:.1} MB for a day of ten",
        seen as f64 / pictures as f64,
        bytes as f64 / 1e6,
        bytes as f64 / 1e6 * day * 10.0 / (seen as f64 / pictures as f64),
    );

    let what_if = WhatIf::new("bench", &TimeZone::UTC, folder.path(), 2).expect("threads");
    let stretch = Stretch::new(start, start + SignedDuration::from_hours(hours));
    let question = Question { now: camera(0), then: Some(camera(1)), stretch };
    let mut took = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        let answer = what_if.ask(&question).expect("an answer");
        took.push((began.elapsed().as_secs_f64(), answer));
    }
    took.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (seconds, answer) = &took[1];
    println!(
        "what-if, {hours} h, six rules and six changed ones on two threads: median {seconds:.2} s, {} and {} incidents",
        answer.now.len(),
        answer.then.len()
    );
}
