//! Which of its presets a ptz camera is at. Each has a reference: what its view shows when nobody is there. Zones are
//! where they were drawn as long as the view is that of a reference, and nowhere else.

use serde::{Deserialize, Serialize};

use crate::capture::inspect::{Glance, Reference, fitted, fraction};
use crate::types::{Aim, Frame, MediaTime, PixelFormat, Rect, Size, Span, StoredView, Target, View};

/// Between two looks from which anything is learnt: as the health of a camera is looked at.
const EVERY: Span = Span::from_millis(450);
/// A view must be that of a preset for so long before its rules wake: whoever turns past it does not stay.
const ARRIVES: Span = Span::from_secs(1);
/// A view that cannot be compared (a bus before the lens) is believed to be the same for so long.
const PATIENCE: Span = Span::from_secs(2);
/// A shift of the view by this share of the picture's width is a move; what health takes for one in a fixed camera.
const SHIFT: f64 = 0.02;

/// What is kept of one preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Its id.
    pub preset: String,
    /// Its view.
    pub view: StoredView,
}

/// Knows the presets of one camera.
#[derive(Default)]
pub struct PresetWatch {
    /// In the order of the plan.
    presets: Vec<Preset>,
    luma: Vec<u8>,
    glance: Glance,
    /// A look some time ago, and when: against it the view moves or stands.
    before: Glance,
    looked: Option<MediaTime>,
    turning: bool,
    /// Which one the camera is at, and since when that could not be seen.
    at: Option<usize>,
    unseen: Option<MediaTime>,
    /// Which one it may have come to, and since when.
    arriving: Option<(usize, MediaTime)>,
    /// The reference that is being taken, and for which preset.
    taking: Option<(usize, Reference)>,
    /// Something is to be stored.
    news: bool,
}

struct Preset {
    id: String,
    reference: Option<Reference>,
}

impl PresetWatch {
    /// Nothing is known yet: the first view that stands is taken for that of the first preset.
    pub fn new(ids: impl Iterator<Item = String>) -> Self {
        let presets = ids.map(|id| Preset { id, reference: None }).collect();
        Self { presets, taking: Some((0, Reference::default())), ..Self::default() }
    }

    /// What an earlier run kept. Where it kept anything no view is taken unasked.
    pub fn restore(&mut self, stored: &[Stored]) {
        for Stored { preset, view } in stored {
            let found = self.presets.iter_mut().find(|p| p.id == *preset);
            if let (Some(preset), Some(reference)) = (found, Reference::restored(view)) {
                preset.reference = Some(reference);
                self.taking = None;
            }
        }
    }

    /// What is to be kept, if it is another than at the last call.
    pub fn news(&mut self) -> Option<Vec<Stored>> {
        std::mem::take(&mut self.news).then(|| self.stored())
    }

    /// What is known.
    pub fn stored(&self) -> Vec<Stored> {
        let one = |p: &Preset| Some(Stored { preset: p.id.clone(), view: p.reference.as_ref()?.stored()? });
        self.presets.iter().filter_map(one).collect()
    }

    /// The view from now on is that of this preset, once it has stood for a while.
    pub fn take(&mut self, id: &str) {
        if let Some(preset) = self.presets.iter().position(|p| p.id == id) {
            self.taking = Some((preset, Reference::default()));
            (self.at, self.arriving) = (None, None);
        }
    }

    /// Other presets; views of those that stay are kept.
    pub fn replan(&mut self, ids: impl Iterator<Item = String>) {
        let mut known = std::mem::take(&mut self.presets);
        let mut reference = |id: &String| known.iter_mut().find(|p| p.id == *id).and_then(|p| p.reference.take());
        let presets: Vec<Preset> = ids.map(|id| Preset { reference: reference(&id), id }).collect();
        let to = |old: usize| known.get(old).and_then(|p| presets.iter().position(|new| new.id == p.id));
        self.at = self.at.and_then(to);
        self.arriving = None;
        self.taking = self.taking.take().and_then(|(preset, taken)| Some((to(preset)?, taken)));
        self.presets = presets;
    }

    /// Where the camera looks.
    pub fn look(&mut self, frame: &Frame, people: impl Iterator<Item = Rect>) -> Aim {
        let (source, time) = (frame.picture.size(), frame.time);
        let size = fitted(source);
        if frame.picture.convert(Target { size, format: PixelFormat::Gray8 }, &mut self.luma).is_ok() {
            let luma = std::mem::take(&mut self.luma);
            self.see(time, &luma, size, people.map(|p| fraction(p, source)));
            self.luma = luma;
        }
        match self.at {
            Some(preset) => Aim::Preset(preset),
            None if self.turning => Aim::Turning,
            None => Aim::Elsewhere,
        }
    }

    fn see(&mut self, now: MediaTime, luma: &[u8], size: Size, people: impl Iterator<Item = Rect>) {
        self.glance.take(luma, size, people);
        let passed = self.looked.map_or(EVERY, |last| now - last);
        let learns = passed >= EVERY || passed < Span::ZERO;
        self.turning = match (self.looked, self.glance.is_like(&self.before)) {
            (None, _) => false,
            (Some(_), Some(same)) => !same,
            (Some(_), None) => self.turning,
        };
        if let Some(preset) = self.at {
            self.stay(preset, now, learns.then_some(passed));
        }
        if self.taking.is_some() {
            self.take_reference(learns.then_some(passed));
        } else if self.at.is_none() {
            self.arrive(now);
        }
        if learns {
            std::mem::swap(&mut self.glance, &mut self.before);
            self.looked = Some(now);
        }
    }

    fn stay(&mut self, preset: usize, now: MediaTime, learns: Option<Span>) {
        let Some(reference) = self.presets[preset].reference.as_mut() else { return self.at = None };
        let left = match reference.view(&mut self.glance) {
            View::Same => {
                self.unseen = None;
                learns.into_iter().for_each(|passed| reference.learn(&self.glance, passed));
                false
            }
            View::Shifted([x, y]) => x.hypot(y) >= SHIFT,
            View::Other => true,
            View::Unknown => now - *self.unseen.get_or_insert(now) >= PATIENCE,
        };
        if left {
            (self.at, self.unseen, self.arriving) = (None, None, None);
        }
    }

    /// The preset whose view this is most like, once it has been for a while.
    fn arrive(&mut self, now: MediaTime) {
        let glance = &self.glance;
        let rated = self.presets.iter_mut().enumerate();
        let rated = rated.filter_map(|(i, p)| Some((i, p.reference.as_mut()?.likeness(glance)?)));
        let same = rated.filter(|(_, alike)| Reference::is_same(*alike));
        let best = same.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map(|(preset, _)| preset);
        self.arriving = best.map(|preset| match self.arriving {
            Some((before, since)) if before == preset && since <= now => (preset, since),
            _ => (preset, now),
        });
        if let Some((preset, since)) = self.arriving
            && now - since >= ARRIVES
        {
            (self.at, self.arriving) = (Some(preset), None);
        }
    }

    /// Learns the view of a preset while it stands; whatever moves it begins anew.
    fn take_reference(&mut self, learns: Option<Span>) {
        let Some(passed) = learns else { return };
        let Some((preset, mut reference)) = self.taking.take() else { return };
        if self.turning || reference.likeness(&self.glance).is_some_and(|alike| !Reference::is_same(alike)) {
            reference = Reference::default();
        }
        reference.learn(&self.glance, passed);
        if reference.is_ready() {
            self.presets[preset].reference = Some(reference);
            (self.at, self.news) = (Some(preset), true);
        } else {
            self.taking = Some((preset, reference));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scenery::{View as Seen, frame, place};
    use super::*;

    /// Pictures a second.
    const FPS: f64 = 5.0;

    struct Dome {
        place: Vec<u8>,
        watch: PresetWatch,
        pictures: u64,
    }

    impl Dome {
        fn new() -> Self {
            let ids = ["gate", "yard"].map(str::to_owned);
            Self { place: place(), watch: PresetWatch::new(ids.into_iter()), pictures: 0 }
        }

        fn look(&mut self, luma: &[u8]) -> Aim {
            self.pictures += 1;
            self.watch.look(&frame(self.pictures, FPS, luma), std::iter::empty())
        }

        /// So many seconds of a view; what it was at last.
        fn stand(&mut self, seconds: f64, view: Seen) -> Aim {
            let luma = view.of(&self.place);
            (0..(seconds * FPS) as u32).map(|_| self.look(&luma)).last().unwrap()
        }

        /// From one view to another in so many seconds; what it was meanwhile.
        fn turn(&mut self, seconds: f64, from: Seen, to: Seen) -> Vec<Aim> {
            let pictures = (seconds * FPS) as u32;
            let share = |k: u32| f64::from(k) / f64::from(pictures);
            let mix = |a: f64, b: f64, k: u32| a + (b - a) * share(k);
            let view = |k: u32| Seen::at(mix(from.middle.x, to.middle.x, k), mix(from.middle.y, to.middle.y, k));
            (1..pictures)
                .map(|k| {
                    let luma = view(k).of(&self.place);
                    self.look(&luma)
                })
                .collect()
        }
    }

    const GATE: (f64, f64) = (400.0, 300.0);
    const YARD: (f64, f64) = (1100.0, 700.0);

    fn known() -> (Dome, Seen, Seen) {
        let (mut dome, gate, yard) = (Dome::new(), Seen::at(GATE.0, GATE.1), Seen::at(YARD.0, YARD.1));
        assert_eq!(dome.stand(15.0, gate), Aim::Preset(0), "the first view is that of the first preset");
        dome.turn(2.0, gate, yard);
        assert_eq!(dome.stand(15.0, yard), Aim::Elsewhere, "no view is taken unasked any more");
        dome.watch.take("yard");
        assert_eq!(dome.stand(15.0, yard), Aim::Preset(1));
        (dome, gate, yard)
    }

    #[test]
    fn each_preset_is_known_again_and_nothing_in_between() {
        let (mut dome, gate, yard) = known();
        for _ in 0..2 {
            let turned = dome.turn(3.0, yard, gate);
            assert!(!turned[1..].iter().any(|aim| matches!(aim, Aim::Preset(_))), "{turned:?}");
            assert!(turned[4..].contains(&Aim::Turning), "{turned:?}");
            assert_eq!(dome.stand(2.0, gate), Aim::Preset(0));
            dome.turn(3.0, gate, yard);
            assert_eq!(dome.stand(2.0, yard), Aim::Preset(1));
        }
        // A nudge by a twentieth of the picture is elsewhere, and a zoom too.
        assert_eq!(dome.stand(3.0, Seen::at(YARD.0 + 32.0, YARD.1)), Aim::Elsewhere);
        assert_eq!(dome.stand(3.0, Seen { zoom: 1.4, ..yard }), Aim::Elsewhere);
        assert_eq!(dome.stand(3.0, yard), Aim::Preset(1));
    }

    #[test]
    fn whoever_turns_past_a_preset_is_not_there() {
        let (mut dome, gate, yard) = known();
        let beyond = Seen::at(2.0 * GATE.0 - YARD.0 + 500.0, GATE.1);
        let told: Vec<Aim> = [dome.turn(3.0, yard, gate), dome.turn(2.0, gate, beyond)].concat();
        assert!(!told[1..].iter().any(|aim| matches!(aim, Aim::Preset(_))), "{told:?}");
    }

    #[test]
    fn a_bus_before_the_lens_is_no_turn_at_once_and_views_outlive_a_restart() {
        let (mut dome, gate, yard) = known();
        let mut bus = yard.of(&dome.place);
        bus.chunks_mut(640).skip(60).for_each(|row| row[40..600].fill(200));
        let told: Vec<Aim> = (0..(1.5 * FPS) as u32).map(|_| dome.look(&bus)).collect();
        assert!(told.iter().all(|aim| *aim == Aim::Preset(1)), "{told:?}");
        assert_eq!(dome.stand(1.0, yard), Aim::Preset(1));

        let stored = dome.watch.news().unwrap();
        assert!(dome.watch.news().is_none() && stored.len() == 2);
        let stored: Vec<Stored> = serde_json::from_str(&serde_json::to_string(&stored).unwrap()).unwrap();
        let mut again = Dome::new();
        again.watch.restore(&stored);
        assert_eq!(again.stand(2.0, yard), Aim::Preset(1));
        again.turn(2.0, yard, gate);
        assert_eq!(again.stand(2.0, gate), Aim::Preset(0));
        // Another plan: what is still there goes on under its new number.
        again.watch.replan(["yard", "roof", "gate"].map(str::to_owned).into_iter());
        assert_eq!(again.stand(1.0, gate), Aim::Preset(2));
    }
}
