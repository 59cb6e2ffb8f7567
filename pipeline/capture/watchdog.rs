//! Time-outs that libav polls from inside its blocking calls (about ten times a second on a socket). Owned here, not
//! left to libav's own options: those were renamed between releases, and an unknown option is silently ignored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::clock::Stop;

/// A deadline and a stop flag that a blocking call can ask about.
#[derive(Clone, Debug)]
pub(super) struct Watchdog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    stop: Stop,
    epoch: Instant,
    /// Nanoseconds since `epoch`.
    deadline: AtomicU64,
    late: AtomicBool,
}

impl Watchdog {
    pub(super) fn new(stop: &Stop) -> Self {
        let shared = Shared {
            stop: stop.clone(),
            epoch: Instant::now(),
            deadline: AtomicU64::new(u64::MAX),
            late: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The deadline is `timeout` from now.
    pub(super) fn arm(&self, timeout: Duration) {
        let at = (self.shared.epoch.elapsed() + timeout).as_nanos();
        self.shared.deadline.store(u64::try_from(at).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether a blocking call has to give up.
    pub(super) fn interrupts(&self) -> bool {
        let late = self.shared.epoch.elapsed().as_nanos() > u128::from(self.shared.deadline.load(Ordering::Relaxed));
        if late {
            self.shared.late.store(true, Ordering::Relaxed);
        }
        late || self.shared.stop.is_set()
    }

    /// Whether a deadline ever passed while somebody was waiting.
    pub(super) fn was_late(&self) -> bool {
        self.shared.late.load(Ordering::Relaxed)
    }

    pub(super) fn stopped(&self) -> bool {
        self.shared.stop.is_set()
    }
}
