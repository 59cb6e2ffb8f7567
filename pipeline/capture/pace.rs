//! Files in real time.

use std::time::{Duration, Instant};

use super::clock::{Clock, Stop};
use crate::types::{MediaTime, Span};

/// A player that has fallen this far behind (the machine slept, decoding is slower than real time) starts anew from
/// now: a camera would not lag for ever either.
const LAG: Duration = Duration::from_secs(2);

/// Says when each picture of a file is due.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    origin: Option<(MediaTime, Instant)>,
    /// How often it started anew.
    restarts: u64,
}

impl Pace {
    /// Starts with the first picture.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until the picture at `time` is due and returns that moment; `None` when `stop` was set meanwhile.
    pub fn wait(&mut self, time: MediaTime, clock: &dyn Clock, stop: &Stop) -> Option<Instant> {
        let now = clock.now();
        let (from, start) = *self.origin.get_or_insert((time, now));
        let due = start + duration(time - from);
        if now > due + LAG {
            self.origin = Some((time, now));
            self.restarts += 1;
            return Some(now);
        }
        let ahead = due.saturating_duration_since(now);
        if ahead > Duration::ZERO && clock.sleep(ahead, stop) {
            return None;
        }
        Some(due)
    }

    /// How often playing fell behind for good.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }
}

fn duration(span: Span) -> Duration {
    Duration::from_nanos(u64::try_from(span.nanos()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::super::clock::testing::ManualClock;
    use super::*;

    #[test]
    fn pictures_come_when_they_are_due_and_lateness_does_not_add_up() {
        let (clock, stop, mut pace) = (ManualClock::new(), Stop::new(), Pace::new());
        let start = clock.now();
        for k in 0..20 {
            let due = pace.wait(MediaTime::of_frame(k, 10.0), &clock, &stop).unwrap();
            assert_eq!(due, start + Duration::from_millis(100 * k));
            assert!(clock.now() >= due);
            // Decoding takes 150 ms every other time.
            clock.advance(Duration::from_millis(if k % 2 == 0 { 150 } else { 10 }));
        }
        assert_eq!(pace.restarts(), 0);
    }

    #[test]
    fn a_player_that_fell_far_behind_starts_anew() {
        let (clock, stop, mut pace) = (ManualClock::new(), Stop::new(), Pace::new());
        pace.wait(MediaTime::ZERO, &clock, &stop).unwrap();
        clock.advance(Duration::from_secs(60));
        let now = clock.now();
        assert_eq!(pace.wait(MediaTime::from_secs_f64(0.1), &clock, &stop), Some(now));
        assert_eq!(pace.restarts(), 1);
        let next = pace.wait(MediaTime::from_secs_f64(0.2), &clock, &stop).unwrap();
        assert_eq!(next, now + Duration::from_millis(100));
    }

    #[test]
    fn stop_ends_the_wait() {
        let (clock, stop, mut pace) = (ManualClock::new(), Stop::new(), Pace::new());
        pace.wait(MediaTime::ZERO, &clock, &stop).unwrap();
        stop.set();
        assert_eq!(pace.wait(MediaTime::from_secs_f64(5.0), &clock, &stop), None);
    }
}
