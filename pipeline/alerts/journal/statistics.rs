//! How a day's alerts were answered, by grid and by kind.
//!
//! An alert counts on the day on which a route first announced it; test alerts and alerts that no route takes do not.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, params};
use serde::Serialize;

use super::{JournalError, Reader};

/// A day's alerts.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Statistics {
    /// In the site's time zone.
    pub day: Date,
    /// All together.
    pub total: Figures,
    /// By grid, `null` for those of none; by id.
    pub grids: Vec<OfGrid>,
    /// By kind, by its word.
    pub kinds: Vec<OfKind>,
}

/// Those of one grid.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct OfGrid {
    /// Grid id.
    pub grid: Option<String>,
    /// How they were answered.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Those of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct OfKind {
    /// Its word.
    pub kind: String,
    /// How they were answered.
    #[serde(flatten)]
    pub figures: Figures,
}

/// How alerts were answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Figures {
    /// Announced to somebody.
    pub received: u32,
    /// With an answer.
    pub answered: u32,
    /// Closed as resolved.
    pub resolved: u32,
    /// Closed as false alarm.
    pub false_alarms: u32,
    /// With a deadline.
    pub due: u32,
    /// Answered before it.
    pub in_time: u32,
    /// Median time from announcement to first answer, minutes; `None` without answers.
    pub median_minutes: Option<f64>,
    /// False alarms as a share of the answered; `None` without answers.
    pub false_alarm_share: Option<f64>,
}

/// One alert.
#[derive(Debug)]
struct Case {
    grid: Option<String>,
    kind: String,
    announced: i64,
    deadline: Option<i64>,
    answered: Option<i64>,
    closed: Option<String>,
}

impl Reader {
    /// Of one day in a time zone. Errors: the journal; a day that the calendar of that zone does not have is empty.
    pub fn statistics(&self, day: Date, zone: &TimeZone) -> Result<Statistics, JournalError> {
        statistics(&self.connection, day, zone)
    }
}

pub(super) fn statistics(connection: &Connection, day: Date, zone: &TimeZone) -> Result<Statistics, JournalError> {
    let start = |day: Date| zone.to_timestamp(day.to_datetime(jiff::civil::Time::midnight())).ok();
    let cases = match (start(day), day.tomorrow().ok().and_then(start)) {
        (Some(from), Some(to)) => cases(connection, from.as_millisecond(), to.as_millisecond())?,
        _ => Vec::new(),
    };
    let mut grids: BTreeMap<Option<&str>, Vec<&Case>> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in &cases {
        grids.entry(case.grid.as_deref()).or_default().push(case);
        kinds.entry(&case.kind).or_default().push(case);
    }
    let all: Vec<&Case> = cases.iter().collect();
    let of_grid = |(grid, cases): (&Option<&str>, &Vec<&Case>)| OfGrid {
        grid: grid.map(str::to_owned),
        figures: Figures::of(cases),
    };
    let of_kind =
        |(kind, cases): (&&str, &Vec<&Case>)| OfKind { kind: (*kind).to_owned(), figures: Figures::of(cases) };
    Ok(Statistics {
        day,
        total: Figures::of(&all),
        grids: grids.iter().map(of_grid).collect(),
        kinds: kinds.iter().map(of_kind).collect(),
    })
}

fn cases(connection: &Connection, from: i64, to: i64) -> Result<Vec<Case>, JournalError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.grid, a.kind, min(w.announced_at), min(w.deadline),
           (SELECT min(at) FROM answer n WHERE n.alert = a.id),
           (SELECT status FROM answer n WHERE n.alert = a.id AND status IN ('resolved', 'false_alarm')
            ORDER BY n.id DESC LIMIT 1)
         FROM watch w JOIN alert a ON a.id = w.alert
         WHERE a.test = 0 AND a.id IN (SELECT alert FROM watch WHERE announced_at >= ?1 AND announced_at < ?2)
         GROUP BY a.id HAVING min(w.announced_at) >= ?1",
    )?;
    let rows = statement.query_map(params![from, to], |row| {
        Ok(Case {
            grid: row.get(0)?,
            kind: row.get(1)?,
            announced: row.get(2)?,
            deadline: row.get(3)?,
            answered: row.get(4)?,
            closed: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Figures {
    fn of(cases: &[&Case]) -> Self {
        let count =
            |is: &dyn Fn(&Case) -> bool| u32::try_from(cases.iter().filter(|c| is(c)).count()).unwrap_or(u32::MAX);
        let closed = |as_what: &str| count(&|c| c.closed.as_deref() == Some(as_what));
        let mut minutes: Vec<f64> =
            cases.iter().filter_map(|c| Some((c.answered? - c.announced).max(0) as f64 / 60_000.0)).collect();
        minutes.sort_by(f64::total_cmp);
        let (answered, false_alarms) = (count(&|c| c.answered.is_some()), closed("false_alarm"));
        Self {
            received: count(&|_| true),
            answered,
            resolved: closed("resolved"),
            false_alarms,
            due: count(&|c| c.deadline.is_some()),
            in_time: count(&|c| c.answered.zip(c.deadline).is_some_and(|(answered, deadline)| answered <= deadline)),
            median_minutes: median(&minutes),
            false_alarm_share: (answered > 0).then(|| f64::from(false_alarms) / f64::from(answered)),
        }
    }
}

fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::journal::{Appended, By, Journal, Via, Watch, sample_event};
    use crate::types::{AlertId, Answer, Kind, Span, State};

    fn append(journal: &mut Journal, n: u8, grid: Option<&str>, kind: Kind, within: Option<i64>) {
        let mut event = sample_event(AlertId([n; 16]), 0, State::Started);
        (event.grid, event.kind) = (grid.map(str::to_owned), kind);
        event.test = n == 100;
        let watches = vec![Watch { route: "squad".into(), within: within.map(Span::from_secs) }];
        journal.append(&[Appended { watches, ..Appended::new(event, Vec::new()) }]).unwrap();
    }

    #[test]
    fn a_day_is_counted_by_grid_and_kind() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), &[]).unwrap();
        for n in 1..=3 {
            append(&mut journal, n, Some("yard"), Kind::Crowd, Some(600));
        }
        append(&mut journal, 4, None, Kind::Loitering, None);
        append(&mut journal, 100, Some("yard"), Kind::Crowd, Some(600));
        journal.append(&[Appended::new(sample_event(AlertId([50; 16]), 0, State::Started), Vec::new())]).unwrap();
        let mut answers = journal.answers().unwrap();
        let by = By { via: Via::Token, who: "platform".into() };
        let mut answer = |n: u8, answer: Answer| answers.record(AlertId([n; 16]), &answer, &by).unwrap();
        answer(1, Answer::Accepted);
        answer(1, Answer::Resolved { outcome: "dispersed".into() });
        answer(2, Answer::FalseAlarm { reason: None });
        answer(100, Answer::Accepted);
        // At noon; alert 1 was answered 4 minutes later, alert 2 a quarter of an hour: too late.
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let day = Date::constant(2026, 11, 24);
        let noon = zone.to_timestamp(day.at(12, 0, 0, 0)).unwrap().as_millisecond();
        let change = |sql: &str, values: &[&dyn rusqlite::ToSql]| journal.connection.execute(sql, values).unwrap();
        change("UPDATE watch SET announced_at = ?1, deadline = iif(deadline IS NULL, NULL, ?1 + 600000)", &[&noon]);
        for (n, minutes) in [(1_u8, 4_i64), (2, 15)] {
            change("UPDATE answer SET at = ?2 WHERE alert = ?1", &[&[n; 16], &(noon + minutes * 60_000)]);
        }
        let found = statistics(&journal.connection, day, &zone).unwrap();
        assert_eq!((found.total.received, found.total.answered), (4, 2), "neither tests nor what nobody got");
        let [none, yard] = found.grids.as_slice() else { panic!("{found:?}") };
        assert_eq!((&none.grid, none.figures.received, none.figures.median_minutes), (&None, 1, None));
        let expected = Figures {
            received: 3,
            answered: 2,
            resolved: 1,
            false_alarms: 1,
            due: 3,
            in_time: 1,
            median_minutes: Some(9.5),
            false_alarm_share: Some(0.5),
        };
        assert_eq!((yard.grid.as_deref(), yard.figures), (Some("yard"), expected));
        assert_eq!(found.kinds.iter().map(|k| k.kind.as_str()).collect::<Vec<_>>(), ["crowd", "loitering"]);
        let before = statistics(&journal.connection, day.yesterday().unwrap(), &zone).unwrap();
        assert_eq!((before.total, before.grids.len()), (Figures::default(), 0));
    }
}
