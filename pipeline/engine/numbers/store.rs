//! `numbers.sqlite`: what is counted, added up by quarters of an hour.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};

use super::{Counted, LineCrossed, Occupied, ZonePeople};

/// Below the site's data.
pub const FILE: &str = "numbers.sqlite";
/// Older numbers are deleted, seconds: 400 days.
const KEEP: i64 = 400 * 86_400;
/// How long to wait for somebody who writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Times are Unix seconds, of the beginning of a quarter.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS people (
  camera TEXT NOT NULL, zone TEXT NOT NULL, quarter INTEGER NOT NULL,
  seconds REAL NOT NULL, person_seconds REAL NOT NULL, most INTEGER NOT NULL,
  PRIMARY KEY (camera, quarter, zone)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS crossed (
  camera TEXT NOT NULL, line TEXT NOT NULL, quarter INTEGER NOT NULL,
  left_to_right INTEGER NOT NULL, right_to_left INTEGER NOT NULL,
  PRIMARY KEY (camera, quarter, line)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS occupied (
  rule TEXT NOT NULL, quarter INTEGER NOT NULL, last REAL NOT NULL, most REAL NOT NULL,
  PRIMARY KEY (rule, quarter)
) STRICT, WITHOUT ROWID;
";

/// The database could not be read or written. A retry may help unless the file is none.
#[derive(Debug, thiserror::Error)]
#[error("numbers: {0}")]
pub struct NumbersError(#[from] rusqlite::Error);

/// Adds up; one writer.
pub struct NumbersStore(Connection);

/// Reads beside the writer.
pub struct NumbersReader(Connection);

impl NumbersStore {
    /// Below the data of a site, which must exist.
    pub fn open(data: &Path) -> Result<Self, NumbersError> {
        let connection = Connection::open(data.join(FILE))?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(connection))
    }

    /// Adds what a camera counted: all of it or nothing.
    pub fn add(&mut self, counted: &Counted) -> Result<(), NumbersError> {
        let transaction = self.0.transaction()?;
        {
            let mut people = transaction.prepare_cached(
                "INSERT INTO people VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET
                 seconds = seconds + excluded.seconds, person_seconds = person_seconds + excluded.person_seconds,
                 most = max(most, excluded.most)",
            )?;
            for ZonePeople { zone, seconds, person_seconds, most } in &counted.zones {
                people.execute(params![counted.camera, zone, counted.quarter, seconds, person_seconds, most])?;
            }
            let mut crossed = transaction.prepare_cached(
                "INSERT INTO crossed VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET
                 left_to_right = left_to_right + excluded.left_to_right,
                 right_to_left = right_to_left + excluded.right_to_left",
            )?;
            let count = |people: u64| i64::try_from(people).unwrap_or(i64::MAX);
            for LineCrossed { line, left_to_right, right_to_left } in &counted.lines {
                let (right, left) = (count(*left_to_right), count(*right_to_left));
                crossed.execute(params![counted.camera, line, counted.quarter, right, left])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Notes the people on the site.
    pub fn note(&mut self, occupied: &Occupied) -> Result<(), NumbersError> {
        let Occupied { rule, quarter, last, most } = occupied;
        self.0
            .prepare_cached(
                "INSERT INTO occupied VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET
             last = excluded.last, most = max(most, excluded.most)",
            )?
            .execute(params![rule, quarter, last, most])?;
        Ok(())
    }

    /// Deletes what is too old.
    pub fn sweep(&mut self, now: jiff::Timestamp) -> Result<(), NumbersError> {
        let oldest = now.as_second() - KEEP;
        for table in ["people", "crossed", "occupied"] {
            self.0.execute(&format!("DELETE FROM {table} WHERE quarter < ?1"), [oldest])?;
        }
        Ok(())
    }
}

impl NumbersReader {
    /// Below the data of a site; `None` where nothing was counted yet.
    pub fn open(data: &Path) -> Result<Option<Self>, NumbersError> {
        let file = data.join(FILE);
        if !file.exists() {
            return Ok(None);
        }
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(PATIENCE)?;
        Ok(Some(Self(connection)))
    }

    /// What a camera counted in the quarters that begin from one time to before another, in the order of time.
    pub fn counted(&self, camera: &str, from: i64, until: i64) -> Result<Vec<Counted>, NumbersError> {
        let mut all: BTreeMap<i64, Counted> = BTreeMap::new();
        let blank = |quarter| Counted { camera: camera.to_owned(), quarter, zones: Vec::new(), lines: Vec::new() };
        let mut people = self.0.prepare_cached(
            "SELECT quarter, zone, seconds, person_seconds, most FROM people
             WHERE camera = ?1 AND quarter >= ?2 AND quarter < ?3",
        )?;
        let mut rows = people.query(params![camera, from, until])?;
        while let Some(row) = rows.next()? {
            let quarter = row.get(0)?;
            let zone =
                ZonePeople { zone: row.get(1)?, seconds: row.get(2)?, person_seconds: row.get(3)?, most: row.get(4)? };
            all.entry(quarter).or_insert_with(|| blank(quarter)).zones.push(zone);
        }
        let mut crossed = self.0.prepare_cached(
            "SELECT quarter, line, left_to_right, right_to_left FROM crossed
             WHERE camera = ?1 AND quarter >= ?2 AND quarter < ?3",
        )?;
        let mut rows = crossed.query(params![camera, from, until])?;
        while let Some(row) = rows.next()? {
            let quarter = row.get(0)?;
            let count = |i| row.get::<_, i64>(i).map(i64::unsigned_abs);
            let line = LineCrossed { line: row.get(1)?, left_to_right: count(2)?, right_to_left: count(3)? };
            all.entry(quarter).or_insert_with(|| blank(quarter)).lines.push(line);
        }
        Ok(all.into_values().collect())
    }

    /// People on the site by each rule, in quarters from one time to before another, in the order of time.
    pub fn occupied(&self, from: i64, until: i64) -> Result<Vec<Occupied>, NumbersError> {
        let mut rows = self.0.prepare_cached(
            "SELECT rule, quarter, last, most FROM occupied WHERE quarter >= ?1 AND quarter < ?2 ORDER BY quarter, rule",
        )?;
        let rows = rows.query_map([from, until], |row| {
            Ok(Occupied { rule: row.get(0)?, quarter: row.get(1)?, last: row.get(2)?, most: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
