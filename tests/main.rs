//! Behaviour tests, one module a subject.

// Helpers outside `#[test]` functions may fail a test by unwrap as well.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod alerts_command;
mod allocations;
mod annotate;
mod answers;
mod api;
mod architecture;
mod backup;
mod cap;
mod capacity;
mod capture;
mod clock;
mod commands;
mod configuration;
mod conformance;
mod dependencies;
mod deploy;
mod dispatch;
mod dome;
mod evidence;
mod faults;
mod fuzz;
mod gb28181;
mod ground;
mod health;
mod hostile;
mod kills;
mod motion;
mod mqtt;
mod nats;
mod network;
mod openapi;
mod operations;
#[cfg(feature = "otel")]
mod otel;
mod outbox;
mod outputs;
mod properties;
mod quiet;
mod recompute;
mod reload;
mod replan;
mod rtsp;
mod rtsp_faults;
mod run;
mod sample;
mod snooze;
mod soak;
mod support;
mod threats;
mod trails;
mod watching;
mod webhook;
