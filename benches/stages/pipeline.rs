//! Everything of a picture after detection: tracker, all kinds of rules, incidents. The design's bound: 50 people, at
//! most 200 µs a picture on one core. Divan shows what is allocated too; a warm picture allocates nothing of its own
//! (tests/allocations.rs), so what remains are events and people who come, or enter a zone.

#![allow(clippy::expect_used, reason = "a bench without its camera file has nothing to measure")]

use std::path::Path;
use std::sync::Arc;

use divan::{Bencher, black_box};
use jiff::{SignedDuration, Timestamp};
use lookout::alerts::IncidentConfig;
use lookout::config::{Surroundings, camera_text};
use lookout::engine::CameraStages;
use lookout::track::{SortTracker, TrackerConfig};
use lookout::types::{MediaTime, Size, Span};

use super::track::{PICTURES, RATE, crowd, to_and_fro};

const PLANE: &str = "[ground]\npoints = [[0.11, 0.62], [0.54, 0.60], [0.93, 0.88], [0.05, 0.95]]\n\
    metres = [[0.0, 0.0], [12.0, 0.0], [12.0, 9.0], [0.0, 9.0]]\n";

fn stages(ground: bool) -> CameraStages {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/stages/crowded.toml");
    let mut text = std::fs::read_to_string(&file).expect("a file");
    if ground {
        text += PLANE;
    }
    let around = Surroundings { time_zone: &jiff::tz::TimeZone::UTC, media_dirs: None, grids: None };
    let camera = camera_text(&file, &text, &around).expect("a good file").plan;
    let config = IncidentConfig { site: "bench".into(), camera: Arc::new(camera), outage: Span::from_secs(10) };
    CameraStages::new(config, Box::new(SortTracker::new(TrackerConfig { start_score: 0.4 })))
}

fn picture(bencher: Bencher<'_, '_>, people: usize, ground: bool) {
    let pictures = crowd(people);
    let (mut stages, mut events) = (stages(ground), Vec::new());
    let mut k = 0_usize;
    let mut next = move || {
        let media = MediaTime::of_frame(k as u64, RATE);
        let utc = Timestamp::UNIX_EPOCH + SignedDuration::from_nanos((media - MediaTime::ZERO).nanos());
        events.clear();
        let observed = stages.observe(media, utc, Size::new(1280, 720), &pictures[to_and_fro(k)], &mut events);
        k += 1;
        black_box(observed.measured.people)
    };
    for _ in 0..2 * PICTURES {
        next();
    }
    bencher.bench_local(next);
}

/// Lengths by box heights.
#[divan::bench(args = [10, 50, 100], sample_count = 400, sample_size = 4)]
fn track_and_rules(bencher: Bencher<'_, '_>, people: usize) {
    picture(bencher, people, false);
}

/// Lengths in metres on a known ground plane.
#[divan::bench(args = [50, 100], sample_count = 400, sample_size = 4)]
fn track_and_rules_on_a_ground_plane(bencher: Bencher<'_, '_>, people: usize) {
    picture(bencher, people, true);
}
