//! A live picture's cost beyond analysis: redaction and JPEG of 640x480 with twenty people.

use divan::Bencher;
use lookout::alerts::jpeg;
use lookout::alerts::redact::Redactor;
use lookout::types::{MediaTime, Rect, Size};

const SIZE: Size = Size::new(640, 480);

/// Smooth colours with some noise, as cameras give.
fn picture() -> Vec<u8> {
    let mut state = 1_u32;
    let noise = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 28
    };
    let noise: Vec<u32> = (0..SIZE.area() * 3).map(noise).collect();
    noise.iter().enumerate().map(|(i, n)| ((i / 1920 / 4 + i % 1920 / 12) as u32 + n) as u8).collect()
}

fn people() -> Vec<Rect> {
    (0..20).map(|k| Rect::new((k % 5) as f32 * 120.0, (k / 5) as f32 * 110.0, 36.0, 96.0)).collect()
}

#[divan::bench]
fn redact_640x480_20_people(bencher: Bencher<'_, '_>) {
    let (source, boxes) = (picture(), people());
    let (mut redactor, mut buffer, mut k) = (Redactor::new(), source.clone(), 0);
    bencher.bench_local(|| {
        if buffer.len() != source.len() {
            buffer.clone_from(&source);
        }
        k += 1;
        redactor.push(&mut buffer, SIZE, Some(&boxes), SIZE, k, MediaTime::ZERO).map(|given| given.map(|g| g.index))
    });
}

#[divan::bench]
fn jpeg_640x480_quality_80(bencher: Bencher<'_, '_>) {
    let (source, mut out) = (picture(), Vec::new());
    bencher.bench_local(|| jpeg::encode(&source, SIZE, 80, &mut out));
}
