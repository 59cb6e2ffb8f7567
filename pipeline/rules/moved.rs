//! Where the things that a rule looks at are, once another plan has taken the place of the one that it was made for.

use crate::config::plan::CameraDiff;

/// From indices of the old plan and its set of rules to those of the new one; `None`: no longer there.
pub struct Moved<'a> {
    /// Zones and lines of the plan.
    diff: &'a CameraDiff,
    groups: Vec<Option<usize>>,
    lineages: Vec<Option<usize>>,
}

impl<'a> Moved<'a> {
    /// With the new places of groups and lineages.
    pub fn new(diff: &'a CameraDiff, groups: Vec<Option<usize>>, lineages: Vec<Option<usize>>) -> Self {
        Self { diff, groups, lineages }
    }

    /// Of a zone in the plan.
    pub fn zone(&self, old: usize) -> Option<usize> {
        self.diff.zones.get(old).copied().flatten()
    }

    /// Of a line in the plan.
    pub fn line(&self, old: usize) -> Option<usize> {
        self.diff.lines.get(old).copied().flatten()
    }

    /// Of a group of people.
    pub fn group(&self, old: usize) -> Option<usize> {
        self.groups.get(old).copied().flatten()
    }

    /// Of a lineage.
    pub fn lineage(&self, old: usize) -> Option<usize> {
        self.lineages.get(old).copied().flatten()
    }
}
