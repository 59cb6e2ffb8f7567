//! Tracks to signals: one file per rule. Pure functions of time and tracks: no clock, no thread, no pixel.

mod circle;
pub mod crossing;
mod crowd;
mod gathering;
pub mod ground;
pub mod health;
mod intrusion;
mod lineage;
mod loitering;
mod people;
mod quiet;
mod scene;
mod set;

#[cfg(test)]
mod tests;

use crate::types::Signal;

pub use ground::Ground;
pub use lineage::Lineage;
pub use people::{People, Person};
pub use quiet::Quiet;
pub use scene::Scene;
pub use set::{Measured, RuleSet};

/// Measures one thing at each analysed picture.
pub trait Rule: Send {
    /// Appends what it measured. A rule about a zone gives its value at every picture; a rule about people gives one
    /// signal for each of whom it has something to say, and silence means that its condition does not hold.
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>);

    /// Table entries that were refused because a table was full, since the start.
    fn overflow(&self) -> u64 {
        0
    }
}
