//! Tracking a crowd: fifty people who walk about, some missed, some weak, some clutter.

use divan::{Bencher, black_box};
use lookout::track::{SortTracker, Tracker, TrackerConfig};
use lookout::types::{Detection, MediaTime, Observation, Rect, Size};

pub const RATE: f64 = 10.0;
pub const PICTURES: usize = 200;

/// Pictures of `people` walkers on 1280x720, always the same; whoever reaches the edge turns round.
pub fn crowd(people: usize) -> Vec<Vec<Detection>> {
    let mut state = 7_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 24) as f32
    };
    let start: Vec<[f32; 5]> = (0..people)
        .map(|_| {
            [random() * 1200.0, random() * 500.0, random() * 10.0 - 5.0, random() * 4.0 - 2.0, 70.0 + random() * 60.0]
        })
        .collect();
    (0..PICTURES)
        .map(|k| {
            let mut picture = Vec::new();
            for [x, y, vx, vy, h] in &start {
                let luck = random();
                let (x, y) = (reflected(x + vx * k as f32, 1240.0), reflected(y + vy * k as f32, 600.0));
                let bbox = Rect::new(x + random() * 4.0, y + random() * 4.0, 0.4 * h, *h);
                if luck > 0.05 {
                    picture.push(Detection { bbox, score: if luck < 0.2 { 0.25 } else { 0.6 + 0.3 * random() } });
                }
            }
            for _ in 0..people / 2 {
                let bbox = Rect::new(random() * 1200.0, random() * 600.0, 30.0, 80.0);
                picture.push(Detection { bbox, score: 0.1 + 0.25 * random() });
            }
            picture.sort_by(|a, b| b.score.total_cmp(&a.score));
            picture
        })
        .collect()
}

fn reflected(at: f32, limit: f32) -> f32 {
    limit - (at.rem_euclid(2.0 * limit) - limit).abs()
}

/// Index of picture k of a sequence that is played forwards and backwards for ever: nobody jumps.
pub fn to_and_fro(k: usize) -> usize {
    let at = k % (2 * PICTURES - 2);
    at.min(2 * PICTURES - 2 - at)
}

/// Time of one picture with a warm tracker.
#[divan::bench(args = [10, 50, 200])]
fn update(bencher: Bencher, people: usize) {
    let pictures = crowd(people);
    let mut tracker = SortTracker::new(TrackerConfig { start_score: 0.4 });
    let mut k = 0_usize;
    bencher.bench_local(move || {
        let seen = Observation {
            time: MediaTime::of_frame(k as u64, RATE),
            size: Size::new(1280, 720),
            detections: &pictures[to_and_fro(k)],
            motion: None,
        };
        k += 1;
        black_box(tracker.update(&seen).len())
    });
}
