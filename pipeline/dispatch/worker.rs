//! One sink's worker: takes what is due from the outbox, hands it over, writes down how it went.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::answer::{Desk, Reply};
use super::backoff::Backoff;
use super::{Sink, SinkError};
use crate::alerts::evidence::link::Linker;
use crate::alerts::journal::{By, Delivery, Due, JournalError, Outbox, Recorded, Settled, Verdict, Via};
use crate::telemetry::{Pulse, Refusal, SinkMetrics, traces};

/// Deliveries taken from the outbox at once: one query for many.
const PREFETCH: usize = 256;
/// Results written down at once during a burst.
const SETTLE: usize = 128;
/// Failures in a row after which the sink as a whole rests.
const DOWN_AFTER: u32 = 3;
/// How often the gauges are renewed, and the longest sleep.
const TICK: Duration = Duration::from_secs(2);
/// What may end after a stop.
const GRACE: Duration = Duration::from_secs(3);
/// Pause after the outbox itself failed.
const OUTBOX_PAUSE: Duration = Duration::from_secs(1);

/// State of one sink's worker.
pub(super) struct Worker {
    sink: Arc<Sink>,
    outbox: Arc<Mutex<Outbox>>,
    metrics: SinkMetrics,
    backoff: Backoff,
    linker: Option<Arc<Linker>>,
    desk: Arc<Desk>,
    /// Due, not yet handed over.
    ready: VecDeque<Delivery>,
    /// Rows in `ready`, under way, or not yet settled.
    held: HashSet<i64>,
    results: Vec<Settled>,
    /// Of deliveries in `results`.
    replies: Vec<Reply>,
    /// Whether it was said that the receiver answers and may not.
    warned: bool,
    failures: u32,
    resting: Option<Instant>,
    /// The receiver itself wants nothing before this (`Retry-After`), whatever it says to what was under way.
    wished: Option<Instant>,
    gone: Option<String>,
    /// The sink came back: whatever was put off while it was down need not wait for its turn.
    hasten: bool,
    /// Whether the sink has not answered since the start, or since it failed.
    unheard: bool,
    /// Whether the sink has not answered since the start: what an earlier run put off may wait for a sink that is back.
    fresh: bool,
    /// An unheard sink for which nothing is due gets what is due next as a probe, not before this.
    probe: Instant,
    /// When the outbox is to be asked again without being woken.
    next: Option<Instant>,
    look: bool,
    looked: Instant,
}

type Attempt = (Vec<Delivery>, Result<Vec<Reply>, SinkError>, Instant);

/// Adds what the receiver has got before, if `wanted`.
fn look_back(outbox: &Outbox, wanted: bool, deliveries: &mut [Delivery]) -> Result<(), JournalError> {
    for delivery in deliveries.iter_mut().filter(|_| wanted) {
        delivery.before = outbox.before(delivery.id)?;
    }
    Ok(())
}

async fn attempt(sink: Arc<Sink>, batch: Vec<Delivery>) -> Attempt {
    let began = Instant::now();
    let outcome = sink.deliver(&batch).await;
    (batch, outcome, began)
}

impl Worker {
    pub(super) fn new(
        sink: Sink,
        outbox: Outbox,
        metrics: SinkMetrics,
        backoff: Backoff,
        linker: Option<Arc<Linker>>,
        desk: Arc<Desk>,
    ) -> Self {
        let probe = Instant::now() + backoff.longest_rest;
        Self {
            sink: Arc::new(sink),
            outbox: Arc::new(Mutex::new(outbox)),
            metrics,
            backoff,
            linker,
            desk,
            ready: VecDeque::new(),
            held: HashSet::new(),
            results: Vec::new(),
            replies: Vec::new(),
            warned: false,
            failures: 0,
            resting: None,
            wished: None,
            gone: None,
            hasten: false,
            unheard: true,
            fresh: true,
            probe,
            next: None,
            look: true,
            looked: Instant::now(),
        }
    }

    pub(super) async fn run(mut self, mut bell: watch::Receiver<u64>, mut stop: watch::Receiver<bool>, pulse: Pulse) {
        let mut under_way = FuturesUnordered::new();
        let sink = Arc::clone(&self.sink);
        sink.start();
        self.gauge().await;
        while !*stop.borrow() {
            pulse.beat();
            self.resting = self.resting.filter(|until| *until > Instant::now());
            if let Err(error) = self.refill().await {
                tracing::error!(sink = self.sink.id(), %error, "the outbox cannot be read; trying again");
                self.next = Some(Instant::now() + OUTBOX_PAUSE);
            }
            while under_way.len() < self.places()
                && let Some(batch) = self.take_batch()
            {
                under_way.push(attempt(self.sink.clone(), batch));
            }
            let probe = self.next.filter(|_| self.unheard && self.held.is_empty()).map(|_| self.probe);
            let wake = [self.next, self.resting, probe].into_iter().flatten().min();
            let sleep_for = wake.map_or(TICK, |at| at.saturating_duration_since(Instant::now()).min(TICK));
            tokio::select! {
                Some(attempt) = under_way.next() => {
                    self.note(attempt);
                    self.look |= self.ready.is_empty();
                    if self.results.len() >= SETTLE || (self.ready.is_empty() && !self.results.is_empty()) {
                        self.settle().await;
                    }
                }
                Ok(()) = bell.changed() => self.look = true,
                () = sink.returned() => self.returned(),
                () = sleep(sleep_for) => {
                    if wake.is_some_and(|at| at <= Instant::now()) {
                        self.look = true;
                        self.next = None;
                    }
                }
                changed = stop.changed() => if changed.is_err() { break },
            }
            if self.looked.elapsed() >= TICK {
                self.gauge().await;
            }
        }
        // What was written with the end itself, such as that the alerts are over, has not been looked for yet.
        self.look = true;
        let rest = timeout(GRACE, async {
            loop {
                if self.failures == 0 {
                    if let Err(error) = self.refill().await {
                        tracing::error!(sink = self.sink.id(), %error, "the outbox cannot be read at shutdown");
                        self.look = false;
                    }
                    while under_way.len() < self.places()
                        && let Some(batch) = self.take_batch()
                    {
                        under_way.push(attempt(self.sink.clone(), batch));
                    }
                }
                let Some(attempt) = under_way.next().await else { break };
                self.note(attempt);
                self.look |= self.ready.is_empty();
            }
        });
        if rest.await.is_err() {
            tracing::info!(
                sink = self.sink.id(),
                "deliveries broken off at shutdown; they are repeated at the next start"
            );
        }
        self.settle().await;
    }

    /// A sink that is down gets one delivery at a time, as a probe.
    fn places(&self) -> usize {
        if self.resting.is_some() || self.gone.is_some() {
            return 0;
        }
        if self.failures >= DOWN_AFTER { 1 } else { self.sink.in_flight() }
    }

    fn take_batch(&mut self) -> Option<Vec<Delivery>> {
        let size = if self.failures >= DOWN_AFTER { 1 } else { self.sink.batch() };
        let mut batch: Vec<Delivery> = self.ready.drain(..size.min(self.ready.len())).collect();
        if let Some(linker) = &self.linker {
            // Each attempt with links of its own: they are good from now on.
            let now = jiff::Timestamp::now();
            batch.iter_mut().for_each(|delivery| linker.attach(&mut delivery.event, now));
        }
        (!batch.is_empty()).then_some(batch)
    }

    /// Asks the outbox, if there is a reason to and nothing is at hand.
    async fn refill(&mut self) -> Result<(), JournalError> {
        if let Some(reason) = self.gone.clone() {
            if std::mem::take(&mut self.look) {
                self.settle().await;
                let buried = self.with_outbox(move |outbox, sink| outbox.bury(sink, &reason)).await?;
                self.metrics.dead.inc_by(buried as u64);
            }
            return Ok(());
        }
        if !self.look || !self.ready.is_empty() || self.places() == 0 {
            return Ok(());
        }
        // What is settled frees the next event of the same alert.
        if !self.results.is_empty() {
            self.settle().await;
        }
        let (held, back) = (self.held.clone(), self.sink.looks_back());
        let due = move |outbox: &mut Outbox, sink: &str| {
            let mut due = outbox.due(sink, &held, PREFETCH)?;
            look_back(outbox, back, &mut due.deliveries)?;
            Ok(due)
        };
        let Due { deliveries, next, skipped } = self.with_outbox(due).await?;
        self.look = false;
        self.metrics.skipped.inc_by(skipped as u64);
        self.next = next.map(|due| {
            let micros = due.saturating_sub(jiff::Timestamp::now().as_microsecond()).max(1000);
            Instant::now() + Duration::from_micros(micros.unsigned_abs())
        });
        self.ready.extend(deliveries);
        if self.ready.is_empty() && self.unheard && self.held.is_empty() && self.probe <= Instant::now() {
            let probe = move |outbox: &mut Outbox, sink: &str| {
                let mut next: Vec<Delivery> = outbox.next(sink)?.into_iter().collect();
                look_back(outbox, back, &mut next)?;
                Ok(next)
            };
            self.ready.extend(self.with_outbox(probe).await?);
        }
        self.held.extend(self.ready.iter().map(|d| d.id));
        Ok(())
    }

    fn note(&mut self, (batch, outcome, began): Attempt) {
        let failed = outcome.as_ref().err().map(ToString::to_string);
        for Delivery { event, attempts, .. } in &batch {
            traces::attempted(event, self.sink.id(), attempts + 1, began.into_std(), failed.as_deref());
        }
        match outcome {
            Ok(replies) => {
                self.said(replies);
                let now = jiff::Timestamp::now().as_microsecond();
                self.heard(batch.iter().any(|delivery| delivery.due > now));
                for delivery in batch {
                    self.metrics.delivered.inc();
                    self.metrics.seconds.observe((now - delivery.queued).max(0) as f64 / 1e6);
                    self.results.push(Settled { id: delivery.id, verdict: Verdict::Delivered });
                }
            }
            Err(error) => self.failed(batch, &error),
        }
    }

    /// The receiver answered alerts: taken where it may.
    fn said(&mut self, replies: Vec<Reply>) {
        if self.sink.may_answer() {
            self.replies.extend(replies);
            return;
        }
        if !replies.is_empty() && !std::mem::replace(&mut self.warned, true) {
            tracing::warn!(
                sink = self.sink.id(),
                "the receiver answers alerts and may not; `answers = true` would allow it"
            );
        }
        replies.iter().for_each(|_| self.desk.refused(Refusal::Forbidden));
    }

    /// The sink has its connection again: it need not rest any longer, and is probed at once.
    fn returned(&mut self) {
        self.resting = None;
        self.probe = Instant::now();
        self.look = true;
    }

    /// The sink answered; `probed` if to a delivery before its time.
    fn heard(&mut self, probed: bool) {
        self.resting = self.wished.filter(|until| *until > Instant::now());
        if self.failures >= DOWN_AFTER || probed {
            tracing::info!(sink = self.sink.id(), "the sink answers again");
            self.hasten = true;
        }
        self.hasten |= std::mem::take(&mut self.fresh);
        self.failures = 0;
        self.unheard = false;
    }

    fn failed(&mut self, batch: Vec<Delivery>, error: &SinkError) {
        let (reason, now) = (error.to_string(), jiff::Timestamp::now().as_microsecond());
        let wish = match error {
            SinkError::Later { wish, .. } => {
                self.unheard = true;
                self.failures = self.failures.saturating_add(1);
                if self.failures == 1 || self.failures == DOWN_AFTER {
                    tracing::warn!(sink = self.sink.id(), failures = self.failures, %reason, "a delivery failed");
                }
                *wish
            }
            SinkError::Refused { reason } => {
                tracing::warn!(sink = self.sink.id(), %reason, "a delivery was refused");
                self.heard(batch.iter().any(|delivery| delivery.due > now));
                None
            }
            SinkError::Gone { reason } => {
                tracing::error!(sink = self.sink.id(), %reason, "the receiver wants nothing any more; dead letters from now on");
                self.gone = Some(reason.clone());
                self.look = true;
                for waiting in self.ready.drain(..) {
                    self.held.remove(&waiting.id);
                }
                None
            }
        };
        for delivery in batch {
            if delivery.due > now && error.retry() {
                self.metrics.failed.inc();
                self.results.push(Settled { id: delivery.id, verdict: Verdict::Waits { error: reason.clone() } });
                continue;
            }
            let key = delivery.event.key().unwrap_or_default();
            let pause = self.backoff.pause(delivery.attempts + 1, wish, &key).filter(|_| error.retry());
            let verdict = match pause {
                Some(pause) => {
                    self.metrics.failed.inc();
                    let due = now.saturating_add(i64::try_from(pause.as_micros()).unwrap_or(i64::MAX));
                    Verdict::Again { due, error: reason.clone() }
                }
                None => {
                    self.metrics.dead.inc();
                    Verdict::Dead { error: reason.clone() }
                }
            };
            self.results.push(Settled { id: delivery.id, verdict });
        }
        if self.failures >= DOWN_AFTER || wish.is_some() {
            let rest = self.backoff.rest(self.failures.saturating_sub(DOWN_AFTER) + 1, wish, self.sink.id());
            self.resting = Some(Instant::now() + rest);
            self.wished = wish.and(self.resting).max(self.wished);
        }
        let soon = Instant::now() + self.backoff.longest_rest;
        self.probe = self.resting.map_or(soon, |until| until.max(soon));
    }

    /// Writes results down. If the outbox does not take them they are kept; a crash before it does repeats deliveries.
    async fn settle(&mut self) {
        if self.results.is_empty() || !self.answer().await {
            return;
        }
        let results = std::mem::take(&mut self.results);
        let hasten = std::mem::take(&mut self.hasten);
        let ids: HashSet<i64> = results.iter().map(|result| result.id).collect();
        let written = self
            .with_outbox(move |outbox, sink| {
                let settled = outbox.settle(&results);
                let hastened = if hasten && settled.is_ok() { outbox.hasten(sink).map(drop) } else { Ok(()) };
                Ok((results, settled, hastened))
            })
            .await;
        let forget = |held: &mut HashSet<i64>| held.retain(|id| !ids.contains(id));
        match written {
            Ok((_, Ok(()), hastened)) => {
                forget(&mut self.held);
                self.look = true;
                if let Err(error) = hastened {
                    tracing::error!(sink = self.sink.id(), %error, "what was put off cannot be brought forward yet");
                    self.hasten = true;
                }
            }
            Ok((results, Err(error), _)) => {
                tracing::error!(sink = self.sink.id(), %error, "deliveries cannot be noted; trying again");
                self.results = results;
                self.hasten = hasten;
                self.next = Some(Instant::now() + OUTBOX_PAUSE);
            }
            Err(error) => {
                tracing::error!(sink = self.sink.id(), %error, "the outbox failed; what was not noted is repeated");
                forget(&mut self.held);
                self.hasten = hasten;
                self.next = Some(Instant::now() + OUTBOX_PAUSE);
            }
        }
    }

    /// Writes down what receivers answered to alerts, before their deliveries count as settled: a crash in between repeats
    /// a delivery and so gets the answer again. `false` when it is to be tried again.
    async fn answer(&mut self) -> bool {
        if self.replies.is_empty() {
            return true;
        }
        let replies = std::mem::take(&mut self.replies);
        let (desk, sink) = (Arc::clone(&self.desk), self.sink.id().to_owned());
        let take = move || {
            let by = By { via: Via::Sink, who: sink };
            let outcome = replies.iter().try_for_each(|reply| take_reply(&desk, reply, &by));
            (replies, outcome)
        };
        match tokio::task::spawn_blocking(take).await {
            Ok((_, Ok(()))) => true,
            Ok((replies, Err(error))) => {
                tracing::error!(sink = self.sink.id(), %error, "answers cannot be noted; trying again");
                self.replies = replies;
                self.next = Some(Instant::now() + OUTBOX_PAUSE);
                false
            }
            Err(error) => {
                tracing::error!(sink = self.sink.id(), %error, "taking answers broke off");
                true
            }
        }
    }

    async fn gauge(&mut self) {
        self.looked = Instant::now();
        if !self.results.is_empty() {
            self.settle().await;
        }
        if let Ok((pending, oldest)) = self.with_outbox(|outbox, sink| outbox.waiting(sink)).await {
            show_waiting(&self.metrics, (pending, oldest));
            // Somebody else may have put dead letters back.
            self.look |= usize::try_from(pending).is_ok_and(|pending| pending > self.held.len());
        }
    }

    /// SQLite blocks: its calls run beside the async threads.
    async fn with_outbox<T, F>(&self, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Outbox, &str) -> Result<T, JournalError> + Send + 'static,
    {
        let (outbox, sink) = (self.outbox.clone(), self.sink.clone());
        let run = move || work(&mut outbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner), sink.id());
        match tokio::task::spawn_blocking(run).await {
            Ok(done) => done,
            Err(error) => Err(JournalError::Damaged(format!("a query broke off: {error}"))),
        }
    }
}

/// Shows how many events wait, and since when the oldest does (Unix microseconds).
pub(super) fn show_waiting(metrics: &SinkMetrics, (pending, oldest): (i64, Option<i64>)) {
    let age = oldest.map_or(0, |queued| (jiff::Timestamp::now().as_microsecond() - queued).max(0));
    metrics.pending.set(pending);
    metrics.oldest.set(age as f64 / 1e6);
}

fn take_reply(desk: &Desk, reply: &Reply, by: &By) -> Result<(), JournalError> {
    let (sink, alert) = (&by.who, reply.alert);
    match &reply.answer {
        Ok(answer) => {
            if let Recorded::TooMany = desk.take(alert, answer, by)? {
                tracing::warn!(sink, %alert, "the alert has too many answers; this one is not taken");
            }
        }
        Err(reason) => {
            desk.refused(Refusal::Malformed);
            tracing::warn!(sink, %alert, reason, "the receiver gave an answer that cannot be taken");
        }
    }
    Ok(())
}
