//! Text to checked plan: every fault at once with file, line and field.

pub mod plan;
pub mod schedule;
