//! A run whose host clock can be set while it runs, by Debian's libfaketime. What counts seconds since the start is left alone, as
//! when somebody sets a real clock.

use std::path::{Path, PathBuf};

/// The clock of one run.
pub struct Hours {
    file: PathBuf,
}

impl Hours {
    /// Right, at first. Its file lies in `folder`.
    pub fn new(folder: &Path) -> Self {
        let hours = Self { file: folder.join("clock") };
        hours.set(0);
        hours
    }

    /// From now on the clock is so many seconds ahead.
    pub fn set(&self, seconds: i64) {
        // In one step: it is read at every look at the clock.
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{seconds:+}\n")).unwrap();
        std::fs::rename(new, &self.file).unwrap();
    }

    /// What the run needs in its environment.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let library = std::fs::read_dir("/usr/lib")
            .unwrap()
            .flatten()
            .map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"))
            .find(|path| path.exists())
            .expect("libfaketime is missing: run scripts/setup");
        vec![
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ]
    }
}
