//! Who counts where: the people of each zone by each filter, found once a picture for all rules that ask the same.

use super::people::People;
use crate::config::plan::Filter;
use crate::types::{Polygon, Size};

/// The distinct questions that the rules of a camera ask about zones.
#[derive(Default)]
pub struct Groups(Vec<Group>);

struct Group {
    /// Index of the zone in the plan.
    index: usize,
    zone: Polygon,
    filter: Filter,
    /// Indices into [`People::all`], rising.
    members: Vec<usize>,
    /// For each person of the picture, whether a member.
    inside: Vec<bool>,
}

impl Groups {
    /// The index of the group of those who pass `filter` with their anchor in the zone with this index in the plan.
    pub fn ask(&mut self, index: usize, zone: &Polygon, filter: Filter) -> usize {
        self.0.iter().position(|g| g.index == index && g.filter == filter).unwrap_or_else(|| {
            self.0.push(Group { index, zone: zone.clone(), filter, members: Vec::new(), inside: Vec::new() });
            self.0.len() - 1
        })
    }

    /// Where each of the groups is among those of a new plan; `zones` tells it of the zones.
    pub fn moved(&self, new: &Self, zones: &[Option<usize>]) -> Vec<Option<usize>> {
        let find = |group: &Group| {
            let zone = zones.get(group.index).copied().flatten()?;
            new.0.iter().position(|g| g.index == zone && g.filter == group.filter)
        };
        self.0.iter().map(find).collect()
    }

    /// The zone with this index in the plan lies there now.
    pub fn place(&mut self, index: usize, zone: &Polygon) {
        for group in self.0.iter_mut().filter(|g| g.index == index) {
            group.zone.moved_from(zone, |p| p);
        }
    }

    /// Takes the people of a picture.
    pub fn observe(&mut self, people: &People, size: Size) {
        for group in &mut self.0 {
            let (filter, zone) = (&group.filter, &group.zone);
            group.inside.clear();
            group
                .inside
                .extend(people.all().iter().map(|p| p.passes(filter, size) && zone.contains(p.anchor(filter.anchor))));
            group.members.clear();
            group.members.extend(group.inside.iter().enumerate().filter(|(_, inside)| **inside).map(|(i, _)| i));
        }
    }

    /// Indices into [`People::all`], rising.
    pub fn members(&self, group: usize) -> &[usize] {
        &self.0[group].members
    }

    /// Whether the person at this index of [`People::all`] is one of the group.
    pub fn has(&self, group: usize, person: usize) -> bool {
        self.0[group].inside[person]
    }

    /// For each of [`People::all`], whether they are one of the group.
    pub fn inside(&self, group: usize) -> &[bool] {
        &self.0[group].inside
    }

    /// Of the group, fractions.
    pub fn zone(&self, group: usize) -> &Polygon {
        &self.0[group].zone
    }

    /// Which point stands for its people.
    pub fn filter(&self, group: usize) -> &Filter {
        &self.0[group].filter
    }
}
