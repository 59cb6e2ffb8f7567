//! `gathering`: a cluster of people on the ground, by DBSCAN (Ester et al. 1996).

use super::people::{Person, median, median_place};
use super::{Rule, Scene};
use crate::config::plan::{BODY_HEIGHT_M, Filter, Length};
use crate::types::{MediaTime, Point, Polygon, Signal, Span, Subject, TrackId};

/// Neighbours, oneself included, that make a core of a cluster; fewer where the rule asks for fewer people. Two would
/// chain passers-by together.
const CORE: u32 = 3;
/// Above this median speed a cluster does not stand, m/s.
const STANDING: f64 = 0.5;
/// Clusters remembered at most.
const MOST_CLUSTERS: usize = 256;
/// People looked at in one zone at most.
const MOST_PEOPLE: usize = 1_024;

/// Finds clusters and keeps their identity over time.
pub struct Gathering {
    rule: usize,
    zone: Polygon,
    filter: Filter,
    radius: f64,
    core: u32,
    standing: bool,
    memory: Span,
    known: Vec<Cluster>,
    next: u64,
    members: Vec<Person>,
    label: Vec<usize>,
    scratch: Vec<f64>,
}

struct Cluster {
    id: u64,
    seen: MediaTime,
    people: Vec<TrackId>,
    place: Point,
    height: f64,
}

impl Gathering {
    /// For the rule with this index in the plan. A cluster keeps its identity over `gap` without being seen.
    pub fn new(
        rule: usize,
        zone: Polygon,
        filter: Filter,
        people: u32,
        radius: Length,
        standing: bool,
        gap: Span,
    ) -> Self {
        Self {
            rule,
            zone,
            filter,
            radius: radius.body_heights(),
            core: people.min(CORE),
            standing,
            memory: gap + Span::from_secs(1),
            known: Vec::new(),
            next: 1,
            members: Vec::new(),
            label: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Labels `self.members` with the index of their cluster's first core; `usize::MAX` is noise.
    fn cluster(&mut self, scene: &Scene<'_>) {
        let n = self.members.len();
        let near =
            |a: &Person, b: &Person| scene.ground.body_heights(a.feet, a.height, b.feet, b.height) <= self.radius;
        let members = &self.members;
        let core = |i: usize| members.iter().filter(|m| near(&members[i], m)).count() >= self.core as usize;
        let cores: Vec<bool> = (0..n).map(core).collect();
        self.label.clear();
        self.label.resize(n, usize::MAX);
        let mut stack = Vec::new();
        for start in 0..n {
            if !cores[start] || self.label[start] != usize::MAX {
                continue;
            }
            self.label[start] = start;
            stack.push(start);
            while let Some(i) = stack.pop() {
                for j in 0..n {
                    if self.label[j] == usize::MAX && near(&members[i], &members[j]) {
                        self.label[j] = start;
                        if cores[j] {
                            stack.push(j);
                        }
                    }
                }
            }
        }
    }

    /// Gives a cluster its old identity: that of which it has the most people, else the one at the same place.
    fn identify(&mut self, scene: &Scene<'_>, people: Vec<TrackId>, place: Point, height: f64) -> Option<u64> {
        let free = |c: &&mut Cluster| c.seen < scene.time;
        let shared = |c: &Cluster| c.people.iter().filter(|id| people.contains(id)).count();
        let by_people = self.known.iter_mut().filter(free).map(|c| (shared(c), c)).filter(|(n, _)| *n > 0);
        let best = by_people.max_by(|a, b| a.0.cmp(&b.0).then(b.1.id.cmp(&a.1.id))).map(|(_, c)| c);
        let radius = self.radius;
        let found = match best {
            Some(cluster) => Some(cluster),
            None => {
                let distance = |c: &Cluster| scene.ground.body_heights(c.place, c.height, place, height);
                let near = self.known.iter_mut().filter(free).map(|c| (distance(c), c)).filter(|(d, _)| *d <= radius);
                near.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.id.cmp(&b.1.id))).map(|(_, c)| c)
            }
        };
        if let Some(cluster) = found {
            (cluster.seen, cluster.people, cluster.place, cluster.height) = (scene.time, people, place, height);
            return Some(cluster.id);
        }
        if self.known.len() >= MOST_CLUSTERS {
            return None;
        }
        let id = self.next;
        self.next += 1;
        self.known.push(Cluster { id, seen: scene.time, people, place, height });
        Some(id)
    }

    fn signal(&mut self, scene: &Scene<'_>, first: usize) -> Option<Signal> {
        let inside: Vec<Person> =
            self.members.iter().zip(&self.label).filter(|(_, l)| **l == first).map(|(m, _)| *m).collect();
        let people = u32::try_from(inside.len()).unwrap_or(u32::MAX);
        let mut feet: Vec<Point> = inside.iter().map(|p| p.feet).collect();
        let pixels = median_place(&mut feet, &mut self.scratch)?;
        let mut heights: Vec<f64> = inside.iter().map(|p| p.height).collect();
        let height = median(&mut heights)?;
        let stands = !self.standing || {
            let mut speeds: Vec<f64> = inside.iter().filter_map(|p| scene.people.speed(p.id, scene.ground)).collect();
            median(&mut speeds).is_some_and(|speed| speed * BODY_HEIGHT_M < STANDING)
        };
        let ids = inside.iter().map(|p| p.id).collect();
        let id = self.identify(scene, ids, pixels, height)?;
        Some(Signal {
            rule: self.rule,
            subject: Subject::Cluster(id),
            value: if stands { f64::from(people) } else { 0.0 },
            since: None,
            people,
            place: Some(scene.size.to_fraction(pixels)),
            bbox: None,
            saturated: false,
            direction: None,
        })
    }
}

impl Rule for Gathering {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        let memory = self.memory;
        self.known.retain(|c| scene.time - c.seen <= memory);
        self.members.clear();
        let inside = scene.people.all().iter().filter(|p| p.passes(&self.filter, scene.size));
        self.members.extend(inside.filter(|p| self.zone.contains(p.anchor(self.filter.anchor))).take(MOST_PEOPLE));
        if self.members.len() < self.core as usize {
            return;
        }
        self.cluster(scene);
        // Larger clusters choose their identity first.
        let mut firsts: Vec<(usize, usize)> = (0..self.label.len())
            .filter(|&i| self.label[i] == i)
            .map(|i| (self.label.iter().filter(|l| **l == i).count(), i))
            .collect();
        firsts.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, first) in firsts {
            out.extend(self.signal(scene, first));
        }
    }
}
