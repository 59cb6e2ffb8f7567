//! Signals to alerts: the incident state machine, redaction, journal.
