//! Nobody can be recognised in a picture that leaves this stage.
//!
//! What may be a person is pixelated: the union of the boxes of two analysed pictures before and after, padded by a
//! tenth. Where the camera moves, boxes of another picture cover both where they were and where the camera's motion has taken
//! them. A picture without information about people is pixelated as a whole, and so is one of which nobody knows how it lies
//! against those beside it. Therefore a picture comes out two
//! analysed pictures after it went in.

use crate::types::{CameraMotion, MediaTime, Rect, Shift, Size};

/// Analysed pictures before and after whose boxes cover a picture too: a detector that misses one or two pictures in a
/// row uncovers nobody.
pub const REACH: usize = 2;
/// How much of its size a box grows on every side.
pub const PADDING: f32 = 0.1;
/// Cells across a box, at most: a head is about a third as wide as its body and keeps two or three cells.
const CELLS: u32 = 8;
/// Least cell, pixels: far people would keep their outline otherwise.
const MIN_CELL: u32 = 6;
/// Boxes a picture, at most; with more, the whole picture is covered.
const MAX_BOXES: usize = 1024;
const SPAN: usize = 2 * REACH + 1;

/// A redacted picture.
#[derive(Debug, PartialEq)]
pub struct Redacted<'a> {
    /// How many pictures were taken before it.
    pub number: u64,
    /// Size in pixels.
    pub size: Size,
    /// Index of the decoded picture.
    pub index: u64,
    /// Its presentation time.
    pub time: MediaTime,
    /// Packed BGR, people pixelated. May be drawn on.
    pub bgr: &'a mut [u8],
}

/// Holds the last pictures of one camera until the pictures after them are known. Buffers are reused.
pub struct Redactor {
    /// A ring; picture number n is in slot n % SPAN.
    slots: [Slot; SPAN],
    taken: u64,
    given: u64,
    covered: u64,
    /// Of the next picture.
    shift: Shift,
}

#[derive(Default)]
struct Slot {
    size: Size,
    index: u64,
    time: MediaTime,
    bgr: Vec<u8>,
    /// Fractions of width and height.
    boxes: Vec<Rect>,
    /// How it lies against the picture before.
    shift: Shift,
    /// Nothing is known about people: cover all.
    blind: bool,
    /// `bgr` is this picture; nobody asked for the others.
    wanted: bool,
}

/// A picture that does not fit its size. Never worth a retry.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{len} bytes are not a BGR picture of {size}")]
pub struct RedactError {
    len: usize,
    size: Size,
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}

impl Redactor {
    /// Empty.
    pub fn new() -> Self {
        Self { slots: std::array::from_fn(|_| Slot::default()), taken: 0, given: 0, covered: 0, shift: Shift::Stays }
    }

    /// Takes how the next picture lies against the one before it; without, as if the camera stood still.
    pub fn shift(&mut self, shift: Shift) {
        self.shift = shift;
    }

    /// Takes an analysed picture (packed BGR; its bytes are swapped for an old buffer) with all boxes that may be a
    /// person: detections from score 0.1 up and all tracks, coasting ones too, in pixels of `boxes_in`. `None` when
    /// detection did not run. Gives the picture of two pictures ago.
    pub fn push(
        &mut self,
        bgr: &mut Vec<u8>,
        size: Size,
        boxes: Option<&[Rect]>,
        boxes_in: Size,
        index: u64,
        time: MediaTime,
    ) -> Result<Option<Redacted<'_>>, RedactError> {
        if bgr.len() != size.area() * 3 {
            return Err(RedactError { len: bgr.len(), size });
        }
        let slot = &mut self.slots[slot_of(self.taken)];
        std::mem::swap(&mut slot.bgr, bgr);
        (slot.size, slot.index, slot.time, slot.wanted) = (size, index, time, true);
        Ok(self.note(boxes, boxes_in))
    }

    /// Takes the boxes of an analysed picture that itself is not wanted: its people cover its neighbours. Gives the
    /// picture of two pictures ago, as [`Redactor::push`] does.
    pub fn pass(&mut self, boxes: Option<&[Rect]>, boxes_in: Size) -> Option<Redacted<'_>> {
        self.slots[slot_of(self.taken)].wanted = false;
        self.note(boxes, boxes_in)
    }

    fn note(&mut self, boxes: Option<&[Rect]>, boxes_in: Size) -> Option<Redacted<'_>> {
        let slot = &mut self.slots[slot_of(self.taken)];
        slot.boxes.clear();
        slot.shift = std::mem::take(&mut self.shift);
        slot.blind = true;
        self.covered += u64::from(boxes.is_some_and(|boxes| boxes.len() > MAX_BOXES));
        if let Some(boxes) = boxes
            && boxes.len() <= MAX_BOXES
            && boxes_in.area() > 0
            // A box that is no box may have been anywhere.
            && boxes.iter().all(Rect::is_valid)
        {
            let (sx, sy) = (1.0 / boxes_in.width as f32, 1.0 / boxes_in.height as f32);
            slot.boxes.extend(boxes.iter().map(|b| b.padded(PADDING).scaled(sx, sy)));
            slot.blind = false;
        }
        self.taken += 1;
        if self.taken - self.given <= REACH as u64 { None } else { self.give() }
    }

    /// Pictures that were covered as a whole because they had too many boxes.
    pub fn covered(&self) -> u64 {
        self.covered
    }

    /// At the end of a stream: the next of the pictures that are still held, oldest first; `None` when none is.
    pub fn flush(&mut self) -> Option<Redacted<'_>> {
        while self.given < self.taken {
            if self.slots[slot_of(self.given)].wanted {
                return self.give();
            }
            self.given += 1;
        }
        None
    }

    fn give(&mut self) -> Option<Redacted<'_>> {
        let number = self.given;
        self.given += 1;
        if !self.slots[slot_of(number)].wanted {
            return None;
        }
        let first = number.saturating_sub(REACH as u64);
        let end = (number + REACH as u64 + 1).min(self.taken);
        let mut bgr = std::mem::take(&mut self.slots[slot_of(number)].bgr);
        let Slot { size, index, time, blind, .. } = self.slots[slot_of(number)];
        let mut ways = [None; SPAN];
        for near in first..end {
            ways[slot_of(near)] = self.way(near, number);
        }
        if blind || (first..end).any(|near| ways[slot_of(near)].is_none()) {
            pixelate(&mut bgr, size, Rect::new(0.0, 0.0, 1.0, 1.0));
        } else {
            for near in first..end {
                let carried = ways[slot_of(near)].filter(|way| *way != CameraMotion::NONE);
                for bbox in &self.slots[slot_of(near)].boxes {
                    pixelate(&mut bgr, size, *bbox);
                    carried.iter().for_each(|way| pixelate(&mut bgr, size, way.rect(bbox)));
                }
            }
        }
        let slot = &mut self.slots[slot_of(number)];
        slot.bgr = bgr;
        Some(Redacted { number, size, index, time, bgr: &mut slot.bgr })
    }
}

impl Redactor {
    /// From one picture to another that is held too, fractions; `None`: not known.
    fn way(&self, from: u64, to: u64) -> Option<CameraMotion> {
        let mut way = CameraMotion::NONE;
        for number in from.min(to) + 1..=from.max(to) {
            match self.slots[slot_of(number)].shift {
                Shift::Stays => {}
                Shift::Moved(step) => way = way.then(&step),
                Shift::Unknown => return None,
            }
        }
        if from > to { way.inverse() } else { Some(way) }
    }
}

const fn slot_of(number: u64) -> usize {
    (number % SPAN as u64) as usize
}

/// Replaces every cell of the part of `bbox` (fractions) inside the picture by its mean colour.
///
/// Cells are at least an eighth of the box wide and at least [`MIN_CELL`] pixels, and never cut: what is left over is
/// shared out among them, so no sliver keeps a row or column of the picture.
fn pixelate(bgr: &mut [u8], size: Size, bbox: Rect) {
    let scaled = bbox.scaled(size.width as f32, size.height as f32);
    let Some(area) = area_of(scaled, size) else { return };
    let cell = ((scaled.width / CELLS as f32).ceil() as u32).max(MIN_CELL);
    let columns = (area.width() / cell).max(1);
    let rows = (area.height() / cell).max(1);
    for row in 0..rows {
        let top = area.top + area.height() * row / rows;
        let bottom = area.top + area.height() * (row + 1) / rows;
        for column in 0..columns {
            let left = area.left + area.width() * column / columns;
            let right = area.left + area.width() * (column + 1) / columns;
            flatten(bgr, size.width, Area { left, top, right, bottom });
        }
    }
}

/// Whole pixels; right and bottom are outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Area {
    left: u32,
    top: u32,
    right: u32,
    bottom: u32,
}

impl Area {
    const fn width(self) -> u32 {
        self.right - self.left
    }
    const fn height(self) -> u32 {
        self.bottom - self.top
    }
}

/// All pixels that the box touches.
fn area_of(scaled: Rect, size: Size) -> Option<Area> {
    let inside = scaled.clipped(size)?;
    let area = Area {
        left: inside.left.floor() as u32,
        top: inside.top.floor() as u32,
        right: (inside.right().ceil() as u32).min(size.width),
        bottom: (inside.bottom().ceil() as u32).min(size.height),
    };
    (area.left < area.right && area.top < area.bottom).then_some(area)
}

fn flatten(bgr: &mut [u8], width: u32, area: Area) {
    let span = |y: u32| {
        let start = (y as usize * width as usize + area.left as usize) * 3;
        start..start + area.width() as usize * 3
    };
    let mut sum = [0_u32; 3];
    for y in area.top..area.bottom {
        for pixel in bgr[span(y)].chunks_exact(3) {
            for (total, value) in sum.iter_mut().zip(pixel) {
                *total += u32::from(*value);
            }
        }
    }
    let pixels = area.width() * area.height();
    let mean = sum.map(|total| ((total + pixels / 2) / pixels) as u8);
    for y in area.top..area.bottom {
        for pixel in bgr[span(y)].chunks_exact_mut(3) {
            pixel.copy_from_slice(&mean);
        }
    }
}

#[cfg(test)]
mod tests;
