//! What the rules see of one analysed picture.

use super::ground::Ground;
use super::groups::Groups;
use super::lineage::Lineage;
use super::neighbours::Neighbours;
use super::people::{People, Person};
use crate::types::{Crossed, MediaTime, PictureStatistics, Point, Size};

/// One analysed picture, as rules see it.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// Presentation time.
    pub time: MediaTime,
    /// Of the picture that boxes are in, pixels.
    pub size: Size,
    /// Confirmed people who were seen in it.
    pub people: &'a People,
    /// How lengths are measured.
    pub ground: &'a Ground,
    /// Who counts in which zone.
    pub groups: &'a Groups,
    /// Who is near whom.
    pub neighbours: &'a Neighbours,
    /// Who continues whom, one for each distinct gap among the rules.
    pub lineages: &'a [Lineage],
    /// Lines that were crossed in it.
    pub crossed: &'a [Crossed],
    /// The last look at the camera's pictures; not at every picture there is a new one.
    pub picture: Option<&'a PictureStatistics>,
}

impl<'a> Scene<'a> {
    /// The people of a group with their index in [`People::all`].
    pub fn members(&self, group: usize) -> impl Iterator<Item = (usize, &'a Person)> + Clone + use<'a> {
        let all = self.people.all();
        self.groups.members(group).iter().map(|&i| (i, &all[i]))
    }

    /// The point that stands for a person of this group, fractions.
    pub fn anchor(&self, group: usize, person: &Person) -> Point {
        person.anchor(self.groups.filter(group).anchor)
    }
}
