//! Arguments; one file per command.
