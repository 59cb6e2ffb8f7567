//! What waits in memory while the journal cannot be written: bounded, and `started` and `ended` go last.

use std::collections::VecDeque;

use super::{Appended, Committed, Journal, JournalError};
use crate::types::{Event, State};

/// A bounded queue in front of a [`Journal`].
pub struct Backlog {
    waiting: VecDeque<Appended>,
    capacity: usize,
    batch: Vec<Appended>,
}

/// Events a transaction, at most: a burst shares the disk's flushes without one transaction growing without bound.
const GROUP: usize = 512;

impl Backlog {
    /// Holds at most `capacity` events.
    pub fn new(capacity: usize) -> Self {
        Self { waiting: VecDeque::new(), capacity: capacity.max(1), batch: Vec::new() }
    }

    /// Events that are not on disk.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.batch.len()
    }

    /// Whether everything is on disk.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is not on disk, in order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.batch.iter().chain(&self.waiting).map(|item| &item.event)
    }

    /// Takes an event. When full, the oldest one that neither starts nor ends an alert gives way; when there is none,
    /// the new event is not taken. Returns how many were lost: 0 or 1.
    pub fn push(&mut self, item: Appended) -> usize {
        if self.len() < self.capacity {
            self.waiting.push_back(item);
            return 0;
        }
        let spare = self.waiting.iter().position(|w| !matches!(w.event.state, State::Started | State::Ended));
        if let Some(spare) = spare {
            self.waiting.remove(spare);
            self.waiting.push_back(item);
        }
        1
    }

    /// Writes all that waits, in order. After an error the rest still waits; [`JournalError::retry`] says whether to
    /// come again. `announce` gets each batch once it is on disk.
    pub fn flush(
        &mut self,
        journal: &mut Journal,
        mut announce: impl FnMut(&[Appended], Committed),
    ) -> Result<(), JournalError> {
        while !self.is_empty() {
            let room = GROUP.saturating_sub(self.batch.len()).min(self.waiting.len());
            self.batch.extend(self.waiting.drain(..room));
            let committed = journal.append(&self.batch)?;
            announce(&self.batch, committed);
            self.batch.clear();
        }
        Ok(())
    }
}
