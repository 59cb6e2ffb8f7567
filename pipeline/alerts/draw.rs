//! Boxes, zones, lines and labels on a redacted picture: packed BGR, places in fractions of width and height, y down.

use super::font;
use crate::types::{Point, Rect, Severity, Size};

/// Blue, green, red.
pub type Colour = [u8; 3];

/// People who count.
pub const PERSON: Colour = [96, 214, 74];
/// Tracks that are not sure yet.
pub const UNSURE: Colour = [170, 170, 170];
/// Zones.
pub const ZONE: Colour = [222, 156, 30];
/// Lines.
pub const LINE: Colour = [190, 70, 200];
/// What is neither.
pub const PLAIN: Colour = [60, 50, 44];
const SHADOW: Colour = [16, 16, 16];
const WHITE: Colour = [255, 255, 255];
/// Around and between letters, pixels.
const MARGIN: i32 = 4;
/// Plates that keep out of each other's way; what comes after may overlap.
const PLATES: usize = 32;

/// Of whatever an alert is about: the page's colours.
pub const fn severity(severity: Severity) -> Colour {
    match severity {
        Severity::Minor => [168, 132, 98],
        Severity::Moderate => [0, 150, 214],
        Severity::Severe => [22, 84, 232],
        Severity::Extreme => [54, 24, 200],
    }
}

/// A picture to draw on. Whatever lies outside it is left out.
pub struct Canvas<'a> {
    bgr: &'a mut [u8],
    size: Size,
    plates: [Plate; PLATES],
    placed: usize,
}

/// Pixels; right and bottom are outside.
#[derive(Clone, Copy, Default)]
struct Plate {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
}

impl Plate {
    const fn meets(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }
}

impl<'a> Canvas<'a> {
    /// `None` if the bytes do not fit the size.
    pub fn new(bgr: &'a mut [u8], size: Size) -> Option<Self> {
        (bgr.len() == size.area() * 3).then_some(Self { bgr, size, plates: [Plate::default(); PLATES], placed: 0 })
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

    /// White text on a plate of `colour`, its lower left corner at `at`, moved to stay inside the picture and then down,
    /// or else up, to where no earlier label is. A letter that the font does not have becomes `?`.
    pub fn label(&mut self, at: Point, text: &str, colour: Colour) {
        let width = text.chars().map(|c| font::glyph(c).advance()).sum::<i32>() + 2 * MARGIN;
        let height = font::HEIGHT + 2;
        let p = self.size.to_pixels(at);
        let (most_left, most_top) = (self.size.width as i32 - width, self.size.height as i32 - height);
        let left = (p.x as i32).min(most_left).max(0);
        let top = (p.y as i32).saturating_sub(height).min(most_top).max(0);
        let plate = self.place(left, top, width, height, most_top);
        for y in plate.top..plate.bottom {
            for x in plate.left..plate.right {
                self.blend(x, y, colour);
            }
        }
        let mut x = plate.left + MARGIN;
        for letter in text.chars() {
            let glyph = font::glyph(letter);
            self.letter(x + 1, plate.top + 2, glyph, SHADOW);
            self.letter(x, plate.top + 1, glyph, WHITE);
            x += glyph.advance();
        }
    }

    /// Where a plate fits; where none does, where it was wanted.
    fn place(&mut self, left: i32, top: i32, width: i32, height: i32, most_top: i32) -> Plate {
        let at = |top: i32| Plate { left, top, right: left + width, bottom: top + height };
        let taken = &self.plates[..self.placed];
        let free = |top: i32, next: fn(&Plate, i32) -> i32| {
            let mut plate = at(top);
            while let Some(other) = taken.iter().find(|other| other.meets(&plate)) {
                plate = at(next(other, height));
            }
            (0..=most_top.max(0)).contains(&plate.top).then_some(plate)
        };
        let below = free(top, |other, _| other.bottom + 1);
        let plate = below.or_else(|| free(top, |other, height| other.top - height - 1)).unwrap_or(at(top));
        if let Some(slot) = self.plates.get_mut(self.placed) {
            *slot = plate;
            self.placed += 1;
        }
        plate
    }

    fn letter(&mut self, left: i32, top: i32, glyph: font::Glyph, colour: Colour) {
        for y in 0..font::HEIGHT {
            let row = glyph.row(y as usize);
            for x in 0..glyph.advance() {
                if row >> (15 - x) & 1 == 1 {
                    self.put(left + x, top + y, colour);
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

    /// One part of the picture, five of the colour, two of black: white letters stay readable on whatever lies behind.
    fn blend(&mut self, x: i32, y: i32, colour: Colour) {
        if let Some(at) = self.at(x, y) {
            for (value, colour) in self.bgr[at..at + 3].iter_mut().zip(colour) {
                *value = ((u32::from(*value) + 5 * u32::from(colour)) / 8) as u8;
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
        canvas.label(Point { x: 5.0, y: -3.0 }, "a very long label that does not fit at all: 人", PLAIN);
        canvas.outline(&[], ZONE);
        assert!(Canvas::new(&mut bgr[1..], SIZE).is_none());
    }

    #[test]
    fn a_label_shows_its_letters() {
        let mut bgr = vec![0; SIZE.area() * 3];
        Canvas::new(&mut bgr, SIZE).unwrap().label(Point { x: 0.1, y: 0.5 }, "T一", PLAIN);
        let white = |x: usize, y: usize| bgr[(y * 120 + x) * 3..][..3] == WHITE;
        // Plate from (12, 22); letters from (16, 23): a T of 8 pixels, then a stroke of up to 16.
        let count = |x: std::ops::Range<usize>| {
            (23..39).map(|y| x.clone().filter(|x| white(*x, y)).count()).collect::<Vec<_>>()
        };
        let (t, stroke) = (count(16..24), count(24..40));
        let bar = t.iter().position(|n| *n > 0).unwrap();
        assert_eq!(t[bar], 7, "the bar of T: {t:?}");
        assert!(t[bar + 1..].iter().filter(|n| **n > 0).all(|n| *n == 1), "its stem: {t:?}");
        assert_eq!(stroke.iter().filter(|n| **n >= 13).count(), 1, "{stroke:?}");
    }

    #[test]
    fn labels_keep_out_of_each_others_way_inside_the_picture() {
        let mut bgr = vec![0; SIZE.area() * 3];
        let mut canvas = Canvas::new(&mut bgr, SIZE).unwrap();
        // The first at 30, then one below it, then one above it.
        for _ in 0..3 {
            canvas.label(Point { x: 0.0, y: 0.6 }, "abc", PLAIN);
        }
        let mut tops: Vec<i32> = canvas.plates[..3].iter().map(|p| p.top).collect();
        tops.sort_unstable();
        assert!(tops[0] >= 0 && tops[2] <= 62 && tops.windows(2).all(|w| w[1] - w[0] >= 18), "{tops:?}");
        for _ in 0..PLATES {
            canvas.label(Point { x: 0.0, y: 0.6 }, "abc", PLAIN);
        }
    }
}
