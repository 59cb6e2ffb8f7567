//! Some seconds of one camera as they are kept.

use std::ops::Range;

use crate::types::{Point, Rect, Size};

/// Steps into which the picture's width and height are cut: half a pixel at 4096 pixels.
pub const STEPS: f64 = 8_192.0;
/// Milliseconds. How somebody walked within so much is not kept, and who was not seen for longer was away.
pub const GRAIN: i64 = 500;
/// Steps of a score.
const SCORES: f32 = 255.0;

/// Some seconds of one camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Tells runs of the camera apart: nobody goes on from one to another.
    pub run: u64,
    /// The highest id of the camera so far.
    pub highest: u64,
    /// Of the pictures, pixels.
    pub size: Size,
    /// When each picture was taken, Unix milliseconds, rising.
    pub times: Vec<i64>,
    /// By id.
    pub trails: Vec<Trail>,
}

/// One track in a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Trail {
    /// Of the camera, the same in later blocks of the run.
    pub id: u64,
    /// The first track of the person, which this one goes on from; its own id where there was none before.
    pub person: u64,
    /// First detection, Unix milliseconds.
    pub born: i64,
    /// Feet then, steps.
    pub birth: [i32; 2],
    /// Pictures in which it was seen, by index; not empty, rising, apart.
    pub seen: Vec<Range<u32>>,
    /// Some of those, rising: the first and the last are among them.
    pub spots: Vec<Spot>,
}

/// Where somebody was at one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Index.
    pub picture: u32,
    /// Bottom centre of the box across and down, then its width and height, steps.
    pub place: [i32; 4],
    /// 0 to 255.
    pub score: u8,
}

impl Block {
    /// When its first picture was taken, Unix milliseconds.
    pub fn begin(&self) -> i64 {
        self.times.first().copied().unwrap_or(0)
    }

    /// When its last picture was taken.
    pub fn end(&self) -> i64 {
        self.times.last().copied().unwrap_or(0)
    }
}

/// A pixel place in steps.
pub fn steps(p: Point, size: Size) -> [i32; 2] {
    let f = size.to_fraction(p);
    [f.x, f.y].map(|v| (v * STEPS).round() as i32)
}

/// A place in steps as pixels.
pub fn pixels([x, y]: [i32; 2], size: Size) -> Point {
    size.to_pixels(Point { x: f64::from(x) / STEPS, y: f64::from(y) / STEPS })
}

impl Spot {
    /// Of a box in pixels.
    pub fn new(picture: u32, bbox: &Rect, score: f32, size: Size) -> Self {
        let [x, y] = steps(bbox.feet(), size);
        let [w, h] = steps(Point { x: f64::from(bbox.width), y: f64::from(bbox.height) }, size);
        Self { picture, place: [x, y, w.max(1), h.max(1)], score: (score.clamp(0.0, 1.0) * SCORES).round() as u8 }
    }

    /// Box (pixels) and score so far (0 to 1) on the way to another spot.
    pub fn toward(&self, other: &Self, share: f64, size: Size) -> (Rect, f32) {
        let mix = |a: f64, b: f64| a + share * (b - a);
        let [x, y, w, h] = std::array::from_fn(|i| mix(f64::from(self.place[i]), f64::from(other.place[i])) / STEPS);
        let (wide, high) = (f64::from(size.width), f64::from(size.height));
        let bbox = [(x - 0.5 * w) * wide, (y - h) * high, w * wide, h * high].map(|v| v as f32);
        let score = mix(f64::from(self.score), f64::from(other.score)) as f32 / SCORES;
        (Rect::new(bbox[0], bbox[1], bbox[2], bbox[3]), score)
    }
}
