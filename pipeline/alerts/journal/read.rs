//! What people ask the journal: which alerts, and the whole story of one.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use serde::Serialize;

use super::{AnswerRow, FILE, JournalError, Reach, Token, answers, schema, token};
use crate::types::time::{millis, millis_option};
use crate::types::{AlertId, Event, Kind, Severity};

/// Reads the journal; any number, in any process.
pub struct Reader {
    pub(super) connection: Connection,
}

/// Which alerts.
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// Of one camera.
    pub camera: Option<String>,
    /// Of one zone.
    pub zone: Option<String>,
    /// Of one grid.
    pub grid: Option<String>,
    /// Of one rule.
    pub rule: Option<String>,
    /// Of one kind.
    pub kind: Option<Kind>,
    /// At least so severe.
    pub min_severity: Option<Severity>,
    /// Only those that have not ended.
    pub open: bool,
    /// Only those that must be answered and are not.
    pub unanswered: bool,
    /// Started at or after.
    pub since: Option<jiff::Timestamp>,
    /// Started before.
    pub until: Option<jiff::Timestamp>,
    /// Older than this alert: the last one of the page before.
    pub after: Option<AlertId>,
    /// At most so many; 0: 100.
    pub limit: usize,
}

/// One alert with its newest event.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AlertRow {
    /// The alert.
    pub alert: AlertId,
    /// When it started.
    #[serde(with = "millis")]
    pub started_at: jiff::Timestamp,
    /// When it ended, if it has.
    #[serde(with = "millis_option")]
    pub ended_at: Option<jiff::Timestamp>,
    /// Its newest event.
    pub last: Event,
    /// Its newest answer, if there is one.
    pub answer: Option<AnswerRow>,
}

/// Everything about one alert.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Story {
    /// The alert.
    pub alert: AlertId,
    /// Its events, first to last.
    pub events: Vec<Event>,
    /// What became of each for each sink.
    pub deliveries: Vec<DeliveryRow>,
    /// What was answered, first to last.
    pub answers: Vec<AnswerRow>,
    /// By when which route wants an answer.
    pub routes: Vec<RouteRow>,
}

/// A route that announced an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RouteRow {
    /// Route id.
    pub route: String,
    /// When the journal took the announcement.
    #[serde(with = "millis")]
    pub announced_at: jiff::Timestamp,
    /// By when it must be answered, if it must.
    #[serde(with = "millis_option")]
    pub deadline: Option<jiff::Timestamp>,
    /// `waiting`, `answered` or `overdue`.
    pub state: &'static str,
}

/// What became of one event for one sink.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DeliveryRow {
    /// The alert.
    pub alert: AlertId,
    /// Sink id.
    pub sink: String,
    /// Event within the alert.
    pub seq: u32,
    /// The answer that is told instead of the event, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// `waiting`, `delivered`, `dead`, `skipped` (a newer update waits) or `dropped` (too many wait).
    pub outcome: &'static str,
    /// Attempts so far.
    pub attempts: u32,
    /// When the journal took it.
    #[serde(with = "millis")]
    pub queued_at: jiff::Timestamp,
    /// When it was settled.
    #[serde(with = "millis_option")]
    pub settled_at: Option<jiff::Timestamp>,
    /// Next attempt, if one is to come.
    #[serde(with = "millis_option")]
    pub due_at: Option<jiff::Timestamp>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// Most alerts a page.
pub const MAX_PAGE: usize = 1000;

impl Reader {
    /// Of the journal in a data directory.
    pub fn open(data: &Path) -> Result<Self, JournalError> {
        Self::open_file(&data.join(FILE))
    }

    pub(super) fn open_file(path: &Path) -> Result<Self, JournalError> {
        Ok(Self { connection: schema::connect_to_read(path)? })
    }

    /// When an alert started; `None` when there is no such alert.
    pub fn started_at(&self, alert: AlertId) -> Result<Option<jiff::Timestamp>, JournalError> {
        let mut statement = self.connection.prepare_cached("SELECT started_at FROM alert WHERE id = ?1")?;
        let millis: Option<i64> = statement.query_row([alert.0], |row| row.get(0)).optional()?;
        Ok(millis.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok()))
    }

    /// Alerts, newest first.
    pub fn list(&self, filter: &AlertFilter) -> Result<Vec<AlertRow>, JournalError> {
        let mut clauses = vec!["1".to_owned()];
        let mut values: Vec<Value> = Vec::new();
        let mut clause = |text: &str, value: Value| {
            clauses.push(text.to_owned());
            values.push(value);
        };
        let words =
            [("camera", &filter.camera), ("zone", &filter.zone), ("grid", &filter.grid), ("rule", &filter.rule)];
        for (column, word) in words {
            if let Some(word) = word {
                clause(&format!("a.{column} = ?"), Value::Text(word.clone()));
            }
        }
        if let Some(kind) = filter.kind {
            clause("a.kind = ?", Value::Text(kind.word()));
        }
        if let Some(severity) = filter.min_severity {
            clause("a.severity >= ?", Value::Integer(severity_rank(severity)));
        }
        if let Some(since) = filter.since {
            clause("a.started_at >= ?", Value::Integer(since.as_millisecond()));
        }
        if let Some(until) = filter.until {
            clause("a.started_at < ?", Value::Integer(until.as_millisecond()));
        }
        if let Some(after) = filter.after {
            clause("a.first < (SELECT first FROM alert WHERE id = ?)", Value::Blob(after.0.to_vec()));
        }
        if filter.open {
            clauses.push("a.ended_at IS NULL".to_owned());
        }
        if filter.unanswered {
            clauses.push(
                "EXISTS (SELECT 1 FROM watch w WHERE w.alert = a.id AND w.state <> 1 AND w.deadline IS NOT NULL)"
                    .to_owned(),
            );
        }
        let limit = if filter.limit == 0 { 100 } else { filter.limit.min(MAX_PAGE) };
        let sql = format!(
            "SELECT a.id, a.started_at, a.ended_at, e.body, n.id, n.at, n.status, n.detail, n.via, n.who
             FROM alert a JOIN event e ON e.alert = a.id AND e.seq = a.seq
             LEFT JOIN answer n ON n.id = (SELECT max(id) FROM answer WHERE alert = a.id)
             WHERE {} ORDER BY a.first DESC LIMIT {limit}",
            clauses.join(" AND ")
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let body = row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?;
            found.push(AlertRow {
                alert: AlertId(row.get(0)?),
                started_at: from_millis(row.get(1)?),
                ended_at: row.get::<_, Option<i64>>(2)?.map(from_millis),
                last: serde_json::from_str(body)?,
                answer: match row.get::<_, Option<i64>>(4)? {
                    Some(_) => Some(answers::from_row(row, 5)?),
                    None => None,
                },
            });
        }
        Ok(found)
    }

    /// The whole story of one alert.
    pub fn show(&self, alert: AlertId) -> Result<Option<Story>, JournalError> {
        let mut statement = self.connection.prepare_cached("SELECT body FROM event WHERE alert = ?1 ORDER BY seq")?;
        let mut rows = statement.query([&alert.0])?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            events.push(serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
        }
        if events.is_empty() {
            return Ok(None);
        }
        Ok(Some(Story {
            alert,
            events,
            deliveries: self.deliveries("o.alert = ?1", &alert.0, usize::MAX)?,
            answers: answers::of_alert(&self.connection, alert)?,
            routes: self.routes(alert)?,
        }))
    }

    fn routes(&self, alert: AlertId) -> Result<Vec<RouteRow>, JournalError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT route, announced_at, deadline, state FROM watch WHERE alert = ?1 ORDER BY announced_at, route",
        )?;
        let rows = statement.query_map([alert.0], |row| {
            Ok(RouteRow {
                route: row.get(0)?,
                announced_at: from_millis(row.get(1)?),
                deadline: row.get::<_, Option<i64>>(2)?.map(from_millis),
                state: match row.get(3)? {
                    0_i64 => "waiting",
                    1 => "answered",
                    _ => "overdue",
                },
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The token of a secret, if it is good at `now`.
    pub fn token(&self, secret: &str, now: jiff::Timestamp) -> Result<Option<Token>, JournalError> {
        token::find(&self.connection, secret, now)
    }

    /// Whose alert this is; `None` when there is no such alert.
    pub fn reach(&self, alert: AlertId) -> Result<Option<Reach>, JournalError> {
        let grid: Option<Option<String>> = self
            .connection
            .prepare_cached("SELECT grid FROM alert WHERE id = ?1")?
            .query_row([alert.0], |row| row.get(0))
            .optional()?;
        let Some(grid) = grid else { return Ok(None) };
        let sinks = self
            .connection
            .prepare_cached("SELECT DISTINCT sink FROM outbox WHERE alert = ?1")?
            .query_map([alert.0], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(Some(Reach { grid, sinks }))
    }

    /// Alert ids that begin with `prefix` (hexadecimal digits), two at most: enough to tell one from many.
    pub fn find(&self, prefix: &str) -> Result<Vec<AlertId>, JournalError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id FROM alert WHERE hex(id) LIKE ?1 || '%' ORDER BY first LIMIT 2")?;
        let ids = statement.query_map([prefix.to_ascii_uppercase()], |row| row.get(0).map(AlertId))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Dead letters of all sinks, or of one, oldest first.
    pub fn dead_letters(&self, sink: Option<&str>) -> Result<Vec<DeliveryRow>, JournalError> {
        self.dead(sink, usize::MAX)
    }

    /// The same, at most so many.
    pub fn dead(&self, sink: Option<&str>, most: usize) -> Result<Vec<DeliveryRow>, JournalError> {
        self.deliveries("o.state = 2 AND (?1 IS NULL OR o.sink = ?1)", &sink, most)
    }

    /// What waits for all sinks, or for one, oldest first, at most so many.
    pub fn waiting(&self, sink: Option<&str>, most: usize) -> Result<Vec<DeliveryRow>, JournalError> {
        self.deliveries("o.state = 0 AND (?1 IS NULL OR o.sink = ?1)", &sink, most)
    }

    /// Dead letters of each sink that has any.
    pub fn count_dead(&self) -> Result<Vec<(String, u64)>, JournalError> {
        let mut statement =
            self.connection.prepare_cached("SELECT sink, count(*) FROM outbox WHERE state = 2 GROUP BY sink")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn deliveries(
        &self,
        condition: &str,
        value: &dyn rusqlite::ToSql,
        most: usize,
    ) -> Result<Vec<DeliveryRow>, JournalError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT o.alert, o.sink, e.seq, o.state, o.attempts, o.settled, o.due, o.error, o.queued, n.status
             FROM outbox o JOIN event e ON e.id = o.event LEFT JOIN answer n ON n.id = o.answer
             WHERE {condition} ORDER BY o.event, o.sink, o.id LIMIT {most}"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map(params![value], |row| {
            let state: i64 = row.get(3)?;
            let due: i64 = row.get(6)?;
            Ok(DeliveryRow {
                alert: AlertId(row.get(0)?),
                sink: row.get(1)?,
                seq: row.get(2)?,
                answer: row.get(9)?,
                outcome: match state {
                    0 => "waiting",
                    1 => "delivered",
                    2 => "dead",
                    3 => "skipped",
                    _ => "dropped",
                },
                attempts: row.get(4)?,
                queued_at: from_micros(row.get(8)?),
                settled_at: row.get::<_, Option<i64>>(5)?.map(from_micros),
                due_at: (state == 0 && due > 0).then(|| from_micros(due)),
                error: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether the file answers; for readiness.
    pub fn ping(&self) -> Result<(), JournalError> {
        let _: Option<i64> =
            self.connection.query_row("SELECT id FROM event LIMIT 1", [], |row| row.get(0)).optional()?;
        Ok(())
    }
}

/// The order of severities as a number.
pub(super) const fn severity_rank(severity: Severity) -> i64 {
    severity as i64
}

pub(super) fn from_millis(millis: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(millis).unwrap_or_default()
}

pub(super) fn from_micros(micros: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(micros).unwrap_or_default()
}
