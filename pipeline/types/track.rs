//! People followed within one camera. A track id means nothing outside one camera and one run.

use super::{CameraMotion, Detection, MediaTime, Point, Rect, Size};

/// Identity of a track within one camera and one run; from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId(pub u64);

/// How sure the tracker is that this is a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrackState {
    /// Too new to count.
    Tentative,
    /// Counts.
    Confirmed,
}

/// One followed person at one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Track {
    /// Identity.
    pub id: TrackId,
    /// Only confirmed tracks count.
    pub state: TrackState,
    /// Matched: the detection's box; else the predicted one. Pixels of the source picture.
    pub bbox: Rect,
    /// Velocity of the box centre, pixels a second.
    pub velocity: [f32; 2],
    /// Score of the last matched detection.
    pub score: f32,
    /// Whether a detection was matched at this picture. An unmatched (coasting) track is a guess: it is redacted
    /// but not counted.
    pub matched: bool,
    /// When the first detection of the track was made.
    pub born: MediaTime,
    /// Feet at birth, pixels; where that place is now, if the camera's motion is estimated.
    pub birth: Point,
    /// When a detection was last matched.
    pub seen: MediaTime,
}

/// What a tracker gets for one picture.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// Presentation time; not before the last one given.
    pub time: MediaTime,
    /// Size of the picture that the boxes are in.
    pub size: Size,
    /// Detections from score 0.1 up, in the order of [`super::Detections`].
    pub detections: &'a [Detection],
    /// Motion of the camera since the last picture, pixels, if it is estimated.
    pub motion: Option<CameraMotion>,
}

impl Track {
    /// Whether rules may count this track at this picture: confirmed, and seen rather than guessed.
    pub fn counts(&self) -> bool {
        self.matched && self.state == TrackState::Confirmed
    }
}
