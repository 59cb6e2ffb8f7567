//! Signals to alerts: the incident state machine, redaction, journal.

pub mod draw;
mod font;
pub mod journal;
pub mod jpeg;
pub mod redact;
