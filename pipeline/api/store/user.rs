//! Users. The database has a slow, salted hash of each password and nothing that gives it back.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;

use super::{StoreError, from_millis, session};
use crate::config::plan::Role;
use crate::types::time::{millis, millis_option};

/// Times in Unix milliseconds. `password_at` is when the password was set, `last_login` the newest login.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS user (
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL,
  hash TEXT NOT NULL,
  must_change INTEGER NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  password_at INTEGER NOT NULL,
  last_login INTEGER
) STRICT, WITHOUT ROWID;
";

/// Longest name, characters.
pub const LONGEST_NAME: usize = 64;

/// Somebody who may log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct User {
    /// Unique.
    pub name: String,
    /// What they are trusted with.
    pub role: Role,
    /// The next login must change the password.
    pub must_change: bool,
    /// May not log in now.
    pub disabled: bool,
    /// When they were added.
    #[serde(with = "millis")]
    pub created_at: jiff::Timestamp,
    /// When the password was set.
    #[serde(with = "millis")]
    pub password_at: jiff::Timestamp,
    /// The newest login.
    #[serde(with = "millis_option")]
    pub last_login: Option<jiff::Timestamp>,
}

/// A user to be added.
#[derive(Clone)]
pub struct NewUser {
    /// Good by [`check_name`].
    pub name: String,
    /// What they are trusted with.
    pub role: Role,
    /// Of the password, in PHC form.
    pub hash: String,
    /// Whether the next login must change it.
    pub must_change: bool,
}

/// What to change of a user; `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change {
    /// What they are trusted with.
    pub role: Option<Role>,
    /// Whether they may not log in.
    pub disabled: Option<bool>,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is done.
    Done,
    /// There is no such user.
    Unknown,
    /// Nobody would be left to manage users.
    LastAdmin,
}

/// Whether a name is one: it stands in addresses, logs and lists.
pub fn check_name(name: &str) -> Result<(), String> {
    let good = |c: char| c.is_alphanumeric() || "-_.@".contains(c);
    let length = name.chars().count();
    if (1..=LONGEST_NAME).contains(&length) && name.chars().all(good) && name.contains(char::is_alphanumeric) {
        Ok(())
    } else {
        Err(format!("a name has 1 to {LONGEST_NAME} letters, digits, - _ . @ and nothing else"))
    }
}

/// Adds a user; `false` when the name is taken.
pub fn add(tx: &Transaction<'_>, user: &NewUser, now: jiff::Timestamp) -> Result<bool, StoreError> {
    let added = tx.execute(
        "INSERT INTO user (name, role, hash, must_change, created_at, password_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
         ON CONFLICT (name) DO NOTHING",
        params![user.name, user.role.word(), user.hash, user.must_change, now.as_millisecond()],
    )?;
    Ok(added == 1)
}

/// A user by name.
pub fn find(connection: &Connection, name: &str) -> Result<Option<User>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT name, role, must_change, disabled, created_at, password_at, last_login FROM user WHERE name = ?1",
    )?;
    Ok(statement.query_row([name], from_row).optional()?)
}

/// All users, by name.
pub fn list(connection: &Connection) -> Result<Vec<User>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT name, role, must_change, disabled, created_at, password_at, last_login FROM user ORDER BY name",
    )?;
    Ok(statement.query_map([], from_row)?.collect::<Result<_, _>>()?)
}

/// The hash of a user's password; `None` when there is no such user.
pub fn hash(connection: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT hash FROM user WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

/// Changes role or standing. Sessions of somebody who is disabled end.
pub fn change(tx: &Transaction<'_>, name: &str, change: Change) -> Result<Changed, StoreError> {
    let Some(user) = find(tx, name)? else { return Ok(Changed::Unknown) };
    let (role, disabled) = (change.role.unwrap_or(user.role), change.disabled.unwrap_or(user.disabled));
    if (role != Role::Admin || disabled) && is_last_admin(tx, name)? {
        return Ok(Changed::LastAdmin);
    }
    tx.execute("UPDATE user SET role = ?2, disabled = ?3 WHERE name = ?1", params![name, role.word(), disabled])?;
    if disabled {
        session::end_all(tx, name)?;
    }
    Ok(Changed::Done)
}

/// Removes a user with all sessions.
pub fn remove(tx: &Transaction<'_>, name: &str) -> Result<Changed, StoreError> {
    if is_last_admin(tx, name)? {
        return Ok(Changed::LastAdmin);
    }
    session::end_all(tx, name)?;
    let removed = tx.execute("DELETE FROM user WHERE name = ?1", [name])?;
    Ok(if removed == 1 { Changed::Done } else { Changed::Unknown })
}

/// Sets a password; all sessions end. `false` when there is no such user.
pub fn set_password(
    tx: &Transaction<'_>,
    name: &str,
    hash: &str,
    must_change: bool,
    now: jiff::Timestamp,
) -> Result<bool, StoreError> {
    session::end_all(tx, name)?;
    let sql = "UPDATE user SET hash = ?2, must_change = ?3, password_at = ?4 WHERE name = ?1";
    Ok(tx.execute(sql, params![name, hash, must_change, now.as_millisecond()])? == 1)
}

/// Remembers a login.
pub fn logged_in(tx: &Transaction<'_>, name: &str, now: jiff::Timestamp) -> Result<(), StoreError> {
    tx.execute("UPDATE user SET last_login = ?2 WHERE name = ?1", params![name, now.as_millisecond()])?;
    Ok(())
}

fn is_last_admin(tx: &Transaction<'_>, name: &str) -> Result<bool, StoreError> {
    let mut statement = tx.prepare_cached("SELECT name FROM user WHERE role = ?1 AND disabled = 0 LIMIT 2")?;
    let admins: Vec<String> = statement.query_map([Role::Admin.word()], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(admins == [name])
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<User> {
    let word: String = row.get(1)?;
    Ok(User {
        name: row.get(0)?,
        // A role that this version does not know sees and no more.
        role: word.parse().unwrap_or(Role::Viewer),
        must_change: row.get(2)?,
        disabled: row.get(3)?,
        created_at: from_millis(row.get(4)?),
        password_at: from_millis(row.get(5)?),
        last_login: row.get::<_, Option<i64>>(6)?.map(from_millis),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["admin", "张伟", "li.wei@court", "a-b_c", "7"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for wrong in ["", "a b", "a/b", "..", "<b>", "a\n", &"x".repeat(65)] {
            assert!(check_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn somebody_always_manages_users() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now = jiff::Timestamp::now();
        let new = |name: &str, role| NewUser { name: name.into(), role, hash: "h".into(), must_change: false };
        store
            .write(|tx| {
                assert!(add(tx, &new("a", Role::Admin), now)?);
                assert!(!add(tx, &new("a", Role::Viewer), now)?, "taken");
                let demote = Change { role: Some(Role::Viewer), ..Change::default() };
                let disable = Change { disabled: Some(true), ..Change::default() };
                assert_eq!(change(tx, "a", demote)?, Changed::LastAdmin);
                assert_eq!(change(tx, "a", disable)?, Changed::LastAdmin);
                assert_eq!(remove(tx, "a")?, Changed::LastAdmin);
                assert!(add(tx, &new("b", Role::Admin), now)?);
                assert_eq!(change(tx, "b", disable)?, Changed::Done);
                assert_eq!(remove(tx, "a")?, Changed::LastAdmin, "a disabled one manages nothing");
                assert_eq!(change(tx, "b", Change { disabled: Some(false), ..Change::default() })?, Changed::Done);
                assert_eq!(change(tx, "a", demote)?, Changed::Done);
                assert_eq!((change(tx, "x", demote)?, remove(tx, "x")?), (Changed::Unknown, Changed::Unknown));
                assert_eq!(remove(tx, "a")?, Changed::Done);
                Ok(())
            })
            .unwrap();
        let left = store.read(list).unwrap();
        assert_eq!(left.iter().map(|u| u.name.as_str()).collect::<Vec<_>>(), ["b"]);
    }
}
