//! Files of trails: `<root>/<camera>/<UTC day>.trail`, blocks one behind the other, each with its length and checksum. One
//! thread writes. What a crash left half written is cut off; a block is never waited for on the disk: a power failure may
//! cost the last of them, never what was before.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::block::Block;
use super::codec;
use crate::config::plan::Trails;
use crate::types::Span;

/// Begins every file.
pub const MAGIC: &[u8; 8] = b"LKTRAIL2";
/// Length and checksum before each block.
pub const HEAD: usize = 8;
/// Longest block that is believed, bytes.
pub const LONGEST: u32 = 16 << 20;
/// Ending of the files' names.
const ENDING: &str = "trail";
/// Free space of the disk that trails never take: the journal needs it.
const RESERVE: u64 = 512 << 20;

/// A file that could not be read or written. A retry may help: the disk may have been full.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is nearly full.
    #[error("the disk has {free} bytes left, of which trails take none")]
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
}

/// One file.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Camera id.
    pub camera: String,
    /// UTC day on which its blocks begin.
    pub day: Date,
    /// Where it is.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
}

/// Writes the files of all cameras.
pub struct Store {
    root: PathBuf,
    plan: Trails,
    cameras: BTreeMap<String, Open>,
}

/// The file that a camera writes to.
#[derive(Default)]
struct Open {
    file: Option<(Date, PathBuf, File)>,
    /// Bytes of it that are good.
    good: u64,
    /// Highest id given so far.
    highest: u64,
    /// The run that is being written, and what is added to its ids.
    run: Option<(u64, u64)>,
    bytes: Vec<u8>,
}

impl Store {
    /// Below the folder `root`; nothing is made before something is written.
    pub fn new(root: &Path, plan: Trails) -> Self {
        Self { root: root.to_owned(), plan, cameras: BTreeMap::new() }
    }

    /// What is to be added to the ids of a run of a camera, so that no id of the camera is given twice.
    pub fn offset(&mut self, camera: &str, run: u64) -> Result<u64, StoreError> {
        let open = self.open(camera)?;
        let offset = open.run.filter(|(known, _)| *known == run).map_or(open.highest, |(_, offset)| offset);
        open.run = Some((run, offset));
        Ok(offset)
    }

    /// Appends a block; its `highest` becomes that of the camera.
    pub fn append(&mut self, camera: &str, mut block: Block) -> Result<(), StoreError> {
        self.room()?;
        let folder = self.root.join(camera);
        let open = self.open(camera)?;
        block.highest = block.highest.max(open.highest);
        open.bytes.clear();
        open.bytes.resize(HEAD, 0);
        codec::encode(&block, &mut open.bytes);
        let body = &open.bytes[HEAD..];
        let (length, sum) = (body.len() as u32, crc32fast::hash(body));
        open.bytes[..4].copy_from_slice(&length.to_le_bytes());
        open.bytes[4..HEAD].copy_from_slice(&sum.to_le_bytes());
        let day = utc_day(block.begin());
        if open.file.as_ref().is_none_or(|(known, _, _)| *known != day) {
            open.begin(&folder, day)?;
        }
        open.write()?;
        open.highest = block.highest;
        Ok(())
    }

    /// Deletes what is older than `keep`, and the oldest of all where there is more than the quota; never what is written
    /// to today. Gives the number of files that went.
    pub fn sweep(&mut self, now: jiff::Timestamp) -> Result<usize, StoreError> {
        let mut files = files(&self.root)?;
        files.sort_by(|a, b| a.day.cmp(&b.day).then_with(|| a.camera.cmp(&b.camera)));
        let mut used: u64 = files.iter().map(|f| f.bytes).sum();
        let (today, keep) = (utc_day(now.as_millisecond()), self.plan.keep);
        let mut gone = 0;
        for file in files {
            let old = is_over(file.day, keep, now);
            let over = used > self.plan.quota && file.day < today;
            if old || over {
                fs::remove_file(&file.path).map_err(|e| failed(&file.path, e))?;
                // Empty folders go with their last file; others stay.
                if let Some(folder) = file.path.parent() {
                    fs::remove_dir(folder).ok();
                }
                if let Some(open) = self.cameras.get_mut(&file.camera).filter(|open| open.is_at(file.day)) {
                    open.file = None;
                }
                used -= file.bytes;
                gone += 1;
            }
        }
        Ok(gone)
    }

    fn room(&self) -> Result<(), StoreError> {
        fs::create_dir_all(&self.root).map_err(|e| failed(&self.root, e))?;
        let disk = rustix::fs::statvfs(&self.root).map_err(|e| failed(&self.root, e.into()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < RESERVE { Err(StoreError::Disk { free }) } else { Ok(()) }
    }

    /// What is known of a camera; learnt from its newest file at first.
    fn open(&mut self, camera: &str) -> Result<&mut Open, StoreError> {
        if !self.cameras.contains_key(camera) {
            let newest = files_of(&self.root, camera)?.into_iter().max_by_key(|f| f.day);
            let highest = match newest {
                Some(file) => {
                    let bytes = fs::read(&file.path).map_err(|e| failed(&file.path, e))?;
                    blocks(&bytes).filter_map(|b| codec::decode(b).ok()).map(|b| b.highest).max().unwrap_or(0)
                }
                None => 0,
            };
            self.cameras.insert(camera.to_owned(), Open { highest, ..Open::default() });
        }
        Ok(self.cameras.entry(camera.to_owned()).or_default())
    }
}

impl Open {
    fn is_at(&self, day: Date) -> bool {
        self.file.as_ref().is_some_and(|(own, _, _)| *own == day)
    }

    /// Goes on with the file of a day; what is torn at its end is cut off.
    fn begin(&mut self, folder: &Path, day: Date) -> Result<(), StoreError> {
        self.file = None;
        fs::create_dir_all(folder).map_err(|e| failed(folder, e))?;
        let path = folder.join(format!("{day}.{ENDING}"));
        let begun = || -> io::Result<(File, u64)> {
            let mut file = File::options().create(true).truncate(false).read(true).append(true).open(&path)?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let mut good = MAGIC.len() as u64;
            if bytes.starts_with(MAGIC) {
                good += blocks(&bytes).map(|block| (HEAD + block.len()) as u64).sum::<u64>();
                if good < bytes.len() as u64 {
                    tracing::warn!(path = %path.display(), bytes = bytes.len() as u64 - good, "cut off what a crash left half written");
                    file.set_len(good)?;
                }
            } else {
                file.set_len(0)?;
                file.write_all(MAGIC)?;
            }
            Ok((file, good))
        };
        let (file, good) = begun().map_err(|e| failed(&path, e))?;
        self.good = good;
        self.file = Some((day, path, file));
        Ok(())
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let Some((_, path, file)) = &mut self.file else { return Ok(()) };
        let written = file.write_all(&self.bytes);
        if let Err(error) = written {
            let error = failed(path, error);
            // Half a block must not stand before the next one; where it cannot be cut off now, it is when the file is
            // opened anew.
            if file.set_len(self.good).is_err() {
                self.file = None;
            }
            return Err(error);
        }
        self.good += self.bytes.len() as u64;
        Ok(())
    }
}

/// The bodies of the good blocks of a file, up to the first that is not.
pub fn blocks(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = MAGIC.len();
    std::iter::from_fn(move || {
        let body = block_at(file, at)?;
        at += HEAD + body.len();
        Some(body)
    })
}

/// The body of the block that begins at this byte of a file; `None` where there is no good one.
pub fn block_at(file: &[u8], at: usize) -> Option<&[u8]> {
    let rest = file.strip_prefix(MAGIC)?.get(at.checked_sub(MAGIC.len())?..)?;
    let [a, b, c, d, e, f, g, h] = *rest.first_chunk::<HEAD>()?;
    let (length, sum) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    if length > LONGEST {
        return None;
    }
    let body = rest.get(HEAD..HEAD + length as usize)?;
    (crc32fast::hash(body) == sum).then_some(body)
}

/// All files.
pub fn files(root: &Path) -> Result<Vec<Kept>, StoreError> {
    let mut found = Vec::new();
    for entry in list(root)? {
        if let Some(camera) = entry.file_name().and_then(|n| n.to_str()) {
            found.extend(files_of(root, camera)?);
        }
    }
    Ok(found)
}

/// The files of one camera.
pub fn files_of(root: &Path, camera: &str) -> Result<Vec<Kept>, StoreError> {
    let mut found = Vec::new();
    for path in list(&root.join(camera))? {
        let is_ours = path.extension().is_some_and(|e| e == ENDING);
        let day = path.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse::<Date>().ok());
        let (true, Some(day)) = (is_ours, day) else { continue };
        let bytes = fs::metadata(&path).map_or(0, |m| m.len());
        found.push(Kept { camera: camera.to_owned(), day, path, bytes });
    }
    Ok(found)
}

/// What is in a folder; nothing where it is not there or is a file.
fn list(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    match fs::read_dir(folder) {
        Ok(entries) => {
            entries.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>().map_err(|e| failed(folder, e))
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(error) => Err(failed(folder, error)),
    }
}

/// Whether all of a day is longer ago than `keep`.
fn is_over(day: Date, keep: Span, now: jiff::Timestamp) -> bool {
    let end = day.tomorrow().and_then(|next| TimeZone::UTC.to_timestamp(next.at(0, 0, 0, 0)));
    end.is_ok_and(|end| now.duration_since(end).as_nanos() >= i128::from(keep.nanos()))
}

/// The UTC day of an instant in Unix milliseconds.
pub fn utc_day(millis: i64) -> Date {
    let at = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    TimeZone::UTC.to_datetime(at).date()
}

pub(super) fn failed(path: &Path, source: io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), source }
}
