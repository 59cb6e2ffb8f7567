//! One followed person: filtered box, evidence, and what is remembered for a re-find.

use super::kalman::BoxFilter;
use super::tuning::Tuning;
use crate::types::{CameraMotion, Detection, MediaTime, Point, Rect, Track, TrackId, TrackState};

/// One followed person.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub id: TrackId,
    pub state: TrackState,
    /// The box at the time of the current picture.
    pub filter: BoxFilter,
    /// `filter` as pixels, kept because every detection is compared with it.
    pub predicted: Rect,
    /// Last measured box.
    pub last: Rect,
    /// Score of the last measurement.
    pub score: f32,
    /// Measured at the current picture.
    pub matched: bool,
    /// First measurement.
    pub born: MediaTime,
    /// Feet at the first measurement; pixels of the current picture.
    pub birth: Point,
    /// Last measurement.
    pub seen: MediaTime,
    /// Last measurement by a strong detection ([`Tuning::strong_share`]).
    pub strong: MediaTime,
    /// Evidence that this is a person; see [`Tuning::evidence`].
    pub evidence: f32,
    /// Measured once only: its speed is unknown.
    pub fresh: bool,
    /// The filter right after the last measurement, from where a gap is replayed.
    settled: BoxFilter,
}

impl Target {
    pub fn new(id: TrackId, seen: &Detection, now: MediaTime, tuning: &Tuning) -> Self {
        let filter = BoxFilter::new(&seen.bbox, seen.score, &tuning.motion);
        Self {
            id,
            state: TrackState::Tentative,
            filter,
            predicted: seen.bbox,
            last: seen.bbox,
            score: seen.score,
            matched: true,
            born: now,
            birth: seen.bbox.feet(),
            seen: now,
            strong: now,
            evidence: 0.0,
            fresh: true,
            settled: filter,
        }
    }

    pub fn confirmed(&self) -> bool {
        self.state == TrackState::Confirmed
    }

    /// Seconds since the last measurement.
    pub fn gap(&self, now: MediaTime) -> f64 {
        (now - self.seen).secs_f64()
    }

    /// Moves on by `dt` seconds, then with the camera.
    pub fn predict(&mut self, dt: f64, motion: Option<&CameraMotion>, tuning: &Tuning) {
        self.filter.predict(dt, &tuning.motion);
        if let Some(motion) = motion {
            self.filter.apply(motion);
            self.settled.apply(motion);
            self.last = motion.rect(&self.last);
            self.birth = motion.point(self.birth);
        }
        self.predicted = self.filter.rect();
        self.matched = false;
    }

    /// Takes a measurement. After a gap the filter is wound back and led along the straight line between the two
    /// measurements, so that what it imagined meanwhile does not bend its speed.
    pub fn take(&mut self, seen: &Detection, now: MediaTime, strong: bool, tuning: &Tuning) {
        const STEPS: u8 = 4;
        let gap = self.gap(now);
        if gap > tuning.recover_after {
            self.filter = self.settled;
            for step in 1..=STEPS {
                let there = between(&self.last, &seen.bbox, f32::from(step) / f32::from(STEPS));
                self.filter.predict(gap / f64::from(STEPS), &tuning.motion);
                self.filter.correct(&there, seen.score, &tuning.motion);
            }
        } else {
            self.filter.correct(&seen.bbox, seen.score, &tuning.motion);
        }
        self.settled = self.filter;
        self.predicted = self.filter.rect();
        self.last = seen.bbox;
        self.score = seen.score;
        self.matched = true;
        self.seen = now;
        self.fresh = false;
        if strong {
            self.strong = now;
        }
    }

    /// Follows a change of the picture's size.
    pub fn scale(&mut self, sx: f64, sy: f64) {
        self.filter.scale(sx, sy);
        self.settled.scale(sx, sy);
        self.last = self.last.scaled(sx as f32, sy as f32);
        self.birth = Point { x: self.birth.x * sx, y: self.birth.y * sy };
    }

    /// What the next stage sees.
    pub fn track(&self) -> Track {
        let [vx, vy] = self.filter.velocity();
        Track {
            id: self.id,
            state: self.state,
            bbox: if self.matched { self.last } else { self.predicted },
            velocity: [vx as f32, vy as f32],
            score: self.score,
            matched: self.matched,
            born: self.born,
            birth: self.birth,
            seen: self.seen,
        }
    }
}

/// The part of the smaller box that both share, 0 to 1.
pub(super) fn shared(a: &Rect, b: &Rect) -> f32 {
    a.intersection(b) / a.area().min(b.area()).max(f32::MIN_POSITIVE)
}

fn between(from: &Rect, to: &Rect, share: f32) -> Rect {
    let mix = |a: f32, b: f32| a + (b - a) * share;
    Rect::new(mix(from.left, to.left), mix(from.top, to.top), mix(from.width, to.width), mix(from.height, to.height))
}
