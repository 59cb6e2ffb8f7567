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
mod commands;
mod conformance;
mod dependencies;
mod deploy;
mod dispatch;
mod evidence;
mod faults;
mod fuzz;
mod gb28181;
mod ground;
mod health;
mod mqtt;
mod nats;
mod network;
mod openapi;
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
mod support;
mod trails;
mod watching;
mod webhook;
