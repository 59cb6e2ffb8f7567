//! Rules that somebody has silenced, until when and why.

use rusqlite::{Connection, Transaction, params};

use super::{StoreError, from_millis};
use crate::types::Snooze;

/// Times in Unix milliseconds.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS snooze (
  camera TEXT NOT NULL,
  rule TEXT NOT NULL,
  until INTEGER NOT NULL,
  who TEXT NOT NULL,
  reason TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (camera, rule)
) STRICT;
";

/// Silences a rule; another time for one that is silenced already takes the place of the first. What is over goes.
pub fn put(tx: &Transaction<'_>, snooze: &Snooze) -> Result<(), StoreError> {
    let Snooze { camera, rule, until, who, reason, since } = snooze;
    tx.execute("DELETE FROM snooze WHERE until <= ?1", [since.as_millisecond()])?;
    tx.prepare_cached(
        "INSERT OR REPLACE INTO snooze (camera, rule, until, who, reason, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![camera, rule, until.as_millisecond(), who, reason, since.as_millisecond()])?;
    Ok(())
}

/// Wakes a rule; whether it was silenced.
pub fn remove(tx: &Transaction<'_>, camera: &str, rule: &str, now: jiff::Timestamp) -> Result<bool, StoreError> {
    let mut statement = tx.prepare_cached("DELETE FROM snooze WHERE camera = ?1 AND rule = ?2 RETURNING until > ?3")?;
    let mut rows = statement.query(params![camera, rule, now.as_millisecond()])?;
    Ok(match rows.next()? {
        Some(row) => row.get(0)?,
        None => false,
    })
}

/// Those in force, by camera and rule.
pub fn list(connection: &Connection, now: jiff::Timestamp) -> Result<Vec<Snooze>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT camera, rule, until, who, reason, since FROM snooze WHERE until > ?1 ORDER BY camera, rule",
    )?;
    let rows = statement.query_map([now.as_millisecond()], |row| {
        Ok(Snooze {
            camera: row.get(0)?,
            rule: row.get(1)?,
            until: from_millis(row.get(2)?),
            who: row.get(3)?,
            reason: row.get(4)?,
            since: from_millis(row.get(5)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::super::Store;
    use super::*;

    #[test]
    fn a_rule_is_silenced_once_until_its_time_and_woken_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let since = jiff::Timestamp::from_second(1_000).unwrap();
        let one = |rule: &str, minutes: i64| Snooze {
            camera: "gate".into(),
            rule: rule.into(),
            until: since + minutes.minutes(),
            who: "wang".into(),
            reason: "works".into(),
            since,
        };
        let put = |snooze: &Snooze| store.write(|tx| super::put(tx, snooze)).unwrap();
        put(&one("a", 5));
        put(&one("b", 10));
        put(&one("a", 20));
        let now = |minutes: i64| store.read(|c| list(c, since + minutes.minutes())).unwrap();
        assert_eq!(now(0), [one("a", 20), one("b", 10)]);
        assert_eq!(now(10), [one("a", 20)]);
        let remove = |rule: &str, minutes: i64| {
            store.write(|tx| super::remove(tx, "gate", rule, since + minutes.minutes())).unwrap()
        };
        assert_eq!([remove("a", 1), remove("a", 1), remove("b", 10)], [true, false, false]);
        assert_eq!(now(0), []);
    }
}
