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

impl Replay {
    /// Every row is a confirmed track; frames without rows up to the last one are empty scenes. `rows` must be sorted
    /// by frame. `progress` is told the frames done.
    pub fn run(self, rows: &[Row], mut progress: impl FnMut(u64)) -> Vec<Event> {
        let mut events = Vec::new();
        let mut births: BTreeMap<u64, (MediaTime, Point)> = BTreeMap::new();
        let mut judge = Judge::new(self.incidents, !self.inherit);
        let last = rows.last().map_or(0, |r| r.frame);
        let mut tracks = Vec::new();
        let mut rest = rows;
        for frame in 1..=last {
            let time = MediaTime::of_frame(frame - 1, self.fps);
            let (now, later) = rest.split_at(rest.partition_point(|r| r.frame <= frame));
            rest = later;
            tracks.clear();
            tracks.extend(now.iter().map(|row| {
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
            tracks.sort_by_key(|t| t.id);
            tracks.dedup_by_key(|t| t.id);
            judge.observe(time, time.utc(self.start), self.size, &tracks, &mut events);
            progress(frame);
        }
        judge.stop(EndReason::Stopped, &mut events);
        events
    }
}
