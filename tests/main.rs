//! Tests of behaviour: one binary, one module a subject.

mod api;
mod dispatch;
mod sample;
