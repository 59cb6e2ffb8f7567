//! Deletes alerts that are older than a site keeps them.

use rusqlite::{Connection, params};

use super::{Gate, JournalError, lock};

/// Alerts of one transaction: appending waits no longer than that takes.
const BATCH: i64 = 128;

/// An alert goes with all that hangs on it; nothing may refer to a row that is gone.
const TABLES: [&str; 6] = [
    "DELETE FROM outbox WHERE alert = ?1",
    "DELETE FROM answer WHERE alert = ?1",
    "DELETE FROM spot WHERE alert = ?1",
    "DELETE FROM watch WHERE alert = ?1",
    "DELETE FROM alert WHERE id = ?1",
    "DELETE FROM event WHERE alert = ?1",
];

/// Deletes old alerts, with a connection of its own; blocking.
pub struct Pruner {
    connection: Connection,
    gate: Gate,
}

impl Pruner {
    pub(super) fn new(connection: Connection, gate: Gate) -> Result<Self, JournalError> {
        // An alert goes with all that refers to it; to have that checked would look through the outbox for each event.
        connection.pragma_update(None, "foreign_keys", "OFF")?;
        Ok(Self { connection, gate })
    }

    /// Deletes the oldest of the alerts that ended before then; gives how many, and whether there may be more.
    ///
    /// Kept all the same: what still waits for a sink, what has a quiet spot in force, and the newest alert of all, so that
    /// the numbers of events only grow. Dead letters go with their alert. Errors: the database; nothing is half deleted.
    pub fn prune(&mut self, before: jiff::Timestamp) -> Result<(usize, bool), JournalError> {
        let old: Vec<Vec<u8>> = self
            .connection
            .prepare_cached(
                "SELECT a.id FROM alert a WHERE a.ended_at < ?1 AND a.first < (SELECT max(first) FROM alert)
                   AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.alert = a.id AND o.state = 0)
                   AND NOT EXISTS (SELECT 1 FROM spot s WHERE s.alert = a.id AND s.released_at IS NULL)
                 ORDER BY a.first LIMIT ?2",
            )?
            .query_map(params![before.as_millisecond(), BATCH], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        if old.is_empty() {
            return Ok((0, false));
        }
        let _turn = lock(&self.gate);
        let tx = self.connection.transaction()?;
        for sql in TABLES {
            let mut statement = tx.prepare_cached(sql)?;
            old.iter().try_for_each(|alert| statement.execute([alert]).map(|_| ()))?;
        }
        tx.commit()?;
        Ok((old.len(), old.len() as i64 == BATCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::journal::{AlertFilter, Appended, By, Journal, Recorded, Settled, Verdict, Via, sample_event};
    use crate::types::{AlertId, Answer, State};

    /// The samples start and end on one day; everything after it is later.
    const LATER: &str = "2100-01-01T00:00:00Z";

    fn kept(journal: &Journal) -> Vec<u8> {
        let filter = AlertFilter { limit: 1_000, ..AlertFilter::default() };
        let mut rows: Vec<u8> =
            journal.reader().unwrap().list(&filter).unwrap().iter().map(|row| row.alert.0[0]).collect();
        rows.sort_unstable();
        rows
    }

    #[test]
    fn what_is_over_and_delivered_goes_whole_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), &["a".into()]).unwrap();
        let mut outbox = journal.outbox().unwrap();
        let mut append = |n: u8, states: &[State], sinks: &[&str]| {
            let sinks: Vec<String> = sinks.iter().map(|s| (*s).to_owned()).collect();
            for (seq, state) in states.iter().enumerate() {
                let mut event = sample_event(AlertId([n; 16]), u32::try_from(seq).unwrap(), *state);
                event.bbox = Some([0.1, 0.1, 0.1, 0.3]);
                journal.append(&[Appended::new(event, sinks.clone())]).unwrap();
            }
        };
        let over = [State::Started, State::Ended];
        append(1, &over, &["a"]);
        for _ in over {
            let row = outbox.due("a", &Default::default(), 10).unwrap().deliveries.remove(0);
            outbox.settle(&[Settled { id: row.id, verdict: Verdict::Delivered }]).unwrap();
        }
        append(2, &over, &["a"]);
        append(3, &[State::Started], &[]);
        for n in 4..=5 {
            append(n, &over, &[]);
        }
        append(6, &over, &[]);
        append(7, &over, &[]);
        let mut answers = journal.answers().unwrap();
        let by = By { via: Via::User, who: "wang".into() };
        let mut answer = |n: u8, reason: &str| {
            let said = Answer::FalseAlarm { reason: Some(reason.into()) };
            answers.record(AlertId([n; 16]), &said, &by).unwrap()
        };
        let Recorded::Taken(taken) = answer(4, "not_a_person") else { panic!("it is taken") };
        assert!(taken.spot.is_some());
        answer(5, "a drill");
        let mut pruner = journal.pruner().unwrap();
        let later: jiff::Timestamp = LATER.parse().unwrap();
        assert_eq!(pruner.prune("2000-01-01T00:00:00Z".parse().unwrap()).unwrap(), (0, false), "nothing is that old");
        assert_eq!(pruner.prune(later).unwrap(), (3, false));
        // One waits for its sink, one is open, one is a quiet spot, one is the newest.
        assert_eq!(kept(&journal), [2, 3, 4, 7]);
        assert_eq!(pruner.prune(later).unwrap(), (0, false));
        let waits = outbox.due("a", &Default::default(), 10).unwrap().deliveries;
        assert_eq!(waits.len(), 1, "the oldest of alert 2");
    }

    #[test]
    fn many_go_a_batch_at_a_time_and_the_file_is_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), &[]).unwrap();
        let fill = |journal: &mut Journal, from: u32| {
            let event = |n: u32, seq, state| {
                let mut id = [0; 16];
                id[..4].copy_from_slice(&n.to_be_bytes());
                Appended::new(sample_event(AlertId(id), seq, state), Vec::new())
            };
            let all: Vec<_> =
                (from..from + 300).flat_map(|n| [event(n, 0, State::Started), event(n, 1, State::Ended)]).collect();
            journal.append(&all).unwrap();
        };
        fill(&mut journal, 0);
        let mut pruner = journal.pruner().unwrap();
        let pages = |p: &Pruner| p.connection.pragma_query_value(None, "page_count", |r| r.get::<_, i64>(0)).unwrap();
        let full = pages(&pruner);
        let later: jiff::Timestamp = LATER.parse().unwrap();
        let mut gone = Vec::new();
        while let (n @ 1.., _) = pruner.prune(later).unwrap() {
            gone.push(n);
        }
        assert_eq!(gone, [128, 128, 43]);
        fill(&mut journal, 1_000);
        assert!(pages(&pruner) <= full + full / 10, "{} of {full} pages", pages(&pruner));
    }
}
