//! What is kept of a camera between two times.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::FOLDER;
use super::block::Block;
use super::codec::{self, Head};
use super::store::{self, Kept, StoreError, failed, files_of, utc_day};
use crate::types::Span;
use crate::types::time::millis;

/// Reads while another thread writes.
#[derive(Clone, Debug)]
pub struct TrailReader {
    root: PathBuf,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// Its beginning.
    #[serde(with = "millis")]
    pub from: Timestamp,
    /// Its end.
    #[serde(with = "millis")]
    pub until: Timestamp,
}

/// Blocks in the order in which they were kept; one day's file is in memory.
pub struct Blocks {
    files: VecDeque<Kept>,
    day: Vec<u8>,
    at: usize,
    /// Unix milliseconds.
    from: i64,
    until: i64,
}

impl Stretch {
    /// From one time to another, which is not before it.
    pub fn new(from: Timestamp, until: Timestamp) -> Self {
        Self { from, until: until.max(from) }
    }
}

impl TrailReader {
    /// Of what is kept below the data of a site.
    pub fn new(data: &Path) -> Self {
        Self { root: data.join(FOLDER) }
    }

    /// The blocks of a camera that have pictures in the stretch, whole.
    pub fn blocks(&self, camera: &str, stretch: Stretch) -> Result<Blocks, StoreError> {
        let (from, until) = (stretch.from.as_millisecond(), stretch.until.as_millisecond());
        let mut files = files_of(&self.root, camera)?;
        // A block belongs to the day on which it begins.
        let first = utc_day(from).yesterday().unwrap_or(utc_day(from));
        files.retain(|f| (first..=utc_day(until)).contains(&f.day));
        files.sort_by_key(|f| f.day);
        Ok(Blocks { files: files.into(), day: Vec::new(), at: 0, from, until })
    }

    /// When there were pictures of a camera within the stretch: longer without any than `outage` is a gap.
    pub fn covered(&self, camera: &str, stretch: Stretch, outage: Span) -> Result<Vec<Stretch>, StoreError> {
        let mut covered = Covered::new(stretch, outage);
        let mut blocks = self.blocks(camera, stretch)?;
        while let Some(head) = blocks.next_head()? {
            covered.take(&head);
        }
        Ok(covered.stretches())
    }
}

/// When there were pictures.
pub struct Covered {
    /// Unix milliseconds.
    from: i64,
    until: i64,
    gap: i64,
    pictures: Vec<(i64, i64)>,
}

impl Covered {
    /// Within a stretch; longer without pictures than `outage` is a gap.
    pub fn new(stretch: Stretch, outage: Span) -> Self {
        let (from, until) = (stretch.from.as_millisecond(), stretch.until.as_millisecond());
        Self { from, until, gap: outage.nanos() / 1_000_000, pictures: Vec::new() }
    }

    /// Takes the next block.
    pub fn take(&mut self, head: &Head) {
        for &time in &head.times {
            match self.pictures.last_mut() {
                Some((_, last)) if time >= *last && time - *last <= self.gap => *last = time,
                _ => self.pictures.push((time, time)),
            }
        }
    }

    /// All parts of the stretch with pictures.
    pub fn stretches(&self) -> Vec<Stretch> {
        let at = |millis| Timestamp::from_millisecond(millis).unwrap_or_default();
        let inside = |(from, until): &(i64, i64)| (*from.max(&self.from), *until.min(&self.until));
        let parts = self.pictures.iter().map(inside).filter(|(from, until)| from <= until);
        parts.map(|(from, until)| Stretch::new(at(from), at(until))).collect()
    }
}

/// What lies between stretches: nothing was seen there. Before the first and behind the last nothing is known.
pub fn outages(covered: &[Stretch]) -> Vec<Stretch> {
    let between = covered.windows(2).map(|pair| Stretch::new(pair[0].until, pair[1].from));
    between.filter(|stretch| stretch.until.duration_since(stretch.from) > SignedDuration::ZERO).collect()
}

impl Blocks {
    /// The next block; `None` behind the last.
    #[allow(clippy::should_implement_trait)] // A read may fail.
    pub fn next(&mut self) -> Result<Option<Block>, StoreError> {
        self.find(codec::decode)
    }

    /// The next block without its trails.
    pub fn next_head(&mut self) -> Result<Option<Head>, StoreError> {
        self.find(codec::decode_head)
    }

    fn find<T>(&mut self, decode: fn(&[u8]) -> Result<T, codec::CodecError>) -> Result<Option<T>, StoreError> {
        loop {
            let Some(body) = store::block_at(&self.day, self.at) else {
                let Some(file) = self.files.pop_front() else { return Ok(None) };
                self.day = std::fs::read(&file.path).map_err(|e| failed(&file.path, e))?;
                self.at = store::MAGIC.len();
                continue;
            };
            self.at += store::HEAD + body.len();
            // Bytes with a good checksum that are no block come from another version: nothing is known of that time.
            let Ok(head) = codec::decode_head(body) else { continue };
            let inside = |head: &Head| Some((*head.times.first()?, *head.times.last()?));
            if inside(&head).is_none_or(|(begin, end)| end < self.from || begin > self.until) {
                continue;
            }
            if let Ok(block) = decode(body) {
                return Ok(Some(block));
            }
        }
    }
}
