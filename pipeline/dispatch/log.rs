//! Lines of Lookout's own log, for sites whose collector reads that anyway.

use crate::alerts::journal::Delivery;

/// Writes each event as one log line of level info: what dispatchers read as the message, the whole event as a field.
pub struct LogSink {
    id: String,
}

impl LogSink {
    /// Events a call.
    pub const BATCH: usize = 64;

    /// Nothing is to be opened.
    pub fn new(id: String) -> Self {
        Self { id }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Always taken. A filter that keeps info lines out (`LOOKOUT_LOG`) keeps these out as well.
    pub(super) fn deliver(&self, batch: &[Delivery]) {
        for Delivery { event, .. } in batch {
            let json = serde_json::to_string(event).unwrap_or_default();
            tracing::info!(
                sink = self.id,
                key = event.key().unwrap_or_default(),
                state = %event.state,
                event = json,
                "{} {}",
                event.text.zh,
                event.text.en
            );
        }
    }
}
