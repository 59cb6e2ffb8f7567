//! Clusters of people on the ground by DBSCAN (Ester et al. 1996), and who they are from picture to picture.

use super::Scene;
use crate::types::{CameraMotion, MediaTime, Point, Span, TrackId};

/// Clusters remembered at most.
const MOST_CLUSTERS: usize = 256;

/// Who is near whom, and what DBSCAN makes of it. Buffers are reused.
#[derive(Default)]
pub struct Clusters {
    /// Of the neighbours of person i: from `begin[i]` to `begin[i + 1]` of `near`.
    begin: Vec<usize>,
    near: Vec<usize>,
    filled: Vec<usize>,
    /// Both members and near each other.
    pairs: Vec<(usize, usize)>,
    label: Vec<usize>,
    stack: Vec<usize>,
    found: Vec<Cluster>,
}

/// One cluster in one picture.
#[derive(Clone, Copy, Debug)]
pub struct Cluster {
    /// How many people.
    pub size: usize,
    first: usize,
}

/// In no cluster.
const NONE: usize = usize::MAX;

impl Clusters {
    /// Finds the clusters of a group: cores have `core` people within `radius` body heights, themselves included.
    pub fn find(&mut self, scene: &Scene<'_>, group: usize, radius: f64, core: usize) {
        let (n, inside) = (scene.people.all().len(), scene.groups.inside(group));
        self.pairs.clear();
        let both = scene.neighbours.within(radius).filter(|p| inside[p.a] && inside[p.b]);
        self.pairs.extend(both.map(|p| (p.a, p.b)));
        self.begin.clear();
        self.begin.resize(n + 1, 0);
        for &(a, b) in &self.pairs {
            self.begin[a + 1] += 1;
            self.begin[b + 1] += 1;
        }
        for i in 0..n {
            self.begin[i + 1] += self.begin[i];
        }
        self.near.clear();
        self.near.resize(self.begin[n], 0);
        self.filled.clone_from(&self.begin);
        for &(a, b) in &self.pairs {
            for (i, j) in [(a, b), (b, a)] {
                self.near[self.filled[i]] = j;
                self.filled[i] += 1;
            }
        }
        self.label.clear();
        self.label.resize(n, NONE);
        self.found.clear();
        for &start in scene.groups.members(group) {
            if self.label[start] == NONE && self.is_core(start, core) {
                let size = self.grow(start, core);
                self.found.push(Cluster { size, first: start });
            }
        }
        self.found.sort_unstable_by(|a, b| b.size.cmp(&a.size).then(a.first.cmp(&b.first)));
    }

    fn is_core(&self, i: usize, core: usize) -> bool {
        self.begin[i + 1] - self.begin[i] + 1 >= core
    }

    /// Labels everybody who can be reached from a core; gives their number.
    fn grow(&mut self, start: usize, core: usize) -> usize {
        self.label[start] = start;
        self.stack.push(start);
        let mut size = 1;
        while let Some(i) = self.stack.pop() {
            for k in self.begin[i]..self.begin[i + 1] {
                let j = self.near[k];
                if self.label[j] == NONE {
                    self.label[j] = start;
                    size += 1;
                    if self.is_core(j, core) {
                        self.stack.push(j);
                    }
                }
            }
        }
        size
    }

    /// The largest first.
    pub fn found(&self) -> &[Cluster] {
        &self.found
    }

    /// Indices of the people of a cluster.
    pub fn members(&self, cluster: Cluster) -> impl Iterator<Item = usize> {
        self.label.iter().enumerate().filter(move |(_, label)| **label == cluster.first).map(|(i, _)| i)
    }
}

/// Gives clusters the identity that they had in earlier pictures.
pub struct Identities {
    radius: f64,
    memory: Span,
    known: Vec<Known>,
    /// Lists of clusters that are forgotten, for those to come.
    spare: Vec<Vec<TrackId>>,
    next: u64,
    overflow: u64,
}

struct Known {
    id: u64,
    seen: MediaTime,
    /// Ordered.
    people: Vec<TrackId>,
    place: Point,
    height: f64,
}

impl Identities {
    /// A cluster keeps its identity over `memory` without being seen; `radius` is in body heights.
    pub fn new(radius: f64, memory: Span) -> Self {
        Self { radius, memory, known: Vec::new(), spare: Vec::new(), next: 1, overflow: 0 }
    }

    /// The camera has moved (pixels).
    pub fn carry(&mut self, motion: &CameraMotion) {
        let zoom = motion.zoom();
        for known in &mut self.known {
            (known.place, known.height) = (motion.point(known.place), known.height * zoom);
        }
    }

    /// Forgets whom nobody has seen for too long.
    pub fn forget(&mut self, now: MediaTime) {
        let memory = self.memory;
        self.spare.extend(self.known.extract_if(.., |c| now - c.seen > memory).map(|c| c.people));
    }

    /// The identity of a cluster of `people`, ordered, at this place (pixels, with the median box height): that of the known
    /// one of which it has the most people, else the one at the same place, else a new one. What `people` held is exchanged. `None` where
    /// too many are known.
    pub fn of(&mut self, scene: &Scene<'_>, people: &mut Vec<TrackId>, place: Point, height: f64) -> Option<u64> {
        let free = |c: &&mut Known| c.seen < scene.time;
        let shared = |c: &Known| in_both(&c.people, people);
        let by_people = self.known.iter_mut().filter(free).map(|c| (shared(c), c)).filter(|(n, _)| *n > 0);
        let best = by_people.max_by(|a, b| a.0.cmp(&b.0).then(b.1.id.cmp(&a.1.id))).map(|(_, c)| c);
        let radius = self.radius;
        let found = match best {
            Some(cluster) => Some(cluster),
            None => {
                let distance = |c: &Known| scene.ground.body_heights(c.place, c.height, place, height);
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
        self.known.push(Known { id, seen: scene.time, people, place, height });
        Some(id)
    }

    /// Clusters that got no identity because too many were known.
    pub fn overflow(&self) -> u64 {
        self.overflow
    }
}

/// How many two ordered lists have in common.
fn in_both(a: &[TrackId], b: &[TrackId]) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        count += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    count
}
