//! A made place and what a camera sees of it, for tests.

use std::sync::Arc;
use std::time::Instant;

use crate::capture::picture::VideoPicture;
use crate::types::{CameraMotion, Frame, MediaTime, Point, Size};

/// Of the pictures.
pub const SIZE: Size = Size::new(640, 360);
/// Of the place that the camera looks at a part of.
pub const WIDE: usize = 1600;
pub const HIGH: usize = 1000;

/// Boxes of all sizes and levels: corners everywhere.
pub fn place() -> Vec<u8> {
    let mut state = 5_u32;
    let mut random = |most: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % most
    };
    let mut luma = vec![100_u8; WIDE * HIGH];
    for _ in 0..900 {
        let (x, y, w, h, level) = (random(WIDE), random(HIGH), 15 + random(70), 15 + random(70), random(200));
        for row in y..(y + h).min(HIGH) {
            luma[row * WIDE + x..row * WIDE + (x + w).min(WIDE)].fill(20 + level as u8);
        }
    }
    luma
}

/// What a camera sees of a place: a view that is turned by `angle`, radians, and shows `zoom` times as large what lies
/// around a point of it.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// In the middle of the picture.
    pub middle: Point,
    pub angle: f64,
    pub zoom: f64,
}

impl View {
    pub fn at(x: f64, y: f64) -> Self {
        Self { middle: Point { x, y }, angle: 0.0, zoom: 1.0 }
    }

    /// From pixels of the picture to the place.
    fn to_place(self) -> CameraMotion {
        let (sin, cos) = self.angle.sin_cos();
        let (a, b) = (cos / self.zoom, sin / self.zoom);
        let (w, h) = (f64::from(SIZE.width) / 2.0, f64::from(SIZE.height) / 2.0);
        CameraMotion { matrix: [[a, -b, self.middle.x - a * w + b * h], [b, a, self.middle.y - b * w - a * h]] }
    }

    pub fn of(self, place: &[u8]) -> Vec<u8> {
        let to_place = self.to_place();
        let mut luma = Vec::with_capacity(SIZE.area());
        for y in 0..SIZE.height {
            for x in 0..SIZE.width {
                let p = to_place.point(Point { x: f64::from(x), y: f64::from(y) });
                let (fx, fy) = (p.x.clamp(0.0, (WIDE - 2) as f64), p.y.clamp(0.0, (HIGH - 2) as f64));
                let (i, j) = (fx as usize, fy as usize);
                let at = |dx: usize, dy: usize| f64::from(place[(j + dy) * WIDE + i + dx]);
                let (u, v) = (fx.fract(), fy.fract());
                let upper = at(0, 0) * (1.0 - u) + at(1, 0) * u;
                let lower = at(0, 1) * (1.0 - u) + at(1, 1) * u;
                luma.push((upper * (1.0 - v) + lower * v).round() as u8);
            }
        }
        luma
    }

    /// How the picture moves from this view to another, pixels.
    pub fn to(self, next: Self) -> CameraMotion {
        self.to_place().then(&next.to_place().inverse().unwrap())
    }
}

/// Picture number k at so many a second.
pub fn frame(k: u64, fps: f64, luma: &[u8]) -> Frame {
    let bgr: Vec<u8> = luma.iter().flat_map(|l| [*l; 3]).collect();
    Frame {
        index: k,
        time: MediaTime::of_frame(k, fps),
        utc: jiff::Timestamp::UNIX_EPOCH,
        arrived: Instant::now(),
        picture: Arc::new(VideoPicture::from_bgr(SIZE, &bgr).unwrap()),
    }
}
