//! The host's clock and the stop flag. Both are handed in, so that tests need not wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where capture takes the time from.
pub trait Clock: Send + Sync {
    /// Monotonic.
    fn now(&self) -> Instant;

    /// UTC.
    fn utc(&self) -> jiff::Timestamp;

    /// Sleeps, or returns at once with `true` when `stop` is set.
    fn sleep(&self, duration: Duration, stop: &Stop) -> bool;
}

/// The host's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn utc(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn sleep(&self, duration: Duration, stop: &Stop) -> bool {
        stop.wait(duration)
    }
}

/// Asks a capture thread to end: wakes it when it sleeps, and interrupts libav within a tenth of a second.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    set: AtomicBool,
    lock: Mutex<()>,
    wake: Condvar,
}

impl Stop {
    /// Not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets it for ever.
    pub fn set(&self) {
        self.0.set.store(true, Ordering::Release);
        // Taken and released, so that nobody sits between looking at the flag and falling asleep.
        drop(self.0.lock.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.wake.notify_all();
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.set.load(Ordering::Acquire)
    }

    /// Sleeps for `duration` or until set; whether it is set.
    pub fn wait(&self, duration: Duration) -> bool {
        let guard = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.wake.wait_timeout_while(guard, duration, |()| !self.is_set()));
        self.is_set()
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A clock that moves only when somebody sleeps or says so.
    pub struct ManualClock {
        base: Instant,
        utc: jiff::Timestamp,
        passed: Mutex<Duration>,
        pub slept: Mutex<Vec<Duration>>,
    }

    impl ManualClock {
        pub fn new() -> Self {
            Self {
                base: Instant::now(),
                utc: "2026-11-24T03:00:00Z".parse().unwrap(),
                passed: Mutex::new(Duration::ZERO),
                slept: Mutex::new(Vec::new()),
            }
        }

        pub fn advance(&self, by: Duration) {
            *self.passed.lock().unwrap() += by;
        }
    }

    impl Clock for ManualClock {
        fn now(&self) -> Instant {
            self.base + *self.passed.lock().unwrap()
        }

        fn utc(&self) -> jiff::Timestamp {
            self.utc + *self.passed.lock().unwrap()
        }

        fn sleep(&self, duration: Duration, stop: &Stop) -> bool {
            self.slept.lock().unwrap().push(duration);
            self.advance(duration);
            stop.is_set()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_wakes_a_sleeper() {
        let stop = Stop::new();
        assert!(!stop.wait(Duration::from_millis(1)));
        let sleeper = {
            let stop = stop.clone();
            std::thread::spawn(move || stop.wait(Duration::from_secs(3600)))
        };
        stop.set();
        assert!(sleeper.join().unwrap());
        assert!(stop.is_set());
    }
}
