//! Machines that answer or read from outside: bearer tokens, of which the database has only a hash.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{FILE, JournalError, read, schema};
use crate::config::plan::Role;
use crate::types::time::{millis, millis_option};

/// What a token begins with, so that searches for leaked secrets find it.
const PREFIX: &str = "lookout_";

/// Makes and withdraws tokens; for commands.
pub struct Tokens {
    connection: Connection,
}

/// A token to be made.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    /// Its name, which stands beside each answer given with it.
    pub name: String,
    /// It answers alerts that were sent to these sinks,
    pub sinks: Vec<String>,
    /// and alerts of these grids.
    pub grids: Vec<String>,
    /// What it may do besides.
    pub role: Option<Role>,
    /// When it ends, if it does.
    pub expires: Option<jiff::Timestamp>,
}

/// A token that is good now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// What it may do besides answering.
    pub role: Option<Role>,
    sinks: Vec<String>,
    grids: Vec<String>,
}

/// Whose alert it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Its grid.
    pub grid: Option<String>,
    /// Sinks that it was sent to.
    pub sinks: Vec<String>,
}

/// What a list of tokens shows.
#[derive(Clone, Debug, Serialize)]
pub struct TokenRow {
    /// Its name.
    pub name: String,
    /// Sinks whose alerts it answers.
    pub sinks: Vec<String>,
    /// Grids whose alerts it answers.
    pub grids: Vec<String>,
    /// What it may do besides.
    pub role: Option<Role>,
    /// When it was made.
    #[serde(with = "millis")]
    pub created_at: jiff::Timestamp,
    /// When it ends, if it does.
    #[serde(with = "millis_option")]
    pub expires: Option<jiff::Timestamp>,
    /// When it was withdrawn, if it was.
    #[serde(with = "millis_option")]
    pub revoked_at: Option<jiff::Timestamp>,
}

impl Token {
    /// Whether it answers such an alert.
    pub fn answers(&self, reach: &Reach) -> bool {
        let grid = reach.grid.as_ref().is_some_and(|grid| self.grids.contains(grid));
        grid || self.sinks.iter().any(|sink| reach.sinks.contains(sink))
    }
}

impl Tokens {
    /// Of the journal in a data directory, which is made if there is none.
    pub fn open(data: &Path) -> Result<Self, JournalError> {
        std::fs::create_dir_all(data).map_err(|e| JournalError::file(data, &e))?;
        let path = data.join(FILE);
        let mut connection = schema::connect(&path, true)?;
        schema::migrate(&mut connection, &path)?;
        Ok(Self { connection })
    }

    /// Makes a token and gives its secret, which is nowhere else. `None` when the name is taken.
    pub fn create(&self, token: &NewToken) -> Result<Option<String>, JournalError> {
        let mut bytes = [0; 32];
        let no_random = |_| JournalError::Random;
        SystemRandom::new().fill(&mut bytes).map_err(no_random)?;
        let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let made = self.connection.execute(
            "INSERT INTO token (name, hash, sinks, grids, created_at, expires, role)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (name) DO NOTHING",
            params![
                token.name,
                hash(&secret),
                serde_json::to_string(&token.sinks)?,
                serde_json::to_string(&token.grids)?,
                jiff::Timestamp::now().as_millisecond(),
                token.expires.map(jiff::Timestamp::as_millisecond),
                token.role.map(Role::word),
            ],
        )?;
        Ok((made == 1).then_some(secret))
    }

    /// Withdraws a token; `false` when there is none of the name that was good.
    pub fn revoke(&self, name: &str) -> Result<bool, JournalError> {
        let now = jiff::Timestamp::now().as_millisecond();
        let sql = "UPDATE token SET revoked_at = ?2 WHERE name = ?1 AND revoked_at IS NULL";
        Ok(self.connection.execute(sql, params![name, now])? == 1)
    }

    /// All that were ever made, by name.
    pub fn list(&self) -> Result<Vec<TokenRow>, JournalError> {
        let mut statement = self
            .connection
            .prepare("SELECT name, sinks, grids, created_at, expires, revoked_at, role FROM token ORDER BY name")?;
        let mut rows = statement.query([])?;
        let mut tokens = Vec::new();
        while let Some(row) = rows.next()? {
            tokens.push(TokenRow {
                name: row.get(0)?,
                sinks: serde_json::from_str(&row.get::<_, String>(1)?)?,
                grids: serde_json::from_str(&row.get::<_, String>(2)?)?,
                created_at: read::from_millis(row.get(3)?),
                expires: row.get::<_, Option<i64>>(4)?.map(read::from_millis),
                revoked_at: row.get::<_, Option<i64>>(5)?.map(read::from_millis),
                role: role(row.get(6)?),
            });
        }
        Ok(tokens)
    }
}

/// The token of a secret, if it is good at `now`. The hash is looked up, so time tells nothing of the secret.
pub(super) fn find(connection: &Connection, secret: &str, now: jiff::Timestamp) -> Result<Option<Token>, JournalError> {
    type Row = (String, String, String, Option<String>);
    let row: Option<Row> = connection
        .prepare_cached(
            "SELECT name, sinks, grids, role FROM token
             WHERE hash = ?1 AND revoked_at IS NULL AND (expires IS NULL OR expires > ?2)",
        )?
        .query_row(params![hash(secret), now.as_millisecond()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((name, sinks, grids, word)) = row else { return Ok(None) };
    Ok(Some(Token {
        name,
        role: role(word),
        sinks: serde_json::from_str(&sinks)?,
        grids: serde_json::from_str(&grids)?,
    }))
}

/// A role that this version does not know is none.
fn role(word: Option<String>) -> Option<Role> {
    word.and_then(|word| word.parse().ok())
}

/// Secrets are random and long: a plain hash cannot be undone by guessing.
fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
