//! Who continues whom: dwell survives identity switches without appearance (design, invariant 5).

use std::collections::BTreeMap;

use super::bounded;
use super::ground::Ground;
use super::people::People;
use crate::types::{CameraMotion, MediaTime, Point, Span, TrackId};

/// Tracks remembered at most.
const MOST_ENTRIES: usize = 4_096;
/// A track is confirmed within this time of its birth, or its ancestor is no longer known.
const CONFIRMATION: Span = Span::from_secs(5);
/// How far from the prediction an heir may be born, body heights.
const REACH: f64 = 1.0;

/// Maps tracks to persons: a confirmed track born within `gap` after another was last seen, and within one body height
/// of where that one was predicted, is the same person. One heir for each dead track, nearest first, never if the two
/// were seen together: when the one that was lost comes back beside its heir, the heir is somebody of its own from then
/// on.
pub struct Lineage {
    gap: Span,
    trusted: bool,
    entries: BTreeMap<TrackId, Entry>,
    /// One for each person of the picture.
    persons: Vec<TrackId>,
    /// Persons who came back in this picture, each with the heir that it is not.
    splits: Vec<(TrackId, TrackId)>,
    pairs: Vec<Pair>,
    overflow: u64,
}

struct Entry {
    person: TrackId,
    seen: MediaTime,
    feet: Point,
    height: f64,
    velocity: [f64; 2],
    has_heir: bool,
}

struct Pair {
    distance: f64,
    dead: TrackId,
    heir: TrackId,
}

impl Lineage {
    /// With `trusted` identities (ground truth) nobody inherits.
    pub fn new(gap: Span, trusted: bool) -> Self {
        Self {
            gap,
            trusted,
            entries: BTreeMap::new(),
            persons: Vec::new(),
            splits: Vec::new(),
            pairs: Vec::new(),
            overflow: 0,
        }
    }

    /// The gap it bridges.
    pub fn gap(&self) -> Span {
        self.gap
    }

    /// The first track of the chain that the person at this index of [`People::all`] belongs to.
    pub fn person(&self, index: usize) -> TrackId {
        self.persons[index]
    }

    /// Persons who came back in this picture beside their heir, with that heir, which was taken for them until now.
    pub fn splits(&self) -> &[(TrackId, TrackId)] {
        &self.splits
    }

    /// Tracks that were not remembered because the table was full.
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    /// The camera has moved (pixels).
    pub fn carry(&mut self, motion: &CameraMotion) {
        let zoom = motion.zoom();
        for entry in self.entries.values_mut() {
            (entry.feet, entry.height) = (motion.point(entry.feet), entry.height * zoom);
            let way = motion.way(Point { x: entry.velocity[0], y: entry.velocity[1] });
            entry.velocity = [way.x, way.y];
        }
    }

    /// Takes the people of a picture.
    pub fn observe(&mut self, time: MediaTime, people: &People, ground: &Ground) {
        self.persons.clear();
        self.splits.clear();
        if self.trusted {
            self.persons.extend(people.all().iter().map(|p| p.id));
            return;
        }
        let keep = self.gap + CONFIRMATION;
        self.entries.retain(|_, e| time - e.seen <= keep);
        self.find_heirs(time, people, ground);
        for (i, person) in people.all().iter().enumerate() {
            let own = || Entry {
                person: person.id,
                seen: time,
                feet: person.feet,
                height: person.height,
                velocity: [0.0; 2],
                has_heir: false,
            };
            let Some(entry) = bounded::entry(&mut self.entries, MOST_ENTRIES, person.id, own) else {
                self.overflow += 1;
                self.persons.push(person.id);
                continue;
            };
            (entry.seen, entry.feet, entry.height) = (time, person.feet, person.height);
            entry.velocity = people.velocity(i);
            entry.has_heir = false;
            // Ancestors have lower ids and come first.
            if entry.person != person.id && self.persons.contains(&entry.person) {
                self.splits.push((entry.person, person.id));
                entry.person = person.id;
            }
            self.persons.push(entry.person);
        }
    }

    fn find_heirs(&mut self, time: MediaTime, people: &People, ground: &Ground) {
        self.pairs.clear();
        for heir in people.all().iter().filter(|p| !self.entries.contains_key(&p.id)) {
            for (&id, dead) in &self.entries {
                let absent = heir.born - dead.seen;
                let apart = absent > Span::ZERO && absent <= self.gap && people.get(id).is_none();
                if !apart || dead.has_heir {
                    continue;
                }
                let dt = absent.secs_f64();
                let predicted =
                    Point { x: dead.feet.x + dead.velocity[0] * dt, y: dead.feet.y + dead.velocity[1] * dt };
                let distance = ground.body_heights(predicted, dead.height, heir.birth, heir.height);
                if distance <= REACH {
                    self.pairs.push(Pair { distance, dead: id, heir: heir.id });
                }
            }
        }
        self.pairs.sort_unstable_by(|a, b| {
            a.distance.total_cmp(&b.distance).then(a.dead.cmp(&b.dead)).then(a.heir.cmp(&b.heir))
        });
        for pair in &self.pairs {
            if self.entries.contains_key(&pair.heir) || self.entries.len() >= MOST_ENTRIES {
                continue;
            }
            let Some(dead) = self.entries.get_mut(&pair.dead).filter(|d| !d.has_heir) else { continue };
            dead.has_heir = true;
            let (person, feet, height) = (dead.person, dead.feet, dead.height);
            let heir = Entry { person, seen: time, feet, height, velocity: [0.0; 2], has_heir: false };
            self.entries.insert(pair.heir, heir);
        }
    }
}
