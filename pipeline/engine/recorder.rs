//! The one thread that writes the journal. Whatever is announced, to page or sinks, is on disk.

use std::sync::Arc;
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::hub::LiveHub;
use crate::alerts::journal::{Appended, Backlog, Journal};
use crate::alerts::numbering::{Entry, Numbering};
use crate::alerts::stopped_after_crash;
use crate::capture::Stop;
use crate::config::plan::Evidence;
use crate::dispatch::{Bell, Router};
use crate::types::{Event, EvidenceState, Kind, MediaState, State};

/// Events between the cameras and the journal: a burst fits, and behind it the cameras wait rather than lose an alert.
const QUEUE: usize = 4_096;
/// Events kept in memory while the journal cannot be written.
const BACKLOG: usize = 16_384;
/// Between attempts to write.
const RETRY: Duration = Duration::from_millis(500);
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
}

impl Recorder {
    /// `overflow` counts events that were lost because the journal could not be written for too long.
    pub fn new(
        journal: Journal,
        router: Router,
        bell: Bell,
        hub: Arc<LiveHub>,
        evidence: &Evidence,
        overflow: prometheus::IntCounter,
    ) -> Self {
        let asked = |wanted| if wanted { MediaState::Pending } else { MediaState::None };
        let evidence = EvidenceState { picture: asked(evidence.picture), clip: asked(evidence.clip) };
        Self {
            journal,
            router,
            bell,
            hub,
            backlog: Backlog::new(BACKLOG),
            numbering: Numbering::new(),
            evidence,
            overflow,
        }
    }

    /// Ends the alerts that a crash left open; before the first picture.
    pub fn end_open_alerts(&mut self) -> Result<usize, crate::alerts::journal::JournalError> {
        let open = self.journal.open_alerts()?;
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
            let wait = if self.backlog.is_empty() { Duration::from_secs(3600) } else { RETRY };
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
            match self.flush() {
                Ok(()) if ended => return Ok(()),
                Ok(()) => {}
                Err(error) if !error.retry() => return Err(format!("the journal cannot be written: {error}")),
                Err(error) => {
                    tracing::error!(%error, waiting = self.backlog.len(), "the journal cannot be written; trying again");
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

    fn take(&mut self, entry: Entry) {
        let event = match entry {
            Entry::Event(mut event) => {
                // Of a camera that gives no pictures there are none.
                let evidence = if event.kind == Kind::Offline { EvidenceState::NONE } else { self.evidence };
                self.numbering.number(&mut event, evidence);
                *event
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
                event
            }
        };
        if event.state == State::Counted {
            // Counts are neither alerts nor kept.
            self.hub.announce(Arc::new(event));
            return;
        }
        let sinks = self.router.sinks(&event);
        let lost = self.backlog.push(Appended { event, sinks });
        if lost > 0 {
            self.overflow.inc_by(lost as u64);
            tracing::error!("the journal has not been writable for too long: an event was lost");
        }
    }

    fn flush(&mut self) -> Result<(), crate::alerts::journal::JournalError> {
        let (hub, bell) = (&self.hub, &self.bell);
        self.backlog.flush(&mut self.journal, |batch, _| {
            for item in batch {
                let Event { alert, seq, state, camera, rule, .. } = &item.event;
                let alert = alert.map(|a| a.to_string()).unwrap_or_default();
                tracing::info!(alert, seq, %state, camera, rule = rule.as_deref().unwrap_or(""), "alert");
                hub.announce(Arc::new(item.event.clone()));
            }
            bell.ring();
        })
    }
}

/// The bounded way to the recorder.
pub fn queue() -> (Sender<Entry>, Receiver<Entry>) {
    bounded(QUEUE)
}
