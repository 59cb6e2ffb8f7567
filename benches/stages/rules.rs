//! Rules and incidents alone: ten zones with ten rules each and a hundred people, at most 500 µs a picture.

#![allow(clippy::expect_used, reason = "a bench without its camera has nothing to measure")]

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use divan::{Bencher, black_box};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use lookout::alerts::IncidentConfig;
use lookout::config::{Surroundings, camera_text};
use lookout::engine::Judge;
use lookout::types::{MediaTime, Point, Rect, Size, Span, Track, TrackId, TrackState};

use super::track::{PICTURES, RATE, to_and_fro};

const SIZE: Size = Size::new(1280, 720);

/// One of each kind that a zone can have.
const RULES: [&str; 10] = [
    "kind = \"crowd\"\npeople = 200",
    "kind = \"gathering\"\npeople = 5\nradius = \"2m\"\nhold = \"20s\"",
    "kind = \"gathering\"\npeople = 5\nradius = \"1bh\"\nstanding = true\nhold = \"20s\"",
    "kind = \"loitering\"\ndwell = \"1h\"",
    "kind = \"loitering\"\nmode = \"linger\"\nradius = \"2m\"\ndwell = \"10m\"",
    "kind = \"intrusion\"",
    "kind = \"wrong_way\"\nalong = [[0.1, 0.5], [0.5, 0.4], [0.9, 0.5]]\nhold = \"1h\"",
    "kind = \"counter_flow\"\nhold = \"1h\"",
    "kind = \"rush\"",
    "kind = \"proximity\"\ndistance = \"1.2m\"\nexempt_together = true\nhold = \"1h\"",
];

/// Hexagons, each the width and height of the picture times `share`, in two rows.
fn judge(share: f64) -> Judge {
    let mut text = "id = \"square\"\n".to_owned();
    for z in 0..10 {
        let (x, y) = ((1.0 - share) * f64::from(z % 5) / 4.0, (1.0 - share) * f64::from(z / 5));
        let corners = [[0.1, 0.0], [0.9, 0.0], [1.0, 0.5], [0.9, 1.0], [0.1, 1.0], [0.0, 0.5]];
        let corners = corners.map(|[a, b]| [x + share * a, y + share * b]);
        writeln!(text, "[[zone]]\nid = \"zone-{z}\"\npolygon = {corners:?}").expect("text");
        for (i, rule) in RULES.iter().enumerate() {
            writeln!(text, "[[zone.rule]]\nid = \"rule-{z}-{i}\"\n{rule}").expect("text");
        }
    }
    let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
    let camera = camera_text(Path::new("square.toml"), &text, &around).expect("a good camera").plan;
    let config = IncidentConfig { site: "bench".into(), camera: Arc::new(camera), outage: Span::from_secs(10) };
    Judge::new(config, false)
}

/// People who walk about, missed in one picture of twenty.
fn tracks(people: u32) -> Vec<Vec<Track>> {
    let walk = |k: usize| {
        let mut picture = Vec::new();
        for i in (0..people).filter(|i| !(k as u32 + 7 * i).is_multiple_of(20)) {
            let turn = |period: u32, length: f32| {
                let at = (k as f32 * 3.0 + 97.0 * i as f32) * (1.0 + (i % 7) as f32 / 7.0) / period as f32;
                length * (1.0 - (at.rem_euclid(2.0) - 1.0).abs())
            };
            let high = 70.0 + (i * 13 % 60) as f32 + (k % 3) as f32;
            let feet = [20.0 + turn(900 + i, 1240.0), 140.0 + turn(1_700 + i, 570.0)];
            picture.push(Track {
                id: TrackId(u64::from(i) + 1),
                state: TrackState::Confirmed,
                bbox: Rect::new(feet[0] - 0.2 * high, feet[1] - high, 0.4 * high, high),
                velocity: [0.0; 2],
                score: 0.8,
                matched: true,
                born: MediaTime::ZERO,
                birth: Point { x: f64::from(feet[0]), y: f64::from(feet[1]) },
                seen: MediaTime::ZERO,
            });
        }
        picture
    };
    (0..PICTURES).map(walk).collect()
}

/// The zones cover the whole picture each, or a third of it.
#[divan::bench(args = [1.0, 0.58], sample_count = 400, sample_size = 2)]
fn ten_zones_with_ten_rules_and_a_hundred_people(bencher: Bencher<'_, '_>, share: f64) {
    let (mut judge, pictures, mut events) = (judge(share), tracks(100), Vec::new());
    let mut k = 0_usize;
    let mut next = move || {
        let media = MediaTime::of_frame(k as u64, RATE);
        let utc = Timestamp::UNIX_EPOCH + SignedDuration::from_nanos((media - MediaTime::ZERO).nanos());
        events.clear();
        let people = judge.observe(media, utc, SIZE, &pictures[to_and_fro(k)], &mut events).people;
        k += 1;
        black_box(people)
    };
    for _ in 0..4 * PICTURES {
        next();
    }
    bencher.bench_local(next);
}
