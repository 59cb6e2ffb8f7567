//! The one thread that writes the journal. Whatever is announced, to page or sinks, is on disk.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::hub::LiveHub;
use super::next_site::NextSite;
use super::steps::Steps;
use super::trials::Trials;
use crate::alerts::journal::{Appended, Backlog, Journal, JournalError};
use crate::alerts::numbering::{Addition, Entry, News, Numbering};
use crate::alerts::stopped_after_crash;
use crate::capture::Stop;
use crate::config::plan::Site;
use crate::dispatch::{Bell, Routed, Router};
use crate::telemetry::{Metrics, Part, Pulse, RouteMetrics, traces};
use crate::types::{Event, EvidenceState, Kind, MediaState, Rect, State};

/// Events between the cameras and the journal: a burst fits, and behind it the cameras wait rather than lose an alert.
const QUEUE: usize = 4_096;
/// Events kept in memory while the journal cannot be written.
const BACKLOG: usize = 16_384;
/// Between attempts to write.
const RETRY: Duration = Duration::from_millis(500);
/// Between looks for deadlines.
const LOOK: Duration = Duration::from_secs(1);
/// Deadlines told at once.
const PASSED: usize = 256;
/// Between complaints.
const COMPLAIN: Duration = Duration::from_secs(60);
/// How long the end waits for a journal that cannot be written.
const LAST_TRIES: u32 = 10;

/// Writes events, then announces them.
pub struct Recorder {
    journal: Journal,
    router: Router,
    bell: Bell,
    hub: Arc<LiveHub>,
    backlog: Backlog,
    numbering: Numbering,
    /// Of an alert that starts.
    evidence: EvidenceState,
    overflow: prometheus::IntCounter,
    dropped: prometheus::IntCounter,
    routes: Vec<(String, RouteMetrics)>,
    trials: Trials,
    next: Arc<NextSite>,
    looked: Option<Instant>,
    clocks: Steps,
    metrics: Arc<Metrics>,
    pulse: Pulse,
    complained: Option<Instant>,
}

/// Writing and looking wait for other processes several times, each time for some seconds at most.
const PATIENCE: Duration = Duration::from_secs(120);

impl Recorder {
    /// Counts in `metrics` events that were lost because the journal could not be written for too long, and deliveries
    /// that gave way because too many wait for a sink.
    pub fn new(journal: Journal, site: &Site, bell: Bell, hub: Arc<LiveHub>, metrics: &Arc<Metrics>) -> Self {
        let router = Router::new(site);
        let trials = Trials::new(site, &router, metrics, jiff::Timestamp::now());
        let routes = router.routes().iter().map(|r| (r.id.clone(), metrics.for_route(&r.id))).collect();
        let evidence = &site.evidence;
        let asked = |wanted| if wanted { MediaState::Pending } else { MediaState::None };
        let evidence = EvidenceState { picture: asked(evidence.picture), clip: asked(evidence.clip), escalated: None };
        Self {
            journal,
            router,
            bell,
            hub,
            backlog: Backlog::new(BACKLOG),
            numbering: Numbering::new(),
            evidence,
            overflow: metrics.overflow("journal"),
            dropped: metrics.overflow("outbox"),
            routes,
            trials,
            next: Arc::default(),
            looked: None,
            clocks: Steps::look(),
            pulse: metrics.health.pulse("journal", PATIENCE, Some(metrics.heartbeat("alerts"))),
            metrics: Arc::clone(metrics),
            complained: None,
        }
    }

    /// Goes on with whatever plan is given there.
    pub fn following(self, next: Arc<NextSite>) -> Self {
        Self { next, ..self }
    }

    /// Takes another plan of the site, if there is one: what comes from now on goes by its routes to its sinks. Open alerts
    /// go on, each of their events by the routes in force then.
    fn adopt(&mut self) -> Result<(), JournalError> {
        let Some(site) = self.next.take() else { return Ok(()) };
        let sinks: Vec<String> = site.sinks.iter().map(|sink| sink.id.clone()).collect();
        let before = self.journal.sinks().to_vec();
        let changed = self.journal.set_sinks(&sinks).and_then(|()| self.journal.retire_removed_sinks());
        let retired = match changed {
            Ok(retired) => retired,
            Err(error) => {
                self.next.give_back(site);
                return Err(error);
            }
        };
        if retired > 0 {
            tracing::warn!(events = retired, "what waited for sinks that were removed is kept as dead letters");
        }
        for gone in before.iter().filter(|id| !sinks.contains(id)) {
            let metrics = self.metrics.for_sink(gone);
            metrics.pending.set(0);
            metrics.oldest.set(0.0);
        }
        let old = std::mem::replace(&mut self.router, Router::new(&site));
        self.router.succeed(old);
        self.trials = Trials::new(&site, &self.router, &self.metrics, jiff::Timestamp::now());
        // A route that is gone has nobody to answer it any more.
        self.routes.iter().for_each(|(_, metrics)| metrics.unanswered.set(0));
        let routes = self.router.routes().iter();
        self.routes = routes.map(|route| (route.id.clone(), self.metrics.for_route(&route.id))).collect();
        self.looked = None;
        Ok(())
    }

    /// Ends the alerts that a crash left open, and says of others that what was still to come of their evidence will not;
    /// before the first picture. Gives how many were open.
    pub fn end_open_alerts(&mut self) -> Result<usize, JournalError> {
        let open = self.journal.open_alerts()?;
        for last in self.journal.awaiting_evidence()? {
            let lost = |state| (state == MediaState::Pending).then_some(MediaState::Failed);
            let (picture, clip) = (lost(last.evidence.picture), lost(last.evidence.clip));
            let news = News::Evidence { picture, clip, escalated: None };
            if let Some(alert) = last.alert {
                self.take(Entry::Addition(Addition { alert, at: jiff::Timestamp::now(), news }));
            }
        }
        for last in &open {
            self.take(Entry::Event(Box::new(stopped_after_crash(last))));
        }
        self.flush()?;
        Ok(open.len())
    }

    /// Takes entries until all senders are gone. `Err` only when events were lost at the end.
    pub fn run(mut self, entries: &Receiver<Entry>, stop: &Stop) -> Result<(), String> {
        let mut tries = 0;
        loop {
            self.pulse.beat();
            let wait = if self.backlog.is_empty() { LOOK } else { RETRY };
            let ended = match entries.recv_timeout(wait) {
                Ok(entry) => {
                    self.take(entry);
                    // One transaction for all that came meanwhile.
                    entries.try_iter().take(QUEUE).for_each(|entry| self.take(entry));
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            match self.flush().and_then(|()| self.adopt()).and_then(|()| self.look()) {
                Ok(()) if ended => return Ok(()),
                Ok(()) => self.recovered(),
                Err(error) if !error.retry() => {
                    // Everything ends; what still comes is kept with the rest.
                    stop.set();
                    self.pulse.wait();
                    entries.iter().for_each(|entry| self.take(entry));
                    self.give_up(&error);
                    return Err(format!("the journal cannot be written: {error}"));
                }
                Err(error) => {
                    self.complain(&error);
                    tries += u32::from(ended || stop.is_set());
                    if ended && tries > LAST_TRIES {
                        return Err(format!("{} events could not be written: {error}", self.backlog.len()));
                    }
                    if ended {
                        std::thread::sleep(RETRY);
                    }
                }
            }
        }
    }

    /// A damaged journal is not gone on with; what it did not take waits for the next run.
    fn give_up(&self, error: &JournalError) {
        let events: Vec<&Event> = self.backlog.events().collect();
        if matches!(error, JournalError::Damaged(_))
            && let Err(error) = self.journal.condemn(&events)
        {
            tracing::error!(%error, lost = events.len(), "events that the journal did not take are lost");
        }
    }

    /// Takes up what an earlier run could not write; before anything else.
    pub fn take_up_unwritten(&mut self) -> Result<usize, JournalError> {
        let events = self.journal.unwritten();
        let found = events.len();
        let mut begun = BTreeSet::new();
        for event in events {
            let Routed { mut sinks, watches, .. } = self.router.route(&event);
            if event.state == State::Started {
                begun.insert(event.alert);
            } else if event.state == State::Ended && !begun.contains(&event.alert) {
                // Its start is in the journal that was set aside, and so is who heard of it.
                sinks = self.router.route(&Event { state: State::Started, ..event.clone() }).sinks;
            }
            self.push(Appended { event, sinks, watches });
        }
        self.flush()?;
        if let Err(error) = self.journal.forget_unwritten() {
            tracing::warn!(%error, "events are taken up again at the next start; they are known then");
        }
        Ok(found)
    }

    /// Says once a minute that the journal cannot be written.
    fn complain(&mut self, error: &JournalError) {
        let waiting = self.backlog.len();
        if self.complained.is_none_or(|last| last.elapsed() >= COMPLAIN) {
            self.complained = Some(Instant::now());
            tracing::error!(%error, waiting, "the journal cannot be written; trying again");
        }
        self.metrics.health.note(Part::Journal, vec![format!("{error}; {waiting} events wait in memory")]);
    }

    fn recovered(&mut self) {
        if self.complained.take().is_some() {
            tracing::info!("the journal is written again");
        }
        self.metrics.health.well(Part::Journal);
    }

    fn take(&mut self, entry: Entry) {
        let (event, routed) = match entry {
            Entry::Event(mut event) => {
                let routed = self.router.route(&event);
                event.related.extend_from_slice(&routed.related);
                // Of a camera that gives no pictures there are none.
                let evidence = if event.kind == Kind::Offline { EvidenceState::NONE } else { self.evidence };
                self.numbering.number(&mut event, evidence);
                (*event, routed)
            }
            Entry::Addition(addition) => {
                let journal = &self.journal;
                let found = self.numbering.add(&addition, |alert| match journal.newest(alert) {
                    Ok(event) => event,
                    Err(error) => {
                        tracing::error!(%error, %alert, "news about an alert is lost");
                        None
                    }
                });
                let Some(event) = found else { return };
                let routed = self.router.route(&event);
                (event, routed)
            }
        };
        if event.state == State::Counted {
            // Counts are neither alerts nor kept.
            self.hub.announce(Arc::new(event));
            return;
        }
        let Routed { sinks, watches, .. } = routed;
        self.push(Appended { event, sinks, watches });
    }

    fn push(&mut self, item: Appended) {
        let lost = self.backlog.push(item);
        if lost > 0 {
            self.overflow.inc_by(lost as u64);
            tracing::error!("the journal has not been writable for too long: an event was lost");
        }
    }

    /// Tells of deadlines that have passed, and does what commands asked for; once a second, and only when all that was told before is on disk, so that each
    /// is told once.
    fn look(&mut self) -> Result<(), JournalError> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return Ok(());
        }
        self.looked = Some(Instant::now());
        self.follow_clock()?;
        let at = jiff::Timestamp::now();
        for passed in self.journal.passed(at, PASSED)? {
            if let Some((_, metrics)) = self.routes.iter().find(|(id, _)| *id == passed.route) {
                metrics.overdue.inc();
            }
            let overdue = self.router.overdue(&passed.route, passed.within);
            self.take(Entry::Addition(Addition { alert: passed.alert, at, news: News::Overdue(overdue) }));
        }
        let asked = self.journal.errands(at)?;
        if asked.ring {
            self.bell.ring();
        }
        for item in self.trials.due(&asked.tests, at) {
            self.push(item);
        }
        self.flush()?;
        self.quiet()?;
        self.trials.settle(&self.journal)?;
        let unanswered = self.journal.unanswered()?;
        for (route, metrics) in &self.routes {
            let open = unanswered.iter().find(|(id, _)| id == route).map_or(0, |(_, open)| *open);
            metrics.unanswered.set(open);
        }
        Ok(())
    }

    /// Where somebody set the host's clock, deadlines and deliveries that were put off are as far away as before.
    fn follow_clock(&mut self) -> Result<(), JournalError> {
        let clocks = Steps::look();
        if let Some(step) = self.clocks.until(clocks) {
            let moved = self.journal.follow_clock(step.by, step.since, step.now)?;
            tracing::warn!(
                seconds = step.by.as_secs(),
                moved,
                "the host's clock was set: what waits for a time moves along"
            );
            self.bell.ring();
        }
        self.clocks = clocks;
        Ok(())
    }

    /// Learns from the journal what the last run knew: quiet spots, and which alerts stand for later ones.
    pub fn recall(&mut self) -> Result<(), JournalError> {
        self.router.recall(&self.journal, jiff::Timestamp::now())?;
        self.quiet()
    }

    fn quiet(&self) -> Result<(), JournalError> {
        let spots = self.journal.spots()?;
        self.hub.set_spots(spots.into_iter().map(|spot| (spot.camera, rect(spot.bbox))).collect());
        Ok(())
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        let (hub, bell, dropped, began) = (&self.hub, &self.bell, &self.dropped, Instant::now());
        self.backlog.flush(&mut self.journal, |batch, committed| {
            dropped.inc_by(committed.dropped as u64);
            for item in batch {
                let Event { alert, seq, state, camera, rule, .. } = &item.event;
                let alert = alert.map(|a| a.to_string()).unwrap_or_default();
                let (camera, rule) = (camera.as_deref().unwrap_or(""), rule.as_deref().unwrap_or(""));
                tracing::info!(alert, seq, %state, camera, rule, "alert");
                traces::journalled(&item.event, began);
                hub.announce(Arc::new(item.event.clone()));
            }
            bell.ring();
        })
    }
}

fn rect([left, top, width, height]: [f64; 4]) -> Rect {
    Rect::new(left as f32, top as f32, width as f32, height as f32)
}

/// The bounded way to the recorder.
pub fn queue() -> (Sender<Entry>, Receiver<Entry>) {
    bounded(QUEUE)
}
