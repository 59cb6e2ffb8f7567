//! Folders whose files somebody edits. That something changed is all that is told: editors write in many ways, and whoever
//! asks compares the texts anyway.

use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, TrySendError, bounded};
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// An edit is over when nothing happened for so long; one that never ends is looked at after so long.
const SETTLE: Duration = Duration::from_millis(150);
const LONGEST: Duration = Duration::from_secs(2);

/// The system tells of no changes here. A retry may help: its watches may have been used up.
#[derive(Debug, thiserror::Error)]
#[error("changes of files cannot be watched: {0}")]
pub struct WatchError(#[from] notify::Error);

/// Watches folders, not files: an editor replaces a file by another one.
pub struct FolderWatch {
    _watcher: RecommendedWatcher,
    changes: Receiver<()>,
}

impl FolderWatch {
    /// From now on, what is directly in these folders.
    pub fn new(folders: &[&Path]) -> Result<Self, WatchError> {
        let (tell, changes) = bounded(1);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // An error may hide a change.
            if event.map_or(true, |event| writes(event.kind)) {
                match tell.try_send(()) {
                    // One that was not taken yet stands for this one too.
                    Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
                }
            }
        })?;
        for folder in folders {
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
        Ok(Self { _watcher: watcher, changes })
    }

    /// Whether something was changed, within `timeout`; told once the edit is over.
    pub fn changed(&self, timeout: Duration) -> bool {
        if self.changes.recv_timeout(timeout).is_err() {
            return false;
        }
        let begun = Instant::now();
        while begun.elapsed() < LONGEST && self.changes.recv_timeout(SETTLE).is_ok() {}
        true
    }
}

/// Whoever only reads, as we do, changes nothing.
fn writes(kind: EventKind) -> bool {
    !kind.is_access() || kind == EventKind::Access(AccessKind::Close(AccessMode::Write))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(100);
    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn a_change_is_told_once_and_reading_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        std::fs::write(&file, "1").unwrap();
        let watch = FolderWatch::new(&[folder.path()]).unwrap();
        std::fs::read(&file).unwrap();
        assert!(!watch.changed(SHORT));
        // As many editors do: another file is put in its place.
        let beside = folder.path().join("a.toml.new");
        std::fs::write(&beside, "2").unwrap();
        std::fs::rename(&beside, &file).unwrap();
        assert!(watch.changed(LONG) && !watch.changed(SHORT));
        std::fs::remove_file(&file).unwrap();
        assert!(watch.changed(LONG));
        assert!(FolderWatch::new(&[&folder.path().join("none")]).is_err());
    }
}
