//! All rules of one camera, in the order of the plan.

use super::counter_flow::CounterFlow;
use super::crossing::{Crossing, LineCounter};
use super::crowd::Crowd;
use super::density::Density;
use super::gathering::Gathering;
use super::groups::Groups;
use super::health::Health;
use super::intrusion::Intrusion;
use super::lineage::Lineage;
use super::loitering::Loitering;
use super::neighbours::Neighbours;
use super::proximity::{Proximity, Queue};
use super::rush::Rush;
use super::vanished::Vanished;
use super::wrong_way::WrongWay;
use super::{Ground, Moved, People, Placement, Rule, Scene};
use crate::config::plan::{self, Anchor, Camera, CameraDiff, Condition, Filter, Motion, RulePlace};
use crate::types::{
    Aim, CameraMotion, Crossed, MediaTime, PictureStatistics, Rest, Rests, Shape, Shift, Signal, Size, Span, Track,
    TrackId,
};

/// Bridges identity switches where no rule says how long: at lines, in the water, in what is stored.
const USUAL_GAP: Span = Span::from_secs(2);

/// Who is counted in a zone for metrics and page.
const EVERYBODY: Filter = Filter { anchor: Anchor::Feet, min_height: 0.0, max_height: f64::INFINITY, min_score: 0.0 };

/// The rules stage of one camera.
pub struct RuleSet {
    trusted: bool,
    people: People,
    ground: Ground,
    groups: Groups,
    neighbours: Neighbours,
    lineages: Vec<Lineage>,
    /// The lineage with the usual gap.
    usual: usize,
    counters: Vec<LineCounter>,
    rules: Vec<Box<dyn Rule>>,
    /// About the camera itself.
    health: Vec<Health>,
    picture: Option<PictureStatistics>,
    /// Of a camera that moves.
    placement: Option<Box<Placement>>,
    /// For each rule of the plan whether it rests by where the camera looks; empty for a fixed camera.
    asleep: Vec<bool>,
    /// The group of all people of each zone.
    zones: Vec<usize>,
    /// Zones whose density is told: they need ground.
    dense: Vec<usize>,
    measured: Measured,
    /// Table entries that were refused by what is there no more.
    refused: u64,
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
    /// For each of them, by track, the first track of the chain that they are: who was lost for a moment and is followed
    /// anew.
    pub persons: Vec<(TrackId, TrackId)>,
    /// Of a camera that moves: where its zones lie in this picture, and its lines. Empty for a fixed one: as they are
    /// drawn.
    pub shapes: [Vec<Shape>; 2],
    /// How the picture lies against the one before it.
    pub shift: Shift,
}

impl RuleSet {
    /// Takes how the next picture lies against the one before it.
    pub fn shift(&mut self, shift: Shift) {
        self.measured.shift = shift;
    }

    /// With `trusted` identities (ground truth) nobody inherits from anybody.
    pub fn new(camera: &Camera, trusted: bool) -> Self {
        let mut set = Self {
            trusted,
            people: People::default(),
            ground: Ground::new(camera),
            groups: Groups::default(),
            neighbours: Neighbours::default(),
            lineages: Vec::new(),
            usual: 0,
            counters: Vec::new(),
            rules: Vec::new(),
            health: Vec::new(),
            picture: None,
            placement: (camera.motion != Motion::Fixed).then(|| Box::new(Placement::new(camera))),
            asleep: Vec::new(),
            zones: Vec::new(),
            dense: Vec::new(),
            measured: Measured::default(),
            refused: 0,
        };
        set.usual = set.lineage(USUAL_GAP);
        for (z, zone) in camera.zones.iter().enumerate() {
            let group = set.groups.ask(z, &zone.polygon, EVERYBODY);
            set.zones.push(group);
        }
        for (i, line) in camera.lines.iter().enumerate() {
            let lineage = set.lineage(USUAL_GAP);
            set.counters.push(LineCounter::new(i, line, lineage));
        }
        for (i, rule) in camera.rules.iter().enumerate() {
            if let (RulePlace::Zone(zone), Condition::Density) = (rule.place, &rule.condition) {
                set.dense.push(zone);
            }
            let built = match (rule.place, &rule.condition) {
                (RulePlace::Zone(zone), _) => set.zone_rule(i, camera, zone),
                (RulePlace::Line(line), _) => line_rule(i, rule, line),
                (RulePlace::Camera, Condition::Health(ailment)) => {
                    set.health.push(Health::new(i, *ailment));
                    None
                }
                (RulePlace::Camera | RulePlace::Site, _) => None,
            };
            set.rules.extend(built);
        }
        set
    }

    /// `None` for what belongs to lines or the site: the plan gives zones everything else.
    fn zone_rule(&mut self, i: usize, camera: &Camera, zone: usize) -> Option<Box<dyn Rule>> {
        let (rule, polygon) = (&camera.rules[i], &camera.zones[zone].polygon);
        let (hold, gap) = (rule.incident.hold, rule.incident.gap);
        let group = self.groups.ask(zone, polygon, rule.filter);
        let built: Box<dyn Rule> = match &rule.condition {
            Condition::Crossing { .. } | Condition::Occupancy { .. } | Condition::Health(_) => return None,
            Condition::Crowd { .. } => Box::new(Crowd::new(i, group)),
            Condition::Density => Box::new(Density::new(i, group, zone)),
            Condition::Intrusion => Box::new(Intrusion::new(i, group)),
            Condition::Gathering { people, radius, standing } => {
                self.neighbours.ask(radius.body_heights());
                Box::new(Gathering::new(i, group, *people, *radius, *standing, gap))
            }
            Condition::Loitering { mode } => Box::new(Loitering::new(i, group, self.lineage(gap), *mode, hold, gap)),
            Condition::WrongWay { along, distance } => {
                Box::new(WrongWay::new(i, group, self.lineage(gap), along, *distance, gap))
            }
            Condition::CounterFlow { along, people } => Box::new(CounterFlow::new(i, group, along.as_deref(), *people)),
            Condition::Proximity { distance, people, exempt_together } => {
                self.neighbours.ask(distance.body_heights());
                if *people > 2 {
                    Box::new(Queue::new(i, group, *people, *distance, gap))
                } else {
                    Box::new(Proximity::new(i, group, self.lineage(gap), *distance, *exempt_together))
                }
            }
            Condition::Rush { people, factor } => Box::new(Rush::new(i, group, *people, *factor)),
            Condition::Vanished => {
                let everybody = Filter { anchor: rule.filter.anchor, ..EVERYBODY };
                let everybody = self.groups.ask(zone, polygon, everybody);
                Box::new(Vanished::new(i, group, everybody, self.lineage(USUAL_GAP)))
            }
        };
        Some(built)
    }

    fn lineage(&mut self, gap: Span) -> usize {
        self.lineages.iter().position(|l| l.gap() == gap).unwrap_or_else(|| {
            self.lineages.push(Lineage::new(gap, self.trusted));
            self.lineages.len() - 1
        })
    }

    /// Takes a look at the camera's picture, before the tracks of that picture.
    pub fn look(&mut self, picture: PictureStatistics) {
        self.picture = Some(picture);
    }

    /// Takes where the camera looks, before the tracks of that picture: what is known of earlier pictures is carried along,
    /// and rules rest whose zones are not there. A fixed camera always looks the same way.
    pub fn turn(&mut self, camera: &Camera, size: Size, aim: &Aim) {
        let Some(placement) = &mut self.placement else { return };
        placement.turn(aim);
        if let Aim::Carried { step, ground } = aim {
            for (zone, polygon) in placement.carried_zones() {
                self.groups.place(zone, polygon);
            }
            for (line, points) in placement.carried_lines() {
                self.counters[line].place(points.points());
            }
            if ground.is_some() {
                for (rule, plan) in self.rules.iter_mut().zip(&camera.rules) {
                    placement.ground(plan.place).into_iter().for_each(|ground| rule.place(ground));
                }
            }
            if let Some(step) = step.filter(CameraMotion::is_usable) {
                self.carry(&step.in_pixels(size), size);
            }
        }
        self.fall_asleep(camera);
    }

    fn carry(&mut self, step: &CameraMotion, size: Size) {
        self.people.carry(step);
        self.lineages.iter_mut().for_each(|lineage| lineage.carry(step));
        self.counters.iter_mut().for_each(|counter| counter.carry(step));
        self.rules.iter_mut().for_each(|rule| rule.carry(step, size));
    }

    /// Whatever begins to rest forgets what it knew: nobody was looking when it wakes.
    fn fall_asleep(&mut self, camera: &Camera) {
        let Some(placement) = self.placement.take() else { return };
        self.asleep.resize(camera.rules.len(), false);
        for (i, rule) in camera.rules.iter().enumerate() {
            let rests = placement.rest(rule.place);
            if rests
                && !std::mem::replace(&mut self.asleep[i], rests)
                && let RulePlace::Zone(zone) = rule.place
                && let Some(new) = self.zone_rule(i, camera, zone)
                && let Some(old) = self.rules.get_mut(i)
            {
                self.refused += old.overflow();
                *old = new;
            }
            self.asleep[i] = rests;
        }
        let counters = self.counters.iter_mut().enumerate();
        counters.filter(|(line, _)| placement.line_rests(*line)).for_each(|(_, counter)| counter.rest());
        self.placement = Some(placement);
    }

    /// For each rule of the plan whether it rests by where the camera looks; empty: none does.
    pub fn asleep(&self) -> &[bool] {
        &self.asleep
    }

    /// Why rules rest: by where the camera looks, or for want of ground.
    pub fn rests(&self) -> Rests {
        let mut rests = self.placement.as_ref().map_or_else(Rests::default, |placement| placement.rests());
        if self.dense.iter().any(|zone| !self.ground.area(*zone).is_some_and(|area| area > 0.0)) {
            rests.note(Rest::NoGround);
        }
        rests
    }

    /// What the camera shows now is what it is to show: what was learnt of another view is forgotten.
    pub fn accept(&mut self) {
        self.health.iter_mut().for_each(Health::accept);
        self.ground.relearn();
    }

    /// Forgets whatever was seen of people, as when zones and lines no longer lie where they did.
    pub fn renew(&mut self, camera: &Camera) {
        let mut new = Self::new(camera, self.trusted);
        new.counters.iter_mut().for_each(LineCounter::is_new);
        let before = std::mem::replace(self, new);
        self.refused = before.overflow();
        (self.health, self.picture, self.ground) = (before.health, before.picture, before.ground);
        (self.placement, self.asleep) = (before.placement, before.asleep);
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
            groups: &self.groups,
            neighbours: &self.neighbours,
            lineages: &self.lineages,
            crossed: &[],
            picture: self.picture.as_ref(),
        };
        self.health.iter_mut().for_each(|rule| rule.observe(&scene, &mut measured.signals));
        self.tell_shapes();
        &self.measured
    }

    fn tell_shapes(&mut self) {
        let Some(placement) = &self.placement else { return };
        let [zones, lines] = &mut self.measured.shapes;
        placement.tell(zones, lines);
    }

    /// Puts another plan of the camera in force, from the next picture on. Paths, lineages, the ground if it is the same,
    /// and what lines and rules know that go on by `diff` live on.
    pub fn replan(&mut self, camera: &Camera, diff: &CameraDiff) {
        let mut new = Self::new(camera, self.trusted);
        new.counters.iter_mut().for_each(LineCounter::is_new);
        let refused = self.overflow();
        let groups = self.groups.moved(&new.groups, &diff.zones);
        let same = |old: &Lineage| new.lineages.iter().position(|l| l.gap() == old.gap());
        let lineages: Vec<Option<usize>> = self.lineages.iter().map(same).collect();
        let moved = Moved::new(diff, groups, lineages);
        for (i, lineage) in self.lineages.drain(..).enumerate() {
            if let Some(place) = moved.lineage(i).and_then(|to| new.lineages.get_mut(to)) {
                *place = lineage;
            }
        }
        for (i, mut counter) in self.counters.drain(..).enumerate() {
            let Some(to) = moved.line(i) else { continue };
            if let (Some(()), Some(place)) = (counter.renumber(to, &moved), new.counters.get_mut(to)) {
                *place = counter;
            }
        }
        for (mut rule, to) in self.rules.drain(..).zip(&diff.rules) {
            let Some(to) = *to else { continue };
            if let (Some(()), Some(place)) = (rule.renumber(to, &moved), new.rules.get_mut(to)) {
                *place = rule;
            }
        }
        self.ground.replan(camera, diff.ground);
        std::mem::swap(&mut new.ground, &mut self.ground);
        std::mem::swap(&mut new.people, &mut self.people);
        for mut health in self.health.drain(..) {
            let Some(to) = diff.rules.get(health.rule()).copied().flatten() else { continue };
            let place = new.health.iter_mut().find(|h| h.rule() == to);
            if let (Some(()), Some(place)) = (health.renumber(to, &moved), place) {
                *place = health;
            }
        }
        new.picture = self.picture.take();
        new.refused = refused.saturating_sub(new.overflow());
        *self = new;
    }

    /// Takes the tracks of one analysed picture.
    pub fn observe(&mut self, time: MediaTime, size: Size, tracks: &[Track]) -> &Measured {
        self.ground.set_size(size);
        self.people.observe(time, size, tracks, &self.ground);
        self.groups.observe(&self.people, size);
        self.neighbours.observe(&self.people, &self.ground);
        for lineage in &mut self.lineages {
            lineage.observe(time, &self.people, &self.ground);
        }
        let scene = Scene {
            time,
            size,
            people: &self.people,
            ground: &self.ground,
            groups: &self.groups,
            neighbours: &self.neighbours,
            lineages: &self.lineages,
            crossed: &[],
            picture: self.picture.as_ref(),
        };
        let measured = &mut self.measured;
        measured.signals.clear();
        measured.crossed.clear();
        let placement = self.placement.as_deref();
        let rests = |line| placement.is_some_and(|p| p.line_rests(line));
        for (_, counter) in self.counters.iter_mut().enumerate().filter(|(line, _)| !rests(*line)) {
            counter.observe(&scene, &mut measured.crossed);
        }
        let scene = Scene { crossed: &measured.crossed, ..scene };
        let asleep = &self.asleep;
        let rests = |rule: usize| asleep.get(rule).is_some_and(|asleep| *asleep);
        for (_, rule) in self.rules.iter_mut().enumerate().filter(|(rule, _)| !rests(*rule)) {
            rule.observe(&scene, &mut measured.signals);
        }
        self.health.iter_mut().for_each(|rule| rule.observe(&scene, &mut measured.signals));
        self.ground.learn(time, self.people.all());
        let measured = &mut self.measured;
        measured.people = u32::try_from(self.people.all().len()).unwrap_or(u32::MAX);
        let usual = &self.lineages[self.usual];
        measured.persons.clear();
        measured.persons.extend(self.people.all().iter().enumerate().map(|(i, p)| (p.id, usual.person(i))));
        measured.zone_people.clear();
        let inside = |(zone, group): (usize, &usize)| {
            let rests = self.placement.as_deref().is_some_and(|p| p.zone_rests(zone));
            if rests { 0 } else { u32::try_from(self.groups.members(*group).len()).unwrap_or(u32::MAX) }
        };
        measured.zone_people.extend(self.zones.iter().enumerate().map(inside));
        self.tell_shapes();
        &self.measured
    }

    /// What the last picture measured.
    pub fn measured(&self) -> &Measured {
        &self.measured
    }

    /// How lengths are measured.
    pub fn ground(&self) -> &Ground {
        &self.ground
    }

    /// To go on from an earlier run, or to begin anew.
    pub fn ground_mut(&mut self) -> &mut Ground {
        &mut self.ground
    }

    /// Table entries that were refused because a table was full.
    pub fn overflow(&self) -> u64 {
        self.refused
            + self.people.overflow()
            + self.neighbours.overflow()
            + self.lineages.iter().map(Lineage::overflow).sum::<u64>()
            + self.counters.iter().map(LineCounter::overflow).sum::<u64>()
            + self.rules.iter().map(|rule| rule.overflow()).sum::<u64>()
    }
}

/// `None` for what belongs to zones.
fn line_rule(i: usize, rule: &plan::Rule, line: usize) -> Option<Box<dyn Rule>> {
    match rule.condition {
        Condition::Crossing { direction } => Some(Box::new(Crossing::new(i, line, direction, rule.filter))),
        _ => None,
    }
}
