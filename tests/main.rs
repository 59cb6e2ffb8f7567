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
mod cap;
mod capture;
mod commands;
mod configuration;
mod conformance;
mod dispatch;
mod evidence;
mod gb28181;
mod ground;
mod health;
mod motion;
mod mqtt;
mod nats;
mod network;
mod openapi;
mod operations;
mod outbox;
mod outputs;
mod properties;
mod quiet;
mod recompute;
mod reload;
mod replan;
mod rtsp;
mod run;
mod sample;
mod snooze;
mod support;
mod trails;
mod webhook;
