//! `lookout run`: all cameras of a site, until told to stop.

use std::sync::Arc;
use std::time::Duration;

use super::archive::{self, Archive};
use super::board::Board;
use super::cameras::{Cameras, Wires};
use super::figures::TodaysFigures;
use super::follow::follow;
use super::ground::GroundKeeper;
use super::hub::LiveHub;
use super::keeper::{self, Keeper};
use super::lull::Lull;
use super::models::{Mailbox, Models};
use super::next_site::NextSite;
use super::numbers::store::NumbersError;
use super::plans::LivePlans;
use super::presets::PresetMemory;
use super::pruning::prune;
use super::recorder::{Recorder, queue};
use super::site::{self, SiteWorker};
use super::threads::{Thread, Threads};
use super::worker::Worker;
use crate::alerts::evidence;
use crate::alerts::evidence::link::Linker;
use crate::alerts::evidence::store::{Store, StoreError};
use crate::alerts::journal::{Journal, JournalError};
use crate::capture::Stop;
use crate::config::SiteFiles;
use crate::config::plan::Site;
use crate::detect::batch::Key;
use crate::detect::{Catalog, DetectError, OnnxDetector};
use crate::dispatch::{DispatchError, Dispatcher};
use crate::telemetry::{Metrics, Part};
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

/// A site at work.
pub struct Run {
    threads: Threads,
    stop: Stop,
    cameras: Arc<Cameras>,
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
    /// Rules of the whole site.
    site: Thread,
    board: Arc<Board>,
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
    /// To the journal's thread, and to that of the site's own rules.
    next: [Arc<NextSite>; 2],
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
        let next: [Arc<NextSite>; 2] = Default::default();
        plans.follow_site(dispatcher.roster(), next.clone());
        Ok(Self { hub, metrics, dispatcher, linker, plans, journal, next })
    }

    /// Loads and warms the models, ends what a crash left open, then starts all threads. Gives back the dispatcher.
    pub fn start(self, site: &Site, stop: &Stop) -> Result<(Run, Dispatcher), RunError> {
        let catalog = Catalog::find()?;
        let keys = keys(site, &catalog)?;
        let mut detectors = Vec::new();
        for _ in 0..site.inference.workers {
            detectors.push(load(&keys, &catalog, site)?);
        }
        let (sender, receiver) = queue();
        let [to_journal, to_site] = self.next;
        let (reader, mut pruner) = (self.journal.reader()?, self.journal.pruner()?);
        let mut recorder =
            Recorder::new(self.journal, site, self.dispatcher.bell(), Arc::clone(&self.hub), &self.metrics)
                .following(to_journal);
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
        let of_site = SiteWorker::new(site, sender.clone(), Arc::clone(&self.metrics))
            .with_numbers(records.clone())
            .following(to_site);
        let record_keeper = Keeper::new(&site.data, site.trails, self.metrics.overflow("trails"))?
            .with_health(Arc::clone(&self.metrics));
        // The cameras hold the only senders: when they end, the site's rules, the keeper and the archive do, and then the
        // recorder.
        let wires = Wires {
            site: site.id.clone(),
            evidence: site.evidence,
            trails: site.trails.keep > Span::ZERO,
            events: sender,
            jobs,
            crossings,
            asked: of_site.asked(),
            records,
        };
        let board = Arc::new(Board::default());
        let threads = Threads::new(stop.clone());
        let own_stop = stop.clone();
        let recorder = threads.spawn("journal", move || recorder.run(&receiver, &own_stop))?;
        let figures = {
            let (zone, plans) = (site.time_zone.clone(), &self.plans);
            let figures = TodaysFigures::new(zone, plans.grids(), plans.kinds(), &self.metrics);
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
        let of_site = threads.spawn("site", move || of_site.run(&crossed))?;
        let mail: Arc<[Mailbox]> = detectors.iter().map(|_| Mailbox::default()).collect();
        let mut workers = Vec::new();
        for (i, detectors) in detectors.into_iter().enumerate() {
            let (board, mail) = (Arc::clone(&board), Arc::clone(&mail));
            let worker = Worker::new(i, board, mail, Arc::clone(&lull), detectors, &self.metrics);
            workers.push(threads.spawn(format!("worker-{i}"), move || worker.run())?);
        }
        let memories = (GroundKeeper::new(&site.data), PresetMemory::new(&site.data));
        let models = Models::new(catalog, site.inference.clone(), Arc::clone(&board), mail, keys);
        let (of_board, metrics) = (Arc::clone(&board), Arc::clone(&self.metrics));
        let cameras = Arc::new(Cameras::new(of_board, models, metrics, threads.clone(), memories, wires));
        for (camera, hub) in site.cameras.iter().zip(self.hub.cameras().iter()) {
            cameras.come(camera, hub, cameras.load(&camera.detect)?)?;
        }
        cameras.settle();
        self.plans.change_cameras(Arc::clone(&cameras));
        let ticker = {
            let (cameras, stop, metrics) = (Arc::clone(&cameras), stop.clone(), Arc::clone(&self.metrics));
            let data = site.data.clone();
            let pulse = metrics.health.pulse("ticker", TICK_PATIENCE, None);
            threads.spawn("ticker", move || {
                while !stop.wait(TICK) {
                    pulse.beat();
                    cameras.tick();
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
        let run = Run {
            threads,
            stop: stop.clone(),
            cameras,
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
        };
        Ok((run, self.dispatcher))
    }
}

impl Run {
    /// Waits for the stop flag, then ends in the order of the data: no picture is lost on the way to the journal.
    /// `Err` says which stage failed.
    pub fn wait(self) -> Result<(), String> {
        while !self.stop.wait(Duration::from_secs(3600)) {}
        // Whoever edits waits for no camera that comes, and none comes after that.
        self.cameras.close();
        self.ticker.join();
        self.follower.join();
        self.figures.join();
        self.pruner.join();
        self.board.close();
        self.workers.into_iter().for_each(Thread::join);
        // With the last one the recorder's queue ends.
        self.cameras.stop();
        self.site.join();
        self.records.join();
        self.archive.join();
        self.recorder.join();
        self.threads.failure().map_or(Ok(()), Err)
    }
}

/// The distinct detectors that the cameras need.
fn keys(site: &Site, catalog: &Catalog) -> Result<Vec<Key>, DetectError> {
    let mut keys: Vec<Key> = Vec::new();
    for camera in &site.cameras {
        let key = Key::of(&camera.detect, catalog)?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

fn load(keys: &[Key], catalog: &Catalog, site: &Site) -> Result<Vec<OnnxDetector>, DetectError> {
    let detector = |key: &Key| {
        let entry = catalog.resolve(Some(&key.model))?;
        OnnxDetector::new(&entry, key.input(), &key.extra(), &site.inference)
    };
    keys.iter().map(detector).collect()
}
