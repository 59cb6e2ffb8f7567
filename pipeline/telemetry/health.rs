//! Whether the process does its work: the pulses of its threads, and the parts that do theirs badly or not at all.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus::{Gauge, IntGauge, IntGaugeVec};

use super::metrics::unix_time;

/// A part that can be unwell while everything else goes on; the `part` of `lookout_degraded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The journal takes nothing: alerts wait in memory.
    Journal,
    /// Pictures and clips of alerts are not kept.
    Evidence,
    /// People's ways and numbers are not kept.
    Records,
    /// A file on disk is not in force.
    Configuration,
    /// The journal was damaged and has begun anew; until the next start.
    Database,
}

/// Of [`Part`], in its order.
pub const PARTS: [&str; 5] = ["journal", "evidence", "records", "configuration", "database"];

/// Health of a process; shared by all its threads.
pub struct Health {
    epoch: Instant,
    pulses: Mutex<Vec<Arc<Beating>>>,
    reasons: Mutex<[Vec<String>; PARTS.len()]>,
    restarts: Mutex<Vec<String>>,
    degraded: [IntGauge; PARTS.len()],
}

/// The life sign of one thread, which holds it. A thread that ended is not stuck.
pub struct Pulse(Arc<Beating>);

struct Beating {
    name: String,
    patience: Duration,
    epoch: Instant,
    /// Milliseconds since `epoch`, or [`WAITS`].
    beat: AtomicU64,
    heartbeat: Option<Gauge>,
}

/// The thread has nothing to do, however long that takes.
const WAITS: u64 = u64::MAX;

/// What is known of one thread.
#[derive(Clone, Debug, PartialEq)]
pub struct Sign {
    /// Of the thread.
    pub name: String,
    /// Time that it has been at one piece of work; `None`: it waits for some.
    pub busy: Option<Duration>,
    /// That is longer than any piece of work takes.
    pub stuck: bool,
}

impl Health {
    pub(super) fn new(degraded: &IntGaugeVec) -> Self {
        Self {
            epoch: Instant::now(),
            pulses: Mutex::default(),
            reasons: Mutex::default(),
            restarts: Mutex::default(),
            degraded: PARTS.map(|part| degraded.with_label_values(&[part])),
        }
    }

    /// A thread that is stuck when one piece of work takes longer than `patience`. `heartbeat` is set at each beat.
    pub fn pulse(&self, name: impl Into<String>, patience: Duration, heartbeat: Option<Gauge>) -> Pulse {
        let beat = AtomicU64::new(WAITS);
        let beating = Arc::new(Beating { name: name.into(), patience, epoch: self.epoch, beat, heartbeat });
        let mut pulses = lock(&self.pulses);
        // Workers of sinks come and go with the configuration: a pulse that nobody holds is forgotten.
        pulses.retain(|other| Arc::strong_count(other) > 1);
        pulses.push(Arc::clone(&beating));
        Pulse(beating)
    }

    /// All threads with a pulse, in the order of their start.
    pub fn signs(&self) -> Vec<Sign> {
        lock(&self.pulses).iter().map(|beating| beating.sign()).collect()
    }

    /// Threads that are stuck.
    pub fn stuck(&self) -> Vec<Sign> {
        self.signs().into_iter().filter(|sign| sign.stuck).collect()
    }

    /// Notes why a part is unwell; nothing: it is well.
    pub fn note(&self, part: Part, reasons: Vec<String>) {
        self.degraded[part as usize].set(i64::from(!reasons.is_empty()));
        lock(&self.reasons)[part as usize] = reasons;
    }

    /// Notes that a part is well; costs next to nothing where it was.
    pub fn well(&self, part: Part) {
        if self.degraded[part as usize].get() != 0 {
            self.note(part, Vec::new());
        }
    }

    /// Parts that are unwell, with the reasons.
    pub fn degraded(&self) -> Vec<(&'static str, Vec<String>)> {
        let reasons = lock(&self.reasons);
        let named = PARTS.into_iter().zip(reasons.iter());
        named.filter(|(_, reasons)| !reasons.is_empty()).map(|(part, reasons)| (part, reasons.clone())).collect()
    }

    /// Notes what is on disk and in force only after a restart, in words.
    pub fn note_restarts(&self, restarts: Vec<String>) {
        *lock(&self.restarts) = restarts;
    }

    /// What is on disk and in force only after a restart, in words.
    pub fn restarts(&self) -> Vec<String> {
        lock(&self.restarts).clone()
    }
}

impl Pulse {
    /// The thread begins another piece of work.
    pub fn beat(&self) {
        let now = u64::try_from(self.0.epoch.elapsed().as_millis()).unwrap_or(WAITS - 1);
        self.0.beat.store(now, Ordering::Relaxed);
        if let Some(heartbeat) = &self.0.heartbeat {
            heartbeat.set(unix_time());
        }
    }

    /// The thread waits for work.
    pub fn wait(&self) {
        self.0.beat.store(WAITS, Ordering::Relaxed);
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.wait();
    }
}

impl Beating {
    fn sign(&self) -> Sign {
        let busy = match self.beat.load(Ordering::Relaxed) {
            WAITS => None,
            beat => Some(self.epoch.elapsed().saturating_sub(Duration::from_millis(beat))),
        };
        Sign { name: self.name.clone(), busy, stuck: busy.is_some_and(|busy| busy > self.patience) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use super::*;

    #[test]
    fn a_thread_is_stuck_only_while_it_works() {
        let metrics = Metrics::new().unwrap();
        let pulse = metrics.health.pulse("worker-0", Duration::ZERO, None);
        let patient = metrics.health.pulse("journal", Duration::from_secs(3600), Some(metrics.heartbeat("alerts")));
        assert_eq!(metrics.health.stuck(), []);
        pulse.beat();
        patient.beat();
        std::thread::sleep(Duration::from_millis(2));
        let stuck = metrics.health.stuck();
        assert_eq!(stuck.iter().map(|sign| sign.name.as_str()).collect::<Vec<_>>(), ["worker-0"]);
        assert!(metrics.heartbeat("alerts").get() > 1e9);
        pulse.wait();
        assert_eq!(metrics.health.stuck(), []);
        pulse.beat();
        drop(pulse);
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(metrics.health.stuck(), [], "it ended");
        let next = metrics.health.pulse("worker-1", Duration::ZERO, None);
        let names: Vec<String> = metrics.health.signs().into_iter().map(|sign| sign.name).collect();
        assert_eq!(names, ["journal", "worker-1"], "and is forgotten");
        drop((patient, next));
    }

    #[test]
    fn what_is_unwell_has_reasons_and_a_metric_until_it_is_well() {
        let metrics = Metrics::new().unwrap();
        let shown = |value: u8| {
            let page = metrics.encode().unwrap();
            assert!(page.contains(&format!("\nlookout_degraded{{part=\"journal\"}} {value}\n")), "{page}");
            assert!(page.contains("\nlookout_degraded{part=\"evidence\"} 0\n"), "{page}");
        };
        shown(0);
        metrics.health.note(Part::Journal, vec!["the disk is full".into()]);
        shown(1);
        assert_eq!(metrics.health.degraded(), [("journal", vec!["the disk is full".to_owned()])]);
        metrics.health.well(Part::Journal);
        shown(0);
        assert_eq!(metrics.health.degraded(), []);
    }
}
