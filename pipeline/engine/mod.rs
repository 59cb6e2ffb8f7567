//! Wires the stages; the only place that starts threads.
