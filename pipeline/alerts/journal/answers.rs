//! What dispatch answered: who, when, what. An answer is on disk before whoever gave it hears that it was taken.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde::Serialize;

use super::{FILE, Gate, JournalError, lock, now_micros, outbox, read, schema, spot};
use crate::types::time::millis;
use crate::types::{AlertId, Answer};

/// Answers of one alert, at most: more is a receiver that runs wild.
const MOST: i64 = 64;

/// Takes answers; blocking.
pub struct Answers {
    connection: Connection,
    gate: Gate,
    told: Vec<String>,
}

/// Which way an answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// By the API, with a token.
    Token,
    /// By the API or the console, by somebody who is logged in.
    User,
    /// In the answer of a sink's receiver to a delivery.
    Sink,
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// Which way.
    pub via: Via,
    /// Name of the token or user, or id of the sink.
    pub who: String,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AnswerRow {
    /// When it was taken, by the host clock.
    #[serde(with = "millis")]
    pub at: jiff::Timestamp,
    /// What was answered.
    #[serde(flatten)]
    pub answer: Answer,
    /// Which way it came.
    pub via: Via,
    /// Name of the token or user, or id of the sink.
    pub by: String,
}

/// What became of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// There is no such alert.
    Unknown,
    /// The alert has as many answers as it may have.
    TooMany,
    /// It is on disk.
    Taken(Taken),
}

/// An answer that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// As it was taken the first time.
    pub row: AnswerRow,
    /// The same answer was there already; nothing was written.
    pub repeated: bool,
    /// Routes that announced the alert.
    pub routes: Vec<String>,
    /// The quiet spot that it made, if it did.
    pub spot: Option<i64>,
}

impl Via {
    const fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::User => "user",
            Self::Sink => "sink",
        }
    }
}

impl Answers {
    /// Of the journal in a data directory, from another process than the one that appends.
    pub fn open(data: &Path) -> Result<Self, JournalError> {
        let path = data.join(FILE);
        drop(schema::connect_to_read(&path)?);
        Self::open_file(&path, Gate::default())
    }

    pub(super) fn open_file(path: &Path, gate: Gate) -> Result<Self, JournalError> {
        Ok(Self { connection: schema::connect(path, true)?, gate, told: Vec::new() })
    }

    /// With sinks that are to be told when an alert that they have heard of was a false alarm.
    pub fn telling(mut self, sinks: Vec<String>) -> Self {
        self.told = sinks;
        self
    }

    /// Others are to be told from now on.
    pub fn tell(&mut self, sinks: Vec<String>) {
        self.told = sinks;
    }

    /// Writes an answer. The same answer by the same one again changes nothing, so that it may be sent until it arrives.
    /// Any answer ends all deadlines of the alert.
    pub fn record(&mut self, alert: AlertId, answer: &Answer, by: &By) -> Result<Recorded, JournalError> {
        let now = now_micros() / 1_000;
        let _turn = lock(&self.gate);
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let known =
            tx.prepare_cached("SELECT 1 FROM alert WHERE id = ?1")?.query_row([alert.0], |_| Ok(())).optional()?;
        if known.is_none() {
            return Ok(Recorded::Unknown);
        }
        let before: Option<i64> = tx
            .prepare_cached(
                "SELECT at FROM answer WHERE alert = ?1 AND via = ?2 AND who = ?3 AND status = ?4
                   AND coalesce(detail, '') = ?5",
            )?
            .query_row(
                params![alert.0, by.via.word(), by.who, answer.word(), answer.detail().unwrap_or_default()],
                |row| row.get(0),
            )
            .optional()?;
        let mut spot = None;
        if before.is_none() {
            let answers: i64 = tx
                .prepare_cached("SELECT count(*) FROM answer WHERE alert = ?1")?
                .query_row([alert.0], |row| row.get(0))?;
            if answers >= MOST {
                return Ok(Recorded::TooMany);
            }
            tx.prepare_cached(
                "INSERT INTO answer (alert, at, status, detail, via, who) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![alert.0, now, answer.word(), answer.detail(), by.via.word(), by.who])?;
            if matches!(answer, Answer::FalseAlarm { .. }) {
                let number = tx.last_insert_rowid();
                self.told.iter().try_for_each(|sink| outbox::tell(&tx, sink, alert, number))?;
            }
            tx.prepare_cached("UPDATE watch SET state = 1 WHERE alert = ?1")?.execute([alert.0])?;
            if answer.is_not_a_person() {
                spot = spot::make(&tx, alert, now, by)?;
            }
        }
        let routes = tx
            .prepare_cached("SELECT route FROM watch WHERE alert = ?1 ORDER BY route")?
            .query_map([alert.0], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        tx.commit()?;
        let at = read::from_millis(before.unwrap_or(now));
        let row = AnswerRow { at, answer: answer.clone(), via: by.via, by: by.who.clone() };
        Ok(Recorded::Taken(Taken { row, repeated: before.is_some(), routes, spot }))
    }

    /// Ends a quiet spot; `false` when there is none of this number in force.
    pub fn release(&self, spot: i64, who: &str) -> Result<bool, JournalError> {
        let _turn = lock(&self.gate);
        spot::release(&self.connection, spot, who)
    }
}

/// Answers of an alert, first to last.
pub(super) fn of_alert(connection: &Connection, alert: AlertId) -> Result<Vec<AnswerRow>, JournalError> {
    let mut statement =
        connection.prepare_cached("SELECT at, status, detail, via, who FROM answer WHERE alert = ?1 ORDER BY id")?;
    let rows = statement.query_map([alert.0], |row| from_row(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// An answer from `at, status, detail, via, who`, which begin at a column.
pub(super) fn from_row(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<AnswerRow> {
    let (status, detail): (String, Option<String>) = (row.get(first + 1)?, row.get(first + 2)?);
    let via: String = row.get(first + 3)?;
    let wrong = |column, text: String| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, text.into())
    };
    Ok(AnswerRow {
        at: read::from_millis(row.get(first)?),
        answer: Answer::new(&status, detail).map_err(|text| wrong(first + 1, text))?,
        via: match via.as_str() {
            "token" => Via::Token,
            "user" => Via::User,
            "sink" => Via::Sink,
            _ => return Err(wrong(first + 3, format!("`{via}` is no way in which an answer comes"))),
        },
        by: row.get(first + 4)?,
    })
}
