//! `proximity`: two people, or a queue, nearer to each other than is allowed.

use std::collections::BTreeMap;

use super::bounded;
use super::clusters::{Cluster, Clusters, Identities};
use super::neighbours::Pair;
use super::people::{median, median_place};
use super::{Moved, Rule, Scene};
use crate::config::plan::{BODY_HEIGHT_M, Length};
use crate::types::{CameraMotion, MediaTime, Point, Signal, Size, Span, Subject, TrackId};

/// Pairs remembered at most.
const MOST_PAIRS: usize = 4_096;
/// Whoever is slower does not move, m/s.
const MOVING: f64 = 0.5;
/// Share of the faster one's velocity by which two who move together may differ.
const ALIKE: f64 = 0.5;
/// Moving side by side for so long makes two people belong together.
const TOGETHER: Span = Span::from_secs(2);
/// An interruption of that which does not matter.
const PAUSE: Span = Span::from_secs(1);
/// A pair that is not near each other for so long is forgotten.
const FORGET: Span = Span::from_secs(60);
/// The forgotten leave the table at most so often.
const SWEEP: Span = Span::from_secs(1);

/// Gives the distance of each pair that is too near, or of each queue.
pub struct Proximity {
    rule: usize,
    group: usize,
    lineage: usize,
    /// Body heights.
    distance: f64,
    companions: Option<Companions>,
    near: Vec<(TrackId, TrackId, Pair)>,
}

/// Who came together.
#[derive(Default)]
struct Companions {
    pairs: BTreeMap<(TrackId, TrackId), Walk>,
    /// When those were last looked for who are to be forgotten.
    swept: MediaTime,
    overflow: u64,
}

/// Of two people near each other.
#[derive(Clone, Copy)]
struct Walk {
    seen: MediaTime,
    /// Since when and until when they have moved together.
    moved: Option<(MediaTime, MediaTime)>,
    together: bool,
}

impl Walk {
    fn is_known(&self, now: MediaTime) -> bool {
        now - self.seen <= FORGET
    }
}

impl Proximity {
    /// For the rule with this index in the plan, about this group; `lineage` is the index of the one that bridges the
    /// rule's gap. With `exempt`, people who moved together are left out.
    pub fn new(rule: usize, group: usize, lineage: usize, distance: Length, exempt: bool) -> Self {
        let companions = exempt.then(Companions::default);
        Self { rule, group, lineage, distance: distance.body_heights(), companions, near: Vec::new() }
    }
}

impl Companions {
    /// A minute of passers-by is thousands of pairs: they are not gone through at every picture.
    fn forget(&mut self, now: MediaTime) {
        if now - self.swept >= SWEEP || self.pairs.len() >= MOST_PAIRS {
            self.swept = now;
            self.pairs.retain(|_, walk| walk.is_known(now));
        }
    }

    /// Whether these two belong together by now.
    fn are(&mut self, scene: &Scene<'_>, who: (TrackId, TrackId), pair: Pair) -> bool {
        let now = scene.time;
        let new = Walk { seen: now, moved: None, together: false };
        let Some(walk) = bounded::entry(&mut self.pairs, MOST_PAIRS, who, || new) else {
            self.overflow += 1;
            return false;
        };
        *walk = if walk.is_known(now) { Walk { seen: now, ..*walk } } else { new };
        if move_alike(scene, pair) {
            let since = walk.moved.filter(|(_, until)| now - *until <= PAUSE).map_or(now, |(since, _)| since);
            walk.moved = Some((since, now));
            walk.together |= now - since >= TOGETHER;
        }
        walk.together
    }
}

fn move_alike(scene: &Scene<'_>, pair: Pair) -> bool {
    let (Some(a), Some(b)) = (scene.people.motion(pair.a), scene.people.motion(pair.b)) else { return false };
    let faster = a.length().max(b.length());
    faster * BODY_HEIGHT_M >= MOVING && a.distance(b) <= ALIKE * faster
}

impl Rule for Proximity {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        let lineage = &scene.lineages[self.lineage];
        self.near.clear();
        let inside = scene.groups.inside(self.group);
        for pair in scene.neighbours.within(self.distance) {
            if inside[pair.a] && inside[pair.b] {
                let (a, b) = (lineage.person(pair.a), lineage.person(pair.b));
                self.near.push((a.min(b), a.max(b), *pair));
            }
        }
        self.near.sort_unstable_by_key(|(a, b, _)| (*a, *b));
        if let Some(companions) = &mut self.companions {
            companions.forget(scene.time);
            self.near.retain(|(a, b, pair)| !companions.are(scene, (*a, *b), *pair));
        }
        for (a, b, pair) in &self.near {
            let anchor = |i: usize| scene.anchor(self.group, &scene.people.all()[i]);
            let (one, other) = (anchor(pair.a), anchor(pair.b));
            out.push(Signal {
                calibrated: scene.ground.is_known(),
                people: 2,
                place: Some(Point { x: (one.x + other.x) * 0.5, y: (one.y + other.y) * 0.5 }),
                ..Signal::new(self.rule, Subject::Pair(*a, *b), pair.distance * BODY_HEIGHT_M)
            });
        }
    }

    fn renumber(&mut self, rule: usize, moved: &Moved<'_>) -> Option<()> {
        (self.rule, self.group) = (rule, moved.group(self.group)?);
        self.lineage = moved.lineage(self.lineage)?;
        Some(())
    }

    fn overflow(&self) -> u64 {
        self.companions.as_ref().map_or(0, |companions| companions.overflow)
    }
}

/// A queue: so many people, each too near to the next. Gives the median distance to the nearest.
pub struct Queue {
    rule: usize,
    group: usize,
    people: usize,
    /// Body heights.
    distance: f64,
    clusters: Clusters,
    identities: Identities,
    members: Vec<TrackId>,
    feet: Vec<Point>,
    heights: Vec<f64>,
    nearest: Vec<f64>,
    scratch: Vec<f64>,
}

impl Queue {
    /// For the rule with this index in the plan, about this group. A queue keeps its identity over `gap` without being
    /// seen.
    pub fn new(rule: usize, group: usize, people: u32, distance: Length, gap: Span) -> Self {
        let distance = distance.body_heights();
        Self {
            rule,
            group,
            people: people as usize,
            distance,
            clusters: Clusters::default(),
            identities: Identities::new(distance, gap + Span::from_secs(1)),
            members: Vec::new(),
            feet: Vec::new(),
            heights: Vec::new(),
            nearest: Vec::new(),
            scratch: Vec::new(),
        }
    }

    fn signal(&mut self, scene: &Scene<'_>, cluster: Cluster) -> Option<Signal> {
        self.members.clear();
        self.feet.clear();
        self.heights.clear();
        self.scratch.clear();
        for i in self.clusters.members(cluster) {
            let person = &scene.people.all()[i];
            self.members.push(person.id);
            self.feet.push(person.feet);
            self.heights.push(person.height);
            self.scratch.push(self.nearest[i]);
        }
        let distance = median(&mut self.scratch)?;
        let pixels = median_place(&mut self.feet, &mut self.scratch)?;
        let height = median(&mut self.heights)?;
        let id = self.identities.of(scene, &mut self.members, pixels, height)?;
        Some(Signal {
            calibrated: scene.ground.is_known(),
            people: u32::try_from(cluster.size).unwrap_or(u32::MAX),
            place: Some(scene.size.to_fraction(pixels)),
            ..Signal::new(self.rule, Subject::Cluster(id), distance * BODY_HEIGHT_M)
        })
    }
}

impl Rule for Queue {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        self.identities.forget(scene.time);
        // With two for a core, everybody who is near anybody belongs.
        self.clusters.find(scene, self.group, self.distance, 2);
        self.nearest.clear();
        self.nearest.resize(scene.people.all().len(), f64::INFINITY);
        let inside = scene.groups.inside(self.group);
        for pair in scene.neighbours.within(self.distance) {
            if inside[pair.a] && inside[pair.b] {
                self.nearest[pair.a] = self.nearest[pair.a].min(pair.distance);
                self.nearest[pair.b] = self.nearest[pair.b].min(pair.distance);
            }
        }
        for k in 0..self.clusters.found().len() {
            let cluster = self.clusters.found()[k];
            if cluster.size >= self.people {
                out.extend(self.signal(scene, cluster));
            }
        }
    }

    fn carry(&mut self, motion: &CameraMotion, _: Size) {
        self.identities.carry(motion);
    }

    fn renumber(&mut self, rule: usize, moved: &Moved<'_>) -> Option<()> {
        (self.rule, self.group) = (rule, moved.group(self.group)?);
        Some(())
    }

    fn overflow(&self) -> u64 {
        self.identities.overflow()
    }
}
