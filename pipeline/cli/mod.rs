//! Arguments; one file per command.

pub mod alerts;
