//! Decoding, and decoding with conversion, of a 1080p test pattern; conversion alone.

#![allow(clippy::expect_used)] // A bench that cannot run has nothing to measure.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::ItemsCount;
use lookout::capture::{Clip, ClipOptions, Stop};
use lookout::types::{Frame, PixelFormat, Size, Target};

const PICTURES: u64 = 60;

/// Made once; the folder goes with the temporary files of the system.
pub static CLIP: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = std::env::temp_dir().join("lookout-bench-1080p.mp4");
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=30"])
        .args(["-frames:v", &PICTURES.to_string(), "-c:v", "libx264", "-preset", "fast", "-pix_fmt", "yuv420p"])
        .arg(&path)
        .status();
    assert!(made.is_ok_and(|status| status.success()), "the command `ffmpeg` is missing or failed: run scripts/setup");
    path
});

fn open() -> Clip {
    Clip::open(&CLIP, &ClipOptions::default(), &Stop::new()).expect("the clip opens")
}

fn next(clip: &mut Clip) -> Option<Frame> {
    clip.next().expect("the clip is whole")
}

/// `None`: decoding alone.
#[divan::bench(args = [None, Some((416, 224)), Some((640, 352)), Some((1920, 1080))], sample_count = 5)]
fn decode_and_convert(bencher: Bencher<'_, '_>, to: Option<(u32, u32)>) {
    let mut pixels = Vec::new();
    bencher.counter(ItemsCount::new(PICTURES)).with_inputs(open).bench_local_values(|mut clip| {
        while let Some(frame) = next(&mut clip) {
            if let Some((width, height)) = to {
                let target = Target { size: Size::new(width, height), format: PixelFormat::Bgr24 };
                frame.picture.convert(target, &mut pixels).expect("the picture converts");
            }
        }
    });
}

#[divan::bench(args = [(416, 224), (640, 352), (1920, 1080)])]
fn convert(bencher: Bencher<'_, '_>, (width, height): (u32, u32)) {
    let frame = next(&mut open()).expect("a picture");
    let target = Target { size: Size::new(width, height), format: PixelFormat::Bgr24 };
    let mut pixels = Vec::new();
    bencher.bench_local(|| frame.picture.convert(target, &mut pixels));
}
