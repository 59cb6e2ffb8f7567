//! A look at the camera's health, two a second whatever the rate; beside it what decoding one picture costs
//! (`capture::decode_and_convert` decodes 60).

#![allow(clippy::expect_used, reason = "a bench without its clip has nothing to measure")]

use divan::{Bencher, black_box};
use lookout::capture::{Clip, ClipOptions, Inspector, Stop};
use lookout::types::{Frame, MediaTime, Rect};

use super::capture::CLIP;

/// A look at 1080p with twenty people, against a reference that is known.
#[divan::bench]
fn look_1080p(bencher: Bencher<'_, '_>) {
    let mut clip = Clip::open(&CLIP, &ClipOptions::default(), &Stop::new()).expect("the clip opens");
    let frame = clip.next().expect("the clip is whole").expect("a picture");
    let people: Vec<Rect> = (0..20).map(|k| Rect::new(90.0 * k as f32, 300.0, 60.0, 160.0)).collect();
    let (mut inspector, mut k) = (Inspector::new(), 0);
    let mut look = || {
        k += 1;
        let frame = Frame { time: MediaTime::of_frame(k, 2.0), ..frame.clone() };
        black_box(inspector.look(&frame, people.iter().copied()))
    };
    (0..30).for_each(|_| {
        look();
    });
    bencher.bench_local(look);
}
