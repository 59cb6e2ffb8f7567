//! What the file of each camera was: who changed it, when and why. The newest are kept.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;

use super::{StoreError, from_millis};
use crate::types::time::millis;

/// `at` in Unix milliseconds.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS version (
  camera TEXT NOT NULL,
  version INTEGER NOT NULL,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  reason TEXT NOT NULL,
  toml TEXT NOT NULL,
  PRIMARY KEY (camera, version)
) STRICT;
";

/// Versions of one camera that are kept.
const MOST: i64 = 500;
/// Who changed a file by hand: nobody that Lookout knows.
pub const BY_HAND: &str = "";

/// One version of a camera's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Version {
    /// Counts up from 1 for each camera.
    pub version: i64,
    /// When it was saved, or found.
    #[serde(with = "millis")]
    pub at: jiff::Timestamp,
    /// Name of the user or token; empty for an edit of the file by hand.
    pub who: String,
    /// In their words.
    pub reason: String,
    /// The entity tag that the file had then.
    pub etag: String,
}

/// A version with its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct VersionText {
    /// Which.
    #[serde(flatten)]
    pub version: Version,
    /// The whole file.
    pub toml: String,
    /// The file before it; null where that is not known.
    pub before: Option<String>,
}

/// The entity tag of a text: quoted, strong.
pub fn etag(text: &str) -> String {
    use sha2::Digest;
    format!("\"{}\"", hex::encode(&sha2::Sha256::digest(text.as_bytes())[..16]))
}

/// Notes a text down as the newest of a camera, if it is another than that; gives its number.
pub fn note(
    tx: &Transaction<'_>,
    camera: &str,
    (who, reason): (&str, &str),
    toml: &str,
    now: jiff::Timestamp,
) -> Result<i64, StoreError> {
    let newest: Option<(i64, String)> = tx
        .prepare_cached("SELECT version, toml FROM version WHERE camera = ?1 ORDER BY version DESC LIMIT 1")?
        .query_row([camera], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let version = match newest {
        Some((version, text)) if text == toml => return Ok(version),
        Some((version, _)) => version + 1,
        None => 1,
    };
    tx.prepare_cached("INSERT INTO version (camera, version, at, who, reason, toml) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![camera, version, now.as_millisecond(), who, reason, toml])?;
    tx.prepare_cached("DELETE FROM version WHERE camera = ?1 AND version <= ?2")?
        .execute(params![camera, version - MOST])?;
    Ok(version)
}

/// All versions of a camera that are kept, newest first.
pub fn list(connection: &Connection, camera: &str) -> Result<Vec<Version>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT version, at, who, reason, toml FROM version WHERE camera = ?1 ORDER BY version DESC")?;
    let rows = statement.query_map([camera], |row| Ok(from_row(row)?.0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One version of a camera with its text and that before it; `None`: it is not, or no longer, known.
pub fn find(connection: &Connection, camera: &str, version: i64) -> Result<Option<VersionText>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT version, at, who, reason, toml FROM version WHERE camera = ?1 AND version = ?2")?;
    let Some((version, toml)) = statement.query_row(params![camera, version], from_row).optional()? else {
        return Ok(None);
    };
    let before = connection
        .prepare_cached("SELECT toml FROM version WHERE camera = ?1 AND version = ?2")?
        .query_row(params![camera, version.version - 1], |row| row.get(0))
        .optional()?;
    Ok(Some(VersionText { version, toml, before }))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<(Version, String)> {
    let toml: String = row.get(4)?;
    let version = Version {
        version: row.get(0)?,
        at: from_millis(row.get(1)?),
        who: row.get(2)?,
        reason: row.get(3)?,
        etag: etag(&toml),
    };
    Ok((version, toml))
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;

    #[test]
    fn versions_count_up_for_each_camera_and_know_what_was_before() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now = jiff::Timestamp::now();
        let add = |camera: &str, text: &str| store.write(|tx| note(tx, camera, ("wang", "noise"), text, now)).unwrap();
        assert_eq!([add("gate", "a"), add("gate", "b"), add("yard", "a"), add("gate", "b")], [1, 2, 1, 2]);
        let all = store.read(|c| list(c, "gate")).unwrap();
        assert_eq!(all.iter().map(|v| v.version).collect::<Vec<_>>(), [2, 1]);
        assert_eq!((all[0].who.as_str(), all[0].reason.as_str()), ("wang", "noise"));
        assert_eq!(all[1].etag, etag("a"));
        let find = |version| store.read(|c| find(c, "gate", version)).unwrap();
        let second = find(2).unwrap();
        assert_eq!((second.toml.as_str(), second.before.as_deref()), ("b", Some("a")));
        assert_eq!((find(1).unwrap().before, find(3)), (None, None));
    }

    #[test]
    fn the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store
            .write(|tx| {
                for n in 0..=MOST {
                    note(tx, "gate", (BY_HAND, ""), &n.to_string(), jiff::Timestamp::UNIX_EPOCH)?;
                }
                Ok(())
            })
            .unwrap();
        let all = store.read(|c| list(c, "gate")).unwrap();
        assert_eq!((all.len() as i64, all.last().unwrap().version), (MOST, 2));
    }
}
