//! Live pictures: redacted, drawn on, encoded once for all viewers, and not at all without one.

use std::sync::Arc;

use super::hub::CameraHub;
use crate::alerts::draw::{self, Canvas};
use crate::alerts::jpeg;
use crate::alerts::redact::{REACH, Redactor};
use crate::config::plan::Camera;
use crate::types::{Detection, Frame, MediaTime, PixelFormat, Rect, Size, Span, Target, Track};

/// Widest live picture, pixels.
const WIDEST: u32 = 640;
/// Of the JPEG.
const QUALITY: u8 = 75;
/// Live pictures a second, at most.
const INTERVAL: Span = Span::from_millis(1_000 / 8);

/// Makes the live pictures of one camera.
pub struct Painter {
    camera: Arc<Camera>,
    hub: Arc<CameraHub>,
    overlay: Overlay,
    jpeg: Vec<u8>,
    published: Option<MediaTime>,
    watched: bool,
    covered: u64,
}

/// Redacts pictures and draws what was found on them; two analysed pictures late.
pub struct Overlay {
    redactor: Redactor,
    bgr: Vec<u8>,
    boxes: Vec<Rect>,
    /// What to draw, by the index of the picture; the redactor holds few.
    marks: Vec<(u64, Vec<Mark>)>,
    taken: u64,
}

#[derive(Clone, Copy)]
struct Mark {
    bbox: Rect,
    counts: bool,
}

impl Overlay {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self { redactor: Redactor::new(), bgr: Vec::new(), boxes: Vec::new(), marks: Vec::new(), taken: 0 }
    }

    /// Takes an analysed picture and gives the one of two pictures ago, redacted and drawn on: packed BGR, its size and
    /// time. `None` while there is none, or when it cannot be converted.
    pub fn push(
        &mut self,
        camera: &Camera,
        frame: &Frame,
        detections: &[Detection],
        tracks: &[Track],
    ) -> Option<(&[u8], Size, MediaTime)> {
        let source = frame.picture.size();
        let size = fitted(source);
        if let Err(error) = frame.picture.convert(Target { size, format: PixelFormat::Bgr24 }, &mut self.bgr) {
            tracing::debug!(%error, "no live picture");
            return None;
        }
        self.boxes.clear();
        self.boxes.extend(detections.iter().map(|d| d.bbox).chain(tracks.iter().map(|t| t.bbox)));
        let mut marks = if self.marks.len() > REACH { self.marks.remove(0).1 } else { Vec::new() };
        marks.clear();
        let (w, h) = (1.0 / source.width.max(1) as f32, 1.0 / source.height.max(1) as f32);
        marks.extend(
            tracks.iter().filter(|t| t.matched).map(|t| Mark { bbox: t.bbox.scaled(w, h), counts: t.counts() }),
        );
        self.marks.push((frame.index, marks));
        self.taken += 1;
        let released = match self.redactor.push(&mut self.bgr, size, Some(&self.boxes), source, frame.index, frame.time)
        {
            Ok(released) => released?,
            Err(error) => {
                tracing::debug!(%error, "no live picture");
                return None;
            }
        };
        // The first ones have not seen the people of the pictures before them.
        if self.taken <= 2 * REACH as u64 {
            return None;
        }
        let marks = self.marks.iter().find(|m| m.0 == released.index).map_or(&[][..], |m| &m.1);
        if let Some(mut canvas) = Canvas::new(released.bgr, released.size) {
            paint(&mut canvas, camera, marks);
        }
        Some((released.bgr, released.size, released.time))
    }
}

fn paint(canvas: &mut Canvas<'_>, camera: &Camera, marks: &[Mark]) {
    for zone in &camera.zones {
        canvas.outline(zone.polygon.points(), draw::ZONE);
    }
    for line in &camera.lines {
        canvas.path(&line.points, draw::LINE);
    }
    for mark in marks {
        canvas.frame(mark.bbox, if mark.counts { draw::PERSON } else { draw::UNSURE });
    }
}

fn fitted(source: Size) -> Size {
    if source.width <= WIDEST {
        return source;
    }
    let height = (u64::from(source.height) * u64::from(WIDEST) / u64::from(source.width)).max(2);
    // Even, for chroma at half the resolution.
    Size::new(WIDEST, u32::try_from(height & !1).unwrap_or(2))
}

impl Painter {
    /// For one camera.
    pub fn new(camera: Arc<Camera>, hub: Arc<CameraHub>) -> Self {
        Self { camera, hub, overlay: Overlay::new(), jpeg: Vec::new(), published: None, watched: false, covered: 0 }
    }

    /// Pictures that were pixelated as a whole because they had too many boxes, since the start.
    pub fn covered(&self) -> u64 {
        self.covered + self.overlay.redactor.covered()
    }

    /// Takes an analysed picture; costs nothing while nobody watches.
    pub fn picture(&mut self, frame: &Frame, detections: &[Detection], tracks: &[Track]) {
        if !self.hub.watched() {
            self.watched = false;
            return;
        }
        if !std::mem::replace(&mut self.watched, true) {
            self.covered += self.overlay.redactor.covered();
            self.overlay = Overlay::new();
        }
        let Some((bgr, size, time)) = self.overlay.push(&self.camera, frame, detections, tracks) else { return };
        if self.published.is_some_and(|last| time - last < INTERVAL && time >= last) {
            return;
        }
        self.published = Some(time);
        match jpeg::encode(bgr, size, QUALITY, &mut self.jpeg) {
            Ok(()) => self.hub.publish(&self.jpeg),
            Err(error) => tracing::warn!(%error, camera = self.camera.id, "no live picture"),
        }
    }
}
