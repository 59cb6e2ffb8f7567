//! Tables of the journal and how older ones become today's.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::JournalError;

/// Each step brings `user_version` from its index to the next; a step that was released is never changed.
///
/// `alert.first` is the event that started it; `alert.seq` the newest; `alert.camera` is empty for the whole site.
/// `severity` is a rank from 0. `event.id` is the
/// order of commits. `outbox.state`: 0 waits, 1 delivered, 2 dead, 3 skipped, 4 dropped because too many wait; `spare`: 0
/// for what is never dropped (an alert's start and end), 1 for an update, which a newer one makes superfluous, 2 for the
/// rest; `answer`: what the row tells, instead of its event, which is then the newest that the sink was to get before; such
/// rows follow that of the event. `watch` has a row for each route that announced an alert; `watch.state`: 0 nobody
/// answered, 1 answered, 2 the deadline passed and was told. Times: `at`, `*_at`, `expires`, `deadline` in Unix
/// milliseconds; `due`, `queued`, `settled` in Unix microseconds. `errand` is what commands ask of a run: to test a route,
/// or, without one, to look at the outbox.
const STEPS: [&str; 5] = [
    "
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  alert BLOB NOT NULL,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (alert, seq)
) STRICT;
CREATE TABLE alert (
  id BLOB PRIMARY KEY,
  first INTEGER NOT NULL REFERENCES event (id),
  seq INTEGER NOT NULL,
  camera TEXT NOT NULL,
  zone TEXT,
  grid TEXT,
  rule TEXT,
  kind TEXT NOT NULL,
  severity INTEGER,
  started_at INTEGER NOT NULL,
  ended_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_first ON alert (first);
CREATE INDEX alert_open ON alert (first) WHERE ended_at IS NULL;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  sink TEXT NOT NULL,
  alert BLOB NOT NULL,
  event INTEGER NOT NULL REFERENCES event (id),
  spare INTEGER NOT NULL,
  state INTEGER NOT NULL,
  due INTEGER NOT NULL,
  queued INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  settled INTEGER,
  error TEXT
) STRICT;
CREATE INDEX outbox_alert ON outbox (alert, sink, event);
CREATE INDEX outbox_waiting ON outbox (sink, event) WHERE state = 0;
CREATE INDEX outbox_head ON outbox (sink, alert, event) WHERE state = 0;
CREATE INDEX outbox_spare ON outbox (sink, event) WHERE state = 0 AND spare = 1;
CREATE INDEX outbox_dead ON outbox (sink, event) WHERE state = 2;
",
    "
ALTER TABLE alert ADD COLUMN test INTEGER NOT NULL DEFAULT 0;
CREATE TABLE watch (
  alert BLOB NOT NULL REFERENCES alert (id),
  route TEXT NOT NULL,
  announced_at INTEGER NOT NULL,
  deadline INTEGER,
  state INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (alert, route)
) STRICT, WITHOUT ROWID;
CREATE INDEX watch_due ON watch (deadline) WHERE state = 0 AND deadline IS NOT NULL;
CREATE INDEX watch_unanswered ON watch (route) WHERE state <> 1 AND deadline IS NOT NULL;
CREATE INDEX watch_announced ON watch (announced_at);
CREATE TABLE answer (
  id INTEGER PRIMARY KEY,
  alert BLOB NOT NULL REFERENCES alert (id),
  at INTEGER NOT NULL,
  status TEXT NOT NULL,
  detail TEXT,
  via TEXT NOT NULL,
  who TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX answer_once ON answer (alert, via, who, status, coalesce(detail, ''));
CREATE TABLE token (
  name TEXT PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  sinks TEXT NOT NULL,
  grids TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires INTEGER,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE errand (
  id INTEGER PRIMARY KEY,
  route TEXT,
  asked_at INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_test ON alert (first) WHERE test = 1;
CREATE TABLE spot (
  id INTEGER PRIMARY KEY,
  camera TEXT NOT NULL,
  left REAL NOT NULL,
  top REAL NOT NULL,
  width REAL NOT NULL,
  height REAL NOT NULL,
  alert BLOB NOT NULL UNIQUE REFERENCES alert (id),
  made_at INTEGER NOT NULL,
  made_by TEXT NOT NULL,
  released_at INTEGER,
  released_by TEXT
) STRICT;
CREATE INDEX spot_in_force ON spot (camera) WHERE released_at IS NULL;
",
    "
CREATE INDEX outbox_droppable ON outbox (sink, event) WHERE state = 0 AND spare > 0;
",
    "
ALTER TABLE token ADD COLUMN role TEXT;
",
    "
ALTER TABLE outbox ADD COLUMN answer INTEGER REFERENCES answer (id);
",
];

/// Longest wait for another process's write lock.
const BUSY: Duration = Duration::from_secs(5);

/// A connection in WAL mode. `durable`: a commit is on disk when it returns; else it may be lost in a power cut, which
/// suits bookkeeping whose loss only repeats a delivery.
pub(super) fn connect(path: &Path, durable: bool) -> Result<Connection, JournalError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", if durable { "FULL" } else { "NORMAL" })?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// A connection that cannot write; the file must exist.
pub(super) fn connect_to_read(path: &Path) -> Result<Connection, JournalError> {
    if !path.exists() {
        return Err(JournalError::Missing { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    let (found, known) = (check_version(&connection, path)?, STEPS.len() as i64);
    if found < known {
        return Err(JournalError::Older { path: path.to_owned(), found, known });
    }
    Ok(connection)
}

/// Brings the tables up to date, each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), JournalError> {
    while check_version(connection, path)? < STEPS.len() as i64 {
        // Another process may be doing the same: whoever has the write lock looks again.
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = check_version(&tx, path)?;
        if let Some(sql) = usize::try_from(found).ok().and_then(|found| STEPS.get(found)) {
            tx.execute_batch(sql)?;
            tx.pragma_update(None, "user_version", found + 1)?;
            tx.commit()?;
        }
    }
    Ok(())
}

fn check_version(connection: &Connection, path: &Path) -> Result<i64, JournalError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = STEPS.len() as i64;
    if found > known {
        return Err(JournalError::Newer { path: path.to_owned(), found, known });
    }
    Ok(found)
}
