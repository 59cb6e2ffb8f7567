//! Sessions. A browser holds a random secret; the database has only its hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};

use super::user::User;
use super::{StoreError, from_millis, random, user};

/// Times in Unix milliseconds.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS session (
  key BLOB PRIMARY KEY,
  user TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
  started_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_user ON session (user, seen_at);
";

/// A session that nobody uses ends after this: a shift.
const IDLE: SignedDuration = SignedDuration::from_hours(8);
/// A session ends after this in any case.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How much older than the newest use `seen_at` may be: not every request writes.
const TOUCH: SignedDuration = SignedDuration::from_secs(60);
/// Sessions of one user, at most; the one that was used longest ago makes room.
const MOST: i64 = 50;

/// What the database knows a session by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key([u8; 32]);

/// A session that is good now.
#[derive(Clone, Debug)]
pub struct Found {
    /// Whose.
    pub user: User,
    /// Its last use is old enough to be written again.
    pub stale: bool,
}

impl Key {
    /// Of the secret that a browser holds. It is random and long: a plain hash cannot be undone by guessing.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }
}

/// Starts a session and gives its secret, which is nowhere else. Those that are over are cleared away.
pub fn start(tx: &Transaction<'_>, user: &str, now: jiff::Timestamp) -> Result<String, StoreError> {
    let secret = URL_SAFE_NO_PAD.encode(random::<32>()?);
    let (idle, longest) = oldest(now);
    tx.execute("DELETE FROM session WHERE seen_at <= ?1 OR started_at <= ?2", params![idle, longest])?;
    tx.execute(
        "DELETE FROM session WHERE user = ?1
         AND key NOT IN (SELECT key FROM session WHERE user = ?1 ORDER BY seen_at DESC LIMIT ?2)",
        params![user, MOST - 1],
    )?;
    let sql = "INSERT INTO session (key, user, started_at, seen_at) VALUES (?1, ?2, ?3, ?3)";
    tx.execute(sql, params![Key::of(&secret).0, user, now.as_millisecond()])?;
    Ok(secret)
}

/// The session of a key, if it is good at `now` and its user may log in.
pub fn find(connection: &Connection, key: &Key, now: jiff::Timestamp) -> Result<Option<Found>, StoreError> {
    let (idle, longest) = oldest(now);
    let row: Option<(String, i64)> = connection
        .prepare_cached("SELECT user, seen_at FROM session WHERE key = ?1 AND seen_at > ?2 AND started_at > ?3")?
        .query_row(params![key.0, idle, longest], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((name, seen_at)) = row else { return Ok(None) };
    let user = user::find(connection, &name)?.filter(|user| !user.disabled);
    let stale = now.duration_since(from_millis(seen_at)) >= TOUCH;
    Ok(user.map(|user| Found { user, stale }))
}

/// Remembers that a session is used.
pub fn touch(tx: &Transaction<'_>, key: &Key, now: jiff::Timestamp) -> Result<(), StoreError> {
    tx.execute("UPDATE session SET seen_at = ?2 WHERE key = ?1", params![key.0, now.as_millisecond()])?;
    Ok(())
}

/// Ends a session.
pub fn end(tx: &Transaction<'_>, key: &Key) -> Result<(), StoreError> {
    tx.execute("DELETE FROM session WHERE key = ?1", [key.0])?;
    Ok(())
}

/// Ends all sessions of a user.
pub fn end_all(tx: &Transaction<'_>, user: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM session WHERE user = ?1", [user])?;
    Ok(())
}

/// Last use and start at which a session is just over at `now`, Unix milliseconds.
fn oldest(now: jiff::Timestamp) -> (i64, i64) {
    let millis = |past: SignedDuration| now.as_millisecond() - i64::try_from(past.as_millis()).unwrap_or(i64::MAX);
    (millis(IDLE), millis(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;
    use crate::api::store::user::{Change, NewUser};
    use crate::config::plan::Role;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn store(folder: &std::path::Path) -> (Store, jiff::Timestamp) {
        let store = Store::open(folder).unwrap();
        let now = "2026-11-24T03:00:00Z".parse().unwrap();
        for name in ["wang", "li"] {
            let user = NewUser { name: name.into(), role: Role::Operator, hash: "h".into(), must_change: false };
            store.write(|tx| user::add(tx, &user, now)).unwrap();
        }
        (store, now)
    }

    #[test]
    fn a_session_ends_by_rest_by_age_and_with_its_user() {
        let folder = tempfile::tempdir().unwrap();
        let (store, now) = store(folder.path());
        let secret = store.write(|tx| start(tx, "wang", now)).unwrap();
        let key = Key::of(&secret);
        let is_good = |at| store.read(|c| find(c, &key, at)).unwrap().is_some();
        assert!(store.read(|c| find(c, &Key::of("x"), now)).unwrap().is_none());
        assert!(is_good(now + IDLE - HOUR) && !is_good(now + IDLE));
        let mut at = now;
        while at < now + LONGEST - HOUR {
            assert!(is_good(at), "it is used");
            store.write(|tx| touch(tx, &key, at)).unwrap();
            at += IDLE - HOUR;
        }
        store.write(|tx| touch(tx, &key, now + LONGEST)).unwrap();
        assert!(!is_good(now + LONGEST), "too old, used or not");
        store.write(|tx| touch(tx, &key, now)).unwrap();
        let switch = |disabled| Change { disabled: Some(disabled), ..Change::default() };
        store.write(|tx| user::change(tx, "wang", switch(true))).unwrap();
        store.write(|tx| user::change(tx, "wang", switch(false))).unwrap();
        assert!(!is_good(now), "it does not come back");
    }

    #[test]
    fn a_new_password_ends_all_sessions() {
        let folder = tempfile::tempdir().unwrap();
        let (store, now) = store(folder.path());
        let sessions =
            ["wang", "wang", "li", "li"].map(|name| Key::of(&store.write(|tx| start(tx, name, now)).unwrap()));
        let good = || sessions.map(|key| store.read(|c| find(c, &key, now)).unwrap().is_some());
        store.write(|tx| user::set_password(tx, "wang", "h2", false, now)).unwrap();
        assert_eq!(good(), [false, false, true, true]);
        store.write(|tx| end(tx, &sessions[2])).unwrap();
        assert_eq!(good(), [false, false, false, true]);
        store.write(|tx| user::remove(tx, "li")).unwrap();
        assert_eq!(good(), [false; 4]);
    }

    #[test]
    fn a_user_has_so_many_sessions_and_no_secret_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (store, now) = store(folder.path());
        let at = |n: i64| now + SignedDuration::from_secs(n);
        let secrets: Vec<String> = (0..=MOST).map(|n| store.write(|tx| start(tx, "wang", at(n))).unwrap()).collect();
        let good = |secret: &str| store.read(|c| find(c, &Key::of(secret), at(MOST))).unwrap().is_some();
        assert!(!good(&secrets[0]) && secrets[1..].iter().all(|s| good(s)));
        store.write(|tx| Ok(tx.execute("DELETE FROM session WHERE user <> 'wang'", [])?)).unwrap();
        drop(store);
        let bytes = std::fs::read(folder.path().join(super::super::FILE)).unwrap();
        for secret in &secrets {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
        }
    }
}
