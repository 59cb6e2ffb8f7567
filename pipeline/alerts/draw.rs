//! Boxes, zones, lines and labels on a redacted picture: packed BGR, places in fractions of width and height, y down.

use super::font;
use crate::types::{Point, Rect, Size};

/// Blue, green, red.
pub type Colour = [u8; 3];

/// People who count.
pub const PERSON: Colour = [120, 220, 60];
/// Tracks that are not sure yet, or coast.
pub const UNSURE: Colour = [170, 170, 170];
/// Zones.
pub const ZONE: Colour = [230, 170, 40];
/// Lines.
pub const LINE: Colour = [40, 190, 250];
/// Whatever an alert is about.
pub const ALERT: Colour = [60, 60, 240];
const SHADOW: Colour = [20, 20, 20];
const WHITE: Colour = [255, 255, 255];

/// A picture to draw on. Whatever lies outside it is left out.
pub struct Canvas<'a> {
    bgr: &'a mut [u8],
    size: Size,
}

impl<'a> Canvas<'a> {
    /// `None` if the bytes do not fit the size.
    pub fn new(bgr: &'a mut [u8], size: Size) -> Option<Self> {
        (bgr.len() == size.area() * 3).then_some(Self { bgr, size })
    }

    /// A frame of two pixels around a box in fractions.
    pub fn frame(&mut self, bbox: Rect, colour: Colour) {
        let to = |x: f32, y: f32| Point { x: f64::from(x), y: f64::from(y) };
        let (left, top, right, bottom) = (bbox.left, bbox.top, bbox.right(), bbox.bottom());
        let corners = [to(left, top), to(right, top), to(right, bottom), to(left, bottom)];
        self.outline(&corners, colour);
    }

    /// A closed outline, two pixels wide.
    pub fn outline(&mut self, corners: &[Point], colour: Colour) {
        if let (Some(first), Some(last)) = (corners.first(), corners.last()) {
            self.path(corners, colour);
            self.segment(*last, *first, colour);
        }
    }

    /// An open path, two pixels wide.
    pub fn path(&mut self, points: &[Point], colour: Colour) {
        for pair in points.windows(2) {
            self.segment(pair[0], pair[1], colour);
        }
    }

    /// White text on a plate of `colour`, its lower left corner at `at`, moved to stay inside the picture. Only printable
    /// ASCII can be drawn; anything else becomes `?`.
    pub fn label(&mut self, at: Point, text: &str, colour: Colour) {
        let scale = if self.size.width >= 480 { 2 } else { 1 };
        let letters = text.chars().count() as i32;
        let (width, height) = (letters * font::ADVANCE * scale + scale, (font::HEIGHT + 2) * scale);
        let p = self.size.to_pixels(at);
        let left = (p.x as i32).min(self.size.width as i32 - width).max(0);
        let top = (p.y as i32 - height).min(self.size.height as i32 - height).max(0);
        for y in top..top + height {
            for x in left..left + width {
                self.blend(x, y, colour);
            }
        }
        for (i, letter) in (0_i32..).zip(text.chars()) {
            let x = left + scale + i * font::ADVANCE * scale;
            self.letter(x + 1, top + scale + 1, letter, scale, SHADOW);
            self.letter(x, top + scale, letter, scale, WHITE);
        }
    }

    fn letter(&mut self, left: i32, top: i32, letter: char, scale: i32, colour: Colour) {
        for (column, bits) in (0_i32..).zip(font::glyph(letter)) {
            for row in 0..font::HEIGHT {
                if bits >> row & 1 == 1 {
                    for dy in 0..scale {
                        for dx in 0..scale {
                            self.put(left + column * scale + dx, top + row * scale + dy, colour);
                        }
                    }
                }
            }
        }
    }

    fn segment(&mut self, from: Point, to: Point, colour: Colour) {
        let (a, b) = (self.size.to_pixels(from), self.size.to_pixels(to));
        // A line far outside the picture costs no more than its diagonal.
        let steps = (b.x - a.x).abs().max((b.y - a.y).abs()).min(4096.0).ceil().max(1.0);
        for k in 0..=steps as u32 {
            let t = f64::from(k) / steps;
            let (x, y) = ((a.x + (b.x - a.x) * t).round() as i32, (a.y + (b.y - a.y) * t).round() as i32);
            for (dx, dy) in [(0, 0), (-1, 0), (0, -1), (-1, -1)] {
                self.put(x + dx, y + dy, colour);
            }
        }
    }

    fn at(&self, x: i32, y: i32) -> Option<usize> {
        let (x, y) = (u32::try_from(x).ok()?, u32::try_from(y).ok()?);
        (x < self.size.width && y < self.size.height).then(|| (y as usize * self.size.width as usize + x as usize) * 3)
    }

    fn put(&mut self, x: i32, y: i32, colour: Colour) {
        if let Some(at) = self.at(x, y) {
            self.bgr[at..at + 3].copy_from_slice(&colour);
        }
    }

    /// One part of the picture, three of the darkened colour: white letters stay readable.
    fn blend(&mut self, x: i32, y: i32, colour: Colour) {
        if let Some(at) = self.at(x, y) {
            for (value, colour) in self.bgr[at..at + 3].iter_mut().zip(colour) {
                *value = ((u32::from(*value) + 2 * u32::from(colour)) / 4) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(120, 80);

    #[test]
    fn a_frame_is_drawn_where_the_box_is() {
        let mut bgr = vec![0; SIZE.area() * 3];
        Canvas::new(&mut bgr, SIZE).unwrap().frame(Rect::new(0.25, 0.25, 0.5, 0.5), PERSON);
        let at = |x: u32, y: u32| [0, 1, 2].map(|c| bgr[(y * 120 + x) as usize * 3 + c]);
        assert_eq!((at(30, 40), at(90, 40), at(60, 20), at(60, 60)), (PERSON, PERSON, PERSON, PERSON));
        assert_eq!((at(60, 40), at(10, 10)), ([0; 3], [0; 3]));
    }

    #[test]
    fn drawing_outside_is_left_out() {
        let mut bgr = vec![0; SIZE.area() * 3];
        let mut canvas = Canvas::new(&mut bgr, SIZE).unwrap();
        canvas.frame(Rect::new(-9.0, -9.0, 400.0, 400.0), PERSON);
        canvas.frame(Rect::new(f32::NAN, 0.0, 1.0, f32::INFINITY), PERSON);
        canvas.label(Point { x: 5.0, y: -3.0 }, "a very long label that does not fit at all: 人", ALERT);
        canvas.outline(&[], ZONE);
        assert!(Canvas::new(&mut bgr[1..], SIZE).is_none());
    }

    #[test]
    fn a_label_shows_its_letters() {
        let mut bgr = vec![0; SIZE.area() * 3];
        Canvas::new(&mut bgr, SIZE).unwrap().label(Point { x: 0.1, y: 0.5 }, "T", ALERT);
        let white = |x: i32, y: i32| bgr[(y * 120 + x) as usize * 3..][..3] == WHITE;
        // Plate from (12, 31) at scale 1: T has its bar on top and its stem in the middle.
        let bar: Vec<bool> = (13..18).map(|x| white(x, 32)).collect();
        let stem: Vec<bool> = (13..18).map(|x| white(x, 38)).collect();
        assert_eq!(bar, [true; 5]);
        assert_eq!(stem, [false, false, true, false, false]);
    }
}
