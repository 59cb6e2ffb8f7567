//! A block as pictures for the rules: everybody who was seen, between two kept places on the straight way.

use super::block::{Block, Spot, Trail, pixels};
use super::coarse::coarse;
use crate::types::{MediaTime, Track, TrackId, TrackState};

/// The pictures of a block one after another.
pub struct Scenes<'a> {
    block: &'a Block,
    /// Pictures that are looked at; empty: all.
    looked_at: Vec<bool>,
    /// Unix milliseconds that are media time zero.
    zero: i64,
    picture: usize,
    /// For each trail: the stretch and the spot that the picture is in or behind.
    cursors: Vec<[usize; 2]>,
    tracks: Vec<Track>,
}

/// One picture.
pub struct Scene<'a> {
    /// Since time zero.
    pub time: MediaTime,
    /// When it was taken, Unix milliseconds.
    pub at: i64,
    /// Everybody who was seen, by the ids of tracks.
    pub tracks: &'a [Track],
}

/// Milliseconds after time zero.
fn media(at: i64, zero: i64) -> MediaTime {
    MediaTime::from_nanos(at.saturating_sub(zero).saturating_mul(1_000_000))
}

impl<'a> Scenes<'a> {
    /// Of one block; `zero` is the Unix millisecond that is media time zero.
    pub fn new(block: &'a Block, zero: i64) -> Self {
        Self {
            block,
            looked_at: Vec::new(),
            zero,
            picture: 0,
            cursors: vec![[0; 2]; block.trails.len()],
            tracks: Vec::new(),
        }
    }

    /// The same, of about two pictures a second.
    pub fn coarse(block: &'a Block, zero: i64) -> Self {
        Self { looked_at: coarse(block), ..Self::new(block, zero) }
    }

    /// The next picture; `None` after the last.
    #[allow(clippy::should_implement_trait)] // Tracks are lent, which no iterator does.
    pub fn next(&mut self) -> Option<Scene<'_>> {
        while self.looked_at.get(self.picture) == Some(&false) {
            self.picture += 1;
        }
        let at = *self.block.times.get(self.picture)?;
        let (picture, time) = (self.picture as u32, media(at, self.zero));
        self.tracks.clear();
        for (trail, [stretch, spot]) in self.block.trails.iter().zip(&mut self.cursors) {
            while trail.seen.get(*stretch).is_some_and(|run| run.end <= picture) {
                *stretch += 1;
            }
            if trail.seen.get(*stretch).is_none_or(|run| run.start > picture) {
                continue;
            }
            while trail.spots.get(*spot + 1).is_some_and(|next| next.picture <= picture) {
                *spot += 1;
            }
            let here = trail.spots[*spot];
            let next = trail.spots.get(*spot + 1).copied().unwrap_or(here);
            self.tracks.push(track(self.block, self.zero, trail, [here, next], (time, at)));
        }
        self.picture += 1;
        Some(Scene { time, at, tracks: &self.tracks })
    }
}

fn track(block: &Block, zero: i64, trail: &Trail, [here, next]: [Spot; 2], (time, at): (MediaTime, i64)) -> Track {
    let when = |spot: &Spot| block.times[spot.picture as usize];
    let long = when(&next) - when(&here);
    let share = if long > 0 { ((at - when(&here)) as f64 / long as f64).clamp(0.0, 1.0) } else { 0.0 };
    let (bbox, score) = here.toward(&next, share, block.size);
    Track {
        id: TrackId(trail.id),
        state: TrackState::Confirmed,
        bbox,
        velocity: [0.0; 2],
        score,
        matched: true,
        born: media(trail.born, zero),
        birth: pixels(trail.birth, block.size),
        seen: time,
    }
}
