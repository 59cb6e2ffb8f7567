//! What the rules see of one analysed picture.

use super::ground::Ground;
use super::lineage::Lineage;
use super::people::People;
use crate::types::{Crossed, MediaTime, PictureStatistics, Size};

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
    /// Who continues whom, one for each distinct gap among the rules.
    pub lineages: &'a [Lineage],
    /// Lines that were crossed in it.
    pub crossed: &'a [Crossed],
    /// The last look at the camera's pictures; not at every picture there is a new one.
    pub picture: Option<&'a PictureStatistics>,
}
