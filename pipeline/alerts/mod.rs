//! Signals to alerts: the incident state machine, redaction, journal.

mod clock;
mod event;
mod incident;
mod incidents;
mod text;

#[cfg(test)]
mod tests;

pub use event::stopped_after_crash;
pub use incidents::{IncidentConfig, Incidents};
