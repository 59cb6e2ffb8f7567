//! All rules of one camera, in the order of the plan.

use super::crossing::{Crossing, LineCounter};
use super::crowd::Crowd;
use super::gathering::Gathering;
use super::health::Health;
use super::intrusion::Intrusion;
use super::lineage::Lineage;
use super::loitering::Loitering;
use super::{Ground, People, Rule, Scene};
use crate::config::plan::{Anchor, Camera, Condition, RulePlace};
use crate::types::{Crossed, MediaTime, PictureStatistics, Signal, Size, Span, Track};

/// Bridges identity switches at lines, where no rule says how long.
const LINE_GAP: Span = Span::from_secs(2);

/// The rules stage of one camera.
pub struct RuleSet {
    people: People,
    ground: Ground,
    lineages: Vec<Lineage>,
    counters: Vec<LineCounter>,
    rules: Vec<Box<dyn Rule>>,
    /// About the camera itself.
    health: Vec<Health>,
    picture: Option<PictureStatistics>,
    /// Overflow of what was renewed.
    forgotten: u64,
    zones: Vec<crate::types::Polygon>,
    measured: Measured,
}

/// What the rules measured in one picture.
#[derive(Debug, Default)]
pub struct Measured {
    /// In the order of the plan's rules.
    pub signals: Vec<Signal>,
    /// In the order of lines, then tracks.
    pub crossed: Vec<Crossed>,
    /// People (feet) in each zone, in the order of the plan.
    pub zone_people: Vec<u32>,
    /// People in the picture.
    pub people: u32,
}

impl RuleSet {
    /// With `trusted` identities (ground truth) nobody inherits from anybody.
    pub fn new(camera: &Camera, trusted: bool) -> Self {
        let mut set = Self {
            people: People::default(),
            ground: Ground::new(camera.ground.as_ref()),
            lineages: Vec::new(),
            counters: Vec::new(),
            rules: Vec::new(),
            health: Vec::new(),
            picture: None,
            forgotten: 0,
            zones: camera.zones.iter().map(|z| z.polygon.clone()).collect(),
            measured: Measured::default(),
        };
        for (i, line) in camera.lines.iter().enumerate() {
            let lineage = set.lineage(LINE_GAP, trusted);
            set.counters.push(LineCounter::new(i, line, lineage));
        }
        for (i, rule) in camera.rules.iter().enumerate() {
            let (filter, gap) = (rule.filter, rule.incident.gap);
            let zone = |z: usize| camera.zones[z].polygon.clone();
            let boxed: Box<dyn Rule> = match (&rule.condition, rule.place) {
                (Condition::Crossing { direction }, RulePlace::Line(line)) => {
                    Box::new(Crossing::new(i, line, *direction, filter))
                }
                (Condition::Crowd { .. }, RulePlace::Zone(z)) => Box::new(Crowd::new(i, zone(z), filter)),
                (Condition::Intrusion, RulePlace::Zone(z)) => Box::new(Intrusion::new(i, zone(z), filter)),
                (Condition::Gathering { people, radius, standing }, RulePlace::Zone(z)) => {
                    Box::new(Gathering::new(i, zone(z), filter, *people, *radius, *standing, gap))
                }
                (Condition::Loitering { mode }, RulePlace::Zone(z)) => {
                    let lineage = set.lineage(gap, trusted);
                    Box::new(Loitering::new(i, zone(z), filter, *mode, rule.incident.hold, gap, lineage))
                }
                (Condition::Health(ailment), _) => {
                    set.health.push(Health::new(i, *ailment));
                    continue;
                }
                // The plan gives lines only crossings and zones everything else.
                (Condition::Crossing { .. }, RulePlace::Zone(_)) | (_, RulePlace::Line(_) | RulePlace::Camera) => {
                    continue;
                }
            };
            set.rules.push(boxed);
        }
        set
    }

    fn lineage(&mut self, gap: Span, trusted: bool) -> usize {
        self.lineages.iter().position(|l| l.gap() == gap).unwrap_or_else(|| {
            self.lineages.push(Lineage::new(gap, trusted));
            self.lineages.len() - 1
        })
    }

    /// Takes a look at the camera's picture, before the tracks of that picture.
    pub fn look(&mut self, picture: PictureStatistics) {
        self.picture = Some(picture);
    }

    /// What the camera shows now is what it is to show.
    pub fn accept(&mut self) {
        self.health.iter_mut().for_each(Health::accept);
    }

    /// Forgets whatever was seen of people, as when zones and lines no longer lie where they did.
    pub fn renew(&mut self, camera: &Camera, trusted: bool) {
        let before = std::mem::replace(self, Self::new(camera, trusted));
        self.forgotten = before.overflow();
        (self.health, self.picture) = (before.health, before.picture);
    }

    /// The same while the rules of zones and lines rest: only the camera itself is watched.
    pub fn rest(&mut self, time: MediaTime, size: Size, tracks: &[Track]) -> &Measured {
        self.ground.set_size(size);
        let measured = &mut self.measured;
        measured.signals.clear();
        measured.crossed.clear();
        measured.zone_people.iter_mut().for_each(|people| *people = 0);
        measured.zone_people.resize(self.zones.len(), 0);
        measured.people = u32::try_from(tracks.iter().filter(|t| t.counts()).count()).unwrap_or(u32::MAX);
        let scene = Scene {
            time,
            size,
            people: &self.people,
            ground: &self.ground,
            lineages: &self.lineages,
            crossed: &[],
            picture: self.picture.as_ref(),
        };
        self.health.iter_mut().for_each(|rule| rule.observe(&scene, &mut measured.signals));
        &self.measured
    }

    /// Takes the tracks of one analysed picture.
    pub fn observe(&mut self, time: MediaTime, size: Size, tracks: &[Track]) -> &Measured {
        self.ground.set_size(size);
        self.people.observe(time, size, tracks);
        for lineage in &mut self.lineages {
            lineage.observe(time, &self.people, &self.ground);
        }
        let scene = Scene {
            time,
            size,
            people: &self.people,
            ground: &self.ground,
            lineages: &self.lineages,
            crossed: &[],
            picture: self.picture.as_ref(),
        };
        let measured = &mut self.measured;
        measured.signals.clear();
        measured.crossed.clear();
        for counter in &mut self.counters {
            counter.observe(&scene, &mut measured.crossed);
        }
        let scene = Scene { crossed: &measured.crossed, ..scene };
        for rule in &mut self.rules {
            rule.observe(&scene, &mut measured.signals);
        }
        self.health.iter_mut().for_each(|rule| rule.observe(&scene, &mut measured.signals));
        measured.people = u32::try_from(self.people.all().len()).unwrap_or(u32::MAX);
        measured.zone_people.clear();
        let inside = |zone: &crate::types::Polygon| {
            self.people.all().iter().filter(|p| zone.contains(p.anchor(Anchor::Feet))).count()
        };
        measured.zone_people.extend(self.zones.iter().map(|z| u32::try_from(inside(z)).unwrap_or(u32::MAX)));
        &self.measured
    }

    /// What the last picture measured.
    pub fn measured(&self) -> &Measured {
        &self.measured
    }

    /// Table entries that were refused because a table was full.
    pub fn overflow(&self) -> u64 {
        self.forgotten
            + self.people.overflow()
            + self.lineages.iter().map(Lineage::overflow).sum::<u64>()
            + self.counters.iter().map(LineCounter::overflow).sum::<u64>()
            + self.rules.iter().map(|rule| rule.overflow()).sum::<u64>()
    }
}
