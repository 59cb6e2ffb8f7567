//! Alerts to the outside: routes choose the sinks, the outbox on disk keeps what is not yet delivered, one worker a sink
//! delivers it in order for each alert, at least once. A sink that is down slows no other.
//!
//! A new sink is one file with a `deliver`, a variant of [`sink::Sink`], and a row in the conformance test.

pub mod answer;
pub mod backoff;
pub mod cap;
pub mod cloudevent;
mod crew;
pub mod file;
pub mod gb28181;
pub mod http;
#[cfg(feature = "kafka")]
pub mod kafka;
mod link;
pub mod log;
mod merge;
pub mod mqtt;
pub mod nats;
pub mod route;
pub mod secret;
pub mod signature;
pub mod sink;
mod tls;
mod topic;
pub mod webhook;
mod worker;
mod xml;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

pub use answer::{Desk, Reply};
pub use backoff::Backoff;
pub use route::{Routed, Router};
pub use sink::{Sink, SinkError};

use crate::alerts::evidence::link::Linker;
use crate::alerts::journal::{Journal, JournalError, Outbox, Outboxes};
use crate::config::plan::{self, SinkKind};
use crate::telemetry::{Metrics, SinkMetrics};
use crew::{Crew, Tools};

/// Changes of sinks that wait for the dispatcher, at most.
const CHANGES: usize = 16;

/// Dispatch cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// A sink cannot be built from its configuration.
    #[error("sink `{sink}`: {reason}")]
    Sink {
        /// Its id.
        sink: String,
        /// What is wrong.
        reason: String,
    },
    /// The outbox cannot be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl DispatchError {
    /// Whether the same call may succeed later without a change of the configuration.
    pub fn retry(&self) -> bool {
        match self {
            Self::Sink { .. } => false,
            Self::Journal(e) => e.retry(),
        }
    }
}

/// All sinks of a site, ready to run.
pub struct Dispatcher {
    sinks: Vec<Ready>,
    bell: Bell,
    backoff: Backoff,
    linker: Option<Arc<Linker>>,
    desk: Arc<Desk>,
    metrics: Arc<Metrics>,
    roster: Roster,
    changes: mpsc::Receiver<Change>,
}

/// A sink that can go to work.
pub struct Ready {
    sink: Sink,
    outbox: Outbox,
    metrics: SinkMetrics,
}

/// Sinks that come and go.
struct Change {
    /// New ones, and those whose plan is another.
    started: Vec<Ready>,
    /// Ids.
    gone: Vec<String>,
}

/// Changes the sinks of a dispatcher while it runs.
#[derive(Clone)]
pub struct Roster {
    outboxes: Outboxes,
    desk: Arc<Desk>,
    changes: mpsc::Sender<Change>,
}

/// Wakes the workers once events are on disk; cheap, from any thread.
#[derive(Clone)]
pub struct Bell(watch::Sender<u64>);

impl Bell {
    fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// To be rung after each commit.
    pub fn ring(&self) {
        self.0.send_modify(|rung| *rung = rung.wrapping_add(1));
    }

    fn listen(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

impl Roster {
    /// Builds sinks: reads their secrets, opens their outboxes. Sends nothing yet, and changes nothing when one is wrong.
    pub fn prepare<'a>(
        &self,
        plans: impl Iterator<Item = &'a plan::Sink>,
        metrics: &Metrics,
    ) -> Result<Vec<Ready>, DispatchError> {
        plans.map(|plan| Ready::new(plan, &self.outboxes, metrics)).collect()
    }

    /// Lets new sinks go to work, also in the place of those with the same id, and takes the work from those that are gone:
    /// they end what is under way. `all` are the sinks from now on. Blocking, never to be called by async code.
    pub fn change(&self, started: Vec<Ready>, gone: Vec<String>, all: &[plan::Sink]) {
        self.desk.tell(told(all));
        if self.changes.blocking_send(Change { started, gone }).is_err() {
            tracing::debug!("dispatch has ended: its sinks change no more");
        }
    }
}

impl Ready {
    fn new(plan: &plan::Sink, outboxes: &Outboxes, metrics: &Metrics) -> Result<Self, DispatchError> {
        let sink = Sink::build(plan).map_err(|reason| DispatchError::Sink { sink: plan.id.clone(), reason })?;
        let (outbox, metrics) = (outboxes.open()?, metrics.for_sink(&plan.id));
        // What an earlier run left is shown before the worker has looked.
        worker::show_waiting(&metrics, outbox.waiting(&plan.id)?);
        Ok(Self { sink, outbox, metrics })
    }
}

/// Sinks that are told when an alert was a false alarm.
fn told(sinks: &[plan::Sink]) -> Vec<String> {
    sinks.iter().filter(|sink| matches!(sink.kind, SinkKind::Cap(_))).map(|sink| sink.id.clone()).collect()
}

impl Dispatcher {
    /// Builds the sinks of a site: reads their secrets, opens their outboxes. Sends nothing yet.
    pub fn new(sinks: &[plan::Sink], journal: &Journal, metrics: &Arc<Metrics>) -> Result<Self, DispatchError> {
        let (outboxes, bell) = (journal.outboxes(), Bell::new());
        let ready = sinks.iter().map(|plan| Ready::new(plan, &outboxes, metrics)).collect::<Result<_, _>>()?;
        let desk = Arc::new(Desk::open(journal, metrics, told(sinks), bell.clone())?);
        let (sender, changes) = mpsc::channel(CHANGES);
        let roster = Roster { outboxes, desk: Arc::clone(&desk), changes: sender };
        let (backoff, metrics) = (Backoff::default(), Arc::clone(metrics));
        Ok(Self { sinks: ready, bell, backoff, linker: None, desk, metrics, roster, changes })
    }

    /// By what its sinks are changed while it runs.
    pub fn roster(&self) -> Roster {
        self.roster.clone()
    }

    /// Where answers are taken.
    pub fn desk(&self) -> Arc<Desk> {
        Arc::clone(&self.desk)
    }

    /// With other pauses than the usual ones.
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// With links to evidence in what is delivered.
    pub fn with_links(mut self, linker: Linker) -> Self {
        self.linker = Some(Arc::new(linker));
        self
    }

    /// What the owner of the journal rings after a commit.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Delivers until `stop` becomes true (or its sender is gone); what is under way then gets a short while to end.
    /// Needs a tokio runtime with time and net. `Err`: nobody works for a sink any more.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<(), String> {
        let Self { sinks, bell, backoff, linker, desk, metrics, mut changes, .. } = self;
        let mut crew = Crew::new(Tools { bell, backoff, linker, desk, metrics });
        sinks.into_iter().for_each(|ready| crew.start(ready));
        let mut broken = Ok(());
        while broken.is_ok() && !*stop.borrow() {
            tokio::select! {
                Some(ended) = crew.ended() => broken = crew.relieve(&ended),
                Some(change) = changes.recv() => crew.change(change),
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        crew.end().await;
        broken
    }
}
