//! JSON lines, one event a line, appended to a file and flushed to disk before a delivery counts.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::alerts::journal::Delivery;

use super::SinkError;

/// Appends events to a file. It is opened anew for each batch, so that it may be moved away (logrotate) at any time.
pub struct FileSink {
    id: String,
    path: PathBuf,
}

impl FileSink {
    /// Events that share one flush.
    pub const BATCH: usize = 256;

    /// Nothing is opened yet.
    pub fn new(id: String, path: PathBuf) -> Self {
        Self { id, path }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) async fn deliver(&self, batch: &[Delivery]) -> Result<(), SinkError> {
        let mut lines = Vec::with_capacity(batch.len() * 1024);
        for delivery in batch {
            serde_json::to_writer(&mut lines, &delivery.event).map_err(|e| SinkError::later(e.to_string()))?;
            lines.push(b'\n');
        }
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || append(&path, &lines).map_err(|e| (path, e))).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err((path, e))) => Err(SinkError::later(format!("{}: {e}", path.display()))),
            Err(e) => Err(SinkError::later(e.to_string())),
        }
    }
}

/// Appends whole lines: after an error the file is as long as before.
fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let is_new = !path.exists();
    if is_new && let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = File::options().create(true).truncate(false).read(true).write(true).open(path)?;
    let start = end_of_lines(&mut file)?;
    file.set_len(start)?;
    file.seek(SeekFrom::Start(start))?;
    let written = file.write_all(lines).and_then(|()| file.sync_data());
    if let Err(error) = written {
        // The disk may be full: half a line must not stay. If even this fails, the next batch mends it.
        file.set_len(start).ok();
        return Err(error);
    }
    if is_new && let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Length of the file without a last line that was never finished: its event was not counted as delivered and comes
/// again.
fn end_of_lines(file: &mut File) -> io::Result<u64> {
    const STEP: u64 = 4096;
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut buffer = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(STEP);
        file.seek(SeekFrom::Start(start))?;
        buffer.clear();
        Read::by_ref(file).take(end - start).read_to_end(&mut buffer)?;
        if let Some(last) = buffer.iter().rposition(|b| *b == b'\n') {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_line_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/alerts.jsonl");
        append(&path, b"{\"a\":1}\n").unwrap();
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(&[b"{\"torn\":\"".to_vec(), vec![b'x'; 9000]].concat()).unwrap();
        append(&path, b"{\"b\":2}\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"b\":2}\n");
    }
}
