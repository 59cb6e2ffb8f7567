//! Who did what, when and why. Entries are added and never changed.

use std::net::IpAddr;

use super::{StoreError, from_millis};
use crate::types::time::millis;
use rusqlite::{Connection, Row, Transaction, params};
use serde::Serialize;

/// `at` in Unix milliseconds; `source` is an address.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  target TEXT,
  reason TEXT,
  detail TEXT,
  source TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS audit_what ON audit (what, id);
";

/// A login that failed: anybody can make these, so that they have a bound of their own.
pub const LOGIN_FAILED: &str = "login.failed";
/// Entries that are kept: of failed logins, and of all others.
const MOST: [i64; 2] = [20_000, 200_000];
/// Longest page.
pub const MAX_PAGE: usize = 500;

/// What is to be recorded.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Name of the user or token; `command` for the command line; empty for nobody.
    pub who: String,
    /// What was done, such as `user.add`.
    pub what: &'static str,
    /// To what: a user, a camera, a rule.
    pub target: Option<String>,
    /// Why, in the words of whoever did it.
    pub reason: Option<String>,
    /// Anything else, such as the values before and after. Never a secret.
    pub detail: Option<String>,
    /// The address it came from.
    pub from: Option<IpAddr>,
}

/// What was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct AuditRow {
    /// Counts up.
    pub id: i64,
    /// When, by the host clock.
    #[serde(with = "millis")]
    pub at: jiff::Timestamp,
    /// See [`Entry::who`].
    pub who: String,
    /// See [`Entry::what`].
    pub what: String,
    /// See [`Entry::target`].
    pub target: Option<String>,
    /// See [`Entry::reason`].
    pub reason: Option<String>,
    /// See [`Entry::detail`].
    pub detail: Option<String>,
    /// See [`Entry::from`].
    pub from: Option<String>,
}

impl Entry {
    /// Without target, reason and detail.
    pub fn new(who: impl Into<String>, what: &'static str) -> Self {
        Self { who: who.into(), what, target: None, reason: None, detail: None, from: None }
    }

    /// To what it was done.
    #[must_use]
    pub fn to(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Why it was done.
    #[must_use]
    pub fn because(mut self, reason: Option<String>) -> Self {
        self.reason = reason;
        self
    }

    /// What else is known.
    #[must_use]
    pub fn with(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// Adds an entry, so that it is there if and only if the rest of the transaction is; the oldest beyond the bound go.
pub fn insert(tx: &Transaction<'_>, entry: &Entry, now: jiff::Timestamp) -> Result<i64, StoreError> {
    let Entry { who, what, target, reason, detail, from } = entry;
    let from = from.map(|address| address.to_string());
    tx.prepare_cached(
        "INSERT INTO audit (at, who, what, target, reason, detail, source) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![now.as_millisecond(), who, what, target, reason, detail, from])?;
    let id = tx.last_insert_rowid();
    prune(tx, entry.what == LOGIN_FAILED, MOST)?;
    Ok(id)
}

fn prune(tx: &Transaction<'_>, failed: bool, most: [i64; 2]) -> Result<(), StoreError> {
    let (which, most) = if failed { ("=", most[0]) } else { ("<>", most[1]) };
    // By the index or the key: it looks at `most` entries only when there are as many.
    let sql = format!(
        "DELETE FROM audit WHERE what {which} ?1
         AND id <= (SELECT id FROM audit WHERE what {which} ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"
    );
    if tx.last_insert_rowid() % 64 == 0 {
        tx.execute(&sql, params![LOGIN_FAILED, most])?;
    }
    Ok(())
}

/// Entries before one, newest first; `limit` at most [`MAX_PAGE`].
pub fn list(connection: &Connection, before: Option<i64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, at, who, what, target, reason, detail, source FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let limit = i64::try_from(limit.min(MAX_PAGE)).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![before.unwrap_or(i64::MAX), limit], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        id: row.get(0)?,
        at: from_millis(row.get(1)?),
        who: row.get(2)?,
        what: row.get(3)?,
        target: row.get(4)?,
        reason: row.get(5)?,
        detail: row.get(6)?,
        from: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;

    #[test]
    fn entries_come_newest_first_in_pages_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now = jiff::Timestamp::now();
        let add = |entry: Entry| store.write(|tx| insert(tx, &entry, now)).unwrap();
        for n in 0..4 {
            add(Entry::new("wang", "login").with(format!("n={n}")));
            add(Entry::new("", LOGIN_FAILED));
        }
        let full = Entry::new("wang", "config.save").to("gate").because(Some("less noise".into()));
        assert_eq!(add(full), 9);
        let page = |before, limit| store.read(|c| list(c, before, limit)).unwrap();
        let ids = |rows: &[AuditRow]| rows.iter().map(|r| r.id).collect::<Vec<_>>();
        assert_eq!((ids(&page(None, 2)), ids(&page(Some(8), 3))), (vec![9, 8], vec![7, 6, 5]));
        let newest = page(None, 1).remove(0);
        assert_eq!((newest.target.as_deref(), newest.reason.as_deref()), (Some("gate"), Some("less noise")));
        assert_eq!(page(Some(8), 1)[0].detail.as_deref(), Some("n=3"));

        // The bound takes effect at every 64th entry.
        for _ in 9..63 {
            add(Entry::new("wang", "login"));
        }
        store
            .write(|tx| {
                insert(tx, &Entry::new("", LOGIN_FAILED), now)?;
                prune(tx, true, [2, 100])
            })
            .unwrap();
        let all = page(None, 500);
        assert_eq!(all.iter().filter(|r| r.what == LOGIN_FAILED).count(), 2, "the flood goes");
        assert_eq!(all.iter().filter(|r| r.what != LOGIN_FAILED).count(), 59, "the rest stays");
    }
}
