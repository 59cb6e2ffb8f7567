//! When the journal is damaged: it is set aside under another name, never deleted, and a new one begun, so that alerts go on.
//! What a run could not write into the damaged one it leaves in a file beside, which the next run takes up.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{FILE, Journal, JournalError};
use crate::types::Event;

/// Beside the journal: it was found damaged while it was in use.
const CONDEMNED: &str = "lookout.condemned";
/// Beside the journal: events that could not be written, one a line.
const UNWRITTEN: &str = "unwritten.jsonl";
/// What SQLite keeps beside a database.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

impl Journal {
    /// As [`Journal::open`]; a journal that is damaged, or was found so by the last run, is set aside first. Also gives where
    /// it is then.
    pub fn open_or_begin_anew(data: &Path, sinks: &[String]) -> Result<(Self, Option<PathBuf>), JournalError> {
        if !data.join(CONDEMNED).exists() {
            match Self::open(data, sinks) {
                Err(JournalError::Damaged(_)) => {}
                opened => return Ok((opened?, None)),
            }
        }
        // Whoever else runs on these data does not get its journal pulled from under it.
        let lock = Self::lock(data)?;
        let aside = set_aside(data)?;
        drop(lock);
        Ok((Self::open(data, sinks)?, Some(aside)))
    }

    /// Notes that the journal is damaged: the next run does not go on with it. What is lost with it else stays.
    pub fn condemn(&self, unwritten: &[&Event]) -> io::Result<()> {
        let data = self.path.parent().unwrap_or(Path::new("."));
        let mut file = File::options().create(true).append(true).open(data.join(UNWRITTEN))?;
        for event in unwritten {
            writeln!(file, "{}", serde_json::to_string(event)?)?;
        }
        file.sync_all()?;
        File::create(data.join(CONDEMNED))?.sync_all()
    }

    /// Events that an earlier run could not write, in order; lines that are none are left out. The file stays until
    /// [`Self::forget_unwritten`].
    pub fn unwritten(&self) -> Vec<Event> {
        let text = fs::read_to_string(self.path.with_file_name(UNWRITTEN)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// They are written now.
    pub fn forget_unwritten(&self) -> io::Result<()> {
        match fs::remove_file(self.path.with_file_name(UNWRITTEN)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Gives the journal and what belongs to it another name.
fn set_aside(data: &Path) -> Result<PathBuf, JournalError> {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let free = |n: u32| {
        let again = if n == 0 { String::new() } else { format!("-{n}") };
        Some(data.join(format!("{FILE}.damaged-{now}{again}"))).filter(|path| !path.exists())
    };
    let aside = (0..).find_map(free).unwrap_or_else(|| data.join(format!("{FILE}.damaged")));
    let rename = |from: PathBuf, to: PathBuf| match fs::rename(&from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(JournalError::file(&from, &error)),
        _ => Ok(()),
    };
    rename(data.join(FILE), aside.clone())?;
    for ending in BESIDE {
        let mut to = aside.as_os_str().to_owned();
        to.push(ending);
        rename(data.join(format!("{FILE}{ending}")), to.into())?;
    }
    let condemned = data.join(CONDEMNED);
    match fs::remove_file(&condemned) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(JournalError::file(&condemned, &error)),
        _ => Ok(aside),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Appended;
    use super::super::tests::sample_event;
    use super::*;
    use crate::types::{AlertId, State};

    fn event(n: u8) -> Event {
        sample_event(AlertId([n; 16]), 0, State::Started)
    }

    #[test]
    fn a_damaged_journal_is_set_aside_and_alerts_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        fs::write(data.join(FILE), "this is not a database, it only has the name of one. ".repeat(40)).unwrap();
        let (mut journal, aside) = Journal::open_or_begin_anew(data, &[]).unwrap();
        let aside = aside.unwrap();
        assert!(fs::read_to_string(&aside).unwrap().starts_with("this is not"), "{}", aside.display());
        journal.append(&[Appended::new(event(1), Vec::new())]).unwrap();
        drop(journal);
        let (journal, aside) = Journal::open_or_begin_anew(data, &[]).unwrap();
        assert!(aside.is_none() && journal.open_alerts().unwrap().len() == 1);
        let other = Journal::open_or_begin_anew(data, &[]).err().unwrap();
        assert!(matches!(other, JournalError::InUse { .. }), "{other}");
    }

    #[test]
    fn what_a_damaged_journal_did_not_take_is_there_for_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let journal = Journal::open(data, &[]).unwrap();
        journal.condemn(&[&event(1), &event(2)]).unwrap();
        // Whoever uses it keeps it.
        let other = Journal::open_or_begin_anew(data, &[]).err().unwrap();
        assert!(matches!(other, JournalError::InUse { .. }), "{other}");
        drop(journal);
        let (journal, aside) = Journal::open_or_begin_anew(data, &[]).unwrap();
        assert!(aside.unwrap().exists());
        let left: Vec<_> = journal.unwritten().iter().map(|event| event.alert).collect();
        assert_eq!(left, [1, 2].map(|n| Some(AlertId([n; 16]))));
        journal.forget_unwritten().unwrap();
        journal.forget_unwritten().unwrap();
        assert!(journal.unwritten().is_empty());
    }
}
