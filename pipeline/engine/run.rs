//! `lookout run`: all cameras of a site, until told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use super::archive::{self, Archive};
use super::board::Board;
use super::figures::TodaysFigures;
use super::follow::follow;
use super::ground::GroundKeeper;
use super::hub::LiveHub;
use super::keeper::{self, Keeper};
use super::keeping::Keeping;
use super::lane::{Gates, Lane, LaneState, NO_OTHER, outage};
use super::lull::Lull;
use super::models::{Mailbox, Models};
use super::next_site::NextSite;
use super::numbers::store::NumbersError;
use super::painter::Painter;
use super::plans::LivePlans;
use super::presets::PresetMemory;
use super::pruning::prune;
use super::recorder::{Recorder, queue};
use super::site::{self, SiteStage, SiteWorker};
use super::stages::CameraStages;
use super::threads::{Thread, Threads};
use super::trails::recorder::TrailRecorder;
use super::watch::watch;
use super::worker::Worker;
use crate::alerts::IncidentConfig;
use crate::alerts::evidence;
use crate::alerts::evidence::link::Linker;
use crate::alerts::evidence::store::{Store, StoreError};
use crate::alerts::journal::{Journal, JournalError};
use crate::capture::{FreshestSlot, Stop};
use crate::config::SiteFiles;
use crate::config::plan::{Camera, Site};
use crate::detect::batch::Key;
use crate::detect::{Catalog, DetectError, OnnxDetector};
use crate::dispatch::{DispatchError, Dispatcher};
use crate::telemetry::{Metrics, Part, Stage};
use crate::track::{SortTracker, TrackerConfig};
use crate::types::Span;

/// A run cannot start.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Catalog, model or library.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Numbers of people.
    #[error(transparent)]
    Numbers(#[from] NumbersError),
    /// A sink.
    #[error(transparent)]
    Dispatch(#[from] DispatchError),
    /// The folder of evidence.
    #[error("evidence: {0}")]
    Evidence(#[from] StoreError),
    /// The key of its links.
    #[error("evidence.key: {0}")]
    Key(std::io::Error),
    /// The system gives no more threads.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

impl RunError {
    /// Whether configuration or installation are wrong (exit code 2) rather than the attempt failed (1).
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Detect(error) => !error.retry(),
            Self::Dispatch(error) => matches!(error, DispatchError::Sink { .. }),
            Self::Journal(_) | Self::Numbers(_) | Self::Evidence(_) | Self::Key(_) | Self::Thread(_) => false,
        }
    }
}

/// Between looks at cameras that give nothing.
const TICK: Duration = Duration::from_millis(250);
/// A look at all cameras never takes longer.
const TICK_PATIENCE: Duration = Duration::from_secs(60);
/// A worker gives a camera back within this time, or is stuck.
const PATIENCE: Duration = Duration::from_secs(10);

/// A site at work.
pub struct Run {
    threads: Threads,
    stop: Stop,
    captures: Vec<Thread>,
    workers: Vec<Thread>,
    ticker: Thread,
    follower: Thread,
    figures: Thread,
    /// Deletes old alerts.
    pruner: Thread,
    recorder: Thread,
    archive: Thread,
    /// Keeps trails and numbers.
    records: Thread,
    /// Rules of the whole site, if there are any.
    site: Option<Thread>,
    board: Arc<Board>,
    lanes: Arc<[Lane]>,
    keeper: GroundKeeper,
    presets: PresetMemory,
}

/// What a run is built from and what it shows.
pub struct Parts {
    /// What the page sees.
    pub hub: Arc<LiveHub>,
    /// All series.
    pub metrics: Arc<Metrics>,
    /// Delivers what the journal has; the caller runs it.
    pub dispatcher: Dispatcher,
    /// Signs links to evidence.
    pub linker: Linker,
    /// The configuration in force.
    pub plans: Arc<LivePlans>,
    /// The journal, open and locked.
    journal: Journal,
    next: Arc<NextSite>,
}

impl Parts {
    /// Opens the journal and the sinks.
    pub fn open(files: SiteFiles, metrics: Arc<Metrics>) -> Result<Self, RunError> {
        let site = &files.site;
        let sinks: Vec<String> = site.sinks.iter().map(|s| s.id.clone()).collect();
        let (mut journal, aside) = Journal::open_or_begin_anew(&site.data, &sinks)?;
        if let Some(aside) = &aside {
            let reason = format!("it was damaged and is set aside as {}; a new one has begun", aside.display());
            tracing::error!(journal = %aside.display(), "the journal was damaged: set aside, a new one has begun");
            metrics.health.note(Part::Database, vec![reason]);
        }
        let retired = journal.retire_removed_sinks()?;
        if retired > 0 {
            tracing::warn!(events = retired, "what waited for sinks that were removed is kept as dead letters");
        }
        let linker = Linker::open(&site.data, site.public_url.as_deref(), site.evidence.link).map_err(RunError::Key)?;
        let dispatcher = Dispatcher::new(&site.sinks, &journal, &metrics)?.with_links(linker.clone());
        let hub = LiveHub::new(site);
        let plans = LivePlans::new(files, Arc::clone(&hub), Arc::clone(&metrics));
        let next = Arc::new(NextSite::default());
        plans.follow_site(dispatcher.roster(), Arc::clone(&next));
        Ok(Self { hub, metrics, dispatcher, linker, plans, journal, next })
    }

    /// Loads and warms the models, ends what a crash left open, then starts all threads. Gives back the dispatcher.
    pub fn start(self, site: &Site, stop: &Stop) -> Result<(Run, Dispatcher), RunError> {
        let catalog = Catalog::find()?;
        let (keys, groups) = group(site, &catalog)?;
        let mut detectors = Vec::new();
        for _ in 0..site.inference.workers {
            detectors.push(load(&keys, &catalog, site)?);
        }
        let (sender, receiver) = queue();
        let (reader, mut pruner) = (self.journal.reader()?, self.journal.pruner()?);
        let mut recorder =
            Recorder::new(self.journal, site, self.dispatcher.bell(), Arc::clone(&self.hub), &self.metrics)
                .following(Arc::clone(&self.next));
        recorder.recall()?;
        let left = recorder.take_up_unwritten()?;
        if left > 0 {
            tracing::warn!(events = left, "took up events that the last run could not write");
        }
        let ended = recorder.end_open_alerts()?;
        if ended > 0 {
            tracing::warn!(alerts = ended, "ended alerts that the last run left open");
        }
        let lull = Arc::new(Lull::default());
        let evidence = Store::open(&site.data.join(evidence::FOLDER), site.evidence)?;
        let archive =
            Archive::new(evidence, sender.clone(), Arc::clone(&lull), Arc::clone(&self.metrics), stop.clone());
        let (jobs, waiting) = archive::queue();
        let (crossings, crossed) = site::queue();
        let (records, kept) = keeper::queue();
        let of_site = SiteStage::new(site)
            .map(|stage| SiteWorker::new(stage, &site.data, sender.clone(), self.metrics.for_site(site)))
            .map(|worker| worker.with_numbers(records.clone()));
        let gates = |index: usize| {
            let camera = &site.cameras[index];
            let asked = site.rules.iter().any(|rule| rule.condition.gates().iter().any(|g| g.camera == camera.id));
            asked.then(|| Gates::new(index, camera, crossings.clone(), self.metrics.overflow("site")))
        };
        let record_keeper = Keeper::new(&site.data, site.trails, self.metrics.overflow("trails"))?
            .with_health(Arc::clone(&self.metrics));
        let began = jiff::Timestamp::now().as_millisecond().unsigned_abs();
        let keeping = |camera: &Arc<Camera>| {
            let lost = self.metrics.overflow("trails");
            let trails = (site.trails.keep > Span::ZERO)
                .then(|| TrailRecorder::new(&camera.id, began, records.clone(), lost.clone()));
            Keeping::new(Arc::clone(camera), trails, records.clone(), lost)
        };
        let lanes = lanes(site, &self.hub, &self.metrics);
        let mut keeper = GroundKeeper::new(&site.data, site.cameras.len());
        let presets = PresetMemory::new(&site.data);
        let mut states = Vec::new();
        for (i, (camera, lane)) in site.cameras.iter().zip(lanes.iter()).enumerate() {
            let entry = catalog.resolve(camera.detect.model.as_deref())?;
            let start_score = camera.detect.score.unwrap_or(entry.score);
            let config = IncidentConfig { site: site.id.clone(), camera: Arc::clone(camera), outage: outage(camera) };
            let mut stages = CameraStages::new(config, Box::new(SortTracker::new(TrackerConfig { start_score })));
            keeper.restore(camera, stages.judge().ground_mut());
            let lost = self.metrics.overflow("evidence");
            let painter = Painter::new(Arc::clone(camera), Arc::clone(&lane.hub), site.evidence, jobs.clone(), lost);
            let mut state = LaneState::new(Arc::clone(camera), stages, painter, sender.clone(), &self.metrics);
            if !camera.presets.is_empty() {
                state.restore_presets(&presets.restore(&camera.id));
            }
            states.push(state.with_gates(gates(i)).with_keeping(keeping(camera)));
        }
        // The cameras hold the only senders: when they end, the site's rules, the keeper and the archive do, and then the
        // recorder.
        drop(crossings);
        drop(records);
        drop(jobs);
        drop(sender);
        let priority = site.cameras.iter().map(|camera| camera.detect.priority).collect();
        let board = Arc::new(Board::new(groups.clone(), priority, states));
        let threads = Threads::new(stop.clone());
        let own_stop = stop.clone();
        let recorder = threads.spawn("journal", move || recorder.run(&receiver, &own_stop))?;
        let figures = {
            let figures = TodaysFigures::new(site, self.plans.grids(), &self.metrics);
            let stop = stop.clone();
            threads.spawn("figures", move || {
                figures.run(&reader, &stop);
                Ok(())
            })?
        };
        let pruner = {
            let (plan, stop) = (site.journal, stop.clone());
            threads.spawn("pruner", move || {
                prune(&mut pruner, plan, &stop);
                Ok(())
            })?
        };
        let archive = threads.spawn("archive", move || archive.run(&waiting))?;
        let record_keeper = threads.spawn("keeper", move || record_keeper.run(&kept))?;
        let of_site = of_site.map(|worker| threads.spawn("site", move || worker.run(&crossed))).transpose()?;
        let mail: Arc<[Mailbox]> = detectors.iter().map(|_| Mailbox::default()).collect();
        let (inference, of_board, to_workers) = (site.inference.clone(), Arc::clone(&board), Arc::clone(&mail));
        self.plans.exchange_models(Models::new(catalog, inference, of_board, to_workers, keys, groups));
        let mut workers = Vec::new();
        for (i, detectors) in detectors.into_iter().enumerate() {
            let (lanes, board, mail) = (Arc::clone(&lanes), Arc::clone(&board), Arc::clone(&mail));
            let worker = Worker::new(i, lanes, board, mail, Arc::clone(&lull), detectors, &self.metrics);
            workers.push(threads.spawn(format!("worker-{i}"), move || worker.run())?);
        }
        let mut captures = Vec::new();
        for (i, lane) in lanes.iter().enumerate() {
            let (lanes, board, stop) = (Arc::clone(&lanes), Arc::clone(&board), stop.clone());
            let decode = self.metrics.stage(Stage::Decode);
            captures.push(threads.spawn(format!("cam-{}", lane.id), move || {
                watch(i, &lanes, &board, &stop, &decode);
                Ok(())
            })?);
        }
        let ticker = {
            let (lanes, board, stop, metrics) =
                (Arc::clone(&lanes), Arc::clone(&board), stop.clone(), Arc::clone(&self.metrics));
            let (data, presets) = (site.data.clone(), presets.clone());
            let pulse = metrics.health.pulse("ticker", TICK_PATIENCE, None);
            threads.spawn("ticker", move || {
                while !stop.wait(TICK) {
                    pulse.beat();
                    tick(&lanes, &board, &mut keeper, &presets);
                    if let Ok(disk) = rustix::fs::statvfs(&data) {
                        metrics
                            .disk_free
                            .set(i64::try_from(disk.f_bavail.saturating_mul(disk.f_frsize)).unwrap_or(i64::MAX));
                    }
                }
                Ok(())
            })?
        };
        let follower = {
            let (plans, stop) = (self.plans, stop.clone());
            threads.spawn("config", move || {
                follow(&plans, &stop);
                Ok(())
            })?
        };
        self.hub.set_ready(true);
        let keeper = GroundKeeper::new(&site.data, 0);
        let run = Run {
            threads,
            stop: stop.clone(),
            captures,
            workers,
            ticker,
            follower,
            figures,
            pruner,
            recorder,
            archive,
            records: record_keeper,
            site: of_site,
            board,
            lanes,
            keeper,
            presets,
        };
        Ok((run, self.dispatcher))
    }
}

impl Run {
    /// Waits for the stop flag, then ends in the order of the data: no picture is lost on the way to the journal.
    /// `Err` says which stage failed.
    pub fn wait(self) -> Result<(), String> {
        while !self.stop.wait(Duration::from_secs(3600)) {}
        self.lanes.iter().for_each(|lane| lane.hub.end_capture());
        self.captures.into_iter().for_each(Thread::join);
        self.ticker.join();
        self.follower.join();
        self.figures.join();
        self.pruner.join();
        self.board.close();
        self.workers.into_iter().for_each(Thread::join);
        for (i, lane) in self.lanes.iter().enumerate() {
            // Dropped at the end of the turn: with the last one the recorder's queue ends.
            if let Some(mut state) = self.board.borrow(i, PATIENCE) {
                state.stop(lane);
                self.keeper.keep(&lane.id, state.ground().learnt().cloned());
                self.presets.keep(&lane.id, state.presets_to_keep(true));
            }
        }
        self.site.into_iter().for_each(Thread::join);
        self.records.join();
        self.archive.join();
        self.recorder.join();
        self.threads.failure().map_or(Ok(()), Err)
    }
}

fn tick(lanes: &[Lane], board: &Board, keeper: &mut GroundKeeper, presets: &PresetMemory) {
    let now = Instant::now();
    for (i, lane) in lanes.iter().enumerate() {
        // A camera that a worker holds gives pictures.
        if let Some(mut state) = board.borrow(i, Duration::ZERO) {
            state.adopt(lane);
            state.check_outage(lane, now);
            let camera = Arc::clone(state.camera());
            let learnt = keeper.look(i, &camera, state.ground(), now);
            let views = state.presets_to_keep(false);
            board.give(i, state);
            keeper.keep(&lane.id, learnt);
            presets.keep(&lane.id, views);
        }
    }
}

/// The distinct detectors that the cameras need, and which one each needs.
fn group(site: &Site, catalog: &Catalog) -> Result<(Vec<Key>, Vec<usize>), DetectError> {
    let mut keys: Vec<Key> = Vec::new();
    let mut groups = Vec::new();
    for camera in &site.cameras {
        let key = Key::of(&camera.detect, catalog)?;
        groups.push(keys.iter().position(|k| *k == key).unwrap_or_else(|| {
            keys.push(key);
            keys.len() - 1
        }));
    }
    Ok((keys, groups))
}

fn load(keys: &[Key], catalog: &Catalog, site: &Site) -> Result<Vec<OnnxDetector>, DetectError> {
    let detector = |key: &Key| {
        let entry = catalog.resolve(Some(&key.model))?;
        OnnxDetector::new(&entry, key.input(), &key.extra(), &site.inference)
    };
    keys.iter().map(detector).collect()
}

fn lanes(site: &Site, hub: &LiveHub, metrics: &Metrics) -> Arc<[Lane]> {
    let pairs = site.cameras.iter().zip(&hub.cameras);
    pairs
        .map(|(camera, hub)| Lane {
            id: camera.id.clone(),
            slot: FreshestSlot::new(),
            busy: AtomicBool::new(true),
            unusable: AtomicBool::new(false),
            other_from: AtomicU64::new(NO_OTHER),
            metrics: metrics.for_camera(&camera.id),
            hub: Arc::clone(hub),
        })
        .collect()
}
