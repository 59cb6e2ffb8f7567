//! Live pictures: redacted, drawn on, encoded once for all viewers, and not at all without one.

use std::sync::Arc;

use super::hub::CameraHub;
use super::tally::Tally;
use crate::alerts::jpeg;
use crate::alerts::overlay::{Overlay, fitted};
use crate::alerts::redact::REACH;
use crate::config::plan::Camera;
use crate::rules::Measured;
use crate::types::{Detection, Event, Frame, MediaTime, Span, Track};

/// Of the JPEG.
const QUALITY: u8 = 75;
/// Live pictures a second, at most.
const INTERVAL: Span = Span::from_millis(1_000 / 8);

/// Makes the live pictures of one camera.
pub struct Painter {
    camera: Arc<Camera>,
    hub: Arc<CameraHub>,
    tally: Tally,
    overlay: Overlay,
    /// Pictures given since somebody began to watch.
    given: u64,
    jpeg: Vec<u8>,
    published: Option<MediaTime>,
    watched: bool,
    covered: u64,
}

impl Painter {
    /// For one camera.
    pub fn new(camera: Arc<Camera>, hub: Arc<CameraHub>) -> Self {
        Self {
            tally: Tally::new(camera.clone()),
            overlay: Overlay::new(camera.clone()),
            camera,
            hub,
            given: 0,
            jpeg: Vec::new(),
            published: None,
            watched: false,
            covered: 0,
        }
    }

    /// Pictures that were pixelated as a whole because they had too many boxes, since the start.
    pub fn covered(&self) -> u64 {
        self.covered + self.overlay.covered()
    }

    /// Takes an analysed picture with what it measured and caused; makes no picture while nobody watches.
    pub fn picture(
        &mut self,
        frame: &Frame,
        detections: &[Detection],
        tracks: &[Track],
        measured: &Measured,
        events: &[Event],
    ) {
        let source = frame.picture.size();
        self.tally.take(measured, events, tracks, source);
        if !self.hub.watched() {
            self.watched = false;
            return;
        }
        if !std::mem::replace(&mut self.watched, true) {
            self.begin();
        }
        let seen = self.tally.seen(frame, detections, tracks, measured);
        let picture = match self.overlay.push(&seen, Some(fitted(source)), self.tally.raised()) {
            Ok(None) => return,
            Ok(Some(picture)) => picture,
            Err(error) => {
                tracing::debug!(%error, camera = self.camera.id, "no live picture");
                return self.begin();
            }
        };
        self.given += 1;
        // The first ones have not seen the people of the pictures before them.
        if self.given <= REACH as u64 {
            return;
        }
        if self.published.is_some_and(|last| picture.time - last < INTERVAL && picture.time >= last) {
            return;
        }
        self.published = Some(picture.time);
        match jpeg::encode(picture.bgr, picture.size, QUALITY, &mut self.jpeg) {
            Ok(()) => self.hub.publish(&self.jpeg),
            Err(error) => tracing::warn!(%error, camera = self.camera.id, "no live picture"),
        }
    }

    /// Forgets the pictures held: what comes next does not follow them.
    fn begin(&mut self) {
        self.covered += self.overlay.covered();
        self.overlay = Overlay::new(self.camera.clone());
        self.given = 0;
    }
}
