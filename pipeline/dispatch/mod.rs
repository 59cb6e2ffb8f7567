//! Alerts to the outside: routes choose the sinks, the outbox on disk keeps what is not yet delivered, one worker a sink
//! delivers it in order for each alert, at least once. A sink that is down slows no other.
//!
//! A new sink is one file with a `deliver`, a variant of [`sink::Sink`], and a row in the conformance test.

pub mod answer;
pub mod backoff;
pub mod cap;
pub mod cloudevent;
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

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

pub use answer::{Desk, Reply};
pub use backoff::Backoff;
pub use route::{Routed, Router};
pub use sink::{Sink, SinkError};

use crate::alerts::evidence::link::Linker;
use crate::alerts::journal::{Journal, JournalError, Outbox};
use crate::config::plan;
use crate::telemetry::{Metrics, SinkMetrics};

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
}

struct Ready {
    sink: Sink,
    outbox: Outbox,
    metrics: SinkMetrics,
}

/// Wakes the workers once events are on disk; cheap, from any thread.
#[derive(Clone)]
pub struct Bell(Arc<[Notify]>);

impl Bell {
    /// To be rung after each commit.
    pub fn ring(&self) {
        for notify in self.0.iter() {
            notify.notify_one();
        }
    }
}

impl Dispatcher {
    /// Builds the sinks of a site: reads their secrets, opens their outboxes. Sends nothing yet.
    pub fn new(sinks: &[plan::Sink], journal: &Journal, metrics: &Metrics) -> Result<Self, DispatchError> {
        let mut ready = Vec::new();
        for plan in sinks {
            let sink = Sink::build(plan).map_err(|reason| DispatchError::Sink { sink: plan.id.clone(), reason })?;
            let (outbox, metrics) = (journal.outbox()?, metrics.for_sink(&plan.id));
            // What an earlier run left is shown before the worker has looked.
            worker::show_waiting(&metrics, outbox.waiting(&plan.id)?);
            ready.push(Ready { sink, outbox, metrics });
        }
        let bell = Bell(ready.iter().map(|_| Notify::new()).collect());
        let told = ready.iter().map(|r| &r.sink).filter(|sink| sink.looks_back());
        let told = told.map(|sink| sink.id().to_owned()).collect();
        let desk = Arc::new(Desk::open(journal, metrics, told, bell.clone())?);
        Ok(Self { sinks: ready, bell, backoff: Backoff::default(), linker: None, desk })
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
    /// Needs a tokio runtime with time and net.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let mut workers = JoinSet::new();
        for (index, ready) in self.sinks.into_iter().enumerate() {
            let (bell, stop, backoff) = (self.bell.clone(), stop.clone(), self.backoff.clone());
            let (linker, desk) = (self.linker.clone(), Arc::clone(&self.desk));
            workers.spawn(async move {
                let worker = worker::Worker::new(ready.sink, ready.outbox, ready.metrics, backoff, linker, desk);
                worker.run(&bell.0[index], stop).await;
            });
        }
        while let Some(ended) = workers.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a delivery worker broke off");
            }
        }
    }
}
