//! What the engine shows to whoever watches: the newest state of each camera, live pictures, events as they are
//! committed. Writers never wait for readers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::tz::TimeZone;
use serde::Serialize;
use tokio::sync::{broadcast, watch};

use super::latest::Latest;
use crate::capture::Stop;
use crate::config::plan::{self, CameraDiff};
use crate::types::time::millis_option;
use crate::types::{Event, Rect, Snooze};

/// Events that a slow reader may lag behind before it loses the oldest.
const EVENTS: usize = 256;
/// Viewers of one camera, at most.
pub const MAX_VIEWERS: usize = 32;

/// Shared between the engine, which fills it, and the API.
pub struct LiveHub {
    /// Site id.
    pub site: String,
    /// Of days and schedules.
    pub time_zone: TimeZone,
    inner: Mutex<Inner>,
    events: broadcast::Sender<Arc<Event>>,
    ready: AtomicBool,
}

struct Inner {
    /// In the order of the plan.
    cameras: Arc<[Arc<CameraHub>]>,
    /// Of all cameras, as they were told last: one that comes finds its own.
    snoozes: Vec<Snooze>,
    spots: Vec<(String, Rect)>,
}

/// One camera.
pub struct CameraHub {
    /// Camera id.
    pub id: String,
    /// Where nothing counts that is no person: fractions of the picture.
    pub quiet: Latest<Arc<[Rect]>>,
    /// The plan that is to be in force from the next picture on.
    pub plan: Latest<Arc<plan::Camera>>,
    /// From which tracks start, where that has changed since the start.
    pub start_score: Latest<Option<f32>>,
    /// Rules that somebody has silenced; those whose time has come may still be among them.
    pub snoozed: Latest<Arc<[Snooze]>>,
    snapshot: Mutex<Snapshot>,
    /// By [`Look`].
    viewers: [AtomicUsize; 2],
    accept: AtomicBool,
    /// It is no more among the site's.
    gone: AtomicBool,
    /// Ends the capture under way.
    capture: Mutex<Stop>,
    /// The preset whose view is to be taken.
    preset: Mutex<Option<String>>,
    picture: watch::Sender<Option<LivePicture>>,
    /// By [`View`].
    stills: [Stills; 2],
}

/// How closely somebody watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// Beside other cameras: pictures that are made anyhow, or small ones, a few a second.
    Tile,
    /// This camera alone.
    Large,
}

/// A redacted picture for whoever watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivePicture {
    /// Encoded once for all.
    pub jpeg: Arc<[u8]>,
    /// Its presentation time.
    pub at: jiff::Timestamp,
}

/// A picture that is made once, for whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Redacted.
    Redacted,
    /// As the camera shows it, but for privacy masks: only for who may see that, with a reason that is recorded.
    Plain,
}

struct Stills {
    asked: AtomicUsize,
    picture: watch::Sender<Arc<[u8]>>,
}

/// The newest state of a camera.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Snapshot {
    /// For people.
    pub name: String,
    /// Whether pictures come.
    pub state: CameraState,
    /// Why not, in one sentence.
    pub message: Option<String>,
    /// Why the rules of its zones and lines rest, if they do: a `reason` of `lookout_rules_suspended`.
    pub suspended: Option<&'static str>,
    /// Id of the preset that a ptz camera is at, if it is at one.
    pub preset: Option<String>,
    /// People in the picture who count.
    pub people: u32,
    /// In the order of the plan.
    pub zones: Vec<ZoneCount>,
    /// In the order of the plan.
    pub lines: Vec<LineCount>,
    /// Analysed pictures a second, lately.
    pub rate: f64,
    /// Age of the last picture at the end of rules, milliseconds.
    pub frame_age_ms: f64,
    /// Pictures analysed since the start.
    pub analysed: u64,
    /// Pictures dropped since the start because a fresher one came.
    pub dropped: u64,
    /// Time of the last picture.
    #[serde(with = "millis_option")]
    pub last_picture: Option<jiff::Timestamp>,
}

/// Whether pictures come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CameraState {
    /// The first connection is being made.
    #[default]
    Connecting,
    /// Pictures come.
    Online,
    /// They came and do not now.
    Offline,
    /// A file that is played to its end.
    Ended,
}

/// People in a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ZoneCount {
    /// Zone id.
    pub id: String,
    /// For people.
    pub name: String,
    /// Now.
    pub people: u32,
}

/// People who crossed a line since the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LineCount {
    /// Line id.
    pub id: String,
    /// For people.
    pub name: String,
    /// Name of the left side.
    pub left: Option<String>,
    /// Name of the right side.
    pub right: Option<String>,
    /// From the left to the right.
    pub left_to_right: u64,
    /// From the right to the left.
    pub right_to_left: u64,
}

impl LiveHub {
    /// Of all cameras of a site, not ready.
    pub fn new(site: &plan::Site) -> Arc<Self> {
        let cameras = site.cameras.iter().map(|camera| Arc::new(CameraHub::new(camera))).collect();
        let (events, _) = broadcast::channel(EVENTS);
        let time_zone = site.time_zone.clone();
        let inner = Mutex::new(Inner { cameras, snoozes: Vec::new(), spots: Vec::new() });
        Arc::new(Self { site: site.id.clone(), time_zone, inner, events, ready: AtomicBool::new(false) })
    }

    /// All cameras, in the order of the plan.
    pub fn cameras(&self) -> Arc<[Arc<CameraHub>]> {
        Arc::clone(&self.lock().cameras)
    }

    /// The camera with this id.
    pub fn camera(&self, id: &str) -> Option<Arc<CameraHub>> {
        self.lock().cameras.iter().find(|c| c.id == id).cloned()
    }

    /// A camera comes, at this place in the order of the plan.
    pub fn enter(&self, index: usize, camera: &Arc<plan::Camera>) -> Arc<CameraHub> {
        let hub = Arc::new(CameraHub::new(camera));
        let mut inner = self.lock();
        hub.take_known(&inner);
        let mut cameras = inner.cameras.to_vec();
        cameras.insert(index.min(cameras.len()), Arc::clone(&hub));
        inner.cameras = cameras.into();
        hub
    }

    /// A camera goes; whoever watches it sees no more.
    pub fn leave(&self, id: &str) {
        let mut inner = self.lock();
        let (gone, left): (Vec<_>, Vec<_>) = inner.cameras.iter().cloned().partition(|camera| camera.id == id);
        inner.cameras = left.into();
        drop(inner);
        gone.iter().for_each(|camera| camera.end());
    }

    /// Tells every camera which of its rules are silenced: all that are, of all cameras.
    pub fn set_snoozes(&self, all: Vec<Snooze>) {
        let mut inner = self.lock();
        inner.snoozes = all;
        inner.cameras.iter().for_each(|camera| camera.take_known(&inner));
    }

    /// Tells every camera where nothing counts that is no person: all such spots, with their cameras.
    pub fn set_spots(&self, all: Vec<(String, Rect)>) {
        let mut inner = self.lock();
        inner.spots = all;
        inner.cameras.iter().for_each(|camera| camera.take_known(&inner));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells all readers of an event that is on disk. Never waits.
    pub fn announce(&self, event: Arc<Event>) {
        // No reader is no fault.
        self.events.send(event).ok();
    }

    /// Events from now on.
    pub fn events(&self) -> broadcast::Receiver<Arc<Event>> {
        self.events.subscribe()
    }

    /// Notes that the models are warm, the journal is open and the cameras are supervised.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// Whether the process does its work; does not depend on any one camera.
    pub fn ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }
}

impl Snapshot {
    /// Nothing seen yet.
    fn of(camera: &plan::Camera) -> Self {
        let zone = |z: &plan::Zone| ZoneCount { id: z.id.clone(), name: z.name.clone(), people: 0 };
        let line = |l: &plan::Line| LineCount {
            id: l.id.clone(),
            name: l.name.clone(),
            left: l.left.clone(),
            right: l.right.clone(),
            left_to_right: 0,
            right_to_left: 0,
        };
        Self {
            name: camera.name.clone(),
            zones: camera.zones.iter().map(zone).collect(),
            lines: camera.lines.iter().map(line).collect(),
            ..Self::default()
        }
    }

    /// Another plan is in force; what is the same by `diff` goes on counting.
    pub fn replan(&mut self, camera: &plan::Camera, diff: &CameraDiff) {
        let Self { name, mut zones, mut lines, .. } = Self::of(camera);
        for (old, to) in self.zones.iter().zip(&diff.zones) {
            if let Some(zone) = to.and_then(|to| zones.get_mut(to)) {
                zone.people = old.people;
            }
        }
        for (old, to) in self.lines.iter().zip(&diff.lines) {
            if let Some(line) = to.and_then(|to| lines.get_mut(to)) {
                (line.left_to_right, line.right_to_left) = (old.left_to_right, old.right_to_left);
            }
        }
        (self.name, self.zones, self.lines) = (name, zones, lines);
    }
}

impl CameraHub {
    fn new(camera: &Arc<plan::Camera>) -> Self {
        Self {
            id: camera.id.clone(),
            quiet: Latest::new(Arc::from([])),
            plan: Latest::new(Arc::clone(camera)),
            start_score: Latest::new(None),
            snoozed: Latest::new(Arc::from([])),
            snapshot: Mutex::new(Snapshot::of(camera)),
            viewers: [Look::Tile, Look::Large].map(|_| AtomicUsize::new(0)),
            accept: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            capture: Mutex::default(),
            preset: Mutex::new(None),
            picture: watch::Sender::new(None),
            stills: [View::Redacted, View::Plain]
                .map(|_| Stills { asked: AtomicUsize::new(0), picture: watch::Sender::new(Arc::from([])) }),
        }
    }

    fn take_known(&self, known: &Inner) {
        let snoozed = known.snoozes.iter().filter(|snooze| snooze.camera == self.id).cloned();
        self.snoozed.set(snoozed.collect());
        self.quiet.set(known.spots.iter().filter(|(camera, _)| *camera == self.id).map(|(_, spot)| *spot).collect());
    }

    /// Whoever waits for pictures waits no more.
    fn end(&self) {
        self.gone.store(true, Ordering::Release);
        self.picture.send_replace(None);
        self.stills.iter().for_each(|stills| stills.picture.send_modify(|_| {}));
    }

    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Changes the state in place; short, allocates nothing.
    pub fn update(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.snapshot.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A copy of the state.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What ends a capture that begins now. Whoever begins it reads the plan after that, so that no other source is missed.
    pub fn begin_capture(&self) -> Stop {
        let stop = Stop::new();
        *self.capture.lock().unwrap_or_else(PoisonError::into_inner) = stop.clone();
        stop
    }

    /// Ends the capture under way: it begins anew by the newest plan, or not at all where everything ends.
    pub fn end_capture(&self) {
        self.capture.lock().unwrap_or_else(PoisonError::into_inner).set();
    }

    /// Asks that what the camera shows now becomes its reference.
    pub fn accept_view(&self) {
        self.accept.store(true, Ordering::Relaxed);
    }

    /// Whether that was asked since the last call.
    pub fn takes_view(&self) -> bool {
        self.accept.load(Ordering::Relaxed) && self.accept.swap(false, Ordering::Relaxed)
    }

    /// Asks that what the camera shows from now on becomes the view of a preset.
    pub fn take_preset(&self, id: &str) {
        *self.preset.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.to_owned());
    }

    /// Which preset's view is to be taken, if that was asked since the last call.
    pub fn takes_preset(&self) -> Option<String> {
        self.preset.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether its file has been played to its end.
    pub fn ended(&self) -> bool {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).state == CameraState::Ended
    }

    /// How closely the closest viewer watches; `None`: no live pictures are to be made at all.
    pub fn watched(&self) -> Option<Look> {
        let watch = |look: &Look| self.viewers[*look as usize].load(Ordering::Relaxed) > 0;
        [Look::Large, Look::Tile].into_iter().find(watch)
    }

    /// Somebody asks for the next redacted picture without anything drawn on it, or for one as it is; unless
    /// [`MAX_VIEWERS`] do already.
    pub fn ask(self: &Arc<Self>, view: View) -> Option<Asked> {
        let stills = &self.stills[view as usize];
        let more = |n: usize| (n < MAX_VIEWERS).then_some(n + 1);
        stills.asked.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        let mut picture = stills.picture.subscribe();
        picture.mark_unchanged();
        Some(Asked { picture, camera: Arc::clone(self), view })
    }

    /// Whether anybody waits for such a picture.
    pub fn asked(&self, view: View) -> bool {
        self.stills[view as usize].asked.load(Ordering::Relaxed) > 0
    }

    /// Gives all who wait for it a picture as JPEG.
    pub fn show(&self, view: View, jpeg: &[u8]) {
        self.stills[view as usize].picture.send_replace(Arc::from(jpeg));
    }

    /// The newest redacted picture as JPEG, for all viewers. A viewer that is slow misses pictures, not the newest one.
    pub fn publish(&self, jpeg: &[u8], at: jiff::Timestamp) {
        self.picture.send_replace(Some(LivePicture { jpeg: Arc::from(jpeg), at }));
    }

    /// A new viewer, unless there are [`MAX_VIEWERS`] who look as closely.
    pub fn watch(self: &Arc<Self>, look: Look) -> Option<Viewer> {
        let more = |n: usize| (n < MAX_VIEWERS).then_some(n + 1);
        let nobody = self.watched().is_none();
        self.viewers[look as usize].fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        if nobody {
            // A picture from the last time somebody watched is not live.
            self.picture.send_replace(None);
        }
        let mut picture = self.picture.subscribe();
        picture.mark_changed();
        Some(Viewer { picture, camera: self.clone(), look })
    }
}

/// Somebody who watches a camera; pictures are made as long as one exists.
pub struct Viewer {
    picture: watch::Receiver<Option<LivePicture>>,
    camera: Arc<CameraHub>,
    look: Look,
}

impl Viewer {
    /// The next picture that this viewer has not seen; `None` when the camera is gone.
    pub async fn next(&mut self) -> Option<LivePicture> {
        // Asked before as well: who comes after the last change would wait for ever.
        while !self.camera.is_gone() {
            self.picture.changed().await.ok()?;
            if let Some(picture) = self.picture.borrow_and_update().clone() {
                return Some(picture);
            }
        }
        None
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.camera.viewers[self.look as usize].fetch_sub(1, Ordering::Relaxed);
    }
}

/// Somebody who waits for one picture; it is made as long as one of them exists.
pub struct Asked {
    picture: watch::Receiver<Arc<[u8]>>,
    camera: Arc<CameraHub>,
    view: View,
}

impl Asked {
    /// The next picture; `None` when the camera is gone.
    pub async fn next(&mut self) -> Option<Arc<[u8]>> {
        if !self.camera.is_gone() {
            self.picture.changed().await.ok()?;
        }
        (!self.camera.is_gone()).then(|| self.picture.borrow_and_update().clone())
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.camera.stills[self.view as usize].asked.fetch_sub(1, Ordering::Relaxed);
    }
}
