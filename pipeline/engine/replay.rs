//! Tracks of a file through rules and incidents, without pictures.

use std::collections::BTreeMap;

use super::stages::Judge;
use crate::alerts::IncidentConfig;
use crate::types::{EndReason, Event, MediaTime, Point, Rect, Size, Track, TrackId, TrackState};

/// One person in one frame of a track file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// From 1.
    pub frame: u64,
    /// Identity.
    pub id: u64,
    /// Pixels.
    pub bbox: Rect,
    /// 0 to 1.
    pub score: f32,
}

/// How a track file is replayed.
pub struct Replay {
    /// The rules.
    pub incidents: IncidentConfig,
    /// Frame f is at (f-1)/fps.
    pub fps: f64,
    /// Of the picture that boxes are in.
    pub size: Size,
    /// UTC of the first frame.
    pub start: jiff::Timestamp,
    /// Identities are not trusted: dwell is inherited as in a live run.
    pub inherit: bool,
}

/// The frames of a track file one after another. Every row is a confirmed track; frames without rows up to the last one
/// are empty scenes.
pub struct Scenes<'a> {
    rest: &'a [Row],
    fps: f64,
    frame: u64,
    last: u64,
    births: BTreeMap<u64, (MediaTime, Point)>,
    tracks: Vec<Track>,
}

impl<'a> Scenes<'a> {
    /// `rows` must be sorted by frame; frame f is at (f-1)/fps.
    pub fn new(rows: &'a [Row], fps: f64) -> Self {
        let last = rows.last().map_or(0, |r| r.frame);
        Self { rest: rows, fps, frame: 0, last, births: BTreeMap::new(), tracks: Vec::new() }
    }

    /// Frames so far.
    pub fn frame(&self) -> u64 {
        self.frame
    }

    /// Time and tracks of the next frame; `None` after the last.
    #[allow(clippy::should_implement_trait)] // Tracks are lent, which no iterator does.
    pub fn next(&mut self) -> Option<(MediaTime, &[Track])> {
        if self.frame >= self.last {
            return None;
        }
        self.frame += 1;
        let time = MediaTime::of_frame(self.frame - 1, self.fps);
        let (now, later) = self.rest.split_at(self.rest.partition_point(|r| r.frame <= self.frame));
        self.rest = later;
        self.tracks.clear();
        let births = &mut self.births;
        self.tracks.extend(now.iter().map(|row| {
            let (born, birth) = *births.entry(row.id).or_insert((time, row.bbox.feet()));
            Track {
                id: TrackId(row.id),
                state: TrackState::Confirmed,
                bbox: row.bbox,
                velocity: [0.0; 2],
                score: row.score,
                matched: true,
                born,
                birth,
                seen: time,
            }
        }));
        self.tracks.sort_by_key(|t| t.id);
        self.tracks.dedup_by_key(|t| t.id);
        Some((time, &self.tracks))
    }
}

impl Replay {
    /// `rows` must be sorted by frame. `progress` is told the frames done.
    pub fn run(self, rows: &[Row], mut progress: impl FnMut(u64)) -> Vec<Event> {
        let mut events = Vec::new();
        let mut judge = Judge::new(self.incidents, !self.inherit);
        let mut scenes = Scenes::new(rows, self.fps);
        while let Some((time, tracks)) = scenes.next() {
            judge.observe(time, time.utc(self.start), self.size, tracks, &mut events);
            progress(scenes.frame());
        }
        judge.stop(EndReason::Stopped, &mut events);
        events
    }
}
