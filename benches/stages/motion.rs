//! The motion of a camera that is carried about, measured in pictures of 640x360: at most 2 ms each. What a ptz camera
//! pays to know its presets is beside it. A fixed camera pays for neither.

#![allow(clippy::expect_used, reason = "a bench without its pictures has nothing to measure")]

use std::sync::Arc;
use std::time::Instant;

use divan::{Bencher, black_box};
use lookout::capture::gaze::{Carried, PresetWatch};
use lookout::capture::picture::VideoPicture;
use lookout::capture::{Clip, ClipOptions, Stop};
use lookout::types::{Frame, MediaTime, PixelFormat, Rect, Size, Target};

const SIZE: Size = Size::new(640, 360);
const PICTURES: u64 = 60;

/// The demo's clip seen by a camera that swings and shakes: a window of each picture, as a picture of its own.
fn pictures() -> Vec<Frame> {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("media/vtest.avi");
    let mut clip = Clip::open(&source, &ClipOptions::default(), &Stop::new()).expect("the clip opens");
    let mut bgr = Vec::new();
    (0..PICTURES)
        .map(|k| {
            let frame = clip.next().expect("the clip is whole").expect("a picture");
            let whole = frame.picture.size();
            let target = Target { size: whole, format: PixelFormat::Bgr24 };
            frame.picture.convert(target, &mut bgr).expect("it converts");
            let t = k as f64 / 10.0;
            let (x, y) = (60.0 + 50.0 * (0.8 * t).sin() + 6.0 * (9.0 * t).sin(), 90.0 + 60.0 * (0.5 * t).sin());
            let row = |j: u32| (whole.width * (y as u32 + j) + x as u32) as usize * 3;
            let window: Vec<u8> =
                (0..SIZE.height).flat_map(|j| &bgr[row(j)..row(j) + SIZE.width as usize * 3]).copied().collect();
            Frame {
                index: k,
                time: MediaTime::of_frame(k, 10.0),
                arrived: Instant::now(),
                picture: Arc::new(VideoPicture::from_bgr(SIZE, &window).expect("a picture")),
                ..frame
            }
        })
        .collect()
}

fn people() -> impl Iterator<Item = Rect> {
    (0..10).map(|k| Rect::new(20.0 + 60.0 * k as f32, 120.0, 30.0, 80.0))
}

/// Forwards and backwards for ever: the camera never jumps.
fn to_and_fro(pictures: &[Frame], k: u64) -> Frame {
    let n = pictures.len() as u64;
    let at = k % (2 * n - 2);
    Frame { time: MediaTime::of_frame(k, 10.0), ..pictures[at.min(2 * n - 2 - at) as usize].clone() }
}

#[divan::bench(sample_count = 300)]
fn motion_640x360(bencher: Bencher<'_, '_>) {
    let (pictures, mut carried, mut k) = (pictures(), Carried::new(Vec::new()), 0);
    carried.accept();
    bencher.bench_local(move || {
        k += 1;
        black_box(carried.look(&to_and_fro(&pictures, k), people()))
    });
}

#[divan::bench(sample_count = 300)]
fn presets_640x360(bencher: Bencher<'_, '_>) {
    let (pictures, mut k) = (pictures(), 0);
    let mut watch = PresetWatch::new(["gate", "yard", "roof", "dock"].map(str::to_owned).into_iter());
    bencher.bench_local(move || {
        k += 1;
        black_box(watch.look(&to_and_fro(&pictures, k), people()))
    });
}
