//! The thread that writes evidence, and deletes what is too old. Pictures that are analysed come first: clips are encoded
//! between them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::lull::Lull;
use crate::alerts::evidence::store::{Store, utc_day};
use crate::alerts::evidence::{CLIP, Job, Make, STILL, encode_clip};
use crate::alerts::numbering::{Addition, Entry, News};
use crate::types::{AlertId, MediaState};

/// Files that wait to be written, of all cameras: some hundred alerts at once.
const QUEUE: usize = 1_024;
/// Between looks for files that are too old.
const SWEEP: Duration = Duration::from_secs(600);

/// Writes evidence and tells the journal.
pub struct Archive {
    store: Store,
    out: Sender<Entry>,
    lull: Arc<Lull>,
}

impl Archive {
    /// `out` leads to the journal; `lull` says when nothing is analysed.
    pub fn new(store: Store, out: Sender<Entry>, lull: Arc<Lull>) -> Self {
        Self { store, out, lull }
    }

    /// Works until all cameras are gone.
    pub fn run(mut self, jobs: &Receiver<Job>) -> Result<(), String> {
        self.sweep();
        let mut swept = Instant::now();
        loop {
            match jobs.recv_timeout(SWEEP) {
                Ok(job) => self.work(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if swept.elapsed() >= SWEEP {
                self.sweep();
                swept = Instant::now();
            }
        }
    }

    fn work(&mut self, job: Job) {
        let Job { alert, day, make } = job;
        let at = jiff::Timestamp::now();
        let today = utc_day(at);
        match make {
            Make::Still(name, shot) => {
                let state = match &shot {
                    Some(shot) => self.keep(alert, name, |store| {
                        store.put(day, alert, name, today, |path| {
                            std::fs::write(path, &shot.jpeg).map_err(|e| format!("{}: {e}", path.display()))
                        })
                    }),
                    None => MediaState::Failed,
                };
                // A later still that fails does not undo an earlier one.
                if state == MediaState::Ready || name == STILL {
                    self.tell(alert, at, News::Evidence { picture: Some(state), clip: None });
                }
            }
            Make::Clip(shots) if shots.is_empty() => {
                self.tell(alert, at, News::Evidence { picture: None, clip: Some(MediaState::Failed) });
            }
            Make::Clip(shots) => {
                let lull = Arc::clone(&self.lull);
                let state = self.keep(alert, CLIP, |store| {
                    store.put(day, alert, CLIP, today, |path| {
                        encode_clip(&shots, path, || lull.wait()).map_err(|e| e.to_string())
                    })
                });
                self.tell(alert, at, News::Evidence { picture: None, clip: Some(state) });
            }
        }
    }

    fn keep(
        &mut self,
        alert: AlertId,
        name: &str,
        put: impl FnOnce(&mut Store) -> Result<(), crate::alerts::evidence::store::StoreError>,
    ) -> MediaState {
        match put(&mut self.store) {
            Ok(()) => MediaState::Ready,
            Err(error) => {
                tracing::error!(%alert, file = name, %error, "evidence could not be kept");
                MediaState::Failed
            }
        }
    }

    fn tell(&self, alert: AlertId, at: jiff::Timestamp, news: News) {
        if self.out.send(Entry::Addition(Addition { alert, at, news })).is_err() {
            tracing::error!(%alert, "the journal is gone: news of evidence was lost");
        }
    }

    fn sweep(&mut self) {
        match self.store.expire(utc_day(jiff::Timestamp::now())) {
            Ok(0) => {}
            Ok(alerts) => tracing::info!(alerts, "deleted evidence that was too old"),
            Err(error) => tracing::error!(%error, "evidence that is too old could not be deleted"),
        }
    }
}

/// The bounded way to the archive.
pub fn queue() -> (Sender<Job>, Receiver<Job>) {
    bounded(QUEUE)
}
