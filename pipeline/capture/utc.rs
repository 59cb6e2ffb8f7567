//! Media time of a live stream to UTC.

use crate::types::{MediaTime, Span};

/// Largest rate at which the mapping follows the host clock: 500 ppm, the limit of NTP's own slewing.
const SLEW: f64 = 500e-6;
/// A stream that stays this far behind the host clock ...
const BEHIND: Span = Span::from_secs(5);
/// ... for this long has lost time that its time stamps do not show.
const PATIENCE: Span = Span::from_secs(30);

/// Maps media time to UTC: by the host clock at the first picture after a connect, then slewed towards the host clock.
/// Never runs backwards, also across reconnects.
#[derive(Clone, Debug, Default)]
pub struct UtcMap {
    anchor: Option<(MediaTime, jiff::Timestamp)>,
    last: Option<jiff::Timestamp>,
    behind_since: Option<MediaTime>,
}

impl UtcMap {
    /// Nothing is mapped yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// After a reconnect the next picture sets the mapping anew.
    pub fn renew(&mut self) {
        self.anchor = None;
    }

    /// UTC of the picture at `time`, which arrived when the host clock showed `host`. Times must not run backwards.
    pub fn map(&mut self, time: MediaTime, host: jiff::Timestamp) -> jiff::Timestamp {
        let utc = match self.anchor {
            None => host,
            Some((at, utc)) => self.slewed(time, host, at, utc),
        };
        let utc = self.last.map_or(utc, |last| utc.max(last));
        self.anchor = Some((time, utc));
        self.last = Some(utc);
        utc
    }

    fn slewed(
        &mut self,
        time: MediaTime,
        host: jiff::Timestamp,
        at: MediaTime,
        utc: jiff::Timestamp,
    ) -> jiff::Timestamp {
        let step = (time - at).nanos();
        let predicted = plus(utc, step);
        let error = nanos_between(predicted, host);
        if error < BEHIND.nanos() {
            self.behind_since = None;
        } else if time - *self.behind_since.get_or_insert(time) >= PATIENCE {
            self.behind_since = None;
            return host;
        }
        let limit = (step as f64 * SLEW) as i64;
        plus(predicted, error.clamp(-limit, limit))
    }
}

fn plus(utc: jiff::Timestamp, nanos: i64) -> jiff::Timestamp {
    utc.saturating_add(jiff::SignedDuration::from_nanos(nanos)).unwrap_or(utc)
}

fn nanos_between(from: jiff::Timestamp, to: jiff::Timestamp) -> i64 {
    i64::try_from(to.duration_since(from).as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start() -> jiff::Timestamp {
        "2026-11-24T03:00:00Z".parse().unwrap()
    }

    #[test]
    fn first_picture_takes_the_host_clock_and_a_step_is_slewed() {
        let mut map = UtcMap::new();
        assert_eq!(map.map(MediaTime::ZERO, start()), start());
        // The host clock is set forward by one second: after 100 s of pictures 50 ms of it are followed.
        let mut utc = start();
        for k in 1..=1000 {
            utc = map.map(MediaTime::of_frame(k, 10.0), plus(start(), k as i64 * 100_000_000 + 1_000_000_000));
        }
        assert!((nanos_between(plus(start(), 100_000_000_000), utc) - 50_000_000).abs() < 1_000);
    }

    #[test]
    fn a_reconnect_renews_but_never_goes_back() {
        let mut map = UtcMap::new();
        map.map(MediaTime::ZERO, start());
        map.renew();
        let later = plus(start(), 40_000_000_000);
        assert_eq!(map.map(MediaTime::from_secs_f64(30.0), later), later);
        map.renew();
        assert_eq!(map.map(MediaTime::from_secs_f64(31.0), start()), later);
    }

    #[test]
    fn a_stream_that_lost_ten_seconds_is_mapped_anew() {
        let mut map = UtcMap::new();
        let host = |k: i64| plus(start(), k * 100_000_000 + if k > 10 { 10_000_000_000 } else { 0 });
        let utc: Vec<_> = (0..400).map(|k| map.map(MediaTime::of_frame(k, 10.0), host(k as i64))).collect();
        assert!(nanos_between(utc[300], host(300)) > 9_000_000_000);
        assert!(nanos_between(utc[399], host(399)) < 1_000_000);
    }

    proptest! {
        #[test]
        fn runs_forward_within_the_slew(steps in prop::collection::vec((1_i64..2_000_000_000, -3_000_000_000_i64..3_000_000_000), 2..200)) {
            let (mut map, mut time, mut last) = (UtcMap::new(), 0_i64, None);
            for (step, noise) in steps {
                time += step;
                let utc = map.map(MediaTime::from_nanos(time), plus(start(), time + noise));
                if let Some(last) = last {
                    let moved = nanos_between(last, utc);
                    prop_assert!((moved - step).abs() as f64 <= step as f64 * SLEW + 2.0);
                }
                last = Some(utc);
            }
        }
    }
}
