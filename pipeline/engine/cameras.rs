//! The cameras of a run: each comes, is watched and goes by itself, and the others do not notice.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam::channel::Sender;

use super::archive::Inlet;
use super::board::Board;
use super::ground::{GroundKeeper, Watched};
use super::hub::CameraHub;
use super::keeper::Record;
use super::keeping::Keeping;
use super::lane::{Gates, Lane, LaneState, Seat, outage};
use super::models::{Loaded, Models};
use super::painter::Painter;
use super::presets::PresetMemory;
use super::site::Asked;
use super::stages::CameraStages;
use super::threads::{Thread, Threads};
use super::trails::recorder::TrailRecorder;
use super::watch::watch;
use crate::alerts::IncidentConfig;
use crate::alerts::numbering::Entry;
use crate::capture::Stop;
use crate::config::plan::{Camera, Detect, Evidence};
use crate::detect::DetectError;
use crate::telemetry::{Metrics, Stage};
use crate::track::{SortTracker, TrackerConfig};
use crate::types::{EndReason, SiteCrossed};

/// A worker gives a camera back within this time, and a capture ends, or is stuck.
const PATIENCE: Duration = Duration::from_secs(10);

/// Cameras of a run. Changes take turns.
pub struct Cameras {
    board: Arc<Board>,
    models: Models,
    metrics: Arc<Metrics>,
    threads: Threads,
    ground: GroundKeeper,
    presets: PresetMemory,
    inner: Mutex<Inner>,
}

struct Inner {
    /// Nobody comes any more once they are gone.
    wires: Option<Wires>,
    /// By id.
    running: BTreeMap<String, Running>,
}

/// What cameras are connected to. Whoever is at the other end works until the last camera is gone and no other can come.
pub struct Wires {
    /// Site id.
    pub site: String,
    /// What is made of alerts.
    pub evidence: Evidence,
    /// Whether trails are kept.
    pub trails: bool,
    /// To the journal.
    pub events: Sender<Entry>,
    /// To the thread of evidence.
    pub jobs: Inlet,
    /// To the rules of the whole site, and what these ask for.
    pub crossings: Sender<SiteCrossed>,
    /// See there.
    pub asked: Arc<Asked>,
    /// To the keeper of trails and numbers.
    pub records: Sender<Record>,
}

struct Running {
    /// On the board.
    number: usize,
    hub: Arc<CameraHub>,
    stop: Stop,
    capture: Thread,
}

impl Cameras {
    /// None yet. What they learn is kept in `ground` and `presets`.
    pub fn new(
        board: Arc<Board>,
        models: Models,
        metrics: Arc<Metrics>,
        threads: Threads,
        (ground, presets): (GroundKeeper, PresetMemory),
        wires: Wires,
    ) -> Self {
        let inner = Mutex::new(Inner { wires: Some(wires), running: BTreeMap::new() });
        Self { board, models, metrics, threads, ground, presets, inner }
    }

    /// Loads and warms what a camera asks for; see [`Models::load`].
    pub fn load(&self, detect: &Detect) -> Result<Loaded, DetectError> {
        self.models.load(detect)
    }

    /// The next picture of the camera with this id is looked at with it.
    pub fn install(&self, id: &str, loaded: Loaded, priority: bool) {
        let number = self.lock().running.get(id).map(|running| running.number);
        if let Some(number) = number {
            self.models.install(number, loaded, priority);
        }
    }

    /// A camera comes, whose id no other has: it is watched from now on. Errors: the system gives no more threads, or
    /// everything ends; then nothing has changed.
    pub fn come(&self, camera: &Arc<Camera>, hub: &Arc<CameraHub>, loaded: Loaded) -> io::Result<()> {
        let mut inner = self.lock();
        let Inner { wires: Some(wires), running } = &mut *inner else {
            return Err(io::Error::other("everything ends"));
        };
        let lane = Arc::new(Lane::new(Arc::clone(hub), &self.metrics));
        let state = self.state(camera, hub, loaded.start_score, wires);
        let seat = Box::new(Seat { lane: Arc::clone(&lane), state, ground: Watched::default() });
        let number = self.models.enter(seat, loaded, camera.detect.priority);
        let (board, stop, decode) = (Arc::clone(&self.board), Stop::new(), self.metrics.stage(Stage::Decode));
        let own_stop = stop.clone();
        let spawned = self.threads.spawn(format!("cam-{}", camera.id), move || {
            watch(number, &lane, &board, &own_stop, &decode);
            Ok(())
        });
        match spawned {
            Ok(capture) => {
                running.insert(camera.id.clone(), Running { number, hub: Arc::clone(hub), stop, capture });
                Ok(())
            }
            Err(error) => {
                self.board.leave(number, PATIENCE);
                self.models.leave(number);
                self.metrics.forget(camera);
                Err(error)
            }
        }
    }

    fn state(&self, camera: &Arc<Camera>, hub: &Arc<CameraHub>, start_score: f32, wires: &Wires) -> LaneState {
        let overflow = |queue| self.metrics.overflow(queue);
        let config = IncidentConfig { site: wires.site.clone(), camera: Arc::clone(camera), outage: outage(camera) };
        let mut stages = CameraStages::new(config, Box::new(SortTracker::new(TrackerConfig { start_score })));
        self.ground.restore(camera, stages.judge().ground_mut());
        let (jobs, lost) = (wires.jobs.clone(), overflow("evidence"));
        let painter = Painter::new(Arc::clone(camera), Arc::clone(hub), wires.evidence, jobs, lost);
        let mut state = LaneState::new(Arc::clone(camera), stages, painter, wires.events.clone(), &self.metrics);
        if !camera.presets.is_empty() {
            state.restore_presets(&self.presets.restore(&camera.id));
        }
        let records = || wires.records.clone();
        // Tracks begin anew with each coming.
        let began = jiff::Timestamp::now().as_millisecond().unsigned_abs();
        let trails = || TrailRecorder::new(&camera.id, began, records(), overflow("trails"));
        let trails = wires.trails.then(trails);
        let keeping = Keeping::new(Arc::clone(camera), trails, records(), overflow("trails"));
        let (asked, crossings) = (Arc::clone(&wires.asked), wires.crossings.clone());
        state.with_gates(Gates::new(camera, asked, crossings, overflow("site"))).with_keeping(keeping)
    }

    /// The camera with this id goes: its capture ends, then what is open of it, as reconfigured. Its series are gone; what it
    /// has learnt and left behind stays. What it alone was looked at with is there for one that comes in its place, until
    /// [`Self::settle`].
    pub fn go(&self, id: &str) {
        let gone = self.lock().running.remove(id);
        if let Some(running) = gone {
            let number = running.number;
            if let Some(camera) = self.end(running, EndReason::Reconfigured) {
                self.metrics.forget(&camera);
            }
            self.models.leave(number);
        }
    }

    /// Lets go of detectors that no camera uses.
    pub fn settle(&self) {
        self.models.settle();
    }

    /// A look at each camera that no worker holds; one that is held gives pictures.
    pub fn tick(&self) {
        let now = Instant::now();
        for number in 0..self.board.numbers() {
            if let Some(mut seat) = self.board.borrow(number, Duration::ZERO) {
                let Seat { lane, state, ground } = &mut *seat;
                let lane = Arc::clone(lane);
                state.adopt(&lane);
                state.check_outage(&lane, now);
                let camera = Arc::clone(state.camera());
                let learnt = self.ground.look(ground, &camera, state.ground(), now);
                let views = state.presets_to_keep(false);
                self.board.give(number, seat);
                self.ground.keep(&lane.id, learnt);
                self.presets.keep(&lane.id, views);
            }
        }
    }

    /// All captures end; nobody comes any more.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.wires = None;
        let running = inner.running.values();
        running.for_each(|running| running.halt());
        let deadline = Instant::now() + PATIENCE;
        for running in inner.running.values_mut() {
            running.wait(deadline);
        }
    }

    /// What is open of each camera ends, at its last picture; after [`Self::close`], when no worker is left.
    pub fn stop(&self) {
        let running = std::mem::take(&mut self.lock().running);
        for running in running.into_values() {
            self.end(running, EndReason::Stopped);
        }
    }

    /// Ends a camera and keeps what it has learnt; gives its last plan, if no worker holds it for ever.
    fn end(&self, mut running: Running, reason: EndReason) -> Option<Arc<Camera>> {
        running.halt();
        running.wait(Instant::now() + PATIENCE);
        let Some(mut seat) = self.board.leave(running.number, PATIENCE) else {
            tracing::error!(
                camera = running.hub.id,
                "a worker holds this camera for too long: what is open of it ends with the next start"
            );
            return None;
        };
        let Seat { lane, state, .. } = &mut *seat;
        state.end(lane, reason);
        self.ground.keep(&lane.id, state.ground().learnt().cloned());
        self.presets.keep(&lane.id, state.presets_to_keep(true));
        Some(Arc::clone(state.camera()))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Begins to end its capture.
    fn halt(&self) {
        self.stop.set();
        self.hub.end_capture();
    }

    /// Until its capture has ended. A device that does not even open holds up nobody else: what its thread does later concerns
    /// nobody any more.
    fn wait(&mut self, deadline: Instant) {
        if !self.capture.wait_until(deadline) {
            tracing::error!(camera = self.hub.id, "its capture hangs and is left to itself");
        }
    }
}
