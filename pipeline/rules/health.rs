//! Whether the camera itself is well: frozen, dark, blurred, moved, from the statistics of looks at its pictures. That it
//! is offline no picture tells; the engine does.
//!
//! A look comes twice a second at most; between two looks a rule says what it said at the last one.

use super::{Rule, Scene};
use crate::config::plan::Ailment;
use crate::types::{MediaTime, PictureStatistics, Signal, View};

/// A share of changed pixels up to this is none: an encoder's flicker.
const STILL: f64 = 0.001;
/// A difference of one pixel from this up is a change of the scene: noise and encoders change less.
const LIVELY: f64 = 6.0 / 255.0;
/// Looks of which the majority counts, at most: half a minute's.
const LOOKS: u32 = 60;
/// Time in which the usual sharpness follows what is seen, seconds.
const FOLLOW: f64 = 600.0;
/// Looks before anything is usual: half a minute's.
const USUAL: u32 = 60;

/// One ailment of the camera.
pub struct Health {
    rule: usize,
    state: State,
    looked: Option<MediaTime>,
    holds: bool,
}

enum State {
    Offline,
    /// Looks since the scene last changed: those at which nothing changed, those with a flicker.
    Frozen {
        still: u32,
        flicker: u32,
    },
    Dark {
        limit: f64,
    },
    /// `usual`: mean of the logarithm of sharpness.
    Blurred {
        limit: f64,
        usual: f64,
        looks: u32,
    },
    Moved {
        limit: f64,
    },
}

impl Health {
    /// For the rule with this index in the plan.
    pub fn new(rule: usize, ailment: Ailment) -> Self {
        let state = match ailment {
            Ailment::Offline => State::Offline,
            Ailment::Frozen => State::Frozen { still: 0, flicker: 0 },
            Ailment::Dark(limit) => State::Dark { limit },
            Ailment::Blurred(limit) => State::Blurred { limit, usual: 0.0, looks: 0 },
            Ailment::Moved(limit) => State::Moved { limit },
        };
        Self { rule, state, looked: None, holds: false }
    }

    /// Index of its rule in the plan.
    pub fn rule(&self) -> usize {
        self.rule
    }

    /// The same for a plan in which its rule has another index.
    pub fn renumbered(self, rule: usize) -> Self {
        Self { rule, ..self }
    }

    /// What the camera shows now is what it is to show: what was usual is forgotten.
    pub fn accept(&mut self) {
        match &mut self.state {
            State::Blurred { looks, .. } => (*looks, self.holds) = (0, false),
            State::Moved { .. } => self.holds = false,
            State::Offline | State::Frozen { .. } | State::Dark { .. } => {}
        }
    }
}

impl State {
    fn judge(&mut self, seen: &PictureStatistics, before: Option<MediaTime>, held: bool) -> bool {
        match self {
            Self::Offline => false,
            Self::Frozen { still, flicker } => frozen(seen, still, flicker),
            Self::Dark { limit } => seen.bright < *limit,
            Self::Blurred { limit, usual, looks } => {
                let passed = before.map_or(0.0, |before| (seen.time - before).secs_f64());
                blurred(seen, *limit, passed, usual, looks)
            }
            Self::Moved { limit } => match seen.view {
                View::Same => false,
                View::Shifted([x, y]) => x.hypot(y) >= *limit,
                View::Other => true,
                // Whoever turned away and fell dark has not turned back.
                View::Unknown => held,
            },
        }
    }
}

/// A stream that repeats its picture is still at most looks; each key picture may flicker. Noise flickers at every look,
/// a living scene changes.
fn frozen(seen: &PictureStatistics, still: &mut u32, flicker: &mut u32) -> bool {
    let Some(change) = seen.change else { return false };
    if change.largest >= LIVELY {
        (*still, *flicker) = (0, 0);
        return false;
    }
    *(if change.changed <= STILL { &mut *still } else { &mut *flicker }) += 1;
    if *still + *flicker > LOOKS {
        (*still, *flicker) = (*still / 2, *flicker / 2);
    }
    *still > *flicker
}

/// Compares with what is usual, and learns from what is not blurred. A picture that cannot tell is not blurred.
fn blurred(seen: &PictureStatistics, limit: f64, passed: f64, usual: &mut f64, looks: &mut u32) -> bool {
    let Some(sharpness) = seen.sharpness.map(f64::ln).filter(|s| s.is_finite()) else { return false };
    if *looks >= USUAL && sharpness < *usual + limit.ln() {
        return true;
    }
    let share = (passed / FOLLOW).clamp(1.0 / (f64::from(*looks) + 1.0), 1.0);
    *usual += share * (sharpness - *usual);
    *looks = looks.saturating_add(1);
    false
}

impl Rule for Health {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        let Some(seen) = scene.picture else { return };
        if self.looked != Some(seen.time) {
            self.holds = self.state.judge(seen, self.looked, self.holds);
            self.looked = Some(seen.time);
        }
        out.push(Signal::about_camera(self.rule, self.holds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Change, Span};

    const FINE: PictureStatistics = PictureStatistics {
        time: MediaTime::ZERO,
        mean: 0.4,
        spread: 0.2,
        bright: 0.9,
        change: Some(Change { changed: 0.3, largest: 0.4 }),
        sharpness: Some(0.5),
        view: View::Same,
    };

    /// What the rule says at looks half a second apart.
    fn said(ailment: Ailment, looks: impl IntoIterator<Item = PictureStatistics>) -> Vec<bool> {
        let mut health = Health::new(0, ailment);
        let mut time = MediaTime::ZERO;
        let mut judge = |seen| {
            time += Span::from_millis(500);
            let before = health.looked.replace(time);
            health.holds = health.state.judge(&PictureStatistics { time, ..seen }, before, health.holds);
            health.holds
        };
        looks.into_iter().map(&mut judge).collect()
    }

    fn changed(changed: f64, levels: f64) -> PictureStatistics {
        PictureStatistics { change: Some(Change { changed, largest: levels / 255.0 }), ..FINE }
    }

    fn sharp(sharpness: f64) -> PictureStatistics {
        PictureStatistics { sharpness: Some(sharpness), ..FINE }
    }

    #[test]
    fn a_repeated_picture_is_frozen_also_with_flickering_key_pictures() {
        let stream = (0..200).map(|k| if k % 4 == 3 { changed(0.2, 2.0) } else { changed(0.0, 0.0) });
        let said = said(Ailment::Frozen, stream.chain([changed(0.3, 90.0), changed(0.0, 0.0)]));
        assert!(said[..200].iter().all(|holds| *holds));
        assert_eq!(said[200..], [false, true]);
    }

    #[test]
    fn noise_and_a_ticking_clock_are_not_frozen() {
        assert!(!said(Ailment::Frozen, (0..300).map(|_| changed(0.02, 1.0))).contains(&true));
        let clock = (0..300).map(|k| if k % 2 == 0 { changed(0.0005, 80.0) } else { changed(0.0, 0.0) });
        let held = said(Ailment::Frozen, clock);
        assert!(held.windows(2).all(|pair| pair != [true, true]), "never for longer than between two seconds");
    }

    #[test]
    fn a_stream_that_goes_on_with_noise_alone_is_no_longer_frozen() {
        let stream = (0..1000).map(|_| changed(0.0, 0.0)).chain((0..60).map(|_| changed(0.4, 2.0)));
        let said = said(Ailment::Frozen, stream);
        assert!(said[999] && !said[1059]);
    }

    #[test]
    fn dark_is_when_even_the_bright_end_is() {
        let night = |bright| PictureStatistics { bright, mean: 0.03, ..FINE };
        assert_eq!(said(Ailment::Dark(0.1), [night(0.3), night(0.05), night(0.3)]), [false, true, false]);
    }

    #[test]
    fn blurred_is_far_below_the_usual_and_the_usual_follows_slow_changes() {
        let held = said(Ailment::Blurred(0.25), (0..200).map(|_| sharp(0.5)).chain((0..9000).map(|_| sharp(0.1))));
        assert!(!held[..200].contains(&true) && !held[200..].contains(&false), "blur is not learnt");
        let dusk = (0..7200).map(|k| sharp(0.5 * 0.1_f64.powf(f64::from(k) / 7200.0)));
        assert!(!said(Ailment::Blurred(0.25), dusk).contains(&true), "a tenth within an hour");
        let first = (0..59).map(|_| sharp(0.5)).chain([sharp(0.01)]);
        assert!(!said(Ailment::Blurred(0.25), first).contains(&true), "nothing is usual yet");
    }

    #[test]
    fn moved_stays_until_the_view_is_back() {
        let view = |view| PictureStatistics { view, ..FINE };
        let views = [View::Same, View::Shifted([0.01, 0.0]), View::Other, View::Unknown, View::Shifted([0.1, 0.0])];
        let held = said(Ailment::Moved(0.02), views.into_iter().chain([View::Same, View::Unknown]).map(view));
        assert_eq!(held, [false, false, true, true, true, false, false]);
    }
}
