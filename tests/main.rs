//! Behaviour tests, one module a subject.

mod capture;
mod rtsp;
mod support;
