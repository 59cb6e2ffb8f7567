//! Whether somebody set the host's clock: what waits for a time of it has to move along.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};

/// NTP slews at most 500 ppm; whatever jumps further between two looks was set.
const LEAST: SignedDuration = SignedDuration::from_secs(5);

/// The two clocks as they were seen last.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    /// Since the host's start, asleep or not: nobody sets it.
    up: Duration,
    shown: Timestamp,
}

/// The clock was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// By so much; negative: back.
    pub by: SignedDuration,
    /// When it shows this or later, and no later than `now`, it was already set, or was so long ago before.
    pub since: Timestamp,
    /// What it shows.
    pub now: Timestamp,
}

impl Steps {
    /// Both clocks now.
    pub fn look() -> Self {
        let up = clock_gettime(ClockId::Boottime);
        let (seconds, nanos) = (u64::try_from(up.tv_sec).unwrap_or(0), u32::try_from(up.tv_nsec).unwrap_or(0));
        Self { up: Duration::new(seconds, nanos), shown: Timestamp::now() }
    }

    /// How the clock was set between two looks, if it was.
    pub fn until(self, later: Self) -> Option<Step> {
        let passed = SignedDuration::try_from(later.up.saturating_sub(self.up)).unwrap_or(SignedDuration::MAX);
        let by = later.shown.duration_since(self.shown).saturating_sub(passed);
        let since = later.shown.saturating_sub(passed).unwrap_or(later.shown);
        (by.abs() >= LEAST).then_some(Step { by, since, now: later.shown })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_told_from_one_that_runs() {
        let shown: Timestamp = "2026-11-24T03:00:00Z".parse().unwrap();
        let before = Steps { up: Duration::from_secs(100), shown };
        let after = |passed: u64, seen: i64| Steps {
            up: before.up + Duration::from_secs(passed),
            shown: shown + SignedDuration::from_secs(seen),
        };
        assert_eq!(before.until(after(1, 1)), None);
        assert_eq!(before.until(after(3_600, 3_602)), None, "slewed");
        let step = |passed, seen| before.until(after(passed, seen)).unwrap();
        assert_eq!(step(2, 3_602).by, SignedDuration::from_secs(3_600));
        assert_eq!(step(2, -3_598).by, SignedDuration::from_secs(-3_600));
        assert_eq!(step(2, -3_598).since, shown + SignedDuration::from_secs(-3_600));
        let real = Steps::look();
        assert_eq!(real.until(Steps::look()), None);
    }
}
