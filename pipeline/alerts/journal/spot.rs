//! Quiet spots: where a subject was answered to be no person. They hold until somebody releases them.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;

use super::{By, JournalError, Reader, read};
use crate::types::time::{millis, millis_option};
use crate::types::{AlertId, Event};

/// Spots in force of one camera, at most; more would leave a camera that sees nothing.
const MOST: i64 = 64;

/// A quiet spot.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Spot {
    /// Its number.
    pub id: i64,
    /// Camera id.
    pub camera: String,
    /// Left, top, width, height, fractions.
    #[serde(rename = "box")]
    pub bbox: [f64; 4],
    /// The alert whose subject it was.
    pub alert: AlertId,
    /// Since when it is in force.
    #[serde(with = "millis")]
    pub made_at: jiff::Timestamp,
    /// Who answered.
    pub made_by: String,
    /// When it was released, if it was.
    #[serde(with = "millis_option")]
    pub released_at: Option<jiff::Timestamp>,
    /// Who released it.
    pub released_by: Option<String>,
}

/// Makes the spot of an alert's subject: half the size of its box, around its feet. The first box counts: it is what the
/// picture of the alert shows, while a zone's alert may go on with somebody else. `None` where the alert is not
/// about one box, or its camera has too many.
pub(super) fn make(tx: &Transaction<'_>, alert: AlertId, now: i64, by: &By) -> Result<Option<i64>, JournalError> {
    let mut statement = tx.prepare_cached("SELECT body FROM event WHERE alert = ?1 ORDER BY seq")?;
    let mut rows = statement.query([alert.0])?;
    let (camera, bbox) = loop {
        let Some(row) = rows.next()? else { return Ok(None) };
        let event: Event = serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
        if let Some(found) = event.camera.zip(event.bbox) {
            break found;
        }
    };
    let in_force: i64 = tx
        .prepare_cached("SELECT count(*) FROM spot WHERE camera = ?1 AND released_at IS NULL")?
        .query_row([&camera], |row| row.get(0))?;
    if in_force >= MOST {
        tracing::warn!(camera, "too many quiet spots; release some");
        return Ok(None);
    }
    let [left, top, width, height] = half_around_feet(bbox);
    let made = tx
        .prepare_cached(
            "INSERT INTO spot (camera, left, top, width, height, alert, made_at, made_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (alert) DO NOTHING",
        )?
        .execute(params![camera, left, top, width, height, alert.0, now, by.who])?;
    Ok((made == 1).then(|| tx.last_insert_rowid()))
}

/// Both fractions.
fn half_around_feet([left, top, width, height]: [f64; 4]) -> [f64; 4] {
    [left + width / 4.0, top + height * 0.75, width / 2.0, height / 2.0]
}

/// Ends a spot; `false` when there is none of this number in force.
pub(super) fn release(connection: &Connection, id: i64, who: &str) -> Result<bool, JournalError> {
    let now = jiff::Timestamp::now().as_millisecond();
    let sql = "UPDATE spot SET released_at = ?2, released_by = ?3 WHERE id = ?1 AND released_at IS NULL";
    Ok(connection.execute(sql, params![id, now, who])? == 1)
}

/// Spots by number: those in force, or all.
pub(super) fn list(connection: &Connection, all: bool) -> Result<Vec<Spot>, JournalError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, camera, left, top, width, height, alert, made_at, made_by, released_at, released_by
         FROM spot WHERE ?1 OR released_at IS NULL ORDER BY id",
    )?;
    let rows = statement.query_map([all], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Spot> {
    Ok(Spot {
        id: row.get(0)?,
        camera: row.get(1)?,
        bbox: [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?],
        alert: AlertId(row.get(6)?),
        made_at: read::from_millis(row.get(7)?),
        made_by: row.get(8)?,
        released_at: row.get::<_, Option<i64>>(9)?.map(read::from_millis),
        released_by: row.get(10)?,
    })
}

impl Reader {
    /// Quiet spots by number: those in force, or all there ever were.
    pub fn spots(&self, all: bool) -> Result<Vec<Spot>, JournalError> {
        list(&self.connection, all)
    }

    /// The alert of a spot; `None` when there is no such spot.
    pub fn alert_of_spot(&self, id: i64) -> Result<Option<AlertId>, JournalError> {
        let mut statement = self.connection.prepare_cached("SELECT alert FROM spot WHERE id = ?1")?;
        Ok(statement.query_row([id], |row| row.get(0).map(AlertId)).optional()?)
    }
}
