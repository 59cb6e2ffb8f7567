//! `gathering`: a cluster of people on the ground.

use super::clusters::{Cluster, Clusters, Identities};
use super::people::{median, median_place};
use super::{Moved, Rule, Scene};
use crate::config::plan::{BODY_HEIGHT_M, Length};
use crate::types::{CameraMotion, Point, Signal, Size, Span, Subject, TrackId};

/// Neighbours, oneself included, that make a core of a cluster; fewer where the rule asks for fewer people. Two would
/// chain passers-by together.
const CORE: u32 = 3;
/// Above this median speed a cluster does not stand, m/s.
const STANDING: f64 = 0.5;

/// Finds clusters and keeps their identity over time.
pub struct Gathering {
    rule: usize,
    group: usize,
    radius: f64,
    core: usize,
    standing: bool,
    clusters: Clusters,
    identities: Identities,
    /// Of the cluster that is being looked at.
    inside: Inside,
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

impl Gathering {
    /// For the rule with this index in the plan, about this group. A cluster keeps its identity over `gap` without being
    /// seen.
    pub fn new(rule: usize, group: usize, people: u32, radius: Length, standing: bool, gap: Span) -> Self {
        let radius = radius.body_heights();
        Self {
            rule,
            group,
            radius,
            core: people.min(CORE) as usize,
            standing,
            clusters: Clusters::default(),
            identities: Identities::new(radius, gap + Span::from_secs(1)),
            inside: Inside::default(),
        }
    }

    fn signal(&mut self, scene: &Scene<'_>, cluster: Cluster) -> Option<Signal> {
        let inside = &mut self.inside;
        inside.clear();
        for i in self.clusters.members(cluster) {
            let person = &scene.people.all()[i];
            inside.people.push(person.id);
            inside.feet.push(person.feet);
            inside.heights.push(person.height);
            if self.standing {
                inside.speeds.extend(scene.people.speed(i));
            }
        }
        let people = u32::try_from(cluster.size).unwrap_or(u32::MAX);
        let pixels = median_place(&mut inside.feet, &mut inside.scratch)?;
        let height = median(&mut inside.heights)?;
        let stands = !self.standing || median(&mut inside.speeds).is_some_and(|speed| speed * BODY_HEIGHT_M < STANDING);
        let id = self.identities.of(scene, &mut inside.people, pixels, height)?;
        Some(Signal {
            people,
            place: Some(scene.size.to_fraction(pixels)),
            ..Signal::new(self.rule, Subject::Cluster(id), if stands { f64::from(people) } else { 0.0 })
        })
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
        self.identities.forget(scene.time);
        self.clusters.find(scene, self.group, self.radius, self.core);
        // Larger clusters choose their identity first.
        for k in 0..self.clusters.found().len() {
            let cluster = self.clusters.found()[k];
            out.extend(self.signal(scene, cluster));
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
