//! Tracks to signals: one file per rule. Pure functions of time and tracks: no clock, no thread, no pixel.

mod bounded;
mod circle;
mod clusters;
mod counter_flow;
pub mod crossing;
mod crowd;
mod density;
mod gathering;
pub mod ground;
mod groups;
pub mod health;
mod intrusion;
mod lineage;
mod loitering;
mod moved;
mod neighbours;
pub mod occupancy;
mod people;
mod placement;
mod proximity;
mod quiet;
mod rush;
mod scene;
mod set;
mod steady;
mod vanished;
mod way;
mod wrong_way;

#[cfg(test)]
mod tests;

use crate::types::{CameraMotion, Headcount, Signal, SiteCrossed, Size};

pub use ground::{Ground, Yardstick};
pub use groups::Groups;
pub use lineage::Lineage;
pub use moved::Moved;
pub use neighbours::Neighbours;
pub use people::{People, Person};
pub use placement::Placement;
pub use quiet::Quiet;
pub use scene::Scene;
pub use set::{Measured, RuleSet};
pub use steady::Steady;

/// Measures one thing at each analysed picture.
pub trait Rule: Send {
    /// Appends what it measured. A rule about a zone gives its value at every picture; a rule about people gives one
    /// signal for each of whom it has something to say, and silence means that its condition does not hold.
    fn observe(&mut self, scene: &Scene<'_>, out: &mut Vec<Signal>);

    /// Another plan is in force, in which this rule is the one with index `rule` and goes on with what it knows. `None` where
    /// something that it looks at is gone.
    fn renumber(&mut self, rule: usize, moved: &Moved<'_>) -> Option<()>;

    /// The camera has moved: what was at a place of the last picture is now where `motion` (pixels) takes it, in a picture
    /// of this size.
    fn carry(&mut self, _motion: &CameraMotion, _size: Size) {}

    /// The ground that the rule's zone is tied to is now where `ground` (fractions) takes it from where it was drawn.
    fn place(&mut self, _ground: &CameraMotion) {}

    /// Table entries that were refused because a table was full, since the start.
    fn overflow(&self) -> u64 {
        0
    }
}

/// Measures one thing from what several cameras tell. Days begin at the rule's reset and are numbered; whoever calls knows
/// the calendar.
pub trait SiteRule: Send {
    /// Takes a crossing; they come in the order of time.
    fn take(&mut self, day: i64, crossed: &SiteCrossed);

    /// What it measures now.
    fn observe(&mut self, day: i64) -> Signal;

    /// What must survive a restart.
    fn count(&self) -> Headcount;

    /// Goes on with what an earlier run knew.
    fn restore(&mut self, count: Headcount);

    /// Another plan of the site is in force, in which this rule is the one with index `rule` and goes on.
    fn renumber(&mut self, rule: usize);
}
