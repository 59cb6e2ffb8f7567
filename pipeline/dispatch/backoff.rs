//! When to try again: the schedule that Standard Webhooks gives as an example, about 75 hours in all, with jitter.

use std::time::Duration;

use sha2::{Digest, Sha256};

/// Pause after the first, second, ... failed attempt. Source: Standard Webhooks 1.0, "Deliverability and reliability".
const PAUSES: [Duration; 9] = [
    Duration::from_secs(5),
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

/// Pause before the next attempt when `failed` attempts (from 1) have failed; `None` when it is to be given up. A
/// receiver's `wish` (`Retry-After`) lengthens it. Up to a tenth is added, by `key`, so that many events that failed
/// together do not come back together.
pub fn pause(failed: u32, wish: Option<Duration>, key: &str) -> Option<Duration> {
    let step = PAUSES.get(usize::try_from(failed.max(1) - 1).ok()?)?;
    let base = wish.map_or(*step, |wish| wish.min(LONGEST_WISH).max(*step));
    Some(base + base.mul_f64(0.1 * share(key, failed)))
}

/// How long a sink that failed `failed` times in a row rests as a whole: 1 s, 2 s, ... up to 5 minutes.
pub fn rest(failed: u32, wish: Option<Duration>, key: &str) -> Duration {
    let base = Duration::from_secs(1_u64 << failed.saturating_sub(1).min(9)).min(Duration::from_secs(300));
    let base = wish.map_or(base, |wish| wish.min(LONGEST_WISH).max(base));
    base + base.mul_f64(0.1 * share(key, failed))
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
    fn ten_attempts_span_about_75_hours() {
        let pauses: Vec<Duration> = (1..).map_while(|failed| pause(failed, None, "k")).collect();
        assert_eq!(pauses.len(), 9);
        let hours = pauses.iter().sum::<Duration>().as_secs_f64() / 3600.0;
        assert!((75.0..84.0).contains(&hours), "{hours}");
        for (pause, step) in pauses.iter().zip(PAUSES) {
            assert!(*pause >= step && *pause <= step.mul_f64(1.1));
        }
    }

    #[test]
    fn a_wish_lengthens_but_never_shortens() {
        let wish = |s| pause(2, Some(Duration::from_secs(s)), "k").unwrap().as_secs();
        assert!((300..=330).contains(&wish(1)));
        assert!((900..=990).contains(&wish(900)));
        assert!(wish(10_000_000) <= 26 * 3600 + 1800, "no receiver can park us for a year");
    }

    #[test]
    fn keys_spread() {
        let spread: std::collections::BTreeSet<u128> =
            (0..100).map(|k| pause(1, None, &k.to_string()).unwrap().as_millis()).collect();
        assert!(spread.len() > 50, "{}", spread.len());
        assert!(rest(1, None, "a") < Duration::from_secs(2) && rest(40, None, "a") <= Duration::from_secs(330));
    }
}
