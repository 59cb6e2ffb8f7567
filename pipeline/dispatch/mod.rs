//! Alerts to the outside: outbox, worker, sinks.
