//! Observed time: media time without the stretches that had no pictures (design, invariant 3).

use crate::types::{MediaTime, Span};

/// One instant on all clocks that an incident needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Media time without stretches that had no pictures; what hold, gap and cooldown are measured in.
    pub observed: MediaTime,
    /// Presentation time.
    pub media: MediaTime,
    /// The same in UTC.
    pub utc: jiff::Timestamp,
}

/// Takes stretches without pictures out of media time.
#[derive(Debug, Default)]
pub struct ObservedClock {
    lost: Span,
    last: Option<MediaTime>,
    usual: Option<Span>,
}

/// Pictures this far apart are still pictures, whatever the rate.
const ALWAYS_SEEN: Span = Span::from_secs(2);
/// A longer step than so many usual ones is a stretch without pictures.
const STEPS: i64 = 3;
/// Share of each new step in the usual one.
const SMOOTHING: f64 = 0.1;

impl ObservedClock {
    /// The moment of a new picture; `media` never runs backwards.
    pub fn advance(&mut self, media: MediaTime, utc: jiff::Timestamp) -> Moment {
        if let Some(last) = self.last {
            let step = media - last;
            let usual = self.usual.unwrap_or(step);
            let limit = ALWAYS_SEEN.max(Span::from_nanos(usual.nanos().saturating_mul(STEPS)));
            if step > limit {
                self.lost = self.lost + (step - usual);
            } else {
                let smoothed = usual.nanos() as f64 + SMOOTHING * (step.nanos() - usual.nanos()) as f64;
                self.usual = Some(Span::from_nanos(smoothed as i64));
            }
        }
        self.last = Some(media);
        Moment { observed: media - self.lost, media, utc }
    }

    /// The moment of an earlier media time within the stretch that is being seen.
    pub fn earlier(&self, now: Moment, media: MediaTime) -> Moment {
        let ago = now.media - media;
        let utc = now.utc.saturating_sub(jiff::SignedDuration::from_nanos(ago.nanos())).unwrap_or(now.utc);
        Moment { observed: now.observed - ago, media, utc }
    }

    /// The last picture.
    pub fn last(&self) -> Option<MediaTime> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(times: &[f64]) -> f64 {
        let mut clock = ObservedClock::default();
        let utc = jiff::Timestamp::UNIX_EPOCH;
        let mut last = 0.0;
        for t in times {
            last = clock.advance(MediaTime::from_secs_f64(*t), utc).observed.secs_f64();
        }
        last
    }

    #[test]
    fn steady_pictures_at_any_rate_are_all_seen() {
        assert!((run(&[0.0, 0.1, 0.2, 1.9]) - 1.9).abs() < 1e-9);
        assert!((run(&[0.0, 3.0, 6.0, 9.0]) - 9.0).abs() < 1e-9, "one picture in three seconds");
    }

    #[test]
    fn a_stretch_without_pictures_does_not_count() {
        assert!((run(&[0.0, 0.5, 1.0, 8.0, 8.5]) - 2.0).abs() < 1e-9);
    }
}
