//! Behaviour tests, one module a subject.

// Helpers outside `#[test]` functions may fail a test by unwrap as well.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod alerts_command;
mod allocations;
mod annotate;
mod api;
mod capture;
mod dispatch;
mod page;
mod rtsp;
mod sample;
mod support;
