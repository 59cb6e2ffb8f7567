//! Arguments; one file per command.

pub mod track;

/// Arguments or input that are wrong: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);
