//! Pictures of one camera: redacted and drawn on, encoded once for all who want them, and not made at all when nobody
//! does.

use std::collections::VecDeque;
use std::sync::Arc;

use super::archive::{Inlet, Outlet};
use super::hub::{CameraHub, Look, View};
use super::tally::Tally;
use crate::alerts::evidence::{Job, Keeper, Shot};
use crate::alerts::jpeg;
use crate::alerts::overlay::{Annotated, Overlay, fitted};
use crate::alerts::redact::REACH;
use crate::config::plan::{Camera, CameraDiff, Evidence};
use crate::rules::Measured;
use crate::types::{Detection, Event, Frame, MediaTime, PixelFormat, Size, Span, Target, Track};

/// Of the JPEG.
const QUALITY: u8 = 75;
/// Live pictures a second, at most: of a camera that somebody watches alone, and of one among others.
const INTERVAL: Span = Span::from_millis(1_000 / 8);
const TILE_INTERVAL: Span = Span::from_millis(1_000 / 4);
/// Largest picture that is made for tiles alone.
const TILE: Size = Size { width: 480, height: 270 };

/// Makes the pictures of one camera: for whoever watches, and for evidence.
pub struct Painter {
    camera: Arc<Camera>,
    hub: Arc<CameraHub>,
    tally: Tally,
    overlay: Overlay,
    keeper: Option<Keeper>,
    jobs: Vec<Job>,
    out: Outlet,
    counted_overflow: u64,
    /// What is wanted of the pictures that the overlay holds.
    held: VecDeque<Wish>,
    /// Pictures taken since the overlay began.
    taken: u64,
    jpeg: Vec<u8>,
    published: Option<MediaTime>,
    /// Packed BGR of a picture that leaves as it is.
    plain: Vec<u8>,
    covered: u64,
}

/// Who wants a picture.
#[derive(Clone, Copy)]
struct Wish {
    time: MediaTime,
    utc: jiff::Timestamp,
    live: bool,
    kept: bool,
    still: bool,
}

impl Painter {
    /// For one camera. What is complete of its evidence goes to `out`; `overflow` counts what could not.
    pub fn new(
        camera: Arc<Camera>,
        hub: Arc<CameraHub>,
        evidence: Evidence,
        out: Inlet,
        overflow: prometheus::IntCounter,
    ) -> Self {
        Self {
            tally: Tally::new(camera.clone()),
            overlay: Overlay::new(camera.clone()),
            keeper: (evidence.picture || evidence.clip).then(|| Keeper::new(evidence)),
            jobs: Vec::new(),
            out: Outlet::new(out, &camera.id, overflow),
            counted_overflow: 0,
            camera,
            hub,
            held: VecDeque::with_capacity(REACH + 1),
            taken: 0,
            jpeg: Vec::new(),
            published: None,
            plain: Vec::new(),
            covered: 0,
        }
    }

    /// Pictures that were pixelated as a whole because they had too many boxes, since the start.
    pub fn covered(&self) -> u64 {
        self.covered + self.overlay.covered()
    }

    /// Notes what a picture measured and caused, of people as rules saw them; cheap, before its events leave.
    pub fn note(&mut self, time: MediaTime, size: Size, tracks: &[Track], measured: &Measured, events: &[Event]) {
        self.tally.take(measured, events, tracks, size);
        if let Some(keeper) = &mut self.keeper {
            events.iter().for_each(|event| keeper.take(event, time, &mut self.jobs));
        }
    }

    /// Takes the analysed picture that was noted last.
    pub fn picture(&mut self, frame: &Frame, detections: &[Detection], tracks: &[Track], measured: &Measured) {
        if self.hub.asked(View::Plain) {
            self.show_plain(frame);
        }
        let (time, watched, asked) = (frame.time, self.hub.watched(), self.hub.asked(View::Redacted));
        if watched.is_none() && !asked && self.keeper.is_none() {
            if self.taken > 0 {
                self.begin();
            }
            return;
        }
        let kept = self.keeper.as_mut().is_some_and(|keeper| keeper.wants(time));
        let after = |interval| self.published.is_none_or(|last| time - last >= interval || time < last);
        // What is made for evidence serves tiles too: they cost nothing then.
        let live = match watched {
            Some(Look::Large) => after(INTERVAL),
            Some(Look::Tile) => kept || after(TILE_INTERVAL),
            None => false,
        };
        let still = asked && after(INTERVAL);
        if live || still {
            self.published = Some(time);
        }
        // Pictures at the beginning have not seen the people of those before them.
        let known = self.taken >= REACH as u64;
        self.held.push_back(Wish {
            time,
            utc: frame.utc,
            live: live && known,
            kept: kept && known,
            still: still && known,
        });
        self.taken += 1;
        let fits = || match fitted(frame.picture.size()) {
            size if kept || still || watched == Some(Look::Large) => size,
            size => within(size, TILE),
        };
        let size = ((live || kept || still) && known).then(fits);
        let seen = self.tally.seen(frame, detections, tracks, measured);
        match self.overlay.redact(&seen, size, self.tally.raised()) {
            Ok(picture) => {
                let wish = if self.held.len() > REACH { self.held.pop_front() } else { None };
                if let (Some(picture), Some(wish)) = (picture, wish) {
                    if wish.still {
                        let (bgr, size) = picture.pixels();
                        if encoded(bgr, size, &mut self.jpeg, &self.hub.id) {
                            self.hub.show(View::Redacted, &self.jpeg);
                        }
                    }
                    if wish.live || wish.kept {
                        let picture = picture.draw();
                        hand_over(&picture, wish, &mut self.jpeg, &self.hub, &mut self.keeper, &mut self.jobs);
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, camera = self.camera.id, "no picture leaves");
                self.begin();
            }
        }
        self.send();
    }

    /// Gives a picture as it is, privacy masks blacked out, to those who may see it: the API has seen to that.
    fn show_plain(&mut self, frame: &Frame) {
        let size = fitted(frame.picture.size());
        let converted = frame.picture.convert(Target { size, format: PixelFormat::Bgr24 }, &mut self.plain);
        match converted {
            Ok(()) if encoded(&self.plain, size, &mut self.jpeg, &self.camera.id) => {
                self.hub.show(View::Plain, &self.jpeg);
            }
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, camera = self.camera.id, "no picture leaves"),
        }
    }

    /// Notes what ended without a picture, at the time of the last one.
    pub fn ended(&mut self, time: MediaTime, events: &[Event]) {
        self.tally.ended(events);
        if let Some(keeper) = &mut self.keeper {
            events.iter().for_each(|event| keeper.take(event, time, &mut self.jobs));
        }
    }

    /// Another plan is in force. Where other parts are private now, no picture from before leaves any more.
    pub fn replan(&mut self, camera: &Arc<Camera>, diff: &CameraDiff) {
        self.camera = Arc::clone(camera);
        self.tally.replan(Arc::clone(camera), diff);
        self.overlay.replan(Arc::clone(camera));
        if diff.privacy {
            if let Some(keeper) = &mut self.keeper {
                keeper.finish(&mut self.jobs);
                keeper.forget();
            }
            self.begin();
            self.send();
        }
    }

    /// No more pictures for now: those held leave, and evidence ends with what there is.
    pub fn pause(&mut self) {
        while let Some(picture) = self.overlay.flush(self.tally.raised()) {
            let wish = self.held.iter().find(|w| w.time == picture.time).copied();
            if let Some(wish) = wish {
                hand_over(&picture, wish, &mut self.jpeg, &self.hub, &mut self.keeper, &mut self.jobs);
            }
        }
        if let Some(keeper) = &mut self.keeper {
            keeper.finish(&mut self.jobs);
        }
        self.begin();
        self.send();
    }

    /// Forgets the pictures held: what comes next does not follow them.
    fn begin(&mut self) {
        self.covered += self.overlay.covered();
        self.overlay = Overlay::new(self.camera.clone());
        self.held.clear();
        self.taken = 0;
    }

    fn send(&mut self) {
        self.out.send(&mut self.jobs);
        let refused = self.keeper.as_ref().map_or(0, Keeper::overflow);
        self.out.count(refused - self.counted_overflow);
        self.counted_overflow = refused;
    }
}

/// The same shape, at most so large; even, for chroma at half the resolution.
fn within(size: Size, most: Size) -> Size {
    let scale = (f64::from(most.width) / f64::from(size.width.max(1)))
        .min(f64::from(most.height) / f64::from(size.height.max(1)))
        .min(1.0);
    let scaled = |length: u32| ((f64::from(length) * scale) as u32 & !1).max(2);
    Size::new(scaled(size.width), scaled(size.height))
}

/// Whether a picture could be encoded.
fn encoded(bgr: &[u8], size: Size, jpeg: &mut Vec<u8>, camera: &str) -> bool {
    let encoded = jpeg::encode(bgr, size, QUALITY, jpeg);
    if let Err(error) = &encoded {
        tracing::warn!(%error, camera, "no picture leaves");
    }
    encoded.is_ok()
}

/// Encodes a picture and gives it to those who want it.
fn hand_over(
    picture: &Annotated<'_>,
    wish: Wish,
    jpeg: &mut Vec<u8>,
    hub: &CameraHub,
    keeper: &mut Option<Keeper>,
    jobs: &mut Vec<Job>,
) {
    if !encoded(picture.bgr, picture.size, jpeg, &hub.id) {
        return;
    }
    if wish.live {
        hub.publish(jpeg, wish.utc);
    }
    if let (true, Some(keeper)) = (wish.kept, keeper.as_mut()) {
        keeper
            .shot(Shot { time: wish.time, utc: wish.utc, size: picture.size, jpeg: Arc::from(jpeg.as_slice()) }, jobs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_keep_their_shape_and_are_even() {
        assert_eq!(within(Size::new(640, 480), TILE), Size::new(360, 270));
        assert_eq!(within(Size::new(640, 360), TILE), Size::new(480, 270));
        assert_eq!(within(Size::new(320, 240), TILE), Size::new(320, 240));
        assert_eq!(within(Size::new(640, 2), TILE), Size::new(480, 2));
    }
}
