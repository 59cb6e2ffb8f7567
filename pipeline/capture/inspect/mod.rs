//! Looks at a camera's pictures to tell whether the camera is well: a small luma picture twice a second, whatever the
//! rate of analysis.

mod luma;
mod reference;

use crate::types::{Frame, MediaTime, PictureStatistics, PixelFormat, Rect, Size, Span, Target, View};

pub use reference::{Glance, Reference};

/// Longer side of the luma picture, pixels.
const LONGER: u32 = 320;
/// Both sides are multiples of this, for the reference is [`SCALE`] times smaller and half that again in its search.
const STEP: u32 = 8;
/// Between two looks, at least: pictures a little early are taken, so that two a second come of any rate.
const EVERY: Span = Span::from_millis(450);

/// Looks at the pictures of one camera.
#[derive(Default)]
pub struct Inspector {
    looked: Option<MediaTime>,
    size: Size,
    luma: Vec<u8>,
    before: Vec<u8>,
    tiles: Vec<u32>,
    /// Deviation, levels of 255; of the last look that tells it.
    noise: f64,
    glance: Glance,
    reference: Reference,
    /// The camera moves by itself: what it looks at is not compared.
    moves: bool,
}

impl Inspector {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for a camera that moves by itself: what it looks at is not compared with anything.
    pub fn of_moving(moves: bool) -> Self {
        Self { moves, ..Self::default() }
    }

    /// Statistics of this picture; `None` if the last look is less than half a second ago or the picture does not
    /// convert. `people` (pixels of the picture) are left out of the reference: they are not what the camera looks at,
    /// and nobody is kept in it.
    pub fn look(&mut self, frame: &Frame, people: impl Iterator<Item = Rect>) -> Option<PictureStatistics> {
        let time = frame.time;
        if self.looked.is_some_and(|last| time >= last && time - last < EVERY) {
            return None;
        }
        let source = frame.picture.size();
        let size = fitted(source);
        std::mem::swap(&mut self.luma, &mut self.before);
        let target = Target { size, format: PixelFormat::Gray8 };
        if frame.picture.convert(target, &mut self.luma).is_err() {
            // Whoever shows pictures says why; the next one may do.
            std::mem::swap(&mut self.luma, &mut self.before);
            return None;
        }
        let known = self.looked.is_some() && self.size == size;
        let passed = self.looked.map_or(Span::ZERO, |last| time - last);
        (self.looked, self.size) = (Some(time), size);
        let tone = luma::tone(&self.luma);
        let difference = known.then(|| luma::difference(&self.before, &self.luma, size, &mut self.tiles));
        self.noise = difference.and_then(|d| d.noise).unwrap_or(self.noise);
        let view = if self.moves {
            View::Unknown
        } else {
            self.glance.take(&self.luma, size, people.map(|p| fraction(p, source)));
            self.reference.compare(&mut self.glance, passed)
        };
        Some(PictureStatistics {
            time,
            mean: tone.mean / 255.0,
            spread: tone.spread / 255.0,
            bright: tone.bright / 255.0,
            change: difference.map(|d| d.change),
            sharpness: luma::sharpness(&self.luma, size, &tone, self.noise),
            view,
        })
    }

    /// What the camera shows from now on becomes its reference.
    pub fn accept(&mut self) {
        self.reference = Reference::default();
    }
}

/// The size in which pictures of `source` are looked at: about the same shape, never enlarged much.
pub(super) fn fitted(source: Size) -> Size {
    let longer = source.width.max(source.height).max(1);
    let scaled = |side: u32| {
        let side = u64::from(side) * u64::from(LONGER.min(longer)) / u64::from(longer);
        (u32::try_from(side).unwrap_or(LONGER) / STEP * STEP).max(STEP)
    };
    Size::new(scaled(source.width), scaled(source.height))
}

/// A box as fractions of the picture.
pub(super) fn fraction(bbox: Rect, size: Size) -> Rect {
    bbox.scaled(1.0 / size.width.max(1) as f32, 1.0 / size.height.max(1) as f32)
}

#[cfg(test)]
mod tests;
