//! `intrusion`: anyone inside; one incident while there is.

use super::crowd::Crowd;
use super::{Rule, Scene};
use crate::config::plan::Filter;
use crate::types::{Polygon, Signal};

/// A crowd of one.
pub struct Intrusion(Crowd);

impl Intrusion {
    /// For the rule with this index in the plan.
    pub fn new(rule: usize, zone: Polygon, filter: Filter) -> Self {
        Self(Crowd::new(rule, zone, filter))
    }
}

impl Rule for Intrusion {
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>) {
        out.push(self.0.count(scene));
    }
}
