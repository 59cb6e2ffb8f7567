//! Behaviour tests, one module a subject.

#![allow(clippy::unwrap_used, clippy::expect_used)] // The lint's own exception leaves out helpers of tests.

mod capture;
mod rtsp;
mod support;
