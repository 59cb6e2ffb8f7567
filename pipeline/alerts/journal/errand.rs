//! What commands ask of a run in another process: to test a route, to deliver again what was given up.

use std::path::Path;

use rusqlite::{Connection, params};

use super::{FILE, JournalError, read, schema};
use crate::types::AlertId;

/// An errand that nobody has taken for so long is not waited for any more, milliseconds.
const STALE: i64 = 60_000;

/// Asks for things; for commands.
pub struct Errands {
    connection: Connection,
}

/// A route to be tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestAsked {
    /// Route id.
    pub route: String,
    /// When it was asked for; part of the alert's id.
    pub at: jiff::Timestamp,
}

/// What a run found to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Routes to be tested.
    pub tests: Vec<TestAsked>,
    /// The outbox has something new.
    pub ring: bool,
}

impl Errands {
    /// Of the journal in a data directory, which must be there.
    pub fn open(data: &Path) -> Result<Self, JournalError> {
        let path = data.join(FILE);
        drop(schema::connect_to_read(&path)?);
        Ok(Self { connection: schema::connect(&path, true)? })
    }

    /// Asks the run to test a route.
    pub fn test(&self, asked: &TestAsked) -> Result<(), JournalError> {
        let sql = "INSERT INTO errand (route, asked_at) VALUES (?1, ?2)";
        self.connection.execute(sql, params![asked.route, asked.at.as_millisecond()])?;
        Ok(())
    }

    /// Puts dead letters back into the outbox as if they were new, those of one alert or all, and has the run look. Gives
    /// how many there were.
    pub fn redeliver(&mut self, alert: Option<AlertId>) -> Result<usize, JournalError> {
        let tx = self.connection.transaction()?;
        let revived = tx.execute(
            "UPDATE outbox SET state = 0, due = 0, attempts = 0, settled = NULL, error = NULL
             WHERE state = 2 AND (?1 IS NULL OR alert = ?1)",
            [alert.map(|a| a.0)],
        )?;
        if revived > 0 {
            let now = jiff::Timestamp::now().as_millisecond();
            tx.execute("INSERT INTO errand (route, asked_at) VALUES (NULL, ?1)", [now])?;
        }
        tx.commit()?;
        Ok(revived)
    }
}

/// Takes all errands; those that nobody waits for any more are dropped.
pub(super) fn take(connection: &mut Connection, now: jiff::Timestamp) -> Result<Asked, JournalError> {
    let mut asked = Asked::default();
    // Mostly there is none, and then nothing is locked.
    let any: bool = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM errand)")?.query_row([], |r| r.get(0))?;
    if !any {
        return Ok(asked);
    }
    let tx = connection.transaction()?;
    {
        let mut statement = tx.prepare_cached("DELETE FROM errand RETURNING route, asked_at")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (route, at): (Option<String>, i64) = (row.get(0)?, row.get(1)?);
            match route {
                Some(route) if now.as_millisecond() - at <= STALE => {
                    asked.tests.push(TestAsked { route, at: read::from_millis(at) });
                }
                Some(_) => {}
                None => asked.ring = true,
            }
        }
    }
    tx.commit()?;
    Ok(asked)
}
