//! The journal: every change of every alert, on disk before anybody hears of it.
//!
//! One SQLite file, `<data>/lookout.db`. An event and the outbox rows of the sinks that are to get it are written in one
//! transaction; the journal commits with `synchronous=FULL`, so a committed event survives a power cut. Only one
//! process may append to a data directory (a lock file says so); any process may read.

mod aftermath;
mod answers;
mod backlog;
mod errand;
mod error;
mod outbox;
mod prune;
mod read;
mod salvage;
mod schema;
mod spot;
pub mod statistics;
#[cfg(test)]
mod tests;
mod token;
mod watch;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OptionalExtension, params};

pub use answers::{AnswerRow, Answers, By, Recorded, Taken, Via};
pub use backlog::Backlog;
pub use errand::{Asked, Errands, TestAsked};
pub use error::JournalError;
pub use outbox::{Answered, Before, Delivery, Due, Outbox, Outboxes, Settled, Verdict};
pub use prune::Pruner;
pub use read::{AlertFilter, AlertRow, DeliveryRow, Reader, RouteRow, Story};
pub use spot::Spot;
#[cfg(test)]
pub(crate) use tests::sample_event;
pub use token::{NewToken, Reach, Token, TokenRow, Tokens};
pub use watch::{Passed, Watch};

use crate::types::{AlertId, Event, State};

/// Name of the journal in the data directory.
pub const FILE: &str = "lookout.db";

/// An event with the sinks that the routes send it to.
#[derive(Clone, Debug)]
pub struct Appended {
    /// What happened.
    pub event: Event,
    /// Ids of sinks. Those that have already got an event of this alert get this one too, named or not.
    pub sinks: Vec<String>,
    /// Routes that announce the alert with this event; one that did before is not begun anew.
    pub watches: Vec<Watch>,
}

impl Appended {
    /// An event that no route watches.
    pub fn new(event: Event, sinks: Vec<String>) -> Self {
        Self { event, sinks, watches: Vec::new() }
    }
}

/// What a batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Events written.
    pub events: usize,
    /// Outbox rows written.
    pub deliveries: usize,
    /// Events that were there already (same alert and `seq`), left as they are.
    pub repeated: usize,
    /// Outbox rows dropped because more wait for a sink than [`OUTBOX_ROWS`]; never an alert's start or end.
    pub dropped: usize,
}

/// So many events may wait for one sink; beyond, the oldest that neither start nor end an alert give way.
pub const OUTBOX_ROWS: i64 = 200_000;

/// The one writer of a data directory; owned by one thread.
pub struct Journal {
    connection: Connection,
    path: PathBuf,
    sinks: Vec<String>,
    /// For each sink, at least as many rows as wait: what was delivered since is not known here.
    waiting: Vec<i64>,
    cap: i64,
    gate: Gate,
    // Held as long as the journal: the lock goes with the file handle, also when the process is killed.
    _lock: File,
}

/// Writers of one process take turns here rather than in SQLite's busy handler, which sleeps.
pub(crate) type Gate = Arc<Mutex<()>>;

impl Journal {
    /// Opens or creates `<data>/lookout.db`. `sinks` are the ids of all configured sinks.
    ///
    /// Errors: another process holds the directory, a newer schema, a disk that does not take it.
    pub fn open(data: &Path, sinks: &[String]) -> Result<Self, JournalError> {
        let lock = Self::lock(data)?;
        let path = data.join(FILE);
        let mut connection = schema::connect(&path, true)?;
        schema::migrate(&mut connection, &path)?;
        let waiting = sinks.iter().map(|sink| count_waiting(&connection, sink)).collect::<Result<_, _>>()?;
        let (sinks, gate) = (sinks.to_vec(), Gate::default());
        Ok(Self { connection, path, sinks, waiting, cap: OUTBOX_ROWS, gate, _lock: lock })
    }

    /// Held as long as somebody appends to a data directory, which is made if there is none.
    fn lock(data: &Path) -> Result<File, JournalError> {
        fs::create_dir_all(data).map_err(|e| JournalError::file(data, &e))?;
        let lock_path = data.join("lookout.lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|e| JournalError::file(&lock_path, &e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse { data: data.to_owned() }),
            Err(TryLockError::Error(e)) => return Err(JournalError::file(&lock_path, &e)),
        }
        Ok(lock)
    }

    /// With another limit than [`OUTBOX_ROWS`].
    pub fn with_outbox_rows(mut self, cap: i64) -> Self {
        self.cap = cap;
        self
    }

    /// Ids of all sinks.
    pub fn sinks(&self) -> &[String] {
        &self.sinks
    }

    /// Goes on with other sinks; see [`Self::retire_removed_sinks`] for those that are gone.
    pub fn set_sinks(&mut self, sinks: &[String]) -> Result<(), JournalError> {
        self.waiting = sinks.iter().map(|sink| count_waiting(&self.connection, sink)).collect::<Result<_, _>>()?;
        self.sinks = sinks.to_vec();
        Ok(())
    }

    /// What waits for sinks that are configured no more becomes dead letters: listed, and sent again once such a sink is
    /// back and somebody asks for it. Returns how many.
    pub fn retire_removed_sinks(&mut self) -> Result<usize, JournalError> {
        let _turn = lock(&self.gate);
        let mut statement = self.connection.prepare("SELECT DISTINCT sink FROM outbox WHERE state = 0")?;
        let found = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        let mut retired = 0;
        for sink in found.iter().filter(|sink| !self.sinks.contains(sink)) {
            retired += outbox::bury(&self.connection, sink, "the sink was removed from the configuration")?;
        }
        Ok(retired)
    }

    /// Writes a batch in one transaction: after `Ok`, all of it is on disk; after an error, none of it is known to be
    /// and the same batch may be given again (what was written after all is not written twice).
    ///
    /// Counts (events without an alert) are passed over.
    pub fn append(&mut self, batch: &[Appended]) -> Result<Committed, JournalError> {
        let queued = now_micros();
        let _turn = lock(&self.gate);
        let tx = self.connection.transaction()?;
        let mut done = Committed::default();
        let mut waiting = self.waiting.clone();
        for item in batch {
            if let Some(alert) = item.event.alert {
                append_one(&tx, alert, item, &self.sinks, queued, &mut waiting, &mut done)?;
            }
        }
        for (sink, rows) in self.sinks.iter().zip(&mut waiting) {
            if *rows > self.cap {
                *rows = count_waiting(&tx, sink)?;
            }
            if *rows > self.cap {
                let dropped = outbox::drop_oldest(&tx, sink, *rows - self.cap, queued)?;
                *rows -= dropped as i64;
                done.dropped += dropped;
            }
        }
        tx.commit()?;
        self.waiting = waiting;
        Ok(done)
    }

    /// The newest event of an alert.
    pub fn newest(&self, alert: AlertId) -> Result<Option<Event>, JournalError> {
        let mut statement =
            self.connection.prepare_cached("SELECT body FROM event WHERE alert = ?1 ORDER BY seq DESC LIMIT 1")?;
        let body: Option<String> = statement.query_row([alert.0], |row| row.get(0)).optional()?;
        Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
    }

    /// Deadlines that have passed at `now` without an answer and have not been told, the oldest first; at most `limit`.
    /// One is told by appending an `overdue` event that names its route.
    pub fn passed(&self, now: jiff::Timestamp, limit: usize) -> Result<Vec<Passed>, JournalError> {
        watch::passed(&self.connection, now, limit)
    }

    /// The host's clock was set `by` so much, to `now`: deadlines of answers move along, and what was put off is not put off for
    /// longer. What was announced since `since` by the clock as it is now knows it already. Gives how many rows moved.
    pub fn follow_clock(
        &mut self,
        by: jiff::SignedDuration,
        since: jiff::Timestamp,
        now: jiff::Timestamp,
    ) -> Result<usize, JournalError> {
        let _turn = lock(&self.gate);
        let tx = self.connection.transaction()?;
        let moved = watch::follow_clock(&tx, by, since, now)? + outbox::follow_clock(&tx, by)?;
        tx.commit()?;
        Ok(moved)
    }

    /// The newest event of each alert that a route has announced since then, in the order of their starts.
    pub fn announced(&self, route: &str, since: jiff::Timestamp) -> Result<Vec<Event>, JournalError> {
        watch::announced(&self.connection, route, since)
    }

    /// How many alerts of each route have a deadline and no answer.
    pub fn unanswered(&self) -> Result<Vec<(String, i64)>, JournalError> {
        watch::unanswered(&self.connection)
    }

    /// Quiet spots in force.
    pub fn spots(&self) -> Result<Vec<Spot>, JournalError> {
        spot::list(&self.connection, false)
    }

    /// What commands have asked for since the last call.
    pub fn errands(&mut self, now: jiff::Timestamp) -> Result<Asked, JournalError> {
        errand::take(&mut self.connection, now)
    }

    /// Rules of test alerts with when the newest was delivered to all its sinks, and whether any is still on its way.
    pub fn tested(&self) -> Result<(Vec<(String, jiff::Timestamp)>, bool), JournalError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT rule, max(done) FROM (
               SELECT a.rule AS rule, max(o.settled) AS done FROM alert a JOIN outbox o ON o.alert = a.id
               WHERE a.test = 1 GROUP BY a.id HAVING min(o.state) = 1 AND max(o.state) = 1
             ) GROUP BY rule",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, read::from_micros(row.get(1)?))))?;
        let done = rows.collect::<Result<_, _>>()?;
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM alert a JOIN outbox o ON o.alert = a.id WHERE a.test = 1 AND o.state = 0)",
        )?;
        Ok((done, statement.query_row([], |row| row.get(0))?))
    }

    /// Takes answers, with a connection of its own.
    pub fn answers(&self) -> Result<Answers, JournalError> {
        Answers::open_file(&self.path, self.gate.clone())
    }

    /// Delivery bookkeeping with a connection of its own, for [`crate::dispatch`].
    pub fn outbox(&self) -> Result<Outbox, JournalError> {
        self.outboxes().open()
    }

    /// The same, for whoever needs more of them later.
    pub fn outboxes(&self) -> Outboxes {
        Outboxes::new(self.path.clone(), self.gate.clone())
    }

    /// Deletes old alerts, with a connection of its own.
    pub fn pruner(&self) -> Result<Pruner, JournalError> {
        Pruner::new(schema::connect(&self.path, true)?, self.gate.clone())
    }

    /// A reader with a connection of its own.
    pub fn reader(&self) -> Result<Reader, JournalError> {
        Reader::open_file(&self.path)
    }
}

fn append_one(
    tx: &rusqlite::Transaction<'_>,
    alert: AlertId,
    item: &Appended,
    known: &[String],
    queued: i64,
    waiting: &mut [i64],
    done: &mut Committed,
) -> Result<(), JournalError> {
    let event = &item.event;
    let body = serde_json::to_string(event)?;
    let at = event.at.as_millisecond();
    let inserted = tx
        .prepare_cached(
            "INSERT INTO event (alert, seq, state, at, body) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (alert, seq) DO NOTHING",
        )?
        .execute(params![alert.0, event.seq, event.state.word(), at, body])?;
    if inserted == 0 {
        done.repeated += 1;
        return Ok(());
    }
    done.events += 1;
    let id = tx.last_insert_rowid();
    let ended = (event.state == State::Ended).then_some(at);
    tx.prepare_cached(
        "INSERT INTO alert (id, first, seq, camera, zone, grid, rule, kind, severity, started_at, ended_at, test)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (id) DO UPDATE SET seq = max(seq, excluded.seq), severity = excluded.severity,
           ended_at = coalesce(excluded.ended_at, ended_at)",
    )?
    .execute(params![
        alert.0,
        id,
        event.seq,
        event.camera.as_deref().unwrap_or(""),
        event.zone,
        event.grid,
        event.rule,
        event.kind.word(),
        event.severity.map(read::severity_rank),
        event.started_at.unwrap_or(event.at).as_millisecond(),
        ended,
        event.is_test(),
    ])?;
    if let Some(overdue) = &event.overdue {
        watch::told(tx, alert, &overdue.route)?;
    }
    watch::begin(tx, alert, &item.watches, queued)?;
    let spare = match event.state {
        State::Started | State::Ended => 0,
        State::Updated => 1,
        State::Evidence | State::Overdue | State::Counted => 2,
    };
    for (sink, rows) in known.iter().zip(waiting) {
        let named = item.sinks.contains(sink);
        let wanted = named
            || tx
                .prepare_cached("SELECT 1 FROM outbox WHERE alert = ?1 AND sink = ?2 LIMIT 1")?
                .query_row(params![alert.0, sink], |_| Ok(()))
                .optional()?
                .is_some();
        if wanted {
            tx.prepare_cached(
                "INSERT INTO outbox (sink, alert, event, spare, state, due, queued) VALUES (?1, ?2, ?3, ?4, 0, 0, ?5)",
            )?
            .execute(params![sink, alert.0, id, spare, queued])?;
            *rows += 1;
            done.deliveries += 1;
        }
    }
    Ok(())
}

fn count_waiting(connection: &Connection, sink: &str) -> Result<i64, JournalError> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM outbox WHERE sink = ?1 AND state = 0")?;
    Ok(statement.query_row([sink], |row| row.get(0))?)
}

/// Unix time in microseconds by the host clock: delivery bookkeeping, never rules.
pub(crate) fn now_micros() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// A poisoned gate guards no data: the turn is taken all the same.
pub(crate) fn lock(gate: &Mutex<()>) -> std::sync::MutexGuard<'_, ()> {
    gate.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
