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
    /// Lists of clusters that are forgotten, for those to come.
    spare: Vec<Vec<TrackId>>,
    next: u64,
    members: Vec<Person>,
    clusters: Clusters,
    /// Of the cluster that is being looked at.
    inside: Inside,
    overflow: u64,
}

/// Who is near whom, and what DBSCAN makes of it. Buffers are reused.
#[derive(Default)]
struct Clusters {
    /// Pairs of members, row by row.
    near: Vec<bool>,
    core: Vec<bool>,
    label: Vec<usize>,
    stack: Vec<usize>,
    /// Size and label of each cluster.
    found: Vec<(usize, usize)>,
}

/// Members of one cluster, a buffer for each of their properties.
#[derive(Default)]
struct Inside {
    people: Vec<TrackId>,
    feet: Vec<Point>,
    heights: Vec<f64>,
    speeds: Vec<f64>,
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
            spare: Vec::new(),
            next: 1,
            members: Vec::new(),
            clusters: Clusters::default(),
            inside: Inside::default(),
            overflow: 0,
        }
    }

    /// Gives a cluster its old identity: that of which it has the most people, else the one at the same place.
    fn identify(&mut self, scene: &Scene<'_>, place: Point, height: f64) -> Option<u64> {
        let people = &mut self.inside.people;
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
            (cluster.seen, cluster.place, cluster.height) = (scene.time, place, height);
            std::mem::swap(&mut cluster.people, people);
            return Some(cluster.id);
        }
        if self.known.len() >= MOST_CLUSTERS {
            self.overflow += 1;
            return None;
        }
        let id = self.next;
        self.next += 1;
        let people = std::mem::replace(people, self.spare.pop().unwrap_or_default());
        self.known.push(Cluster { id, seen: scene.time, people, place, height });
        Some(id)
    }

    fn signal(&mut self, scene: &Scene<'_>, first: usize) -> Option<Signal> {
        let inside = &mut self.inside;
        inside.clear();
        for (person, _) in self.members.iter().zip(&self.clusters.label).filter(|(_, label)| **label == first) {
            inside.people.push(person.id);
            inside.feet.push(person.feet);
            inside.heights.push(person.height);
            if self.standing {
                inside.speeds.extend(scene.people.speed(person.id, scene.ground));
            }
        }
        let people = u32::try_from(inside.people.len()).unwrap_or(u32::MAX);
        let pixels = median_place(&mut inside.feet, &mut inside.scratch)?;
        let height = median(&mut inside.heights)?;
        let stands = !self.standing || median(&mut inside.speeds).is_some_and(|speed| speed * BODY_HEIGHT_M < STANDING);
        let id = self.identify(scene, pixels, height)?;
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

impl Clusters {
    /// Labels every member with the index of its cluster's first core; `usize::MAX` is noise. `found` has the clusters,
    /// the largest first.
    fn find(&mut self, members: &[Person], core: usize, near: impl Fn(&Person, &Person) -> bool) {
        let n = members.len();
        self.near.clear();
        self.near.resize(n * n, true);
        for i in 0..n {
            for j in 0..i {
                let close = near(&members[i], &members[j]);
                (self.near[i * n + j], self.near[j * n + i]) = (close, close);
            }
        }
        self.core.clear();
        self.core.extend((0..n).map(|i| self.near[i * n..(i + 1) * n].iter().filter(|near| **near).count() >= core));
        self.label.clear();
        self.label.resize(n, usize::MAX);
        self.found.clear();
        for start in 0..n {
            if !self.core[start] || self.label[start] != usize::MAX {
                continue;
            }
            self.label[start] = start;
            self.stack.push(start);
            let mut size = 1;
            while let Some(i) = self.stack.pop() {
                for j in 0..n {
                    if self.label[j] == usize::MAX && self.near[i * n + j] {
                        self.label[j] = start;
                        size += 1;
                        if self.core[j] {
                            self.stack.push(j);
                        }
                    }
                }
            }
            self.found.push((size, start));
        }
        self.found.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    }
}

impl Inside {
    fn clear(&mut self) {
        self.people.clear();
        self.feet.clear();
        self.heights.clear();
        self.speeds.clear();
    }
}

impl Rule for Gathering {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        let memory = self.memory;
        self.spare.extend(self.known.extract_if(.., |c| scene.time - c.seen > memory).map(|c| c.people));
        self.members.clear();
        let passing = scene.people.all().iter().filter(|p| p.passes(&self.filter, scene.size));
        for person in passing.filter(|p| self.zone.contains(p.anchor(self.filter.anchor))) {
            if self.members.len() < MOST_PEOPLE {
                self.members.push(*person);
            } else {
                self.overflow += 1;
            }
        }
        if self.members.len() < self.core as usize {
            return;
        }
        let (ground, radius) = (scene.ground, self.radius);
        let near = |a: &Person, b: &Person| ground.body_heights(a.feet, a.height, b.feet, b.height) <= radius;
        self.clusters.find(&self.members, self.core as usize, near);
        // Larger clusters choose their identity first.
        for k in 0..self.clusters.found.len() {
            let (_, first) = self.clusters.found[k];
            out.extend(self.signal(scene, first));
        }
    }

    fn overflow(&self) -> u64 {
        self.overflow
    }
}
