//! Which pictures are analysed.

use crate::types::{MediaTime, Span};

/// Selects pictures by media time so that on average at most `rate` a second are taken, evenly spaced.
///
/// A picture is taken when it is due or early by at most half the time since the picture before it (the next one
/// would be later than this one is early), and at most a quarter of a period. Without that leeway, time stamps that
/// jitter around the due time would lose every other picture of a stream whose rate equals `rate`. Due times lie on a
/// grid of periods, so early and late pictures do not add up. After a gap the grid starts anew, without a burst.
/// Cameras of one machine get grids that are shifted against each other ([`Rate::with_phase`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Nanoseconds; `None`: every picture.
    period: Option<f64>,
    /// Nanoseconds of media time; `None` before the first picture.
    due: Option<f64>,
    previous: f64,
    /// Share of a period by which the second picture comes later.
    phase: f64,
}

impl Rate {
    /// At most `rate` pictures a second; `None` or a rate that is not positive and finite takes every picture.
    pub fn new(rate: Option<f64>) -> Self {
        let period = rate.filter(|rate| rate.is_finite() && *rate > 0.0).map(|rate| 1e9 / rate);
        Self { period, due: None, previous: 0.0, phase: 0.0 }
    }

    /// The first picture is taken as it comes, all later ones lie on a grid that is shifted by `phase` of a period, from
    /// 0 up to but not 1. Cameras that deliver in step, as those of one recorder do, then ask for inference one after
    /// another rather than all at once.
    pub fn with_phase(self, phase: f64) -> Self {
        Self { phase: phase.clamp(0.0, 1.0), ..self }
    }

    /// Whether the picture at `time` is analysed. Times must not run backwards.
    pub fn takes(&mut self, time: MediaTime) -> bool {
        let Some(period) = self.period else { return true };
        let now = (time - MediaTime::ZERO).nanos() as f64;
        let leeway = ((now - self.previous) * 0.5).min(period * 0.25);
        self.previous = now;
        match self.due {
            Some(due) if now < due - leeway => return false,
            Some(due) => self.due = Some((due + period).max(now + period * 0.75)),
            None => self.due = Some(now + period * (1.0 + self.phase)),
        }
        true
    }

    /// Time between two analysed pictures, if pictures are selected at all.
    pub fn period(&self) -> Option<Span> {
        self.period.map(|period| Span::from_nanos(period.round() as i64))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(rate: f64, times: impl IntoIterator<Item = f64>) -> Vec<f64> {
        let mut selector = Rate::new(Some(rate));
        times.into_iter().filter(|&t| selector.takes(MediaTime::from_secs_f64(t))).collect()
    }

    #[test]
    fn no_rate_takes_everything() {
        let mut all = Rate::new(None);
        assert!((0..10).all(|i| all.takes(MediaTime::of_frame(i, 25.0))));
        assert_eq!(taken(30.0, (0..20).map(|i| f64::from(i) / 10.0)).len(), 20);
    }

    #[test]
    fn a_third_of_the_pictures_is_every_third() {
        let times = taken(10.0, (0..300).map(|i| f64::from(i) / 30.0));
        let wanted: Vec<f64> = (0..100).map(|i| f64::from(i * 3) / 30.0).collect();
        assert_eq!(times, wanted);
    }

    #[test]
    fn eight_of_twenty_five_are_spread_evenly() {
        let times = taken(8.0, (0..2500).map(|i| f64::from(i) / 25.0));
        assert!((799..=801).contains(&times.len()), "{}", times.len());
        assert!(times.windows(2).all(|pair| (0.119..=0.161).contains(&(pair[1] - pair[0]))));
    }

    #[test]
    fn cameras_in_step_ask_one_after_another() {
        let pictures = |phase: f64| {
            let mut selector = Rate::new(Some(2.0)).with_phase(phase);
            let times = (0..100).map(|i| MediaTime::of_frame(i, 20.0));
            let taken: Vec<u64> =
                times.enumerate().filter(|&(_, t)| selector.takes(t)).map(|(i, _)| i as u64).collect();
            (taken[0], taken[1..].iter().map(|i| i % 10).collect::<std::collections::BTreeSet<u64>>())
        };
        assert_eq!(pictures(0.0), (0, [0].into()));
        assert_eq!(pictures(0.3), (0, [3].into()));
        assert_eq!(pictures(0.8), (0, [8].into()));
    }

    #[test]
    fn jitter_at_the_streams_own_rate_loses_nothing() {
        let times = (0..1000).map(|i| f64::from(i) / 10.0 + if i % 2 == 0 { 0.001 } else { -0.001 });
        assert_eq!(taken(10.0, times).len(), 1000);
    }

    #[test]
    fn a_gap_is_not_followed_by_a_burst() {
        let times = taken(5.0, (0..50).map(|i| f64::from(i) / 25.0).chain((0..50).map(|i| 60.0 + f64::from(i) / 25.0)));
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] > 0.099), "{times:?}");
    }

    proptest! {
        #[test]
        fn never_more_than_asked(rate in 0.2_f64..60.0, steps in prop::collection::vec(0.001_f64..0.5, 1..400)) {
            let mut now = 0.0;
            let times: Vec<f64> = steps.iter().map(|step| { now += step; now }).collect();
            let span = times[times.len() - 1] - times[0];
            let taken = taken(rate, times);
            prop_assert!(taken.len() as f64 <= span * rate + 1.26 + 1e-6);
        }

        #[test]
        fn a_fast_regular_stream_is_thinned_evenly(rate in 0.5_f64..12.0, fps in 24.5_f64..60.0) {
            let taken = taken(rate, (0..600).map(|i| f64::from(i) / fps));
            for pair in taken.windows(2) {
                let step = pair[1] - pair[0];
                prop_assert!((step - 1.0 / rate).abs() <= 1.0 / fps + 1e-6, "{step}");
            }
        }
    }
}
