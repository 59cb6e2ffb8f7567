//! What a run that broke off has left: alerts that are open, evidence that never came.

use rusqlite::{Connection, params};

use super::{Journal, JournalError};
use crate::types::{Event, MediaState};

/// So many of the newest alerts are looked at for evidence that never came; more than can wait for theirs at once.
const NEWEST: i64 = 4_096;

impl Journal {
    /// The last event of every alert that has not ended, oldest first: after a crash they are ended `stopped` before
    /// the first picture.
    pub fn open_alerts(&self) -> Result<Vec<Event>, JournalError> {
        let sql = "SELECT e.body FROM alert a JOIN event e ON e.alert = a.id AND e.seq = a.seq
                   WHERE a.ended_at IS NULL ORDER BY a.first";
        events(&self.connection, sql, params![])
    }

    /// The last event of those among the newest alerts that have ended and still say that a picture or a clip will come,
    /// oldest first: after a crash it will not.
    pub fn awaiting_evidence(&self) -> Result<Vec<Event>, JournalError> {
        let sql = "SELECT e.body FROM (SELECT * FROM alert ORDER BY first DESC LIMIT ?1) a
                     JOIN event e ON e.alert = a.id AND e.seq = a.seq
                   WHERE a.ended_at IS NOT NULL AND instr(e.body, '\"pending\"') > 0 ORDER BY a.first";
        let mut found = events(&self.connection, sql, params![NEWEST])?;
        let pending = |state| state == MediaState::Pending;
        found.retain(|event| pending(event.evidence.picture) || pending(event.evidence.clip));
        Ok(found)
    }
}

fn events(connection: &Connection, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Event>, JournalError> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(values)?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::journal::{Appended, sample_event};
    use crate::types::{AlertId, EvidenceState, State};

    #[test]
    fn what_ended_and_still_waits_for_evidence_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), &[]).unwrap();
        let mut append = |n: u8, seq, state, picture, clip| {
            let mut event = sample_event(AlertId([n; 16]), seq, state);
            event.evidence = EvidenceState { picture, clip, escalated: None };
            event.camera_name = Some("\"pending\"".into());
            journal.append(&[Appended::new(event, Vec::new())]).unwrap();
        };
        let (pending, ready) = (MediaState::Pending, MediaState::Ready);
        append(1, 0, State::Started, pending, pending);
        append(1, 1, State::Ended, ready, pending);
        append(2, 0, State::Started, pending, pending);
        append(3, 0, State::Started, pending, pending);
        append(3, 1, State::Ended, pending, pending);
        append(3, 2, State::Evidence, ready, ready);
        append(4, 0, State::Started, pending, MediaState::None);
        append(4, 1, State::Ended, pending, MediaState::None);
        let found: Vec<_> =
            journal.awaiting_evidence().unwrap().iter().map(|e| (e.alert.unwrap().0[0], e.seq)).collect();
        assert_eq!(found, [(1, 1), (4, 1)], "alert 2 is open, alert 3 has all");
    }
}
