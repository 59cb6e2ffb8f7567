//! What the rules of one camera saw, gathered in memory and handed over in blocks. The camera never waits: a block that
//! nobody takes is dropped and counted.

use std::sync::Arc;

use crossbeam::channel::Sender;

use crate::engine::keeper::Record;
use crate::types::{MediaTime, Size, Span, Track, TrackId};

/// A block is at most so long: what a crash costs.
const LONGEST: Span = Span::from_secs(30);
/// Pictures of a block at most.
pub const MOST_PICTURES: usize = 4_096;
/// People over all pictures of a block at most; a crowd has shorter blocks.
pub const MOST_SEEN: usize = 16_384;

/// What was seen in some seconds, all of it.
#[derive(Debug)]
pub struct Gathered {
    /// Camera id.
    pub camera: Arc<str>,
    /// Tells runs of the camera apart: track ids of one mean nothing in another.
    pub run: u64,
    /// Of the pictures, pixels.
    pub size: Size,
    /// In the order of time.
    pub pictures: Vec<Picture>,
    /// Of one picture after the other.
    pub seen: Vec<Track>,
    /// Of each of these the person's first track.
    pub persons: Vec<TrackId>,
}

/// One analysed picture.
#[derive(Clone, Copy, Debug)]
pub struct Picture {
    /// Presentation time.
    pub time: MediaTime,
    /// The same in UTC.
    pub utc: jiff::Timestamp,
    /// Index in [`Gathered::seen`] of the first person in it.
    pub first: usize,
}

/// Gathers what one camera sees.
pub struct TrailRecorder {
    out: Sender<Record>,
    overflow: prometheus::IntCounter,
    block: Gathered,
}

impl TrailRecorder {
    /// For one run of a camera: whoever follows people from the first track on makes a recorder of its own, with another
    /// `run`. Counts in `overflow` blocks that were not taken.
    pub fn new(camera: &str, run: u64, out: Sender<Record>, overflow: prometheus::IntCounter) -> Self {
        Self { out, overflow, block: Gathered::new(camera.into(), run, Size::default()) }
    }

    /// Takes one picture of `size`: all live tracks, ordered by id, and the persons whom rules counted, as
    /// [`crate::rules::Measured::persons`] has them.
    pub fn observe(
        &mut self,
        time: MediaTime,
        utc: jiff::Timestamp,
        size: Size,
        tracks: &[Track],
        persons: &[(TrackId, TrackId)],
    ) {
        let block = &self.block;
        let over = block.pictures.first().is_some_and(|first| {
            time - first.time >= LONGEST || time < first.time || utc < first.utc || size != block.size
        });
        if over || block.pictures.len() >= MOST_PICTURES || block.seen.len() + persons.len() > MOST_SEEN {
            self.flush();
        }
        let block = &mut self.block;
        block.size = size;
        block.pictures.push(Picture { time, utc, first: block.seen.len() });
        let mut live = tracks.iter();
        for &(track, person) in persons.iter().take(MOST_SEEN) {
            let Some(found) = live.find(|t| t.id == track) else { continue };
            block.seen.push(*found);
            block.persons.push(person);
        }
    }

    /// Hands over what is gathered: at the end, and where pictures cease.
    pub fn flush(&mut self) {
        if self.block.pictures.is_empty() {
            return;
        }
        let next = Gathered::new(Arc::clone(&self.block.camera), self.block.run, self.block.size);
        if self.out.try_send(Record::Trails(std::mem::replace(&mut self.block, next))).is_err() {
            self.overflow.inc();
        }
    }
}

impl Gathered {
    fn new(camera: Arc<str>, run: u64, size: Size) -> Self {
        Self { camera, run, size, pictures: Vec::new(), seen: Vec::new(), persons: Vec::new() }
    }

    /// The people of the picture with this index.
    pub fn people(&self, picture: usize) -> &[Track] {
        let end = self.pictures.get(picture + 1).map_or(self.seen.len(), |next| next.first);
        &self.seen[self.pictures[picture].first..end]
    }
}
