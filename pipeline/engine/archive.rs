//! The thread that writes evidence, and deletes what is too old. Pictures that are analysed come first: clips are encoded
//! between them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::lull::Lull;
use crate::alerts::evidence::store::{Store, utc_day};
use crate::alerts::evidence::{CLIP, Job, Make, Still, encode_clip};
use crate::alerts::numbering::{Addition, Entry, News};
use crate::capture::Stop;
use crate::telemetry::{Metrics, Part};
use crate::types::{AlertId, MediaState};

/// Files that wait to be written, of all cameras: some hundred alerts at once.
const QUEUE: usize = 1_024;
/// Bytes of pictures in clips that wait, of all cameras: about a hundred clips. Those that overlap share pictures, which count in each.
const BYTES: usize = 256 << 20;
/// Lost files of one camera that are still to be told of, at most.
const LOST: usize = 256;
/// Between looks for files that are too old.
const SWEEP: Duration = Duration::from_secs(600);
/// Once everything stops, clips are encoded for so long; of those that are left it is said that there will be none.
const LAST: Duration = Duration::from_secs(10);

/// Writes evidence and tells the journal.
pub struct Archive {
    store: Store,
    out: Sender<Entry>,
    lull: Arc<Lull>,
    metrics: Arc<Metrics>,
    stop: Stop,
    /// When the last clip must begin, once everything stops.
    over: Option<Instant>,
}

impl Archive {
    /// `out` leads to the journal; `lull` says when nothing is analysed; `stop`, when everything ends.
    pub fn new(store: Store, out: Sender<Entry>, lull: Arc<Lull>, metrics: Arc<Metrics>, stop: Stop) -> Self {
        Self { store, out, lull, metrics, stop, over: None }
    }

    /// Works until all cameras are gone.
    pub fn run(mut self, jobs: &Receiver<Waiting>) -> Result<(), String> {
        self.sweep();
        let mut swept = Instant::now();
        loop {
            match jobs.recv_timeout(SWEEP) {
                Ok(Waiting { job, load }) => {
                    self.work(job);
                    drop(load);
                }
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
            Make::Still(still, shot) => {
                let state = match &shot {
                    Some(shot) => self.keep(alert, still.name(), |store| {
                        store.put(day, alert, still.name(), today, |path| {
                            std::fs::write(path, &shot.jpeg).map_err(|e| format!("{}: {e}", path.display()))
                        })
                    }),
                    None => MediaState::Failed,
                };
                let escalated = match still {
                    Still::Start => None,
                    Still::Escalated(severity) => Some(severity),
                };
                // A later still that fails does not undo an earlier one.
                if state == MediaState::Ready || still == Still::Start {
                    self.tell(alert, at, News::Evidence { picture: Some(state), clip: None, escalated });
                }
            }
            Make::Clip(shots) if shots.is_empty() || self.is_late() => {
                self.tell(alert, at, News::clip(MediaState::Failed));
            }
            Make::Clip(shots) => {
                let lull = Arc::clone(&self.lull);
                let state = self.keep(alert, CLIP, |store| {
                    store.put(day, alert, CLIP, today, |path| {
                        encode_clip(&shots, path, || lull.wait()).map_err(|e| e.to_string())
                    })
                });
                self.tell(alert, at, News::clip(state));
            }
        }
    }

    /// Whether there is no time any more for what may be left out.
    fn is_late(&mut self) -> bool {
        self.stop.is_set() && *self.over.get_or_insert_with(|| Instant::now() + LAST) <= Instant::now()
    }

    fn keep(
        &mut self,
        alert: AlertId,
        name: &str,
        put: impl FnOnce(&mut Store) -> Result<(), crate::alerts::evidence::store::StoreError>,
    ) -> MediaState {
        match put(&mut self.store) {
            Ok(()) => {
                self.metrics.health.well(Part::Evidence);
                MediaState::Ready
            }
            Err(error) => {
                self.metrics.health.note(Part::Evidence, vec![error.to_string()]);
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

/// The way to the archive, bounded in jobs and in bytes; one for all cameras.
#[derive(Clone)]
pub struct Inlet {
    out: Sender<Waiting>,
    bytes: Arc<AtomicUsize>,
    most: usize,
}

/// A job on its way.
pub struct Waiting {
    job: Job,
    load: Load,
}

/// Bytes that count as long as this exists.
struct Load {
    bytes: usize,
    all: Arc<AtomicUsize>,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Inlet {
    /// Never waits; gives back what there is no room for. What is larger than all the room there is finds it when nothing waits.
    fn send(&self, job: Job) -> Result<(), Job> {
        // Stills are small and few.
        let bytes = match &job.make {
            Make::Clip(shots) => shots.iter().map(|shot| shot.jpeg.len()).sum(),
            Make::Still(..) => 0,
        };
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let load = Load { bytes, all: Arc::clone(&self.bytes) };
        if bytes > 0 && before > 0 && before + bytes > self.most {
            return Err(job);
        }
        self.out.try_send(Waiting { job, load }).map_err(|full| full.into_inner().job)
    }
}

/// The bounded way to the archive.
pub fn queue() -> (Inlet, Receiver<Waiting>) {
    queue_of(QUEUE, BYTES)
}

fn queue_of(places: usize, most: usize) -> (Inlet, Receiver<Waiting>) {
    let (out, waiting) = bounded(places);
    (Inlet { out, bytes: Arc::default(), most }, waiting)
}

/// One camera's end of that way. Where the archive is behind evidence is lost, never time: the alert itself has long
/// left. Its receivers are told as soon as there is room.
pub struct Outlet {
    out: Inlet,
    camera: String,
    overflow: prometheus::IntCounter,
    lost: Vec<Job>,
}

impl Outlet {
    /// `overflow` counts what is lost.
    pub fn new(out: Inlet, camera: &str, overflow: prometheus::IntCounter) -> Self {
        Self { out, camera: camera.to_owned(), overflow, lost: Vec::new() }
    }

    /// Counts alerts that got no evidence before anything was made.
    pub fn count(&self, lost: u64) {
        self.overflow.inc_by(lost);
    }

    /// Hands over what there is; never waits.
    pub fn send(&mut self, jobs: &mut Vec<Job>) {
        while let Some(job) = self.lost.pop() {
            if let Err(job) = self.out.send(job) {
                self.lost.push(job);
                break;
            }
        }
        for job in jobs.drain(..) {
            let Err(job) = self.out.send(job) else { continue };
            self.overflow.inc();
            tracing::warn!(alert = %job.alert, camera = self.camera, "evidence is lost: its writer is behind");
            if self.lost.len() < LOST {
                self.lost.extend(without(job));
            }
        }
    }
}

/// What says that a file will not come; nothing for a further still, which nobody waits for.
fn without(job: Job) -> Option<Job> {
    let make = match job.make {
        Make::Still(Still::Start, _) => Make::Still(Still::Start, None),
        Make::Still(Still::Escalated(_), _) => return None,
        Make::Clip(_) => Make::Clip(Vec::new()),
    };
    Some(Job { make, ..job })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::evidence::Shot;
    use crate::telemetry::Metrics;
    use crate::types::{MediaTime, Severity, Size};

    #[test]
    fn what_an_archive_that_is_behind_does_not_take_is_told_to_be_lost() {
        let (out, waiting) = queue_of(1, BYTES);
        let overflow = Metrics::new().unwrap().overflow("evidence");
        let mut outlet = Outlet::new(out, "yard", overflow.clone());
        let shot =
            Shot { time: MediaTime::ZERO, utc: jiff::Timestamp::UNIX_EPOCH, size: Size::new(2, 2), jpeg: [0].into() };
        let job = |n: u8, make| Job { alert: AlertId([n; 16]), day: jiff::civil::date(2026, 11, 24), make };
        let mut jobs = vec![
            job(1, Make::Still(Still::Start, Some(shot.clone()))),
            job(2, Make::Clip(vec![shot.clone()])),
            job(3, Make::Still(Still::Escalated(Severity::Severe), Some(shot))),
        ];
        outlet.send(&mut jobs);
        assert_eq!((jobs.len(), overflow.get()), (0, 2));
        assert!(matches!(waiting.recv().unwrap().job.make, Make::Still(Still::Start, Some(_))));
        outlet.send(&mut jobs);
        let told = waiting.recv().unwrap().job;
        assert!(told.alert == AlertId([2; 16]) && matches!(&told.make, Make::Clip(shots) if shots.is_empty()));
        outlet.send(&mut jobs);
        assert!(waiting.try_recv().is_err(), "nobody waits for a further still");
        assert_eq!(overflow.get(), 2);
    }

    #[test]
    fn clips_wait_up_to_so_many_bytes_and_stills_have_room_all_the_same() {
        let shot = |bytes: usize| Shot {
            time: MediaTime::ZERO,
            utc: jiff::Timestamp::UNIX_EPOCH,
            size: Size::new(2, 2),
            jpeg: vec![0; bytes].into(),
        };
        let clip = |bytes: usize| Job {
            alert: AlertId([1; 16]),
            day: jiff::civil::date(2026, 11, 24),
            make: Make::Clip(vec![shot(bytes / 2), shot(bytes / 2)]),
        };
        let (inlet, waiting) = queue_of(10, 100);
        assert!(inlet.send(clip(300)).is_ok(), "nothing waits");
        assert!(inlet.send(clip(2)).is_err());
        let still = Job { make: Make::Still(Still::Start, Some(shot(50))), ..clip(0) };
        assert!(inlet.send(still).is_ok());
        drop(waiting.recv().unwrap());
        for _ in 0..4 {
            assert!(inlet.send(clip(24)).is_ok());
        }
        assert!(inlet.send(clip(24)).is_err());
        drop(waiting.try_iter().collect::<Vec<_>>());
        assert!(inlet.send(clip(24)).is_ok(), "what was done has left room");
        assert_eq!(inlet.bytes.load(Ordering::Relaxed), 24);
    }
}
