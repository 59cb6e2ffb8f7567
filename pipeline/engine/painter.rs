//! Pictures of one camera: redacted and drawn on, encoded once for all who want them, and not made at all when nobody
//! does.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam::channel::Sender;

use super::archive::Outlet;
use super::hub::CameraHub;
use super::tally::Tally;
use crate::alerts::evidence::{Job, Keeper, Shot};
use crate::alerts::jpeg;
use crate::alerts::overlay::{Annotated, Overlay, fitted};
use crate::alerts::redact::REACH;
use crate::config::plan::{Camera, CameraDiff, Evidence};
use crate::rules::Measured;
use crate::types::{Detection, Event, Frame, MediaTime, Size, Span, Track};

/// Of the JPEG.
const QUALITY: u8 = 75;
/// Live pictures a second, at most.
const INTERVAL: Span = Span::from_millis(1_000 / 8);

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
    covered: u64,
}

/// Who wants a picture.
#[derive(Clone, Copy)]
struct Wish {
    time: MediaTime,
    utc: jiff::Timestamp,
    live: bool,
    kept: bool,
}

impl Painter {
    /// For one camera. What is complete of its evidence goes to `out`; `overflow` counts what could not.
    pub fn new(
        camera: Arc<Camera>,
        hub: Arc<CameraHub>,
        evidence: Evidence,
        out: Sender<Job>,
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
            covered: 0,
        }
    }

    /// Pictures that were pixelated as a whole because they had too many boxes, since the start.
    pub fn covered(&self) -> u64 {
        self.covered + self.overlay.covered()
    }

    /// Notes what a picture measured and caused; cheap, before its events leave.
    pub fn note(&mut self, time: MediaTime, size: Size, tracks: &[Track], measured: &Measured, events: &[Event]) {
        self.tally.take(measured, events, tracks, size);
        if let Some(keeper) = &mut self.keeper {
            events.iter().for_each(|event| keeper.take(event, time, &mut self.jobs));
        }
    }

    /// Takes the analysed picture that was noted last.
    pub fn picture(&mut self, frame: &Frame, detections: &[Detection], tracks: &[Track], measured: &Measured) {
        let (time, watched) = (frame.time, self.hub.watched());
        if !watched && self.keeper.is_none() {
            if self.taken > 0 {
                self.begin();
            }
            return;
        }
        let live = watched && self.published.is_none_or(|last| time - last >= INTERVAL || time < last);
        if live {
            self.published = Some(time);
        }
        let kept = self.keeper.as_mut().is_some_and(|keeper| keeper.wants(time));
        // Pictures at the beginning have not seen the people of those before them.
        let known = self.taken >= REACH as u64;
        self.held.push_back(Wish { time, utc: frame.utc, live: live && known, kept: kept && known });
        self.taken += 1;
        let size = ((live || kept) && known).then(|| fitted(frame.picture.size()));
        let seen = self.tally.seen(frame, detections, tracks, measured);
        match self.overlay.push(&seen, size, self.tally.raised()) {
            Ok(picture) => {
                let wish = if self.held.len() > REACH { self.held.pop_front() } else { None };
                if let (Some(picture), Some(wish)) = (picture, wish) {
                    hand_over(&picture, wish, &mut self.jpeg, &self.hub, &mut self.keeper, &mut self.jobs);
                }
            }
            Err(error) => {
                tracing::warn!(%error, camera = self.camera.id, "no picture leaves");
                self.begin();
            }
        }
        self.send();
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

/// Encodes a picture and gives it to those who want it.
fn hand_over(
    picture: &Annotated<'_>,
    wish: Wish,
    jpeg: &mut Vec<u8>,
    hub: &CameraHub,
    keeper: &mut Option<Keeper>,
    jobs: &mut Vec<Job>,
) {
    if let Err(error) = jpeg::encode(picture.bgr, picture.size, QUALITY, jpeg) {
        tracing::warn!(%error, camera = hub.id, "no picture leaves");
        return;
    }
    if wish.live {
        hub.publish(jpeg);
    }
    if let (true, Some(keeper)) = (wish.kept, keeper.as_mut()) {
        keeper
            .shot(Shot { time: wish.time, utc: wish.utc, size: picture.size, jpeg: Arc::from(jpeg.as_slice()) }, jobs);
    }
}
