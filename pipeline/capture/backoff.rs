//! How long to wait before a camera is opened again.

use std::time::Duration;

/// Doubles from `first` to `longest`, each wait spread by a fifth either way, so that cameras that were lost together
/// do not come back together.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
    state: u64,
}

impl Backoff {
    pub(super) fn new(first: Duration, longest: Duration, seed: &str) -> Self {
        // FNV-1a; never zero, which would keep xorshift at zero.
        let state = seed
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self { first, longest, next: first, state: state | 1 }
    }

    /// The connection lasted: the next wait is the first one again.
    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }

    /// The next wait.
    pub(super) fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        self.spread(wait)
    }

    /// The longest wait at once.
    pub(super) fn longest(&mut self) -> Duration {
        self.next = self.longest;
        self.spread(self.longest)
    }

    /// Of 0.8 to 1.2 times `wait`, by xorshift64 (Marsaglia 2003).
    fn spread(&mut self, wait: Duration) -> Duration {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        wait.mul_f64(0.8 + 0.4 * ((self.state >> 11) as f64 / (1_u64 << 53) as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_the_cap_and_are_spread() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30), "gate");
        for wanted in [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0] {
            let wait = backoff.wait().as_secs_f64();
            assert!((wanted * 0.8..=wanted * 1.2).contains(&wait), "{wait} for {wanted}");
        }
        backoff.reset();
        assert!(backoff.wait().as_secs_f64() <= 1.2);
        assert!(backoff.longest().as_secs_f64() >= 24.0);
        let other = Backoff::new(Duration::from_secs(1), Duration::from_secs(30), "yard").wait();
        assert_ne!(other, Backoff::new(Duration::from_secs(1), Duration::from_secs(30), "gate").wait());
    }
}
