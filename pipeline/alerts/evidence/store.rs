//! Files of evidence on disk: `<root>/<UTC day of the start>/<alert>/<name>`.
//!
//! A file is written beside its place and renamed, so it is there whole or not at all. What is deleted is recorded
//! first, in `deleted.jsonl`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;

use crate::config::plan::Evidence;
use crate::types::AlertId;
use crate::types::time::millis;

/// Where deletions are recorded, under the root.
pub const RECORD: &str = "deleted.jsonl";
/// Free space of the disk that evidence never takes: the journal needs it.
const RESERVE: u64 = 512 << 20;
/// Ending of a file that is being written.
const PART: &str = "part";

/// Files of all alerts of a site; one writer.
pub struct Store {
    root: PathBuf,
    plan: Evidence,
    used: u64,
}

/// A file that could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing may be deleted that would make room.
    #[error("evidence holds {used} of {quota} bytes and nothing is older than {days} days; raise [evidence] quota_gb")]
    Quota {
        /// Bytes held.
        used: u64,
        /// Bytes allowed.
        quota: u64,
        /// Days for which nothing is deleted.
        days: u32,
    },
    /// The disk is nearly full.
    #[error("the disk has {free} bytes left, of which evidence takes none")]
    Disk {
        /// Bytes free.
        free: u64,
    },
    /// The file system.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// In the system's words.
        source: io::Error,
    },
    /// The file could not be made.
    #[error("{0}")]
    Make(String),
}

impl StoreError {
    /// Whether the same file may be kept later.
    pub const fn retry(&self) -> bool {
        matches!(self, Self::Quota { .. } | Self::Disk { .. } | Self::Io { .. })
    }
}

/// Why an alert's files were deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// Older than `max_days`.
    Age,
    /// To make room, older than `min_days`.
    Quota,
}

#[derive(Serialize)]
struct Deleted<'a> {
    #[serde(with = "millis")]
    at: jiff::Timestamp,
    day: Date,
    alert: &'a str,
    files: Vec<String>,
    bytes: u64,
    why: Why,
}

impl Store {
    /// Opens or creates the folder; removes what a crash left half written.
    pub fn open(root: &Path, plan: Evidence) -> Result<Self, StoreError> {
        fs::create_dir_all(root).map_err(|e| io_error(root, e))?;
        let mut store = Self { root: root.to_owned(), plan, used: 0 };
        for (_, folder) in store.alerts()? {
            for file in files(&folder)? {
                if file.0.extension().is_some_and(|e| e == PART) {
                    fs::remove_file(&file.0).map_err(|e| io_error(&file.0, e))?;
                } else {
                    store.used += file.1;
                }
            }
        }
        Ok(store)
    }

    /// Bytes of all files.
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// Writes a file by `make`, which gets the path to write to. `today` decides what may give way.
    pub fn put(
        &mut self,
        day: Date,
        alert: AlertId,
        name: &str,
        today: Date,
        make: impl FnOnce(&Path) -> Result<(), String>,
    ) -> Result<(), StoreError> {
        self.room(today)?;
        let folder = folder(&self.root, day, alert);
        fs::create_dir_all(&folder).map_err(|e| io_error(&folder, e))?;
        let (path, part) = (folder.join(name), folder.join(format!("{name}.{PART}")));
        let written = make(&part).map_err(StoreError::Make).and_then(|()| {
            let size = sync(&part).map_err(|e| io_error(&part, e))?;
            let old = fs::metadata(&path).map_or(0, |m| m.len());
            fs::rename(&part, &path).and_then(|()| sync(&folder)).map_err(|e| io_error(&path, e))?;
            Ok((size, old))
        });
        match written {
            Ok((size, old)) => {
                self.used = (self.used + size).saturating_sub(old);
                Ok(())
            }
            Err(error) => {
                // What is left of it is removed at the next start otherwise.
                fs::remove_file(&part).ok();
                Err(error)
            }
        }
    }

    /// Deletes what is older than `max_days`. Gives the number of alerts whose files went.
    pub fn expire(&mut self, today: Date) -> Result<usize, StoreError> {
        let oldest = back(today, self.plan.max_days);
        let mut gone = 0;
        for (day, folder) in self.alerts()? {
            if day >= oldest {
                break;
            }
            self.delete(day, &folder, Why::Age)?;
            gone += 1;
        }
        Ok(gone)
    }

    fn room(&mut self, today: Date) -> Result<(), StoreError> {
        if self.used >= self.plan.quota {
            let youngest = back(today, self.plan.min_days);
            for (day, folder) in self.alerts()? {
                // A little more than needed, so that the next file does not look through all folders again.
                if day >= youngest || self.used < self.plan.quota - self.plan.quota / 50 {
                    break;
                }
                self.delete(day, &folder, Why::Quota)?;
            }
            if self.used >= self.plan.quota {
                return Err(StoreError::Quota { used: self.used, quota: self.plan.quota, days: self.plan.min_days });
            }
        }
        match rustix::fs::statvfs(&self.root) {
            Ok(disk) => {
                let free = disk.f_bavail.saturating_mul(disk.f_frsize);
                if free < RESERVE { Err(StoreError::Disk { free }) } else { Ok(()) }
            }
            Err(error) => Err(io_error(&self.root, error.into())),
        }
    }

    fn delete(&mut self, day: Date, folder: &Path, why: Why) -> Result<(), StoreError> {
        let held = files(folder)?;
        let bytes = held.iter().map(|f| f.1).sum();
        let name = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let record = Deleted {
            at: jiff::Timestamp::now(),
            day,
            alert: &name(folder),
            files: held.iter().map(|f| name(&f.0)).collect(),
            bytes,
            why,
        };
        let path = self.root.join(RECORD);
        let mut line = serde_json::to_vec(&record).map_err(|e| io_error(&path, e.into()))?;
        line.push(b'\n');
        let append = || {
            let mut file = File::options().create(true).append(true).open(&path)?;
            file.write_all(&line)?;
            file.sync_data()
        };
        append().map_err(|e| io_error(&path, e))?;
        fs::remove_dir_all(folder).map_err(|e| io_error(folder, e))?;
        self.used = self.used.saturating_sub(bytes);
        // The day's folder goes with its last alert; until then it is not empty.
        if let Some(parent) = folder.parent() {
            fs::remove_dir(parent).ok();
        }
        Ok(())
    }

    /// Folders of alerts with their day, oldest day first.
    fn alerts(&self) -> Result<Vec<(Date, PathBuf)>, StoreError> {
        let mut found = Vec::new();
        for day in folders(&self.root)? {
            let Some(date) = day.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse().ok()) else { continue };
            found.extend(folders(&day)?.into_iter().map(|alert| (date, alert)));
        }
        found.sort();
        Ok(found)
    }
}

/// Where the files of an alert are, given the UTC day of its start.
pub fn folder(root: &Path, day: Date, alert: AlertId) -> PathBuf {
    root.join(day.to_string()).join(alert.to_string())
}

/// Whether this can be the name of a file of evidence: nothing that leaves its folder.
pub fn is_name(name: &str) -> bool {
    let stem = name.strip_suffix(".jpg").or_else(|| name.strip_suffix(".mp4"));
    stem.is_some_and(|s| !s.is_empty() && s.len() <= 32 && s.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
}

/// The UTC day of a moment.
pub fn utc_day(at: jiff::Timestamp) -> Date {
    jiff::tz::TimeZone::UTC.to_datetime(at).date()
}

fn back(today: Date, days: u32) -> Date {
    today.saturating_sub(i64::from(days.min(100_000)).days())
}

fn folders(path: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|e| io_error(path, e))?;
    Ok(entries.iter().map(fs::DirEntry::path).filter(|p| p.is_dir()).collect())
}

/// Files of one alert with their sizes, by name.
pub fn files(folder: &Path) -> Result<Vec<(PathBuf, u64)>, StoreError> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut found = Vec::new();
    for entry in entries.map_err(|e| io_error(folder, e))? {
        let size = entry.metadata().map_err(|e| io_error(folder, e))?.len();
        found.push((entry.path(), size));
    }
    found.sort();
    Ok(found)
}

/// Flushes a file or folder to disk and gives its size.
fn sync(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn io_error(path: &Path, source: io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Date = jiff::civil::date(2026, 11, 24);

    fn plan(quota: u64) -> Evidence {
        Evidence { quota, min_days: 30, max_days: 90, ..Evidence::DEFAULT }
    }

    fn put(store: &mut Store, day: Date, n: u8, bytes: usize) -> Result<(), StoreError> {
        store.put(day, AlertId([n; 16]), "start.jpg", DAY, |path| {
            fs::write(path, vec![7; bytes]).map_err(|e| e.to_string())
        })
    }

    fn deleted(root: &Path) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(root.join(RECORD)).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path(), plan(1 << 30)).unwrap();
        put(&mut store, DAY, 1, 100).unwrap();
        put(&mut store, DAY, 1, 150).unwrap();
        let failed = store.put(DAY, AlertId([2; 16]), "clip.mp4", DAY, |path| {
            fs::write(path, b"half").unwrap();
            Err("the encoder broke".into())
        });
        assert_eq!(failed.unwrap_err().to_string(), "the encoder broke");
        let held = files(&folder(dir.path(), DAY, AlertId([2; 16]))).unwrap();
        assert!(held.is_empty(), "{held:?}");
        assert_eq!(store.used(), 150);
        // A crash in the middle.
        fs::write(folder(dir.path(), DAY, AlertId([1; 16])).join("clip.mp4.part"), b"half").unwrap();
        assert_eq!(Store::open(dir.path(), plan(1 << 30)).unwrap().used(), 150);
        assert_eq!(files(&folder(dir.path(), DAY, AlertId([1; 16]))).unwrap().len(), 1);
    }

    #[test]
    fn age_and_quota_delete_oldest_first_and_say_so() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path(), plan(1_000)).unwrap();
        for (days, n) in [(100, 1), (60, 2), (40, 3), (10, 4)] {
            put(&mut store, back(DAY, days), n, 300).unwrap();
        }
        assert_eq!(store.used(), 1_200);
        assert_eq!(store.expire(DAY).unwrap(), 1);
        put(&mut store, DAY, 5, 300).unwrap();
        assert_eq!(store.used(), 1_200, "room for a file is asked for before it is made");
        put(&mut store, DAY, 6, 300).unwrap();
        let record = deleted(dir.path());
        let told: Vec<_> = record.iter().map(|r| (r["why"].as_str().unwrap(), r["bytes"].as_u64().unwrap())).collect();
        assert_eq!(told, [("age", 300), ("quota", 300)]);
        assert_eq!(record[1]["alert"], AlertId([2; 16]).to_string());
        put(&mut store, DAY, 7, 300).unwrap();
        // Only files of less than 30 days are left: none of them goes.
        let full = put(&mut store, DAY, 8, 300).unwrap_err();
        assert!(matches!(full, StoreError::Quota { .. }) && full.retry(), "{full}");
        assert_eq!(deleted(dir.path()).len(), 3);
    }

    #[test]
    fn names_stay_in_their_folder() {
        assert!(["start.jpg", "clip.mp4", "extreme.jpg"].iter().all(|n| is_name(n)));
        assert!(
            !["", ".jpg", "../a.jpg", "a/b.jpg", "START.JPG", "a.txt", "start.jpg.part"].iter().any(|n| is_name(n))
        );
    }
}
