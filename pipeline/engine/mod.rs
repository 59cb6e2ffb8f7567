//! Wires the stages; the only place that starts threads.

pub mod hub;
