//! `vanished`: somebody who was followed in a water zone and was not seen again, nor seen to leave it.

use std::collections::BTreeMap;

use super::people::Person;
use super::{Moved, Rule, Scene};
use crate::types::{CameraMotion, MediaTime, Point, Rect, Signal, Size, Span, Subject, TrackId};

/// People watched at most.
const MOST_PEOPLE: usize = 4_096;
/// Whoever was followed in the zone for less is not missed: a reflection, a bird.
const FOLLOWED: Span = Span::from_secs(1);
/// After a longer stretch without pictures nobody knows who left meanwhile.
const STRETCH: Span = Span::from_secs(10);
/// Missing people are forgotten after so long.
const FORGET: Span = Span::from_secs(3_600);
/// How far somebody gets unseen in a second, body heights; 1.5 m.
const SWIMS: f64 = 0.9;
/// And where they may be found at once, body heights.
const REACH: f64 = 1.0;
/// A track is confirmed within this time of its birth.
const CONFIRMATION: Span = Span::from_secs(5);
/// Share of the picture along its edge in which a box touches it.
const EDGE: f64 = 0.01;

/// Gives a signal for each person who is missing. The hold of the shared machine is how long they must be.
pub struct Vanished {
    rule: usize,
    /// Who passes the filter in the zone.
    group: usize,
    /// Everybody in the zone.
    inside: usize,
    lineage: usize,
    people: BTreeMap<TrackId, Last>,
    last: Option<MediaTime>,
    /// Who came into the zone in this picture.
    fresh: Vec<(TrackId, usize)>,
    found: Vec<Found>,
    overflow: u64,
}

/// The last that was seen of somebody in the zone.
struct Last {
    seen: MediaTime,
    entered: MediaTime,
    /// Passed the filter at some time.
    counts: bool,
    /// On the way out of the picture.
    leaving: bool,
    feet: Point,
    height: f64,
    place: Point,
    bbox: Rect,
}

/// Somebody who came up in the zone and may be somebody who is missing.
struct Found {
    distance: f64,
    missing: TrackId,
    person: TrackId,
}

impl Vanished {
    /// For the rule with this index in the plan, about those who passed `group` among everybody `inside`; `lineage` is the
    /// index of the one that bridges the loss of a track.
    pub fn new(rule: usize, group: usize, inside: usize, lineage: usize) -> Self {
        Self {
            rule,
            group,
            inside,
            lineage,
            people: BTreeMap::new(),
            last: None,
            fresh: Vec::new(),
            found: Vec::new(),
            overflow: 0,
        }
    }

    fn see(&mut self, scene: &Scene<'_>, index: usize, person: &Person) {
        let who = scene.lineages[self.lineage].person(index);
        if !scene.groups.has(self.inside, index) {
            // Seen to leave.
            self.people.remove(&who);
            return;
        }
        let known = self.people.get(&who).map(|last| (last.entered, last.counts));
        if known.is_none() && self.people.len() >= MOST_PEOPLE {
            self.overflow += 1;
            return;
        }
        let (entered, counted) = known.unwrap_or((scene.time, false));
        let last = Last {
            seen: scene.time,
            entered,
            counts: counted || scene.groups.has(self.group, index),
            leaving: leaves(person, scene.people.velocity(index), scene.size),
            feet: person.feet,
            height: person.height,
            place: scene.anchor(self.inside, person),
            bbox: person.bbox,
        };
        self.people.insert(who, last);
        if known.is_none() {
            self.fresh.push((who, index));
        }
    }

    /// Whoever comes up in the zone may be somebody who is missing there.
    fn compare(&mut self, scene: &Scene<'_>, who: TrackId, person: &Person) {
        let birth = scene.size.to_fraction(person.birth);
        let fresh = scene.time - person.born <= CONFIRMATION;
        if !fresh || !scene.groups.zone(self.inside).contains(birth) {
            return;
        }
        for (&missing, last) in self.people.iter().filter(|(_, last)| last.seen < person.born) {
            let distance = scene.ground.body_heights(last.feet, last.height, person.birth, person.height);
            let absent = (person.born - last.seen).secs_f64();
            if distance <= REACH + SWIMS * absent {
                self.found.push(Found { distance, missing, person: who });
            }
        }
    }

    /// Nearest first, each once: whoever is found again is who was missing.
    fn settle(&mut self) {
        self.found.sort_unstable_by(|a, b| {
            a.distance.total_cmp(&b.distance).then(a.missing.cmp(&b.missing)).then(a.person.cmp(&b.person))
        });
        while let Some(first) = self.found.first() {
            let (missing, person) = (first.missing, first.person);
            if let Some(last) = self.people.remove(&missing)
                && let Some(found) = self.people.get_mut(&person)
            {
                (found.entered, found.counts) = (last.entered, found.counts || last.counts);
            }
            self.found.retain(|f| f.missing != missing && f.person != person);
        }
    }
}

/// Whether the box touches the picture's edge or will within a second; `velocity` in pixels a second.
fn leaves(person: &Person, velocity: [f64; 2], size: Size) -> bool {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let b = person.bbox;
    let reaches = |low: f64, high: f64, speed: f64, length: f64| {
        let edge = EDGE * length;
        low.min(low + speed) <= edge || high.max(high + speed) >= length - edge
    };
    reaches(f64::from(b.left), f64::from(b.right()), velocity[0], width)
        || reaches(f64::from(b.top), f64::from(b.bottom()), velocity[1], height)
}

impl Rule for Vanished {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        let now = scene.time;
        if self.last.replace(now).is_some_and(|last| now - last > STRETCH) {
            self.people.clear();
        }
        self.people.retain(|_, last| now - last.seen <= FORGET);
        for (i, person) in scene.people.all().iter().enumerate() {
            self.see(scene, i, person);
        }
        while let Some((who, index)) = self.fresh.pop() {
            self.compare(scene, who, &scene.people.all()[index]);
        }
        self.settle();
        let followed = |last: &Last| last.counts && last.seen - last.entered >= FOLLOWED;
        for (&who, last) in self.people.iter().filter(|(_, l)| l.seen < now && !l.leaving && followed(l)) {
            out.push(Signal {
                people: 1,
                place: Some(last.place),
                bbox: Some(last.bbox),
                ..Signal::new(self.rule, Subject::Person(who), 1.0)
            });
        }
    }

    /// Whoever was last seen where the camera looks no more is not missed.
    fn carry(&mut self, motion: &CameraMotion, size: Size) {
        let zoom = motion.zoom();
        let inside = 0.0..=1.0;
        for last in self.people.values_mut() {
            (last.feet, last.height) = (motion.point(last.feet), last.height * zoom);
            last.place = size.to_fraction(motion.point(size.to_pixels(last.place)));
            last.bbox = motion.rect(&last.bbox);
            last.leaving |= !(inside.contains(&last.place.x) && inside.contains(&last.place.y));
        }
    }

    fn renumber(&mut self, rule: usize, moved: &Moved<'_>) -> Option<()> {
        (self.rule, self.group) = (rule, moved.group(self.group)?);
        (self.inside, self.lineage) = (moved.group(self.inside)?, moved.lineage(self.lineage)?);
        Some(())
    }

    fn overflow(&self) -> u64 {
        self.overflow
    }
}
