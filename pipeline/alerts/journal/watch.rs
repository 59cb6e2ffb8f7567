//! Which route announced which alert, and by when it must be answered. Deadlines are times of the host clock at which the
//! journal took the announcement, so they hold across restarts and do not depend on a camera's time.

use rusqlite::{Connection, Transaction, params};

use super::{JournalError, read};
use crate::types::{AlertId, Event, Span};

/// A route that announces an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Route id.
    pub route: String,
    /// How soon it must be answered, if it must.
    pub within: Option<Span>,
}

/// A deadline that has passed without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The alert.
    pub alert: AlertId,
    /// Route id.
    pub route: String,
    /// When the unit should have answered.
    pub deadline: jiff::Timestamp,
    /// How long it had.
    pub within: Span,
}

/// An alert that was answered needs no other answer: further routes that hear of it start as answered.
pub(super) fn begin(
    tx: &Transaction<'_>,
    alert: AlertId,
    watches: &[Watch],
    now_micros: i64,
) -> Result<(), JournalError> {
    let now = now_micros / 1_000;
    for watch in watches {
        let deadline = watch.within.map(|within| now.saturating_add(within.nanos() / 1_000_000));
        tx.prepare_cached(
            "INSERT INTO watch (alert, route, announced_at, deadline, state)
             VALUES (?1, ?2, ?3, ?4, EXISTS (SELECT 1 FROM answer WHERE alert = ?1))
             ON CONFLICT (alert, route) DO NOTHING",
        )?
        .execute(params![alert.0, watch.route, now, deadline])?;
    }
    Ok(())
}

/// The deadline of this route has been told of.
pub(super) fn told(tx: &Transaction<'_>, alert: AlertId, route: &str) -> Result<(), JournalError> {
    tx.prepare_cached("UPDATE watch SET state = 2 WHERE alert = ?1 AND route = ?2 AND state = 0")?
        .execute(params![alert.0, route])?;
    Ok(())
}

pub(super) fn passed(connection: &Connection, now: jiff::Timestamp, limit: usize) -> Result<Vec<Passed>, JournalError> {
    let mut statement = connection.prepare_cached(
        "SELECT alert, route, deadline, announced_at FROM watch
         WHERE state = 0 AND deadline IS NOT NULL AND deadline <= ?1 ORDER BY deadline LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![now.as_millisecond(), limit], |row| {
        let (deadline, announced): (i64, i64) = (row.get(2)?, row.get(3)?);
        Ok(Passed {
            alert: AlertId(row.get(0)?),
            route: row.get(1)?,
            deadline: read::from_millis(deadline),
            within: Span::from_millis(deadline.saturating_sub(announced)),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn unanswered(connection: &Connection) -> Result<Vec<(String, i64)>, JournalError> {
    let mut statement = connection
        .prepare_cached("SELECT route, count(*) FROM watch WHERE state <> 1 AND deadline IS NOT NULL GROUP BY route")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Deadlines without an answer move by as much as the clock was set; not those of what was announced between the two times.
pub(super) fn follow_clock(
    tx: &Transaction<'_>,
    by: jiff::SignedDuration,
    since: jiff::Timestamp,
    now: jiff::Timestamp,
) -> Result<usize, JournalError> {
    let by = i64::try_from(by.as_millis()).unwrap_or(0);
    let mut statement = tx.prepare_cached(
        "UPDATE watch SET deadline = deadline + ?1, announced_at = announced_at + ?1
         WHERE state = 0 AND deadline IS NOT NULL AND announced_at NOT BETWEEN ?2 AND ?3",
    )?;
    Ok(statement.execute(params![by, since.as_millisecond(), now.as_millisecond()])?)
}

/// The newest event of each alert that a route has announced since then, in the order of their starts.
pub(super) fn announced(
    connection: &Connection,
    route: &str,
    since: jiff::Timestamp,
) -> Result<Vec<Event>, JournalError> {
    let mut statement = connection.prepare_cached(
        "SELECT e.body FROM watch w JOIN alert a ON a.id = w.alert JOIN event e ON e.alert = a.id AND e.seq = a.seq
         WHERE w.route = ?1 AND w.announced_at >= ?2 ORDER BY a.first",
    )?;
    let mut rows = statement.query(params![route, since.as_millisecond()])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(events)
}
