//! People followed within one camera. A track id means nothing outside one camera and one run.

use super::{Detection, MediaTime, Point, Rect, Size};

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
    /// Feet at birth, pixels.
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
    /// Motion of the camera since the last picture, if it is estimated.
    pub motion: Option<CameraMotion>,
}

/// Affine motion of the background from the last picture to this one: `p' = m * [x, y, 1]`, pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraMotion {
    /// Rows of the 2x3 matrix.
    pub matrix: [[f64; 3]; 2],
}

impl Track {
    /// Whether rules may count this track at this picture: confirmed, and seen rather than guessed.
    pub fn counts(&self) -> bool {
        self.matched && self.state == TrackState::Confirmed
    }
}

impl CameraMotion {
    /// A camera that stands still.
    pub const NONE: Self = Self { matrix: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] };

    /// This motion and then the next one.
    pub fn then(&self, next: &Self) -> Self {
        let [[a, b, tx], [c, d, ty]] = self.matrix;
        let [[na, nb, ntx], [nc, nd, nty]] = next.matrix;
        Self {
            matrix: [
                [na * a + nb * c, na * b + nb * d, na * tx + nb * ty + ntx],
                [nc * a + nd * c, nc * b + nd * d, nc * tx + nd * ty + nty],
            ],
        }
    }

    /// The way back; `None` of a motion that collapses the picture.
    pub fn inverse(&self) -> Option<Self> {
        let [[a, b, tx], [c, d, ty]] = self.matrix;
        let scale = 1.0 / (a * d - b * c);
        let (ia, ib, ic, id) = (d * scale, -b * scale, -c * scale, a * scale);
        let back = Self { matrix: [[ia, ib, -(ia * tx + ib * ty)], [ic, id, -(ic * tx + id * ty)]] };
        back.matrix.iter().flatten().all(|v| v.is_finite()).then_some(back)
    }

    /// Where a point of the last picture is in this one, pixels.
    pub fn point(&self, p: Point) -> Point {
        let [[a, b, tx], [c, d, ty]] = self.matrix;
        Point { x: a * p.x + b * p.y + tx, y: c * p.x + d * p.y + ty }
    }

    /// How much larger things became.
    pub fn zoom(&self) -> f64 {
        let [[a, b, _], [c, d, _]] = self.matrix;
        (a * d - b * c).abs().sqrt()
    }

    /// Finite, and neither a collapse nor an explosion of the picture.
    pub fn is_usable(&self) -> bool {
        self.matrix.iter().flatten().all(|v| v.is_finite()) && (0.1..=10.0).contains(&self.zoom())
    }
}
