//! Signals to alerts: the incident state machine, redaction, journal.

mod clock;
pub mod draw;
mod event;
pub mod evidence;
mod font;
mod incident;
mod incidents;
pub mod journal;
pub mod jpeg;
pub mod numbering;
pub mod overlay;
pub mod raised;
pub mod redact;
pub mod report;
pub mod text;
pub mod trial;
pub mod video;
mod watched;

#[cfg(test)]
mod tests;

pub use event::stopped_after_crash;
pub use incidents::{IncidentConfig, Incidents};
