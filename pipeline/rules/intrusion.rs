//! `intrusion`: anyone inside; one incident while there is.

use super::crowd::Crowd;
use super::{Moved, Rule, Scene};
use crate::types::Signal;

/// A crowd of one.
pub struct Intrusion(Crowd);

impl Intrusion {
    /// For the rule with this index in the plan, about this group.
    pub fn new(rule: usize, group: usize) -> Self {
        Self(Crowd::new(rule, group))
    }
}

impl Rule for Intrusion {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        out.push(self.0.count(scene));
    }

    fn renumber(&mut self, rule: usize, moved: &Moved<'_>) -> Option<()> {
        self.0.renumber(rule, moved)
    }
}
