//! The workers of all sinks: each is started, stopped or replaced while the others go on.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};

use super::answer::Desk;
use super::backoff::Backoff;
use super::worker::Worker;
use super::{Bell, Change, Ready};
use crate::alerts::evidence::link::Linker;
use crate::telemetry::Metrics;

/// A worker looks around every two seconds; its outbox may keep it waiting, several times, for some seconds each.
const PATIENCE: Duration = Duration::from_secs(120);

/// All workers of a dispatcher.
pub(super) struct Crew {
    tools: Tools,
    workers: JoinSet<()>,
    posts: BTreeMap<String, Post>,
    /// Which sink a task works for.
    tasks: HashMap<Id, String>,
}

/// What every worker gets.
pub(super) struct Tools {
    pub bell: Bell,
    pub backoff: Backoff,
    pub linker: Option<Arc<Linker>>,
    pub desk: Arc<Desk>,
    pub metrics: Arc<Metrics>,
}

/// One sink's worker.
struct Post {
    stop: watch::Sender<bool>,
    /// Who takes over when it has ended: two at a time would repeat deliveries.
    next: Option<Ready>,
}

impl Crew {
    pub fn new(tools: Tools) -> Self {
        Self { tools, workers: JoinSet::new(), posts: BTreeMap::new(), tasks: HashMap::new() }
    }

    pub fn start(&mut self, ready: Ready) {
        let Tools { bell, backoff, linker, desk, metrics } = &self.tools;
        let id = ready.sink.id().to_owned();
        let pulse = metrics.health.pulse(format!("sink-{id}"), PATIENCE, Some(metrics.heartbeat("dispatch")));
        let Ready { sink, outbox, metrics } = ready;
        let worker = Worker::new(sink, outbox, metrics, backoff.clone(), linker.clone(), Arc::clone(desk));
        let (stop, stopped) = watch::channel(false);
        let task = self.workers.spawn(worker.run(bell.listen(), stopped, pulse));
        self.tasks.insert(task.id(), id.clone());
        self.posts.insert(id, Post { stop, next: None });
    }

    /// Sinks that come take the place of those of the same id.
    pub fn change(&mut self, Change { started, gone }: Change) {
        for id in gone {
            if let Some(post) = self.posts.get_mut(&id) {
                post.next = None;
                post.stop.send_replace(true);
            }
        }
        for ready in started {
            match self.posts.get_mut(ready.sink.id()) {
                Some(post) => {
                    post.stop.send_replace(true);
                    post.next = Some(ready);
                }
                None => self.start(ready),
            }
        }
    }

    /// The next worker to end; `None` where there is none.
    pub async fn ended(&mut self) -> Option<Result<(Id, ()), JoinError>> {
        self.workers.join_next_with_id().await
    }

    /// Who was to take over does. `Err`: the sink's worker broke off, and nobody works for it.
    pub fn relieve(&mut self, ended: &Result<(Id, ()), JoinError>) -> Result<(), String> {
        let task = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
        let Some(sink) = self.tasks.remove(&task) else { return Ok(()) };
        if let Some(Post { next: Some(next), .. }) = self.posts.remove(&sink) {
            self.start(next);
            return Ok(());
        }
        if self.posts.is_empty() {
            // Without a receiver there is nothing to do: as if dispatch had never lived.
            self.tools.metrics.heartbeat("dispatch").set(0.0);
        }
        match ended {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("the worker of sink `{sink}` broke off: {error}")),
        }
    }

    /// Tells all to end, and waits until they have.
    pub async fn end(mut self) {
        for post in self.posts.values_mut() {
            post.next = None;
            post.stop.send_replace(true);
        }
        while let Some(ended) = self.ended().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a delivery worker broke off");
            }
        }
    }
}
