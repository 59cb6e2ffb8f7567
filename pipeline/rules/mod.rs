//! Tracks to signals: one file per rule; pure functions of time and tracks.
