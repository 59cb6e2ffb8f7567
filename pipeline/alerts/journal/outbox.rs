//! What waits for delivery, sink by sink. A row stays in the outbox until the receiver took it or it was given up.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::{Gate, JournalError, lock, now_micros, schema};
use crate::types::Event;

const WAITS: i64 = 0;
const DELIVERED: i64 = 1;
const DEAD: i64 = 2;
const SKIPPED: i64 = 3;
const DROPPED: i64 = 4;

/// Most events of an alert that [`Outbox::earlier`] gives.
pub const EARLIER: usize = 10;

/// Bookkeeping of deliveries; blocking, one for each sink's worker.
pub struct Outbox {
    connection: Connection,
    gate: Gate,
}

/// One event for one sink.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Row of the outbox.
    pub id: i64,
    /// What happened.
    pub event: Event,
    /// Attempts so far, at their time.
    pub attempts: u32,
    /// When it is to be attempted, Unix microseconds; later than now for a probe.
    pub due: i64,
    /// When the journal took it, Unix microseconds.
    pub queued: i64,
    /// Events of the alert that this sink has got before, oldest first; only where the sink asks for them.
    pub earlier: Vec<Event>,
}

/// What a sink can do now.
#[derive(Debug, Default)]
pub struct Due {
    /// The oldest waiting event of each alert, if due; in the order of commits.
    pub deliveries: Vec<Delivery>,
    /// When the next one that is not yet due will be, Unix microseconds.
    pub next: Option<i64>,
    /// Updates that were passed over because a newer one waits.
    pub skipped: usize,
}

/// How an attempt went.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Row of the outbox.
    pub id: i64,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// What becomes of a row after an attempt.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The receiver has it.
    Delivered,
    /// Again at `due` (Unix microseconds).
    Again {
        /// Not before.
        due: i64,
        /// Why it failed.
        error: String,
    },
    /// An attempt before its time failed: it waits as before.
    Waits {
        /// Why it failed.
        error: String,
    },
    /// Given up; kept until somebody redelivers it.
    Dead {
        /// Why.
        error: String,
    },
}

impl Outbox {
    pub(super) fn open(path: &Path, gate: Gate) -> Result<Self, JournalError> {
        Ok(Self { connection: schema::connect(path, false)?, gate })
    }

    /// At most `limit` deliveries of `sink` that are due, in the order of commits, one an alert: an event waits until
    /// all earlier ones of its alert are settled. Rows in `held` are in somebody's hands and not given again.
    pub fn due(&mut self, sink: &str, held: &HashSet<i64>, limit: usize) -> Result<Due, JournalError> {
        let now = now_micros();
        let skipped = self.skip_overtaken(sink, held, now)?;
        let mut due = Due { skipped, ..Due::default() };
        let mut statement = self.connection.prepare_cached(
            "SELECT o.id, o.due, o.attempts, o.queued, e.body FROM outbox o JOIN event e ON e.id = o.event
             WHERE o.sink = ?1 AND o.state = 0 AND NOT EXISTS (
               SELECT 1 FROM outbox p WHERE p.sink = o.sink AND p.alert = o.alert AND p.state = 0 AND p.event < o.event)
             ORDER BY o.event",
        )?;
        let mut rows = statement.query([sink])?;
        while let Some(row) = rows.next()? {
            let (id, at): (i64, i64) = (row.get(0)?, row.get(1)?);
            if held.contains(&id) {
                continue;
            }
            if at > now {
                due.next = Some(due.next.map_or(at, |next: i64| next.min(at)));
                continue;
            }
            if due.deliveries.len() == limit {
                break;
            }
            let body = row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?;
            let event = serde_json::from_str(body)?;
            let (attempts, queued) = (row.get(2)?, row.get(3)?);
            due.deliveries.push(Delivery { id, event, attempts, due: at, queued, earlier: Vec::new() });
        }
        Ok(due)
    }

    /// The events of the same alert that the sink of a row took before it, oldest first: the first and the newest, at
    /// most [`EARLIER`].
    pub fn earlier(&self, row: i64) -> Result<Vec<Event>, JournalError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT e.body FROM outbox me
               JOIN outbox o ON o.alert = me.alert AND o.sink = me.sink AND o.event < me.event AND o.state = ?2
               JOIN event e ON e.id = o.event
             WHERE me.id = ?1 ORDER BY o.event",
        )?;
        let mut rows = statement.query(params![row, DELIVERED])?;
        let mut bodies: Vec<String> = Vec::new();
        while let Some(row) = rows.next()? {
            if bodies.len() == EARLIER {
                bodies.remove(1);
            }
            bodies.push(row.get(0)?);
        }
        Ok(bodies.iter().map(|body| serde_json::from_str(body)).collect::<Result<_, _>>()?)
    }

    /// The delivery that is due next, however late that is: to see whether a sink is back.
    pub fn next(&self, sink: &str) -> Result<Option<Delivery>, JournalError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT o.id, o.due, o.attempts, o.queued, e.body FROM outbox o JOIN event e ON e.id = o.event
             WHERE o.sink = ?1 AND o.state = 0 AND NOT EXISTS (
               SELECT 1 FROM outbox p WHERE p.sink = o.sink AND p.alert = o.alert AND p.state = 0 AND p.event < o.event)
             ORDER BY o.due, o.event LIMIT 1",
        )?;
        let mut rows = statement.query([sink])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let event = serde_json::from_str(row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?)?;
        let (id, due, attempts, queued) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(Some(Delivery { id, event, attempts, due, queued, earlier: Vec::new() }))
    }

    /// A waiting `updated` with a newer waiting `updated` of the same alert says nothing any more. The last one stays: it
    /// carries the severity, and may be the first that a sink hears of the alert.
    fn skip_overtaken(&mut self, sink: &str, held: &HashSet<i64>, now: i64) -> Result<usize, JournalError> {
        let mut overtaken: Vec<i64> = self
            .connection
            .prepare_cached(
                "SELECT o.id FROM outbox o WHERE o.sink = ?1 AND o.state = 0 AND o.spare = 1 AND EXISTS (
                   SELECT 1 FROM outbox p WHERE p.sink = o.sink AND p.alert = o.alert AND p.state = 0
                     AND p.event > o.event AND p.spare = 1)",
            )?
            .query_map([sink], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        overtaken.retain(|id| !held.contains(id));
        if overtaken.is_empty() {
            return Ok(0);
        }
        let _turn = lock(&self.gate);
        let tx = self.connection.transaction()?;
        for id in &overtaken {
            tx.prepare_cached("UPDATE outbox SET state = ?2, settled = ?3 WHERE id = ?1 AND state = 0")?
                .execute(params![id, SKIPPED, now])?;
        }
        tx.commit()?;
        Ok(overtaken.len())
    }

    /// Writes down how attempts went, in one transaction.
    pub fn settle(&mut self, settled: &[Settled]) -> Result<(), JournalError> {
        let now = now_micros();
        let _turn = lock(&self.gate);
        let tx = self.connection.transaction()?;
        {
            let mut update = tx.prepare_cached(
                "UPDATE outbox SET state = ?2, due = ?3, settled = ?4, error = ?5, attempts = attempts + 1 WHERE id = ?1",
            )?;
            for item in settled {
                match &item.verdict {
                    Verdict::Delivered => update.execute(params![item.id, DELIVERED, 0, now, None::<String>])?,
                    Verdict::Again { due, error } => {
                        update.execute(params![item.id, WAITS, due, None::<i64>, error])?
                    }
                    Verdict::Waits { error } => tx
                        .prepare_cached("UPDATE outbox SET error = ?2 WHERE id = ?1")?
                        .execute(params![item.id, error])?,
                    Verdict::Dead { error } => update.execute(params![item.id, DEAD, 0, now, error])?,
                };
            }
        }
        tx.commit()?;
        Ok(())
    }

    /// The sink answers again: what waits for a later time is due now.
    pub fn hasten(&mut self, sink: &str) -> Result<usize, JournalError> {
        let _turn = lock(&self.gate);
        Ok(self.connection.execute("UPDATE outbox SET due = 0 WHERE sink = ?1 AND state = 0 AND due > 0", [sink])?)
    }

    /// The receiver wants nothing any more: all that waits becomes dead letters.
    pub fn bury(&mut self, sink: &str, error: &str) -> Result<usize, JournalError> {
        let _turn = lock(&self.gate);
        bury(&self.connection, sink, error)
    }

    /// How many events wait for `sink`, and since when the oldest does (Unix microseconds).
    pub fn waiting(&self, sink: &str) -> Result<(i64, Option<i64>), JournalError> {
        let rows = super::count_waiting(&self.connection, sink)?;
        let mut oldest = self
            .connection
            .prepare_cached("SELECT queued FROM outbox WHERE sink = ?1 AND state = 0 ORDER BY event LIMIT 1")?;
        Ok((rows, oldest.query_row([sink], |row| row.get(0)).optional()?))
    }
}

/// Makes dead letters of all that waits for a sink.
pub(super) fn bury(connection: &Connection, sink: &str, error: &str) -> Result<usize, JournalError> {
    let mut statement = connection
        .prepare_cached("UPDATE outbox SET state = ?2, settled = ?3, error = ?4 WHERE sink = ?1 AND state = 0")?;
    Ok(statement.execute(params![sink, DEAD, now_micros(), error])?)
}

/// Drops up to `rows` of the oldest waiting events that neither start nor end an alert.
pub(super) fn drop_oldest(connection: &Connection, sink: &str, rows: i64, now: i64) -> Result<usize, JournalError> {
    let mut statement = connection.prepare_cached(
        "UPDATE outbox SET state = ?2, settled = ?3, error = 'too many events wait for this sink' WHERE id IN (
           SELECT id FROM outbox WHERE sink = ?1 AND state = 0 AND spare > 0 ORDER BY event LIMIT ?4)",
    )?;
    Ok(statement.execute(params![sink, DROPPED, now, rows])?)
}
