//! What waits for delivery, sink by sink. A row stays in the outbox until the receiver took it or it was given up.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{AnswerRow, Gate, JournalError, answers, lock, now_micros, schema};
use crate::types::{AlertId, Event};

const WAITS: i64 = 0;
const DELIVERED: i64 = 1;
const DEAD: i64 = 2;
const SKIPPED: i64 = 3;
const DROPPED: i64 = 4;

/// Most events of an alert that [`Outbox::before`] gives.
pub const EARLIER: usize = 10;

/// Bookkeeping of deliveries; blocking, one for each sink's worker.
pub struct Outbox {
    connection: Connection,
    gate: Gate,
}

/// Opens outboxes, from any thread.
#[derive(Clone)]
pub struct Outboxes {
    path: PathBuf,
    gate: Gate,
}

impl Outboxes {
    pub(super) fn new(path: PathBuf, gate: Gate) -> Self {
        Self { path, gate }
    }

    /// Delivery bookkeeping with a connection of its own.
    pub fn open(&self) -> Result<Outbox, JournalError> {
        Outbox::open(&self.path, self.gate.clone())
    }
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
    /// What is to be told instead of the event, which is then the newest before it; only to a sink that is told answers.
    pub answer: Option<Answered>,
    /// What this sink has got of the alert before; only where the sink asks for it.
    pub before: Before,
}

/// An answer with its number in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Unique in the journal.
    pub number: i64,
    /// Who answered what, and when.
    pub row: AnswerRow,
}

/// What a sink has got of an alert.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Before {
    /// The newest event when it was last told an answer, if it was.
    pub answered: Option<Box<Event>>,
    /// Events since then, or all, oldest first: the first and the newest, at most [`EARLIER`].
    pub events: Vec<Event>,
}

/// The oldest waiting row of each alert of a sink, with what it tells.
const WAITING: &str = "SELECT o.id, o.due, o.attempts, o.queued, e.body, n.id, n.at, n.status, n.detail, n.via, n.who
     FROM outbox o JOIN event e ON e.id = o.event LEFT JOIN answer n ON n.id = o.answer
     WHERE o.sink = ?1 AND o.state = 0 AND NOT EXISTS (
       SELECT 1 FROM outbox p WHERE p.sink = o.sink AND p.alert = o.alert AND p.state = 0
         AND p.event <= o.event AND (p.event < o.event OR p.id < o.id))";

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
    fn open(path: &Path, gate: Gate) -> Result<Self, JournalError> {
        Ok(Self { connection: schema::connect(path, false)?, gate })
    }

    /// At most `limit` deliveries of `sink` that are due, in the order of commits, one an alert: an event waits until
    /// all earlier ones of its alert are settled. Rows in `held` are in somebody's hands and not given again.
    pub fn due(&mut self, sink: &str, held: &HashSet<i64>, limit: usize) -> Result<Due, JournalError> {
        let now = now_micros();
        let skipped = self.skip_overtaken(sink, held, now)?;
        let mut due = Due { skipped, ..Due::default() };
        let mut statement = self.connection.prepare_cached(&format!("{WAITING} ORDER BY o.event, o.id"))?;
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
            due.deliveries.push(delivery(row)?);
        }
        Ok(due)
    }

    /// What the sink of a row took of the same alert before it.
    pub fn before(&self, row: i64) -> Result<Before, JournalError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT e.body, o.answer IS NOT NULL FROM outbox me
               JOIN outbox o ON o.alert = me.alert AND o.sink = me.sink AND o.state = ?2
                 AND o.event <= me.event AND (o.event < me.event OR o.id < me.id)
               JOIN event e ON e.id = o.event
             WHERE me.id = ?1 ORDER BY o.event, o.id",
        )?;
        let mut rows = statement.query(params![row, DELIVERED])?;
        let (mut answered, mut bodies): (Option<String>, Vec<String>) = (None, Vec::new());
        while let Some(row) = rows.next()? {
            let (body, is_answer) = (row.get(0)?, row.get(1)?);
            if is_answer {
                answered = Some(body);
                bodies.clear();
                continue;
            }
            if bodies.len() == EARLIER {
                bodies.remove(1);
            }
            bodies.push(body);
        }
        Ok(Before {
            answered: answered.map(|body| serde_json::from_str(&body)).transpose()?,
            events: bodies.iter().map(|body| serde_json::from_str(body)).collect::<Result<_, _>>()?,
        })
    }

    /// The delivery that is due next, however late that is: to see whether a sink is back.
    pub fn next(&self, sink: &str) -> Result<Option<Delivery>, JournalError> {
        let mut statement =
            self.connection.prepare_cached(&format!("{WAITING} ORDER BY o.due, o.event, o.id LIMIT 1"))?;
        let mut rows = statement.query([sink])?;
        rows.next()?.map(delivery).transpose()
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

/// What was put off is put off no longer where the clock was set back. Set forward, it comes early, which harms nobody.
pub(super) fn follow_clock(tx: &Transaction<'_>, by: jiff::SignedDuration) -> Result<usize, JournalError> {
    if !by.is_negative() {
        return Ok(0);
    }
    let by = i64::try_from(by.as_micros()).unwrap_or(0);
    let mut statement = tx.prepare_cached("UPDATE outbox SET due = max(due + ?1, 0) WHERE state = 0 AND due > 0")?;
    Ok(statement.execute([by])?)
}

/// A row of [`WAITING`].
fn delivery(row: &rusqlite::Row<'_>) -> Result<Delivery, JournalError> {
    let event = serde_json::from_str(row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?)?;
    let (id, due, attempts, queued) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    let answer = match row.get::<_, Option<i64>>(5)? {
        Some(number) => Some(Answered { number, row: answers::from_row(row, 6)? }),
        None => None,
    };
    Ok(Delivery { id, event, attempts, due, queued, answer, before: Before::default() })
}

/// Puts an answer into the outbox of a sink, behind what the sink was to get of the alert; nothing where it was to get
/// none of it.
pub(super) fn tell(tx: &Transaction<'_>, sink: &str, alert: AlertId, answer: i64) -> Result<(), JournalError> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO outbox (sink, alert, event, spare, state, due, queued, answer)
         SELECT sink, alert, max(event), 0, ?3, 0, ?4, ?5 FROM outbox WHERE alert = ?1 AND sink = ?2 GROUP BY sink, alert",
    )?;
    statement.execute(params![alert.0, sink, WAITS, now_micros(), answer])?;
    Ok(())
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
