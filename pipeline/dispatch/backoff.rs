//! When to try again: the schedule that Standard Webhooks gives as an example, about 75 hours in all, with jitter. Two
//! more attempts come before its second pause: an alert whose receiver stumbled twice need not wait for minutes.

use std::time::Duration;

use sha2::{Digest, Sha256};

/// Pause after the first, second, ... failed attempt. Source from the second on, but for the third: Standard Webhooks 1.0,
/// "Deliverability and reliability".
const PAUSES: [Duration; 11] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(5 * 3600),
    Duration::from_secs(10 * 3600),
    Duration::from_secs(14 * 3600),
    Duration::from_secs(20 * 3600),
    Duration::from_secs(24 * 3600),
];

/// Longest `Retry-After` that is obeyed to the letter.
const LONGEST_WISH: Duration = Duration::from_secs(24 * 3600);

/// How long to wait after failures.
#[derive(Clone, Debug)]
pub struct Backoff {
    /// Pause after the first, second, ... failed attempt of a delivery; after the last it is given up.
    pub pauses: Vec<Duration>,
    /// First rest of a sink that is down; doubles with each failure.
    pub first_rest: Duration,
    /// Longest rest.
    pub longest_rest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        let (first_rest, longest_rest) = (Duration::from_secs(1), Duration::from_secs(300));
        Self { pauses: PAUSES.to_vec(), first_rest, longest_rest }
    }
}

impl Backoff {
    /// Pause before the next attempt when `failed` attempts (from 1) have failed; `None` when it is to be given up. A
    /// receiver's `wish` (`Retry-After`) lengthens it. Up to a tenth is added, by `key`, so that many events that failed
    /// together do not come back together.
    pub fn pause(&self, failed: u32, wish: Option<Duration>, key: &str) -> Option<Duration> {
        let step = *self.pauses.get(usize::try_from(failed.max(1) - 1).ok()?)?;
        Some(spread(longer(step, wish), failed, key))
    }

    /// How long a sink that failed `failed` times in a row (from 1) rests as a whole.
    pub fn rest(&self, failed: u32, wish: Option<Duration>, key: &str) -> Duration {
        let doubled = self.first_rest.saturating_mul(1 << failed.saturating_sub(1).min(20));
        spread(longer(doubled.min(self.longest_rest), wish), failed, key)
    }
}

fn longer(pause: Duration, wish: Option<Duration>) -> Duration {
    wish.map_or(pause, |wish| wish.min(LONGEST_WISH).max(pause))
}

fn spread(pause: Duration, failed: u32, key: &str) -> Duration {
    pause + pause.mul_f64(0.1 * share(key, failed))
}

/// 0 to 1, the same for the same key and attempt.
fn share(key: &str, failed: u32) -> f64 {
    let mut hash = Sha256::new();
    hash.update(key.as_bytes());
    hash.update(failed.to_le_bytes());
    let digest = hash.finalize();
    f64::from(u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]])) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_attempts_span_about_75_hours() {
        let pauses: Vec<Duration> = (1..).map_while(|failed| Backoff::default().pause(failed, None, "k")).collect();
        assert_eq!(pauses.len(), 11);
        let first: f64 = pauses[..3].iter().map(Duration::as_secs_f64).sum();
        assert!((36.0..40.0).contains(&first), "{first}");
        let hours = pauses.iter().sum::<Duration>().as_secs_f64() / 3600.0;
        assert!((75.0..84.0).contains(&hours), "{hours}");
        for (pause, step) in pauses.iter().zip(PAUSES) {
            assert!(*pause >= step && *pause <= step.mul_f64(1.1));
        }
    }

    #[test]
    fn a_wish_lengthens_but_never_shortens() {
        let wish = |s| Backoff::default().pause(4, Some(Duration::from_secs(s)), "k").unwrap().as_secs();
        assert!((300..=330).contains(&wish(1)));
        assert!((900..=990).contains(&wish(900)));
        assert!(wish(10_000_000) <= 26 * 3600 + 1800, "no receiver can park us for a year");
    }

    #[test]
    fn keys_spread() {
        let b = Backoff::default();
        let spread: std::collections::BTreeSet<u128> =
            (0..100).map(|k| b.pause(1, None, &k.to_string()).unwrap().as_millis()).collect();
        assert!(spread.len() > 50, "{}", spread.len());
        assert!(b.rest(1, None, "a") < Duration::from_secs(2) && b.rest(40, None, "a") <= Duration::from_secs(330));
    }
}
