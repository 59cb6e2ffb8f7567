//! The tracker: predict, associate by score in two steps, bear, judge, forget.

use super::Tracker;
use super::affinity::{Seeker, weak_gain};
use super::assign::Assignment;
use super::target::{Target, shared};
use super::tuning::Tuning;
use crate::types::{Detection, MediaTime, Observation, Size, Track, TrackId, TrackState};

/// Most detections taken from one picture; the weakest beyond are left out and counted.
pub const MAX_DETECTIONS: usize = 512;
/// Most people followed at once, lost ones included; births beyond are refused and counted.
pub const MAX_TRACKS: usize = 512;
/// Boxes that reach further from the picture's corner are no measurement, pixels.
const FARTHEST: f32 = 1e6;

/// What the plan says of tracking.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackerConfig {
    /// The least score that starts a track; weaker detections only continue one. `[detect] score`, or the model's own.
    pub start_score: f32,
}

/// What did not fit, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overflow {
    /// Detections beyond [`MAX_DETECTIONS`] in a picture.
    pub detections: u64,
    /// Births refused at [`MAX_TRACKS`].
    pub tracks: u64,
}

/// Follows people within one camera by place, size and motion alone.
///
/// SORT (Bewley et al., ICIP 2016) with real time steps, the two associations by score of ByteTrack, buffered overlap of
/// C-BIoU and the observation-centric recovery of OC-SORT; see [`Tuning`] for each. Causal and deterministic: the result
/// depends on the observations alone, not on the order of the detections within one. Allocates nothing once its tables
/// have grown to their largest.
#[derive(Debug)]
pub struct SortTracker {
    config: TrackerConfig,
    tuning: Tuning,
    /// Ordered by id.
    targets: Vec<Target>,
    /// Of this picture, best first.
    detections: Vec<Detection>,
    /// Which of them no track has taken.
    free: Vec<bool>,
    /// Table of the current association: targets, detections, gains.
    rows: Vec<usize>,
    columns: Vec<usize>,
    gain: Vec<f32>,
    assignment: Assignment,
    tracks: Vec<Track>,
    last: Option<(MediaTime, Size)>,
    next_id: u64,
    overflow: Overflow,
}

impl SortTracker {
    /// A tracker that follows nobody yet.
    pub fn new(config: TrackerConfig) -> Self {
        Self::with_tuning(config, Tuning::default())
    }

    /// The same with other constants than the tuned ones.
    pub fn with_tuning(config: TrackerConfig, tuning: Tuning) -> Self {
        Self {
            config,
            tuning,
            targets: Vec::new(),
            detections: Vec::new(),
            free: Vec::new(),
            rows: Vec::new(),
            columns: Vec::new(),
            gain: Vec::new(),
            assignment: Assignment::default(),
            tracks: Vec::new(),
            last: None,
            next_id: 1,
            overflow: Overflow::default(),
        }
    }

    /// Takes the detections in an order that depends on nothing but themselves.
    fn admit(&mut self, seen: &Observation<'_>) {
        let least = self.tuning.least_score;
        self.detections.clear();
        self.detections.extend(seen.detections.iter().filter(|d| d.score >= least && plausible(d)));
        self.detections.sort_unstable_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then_with(|| a.bbox.left.total_cmp(&b.bbox.left))
                .then_with(|| a.bbox.top.total_cmp(&b.bbox.top))
                .then_with(|| a.bbox.width.total_cmp(&b.bbox.width))
                .then_with(|| a.bbox.height.total_cmp(&b.bbox.height))
        });
        let over = self.detections.len().saturating_sub(MAX_DETECTIONS);
        self.overflow.detections += over as u64;
        self.detections.truncate(MAX_DETECTIONS);
        self.free.clear();
        self.free.resize(self.detections.len(), true);
    }

    /// Brings everyone to the time, the camera's place and the size of this picture.
    fn advance(&mut self, seen: &Observation<'_>, dt: f64) {
        let (now, lost) = (seen.time, self.tuning.lost);
        self.targets.retain(|target| target.gap(now) <= lost);
        if let Some((_, size)) = self.last.filter(|(_, size)| *size != seen.size) {
            let sx = f64::from(seen.size.width.max(1)) / f64::from(size.width.max(1));
            let sy = f64::from(seen.size.height.max(1)) / f64::from(size.height.max(1));
            self.targets.iter_mut().for_each(|target| target.scale(sx, sy));
        }
        let motion = seen.motion.as_ref().filter(|motion| motion.is_usable());
        self.targets.iter_mut().for_each(|target| target.predict(dt, motion, &self.tuning));
    }

    /// Detections from the start score up with everyone.
    fn associate(&mut self, now: MediaTime) {
        let start = self.config.start_score;
        self.rows.clear();
        self.rows.extend(0..self.targets.len());
        self.columns.clear();
        self.columns.extend(self.detections.iter().take_while(|d| d.score >= start).enumerate().map(|(i, _)| i));
        self.gain.clear();
        for target in &self.targets {
            let seeker = Seeker::new(target, now, &self.tuning);
            self.gain.extend(self.columns.iter().map(|&c| seeker.gain(&self.detections[c], &self.tuning)));
        }
        self.settle(now);
    }

    /// Weaker detections with confirmed people who were lately seen well.
    fn associate_weak(&mut self, now: MediaTime) {
        let (start, time) = (self.config.start_score, self.tuning.weak_time);
        self.rows.clear();
        self.rows.extend((0..self.targets.len()).filter(|&r| {
            let target = &self.targets[r];
            !target.matched && target.confirmed() && (now - target.strong).secs_f64() <= time
        }));
        self.columns.clear();
        self.columns.extend((0..self.detections.len()).filter(|&c| self.detections[c].score < start));
        self.gain.clear();
        for &row in &self.rows {
            let target = &self.targets[row];
            self.gain.extend(self.columns.iter().map(|&c| weak_gain(target, &self.detections[c], &self.tuning)));
        }
        self.settle(now);
    }

    fn settle(&mut self, now: MediaTime) {
        let strong = self.config.start_score * self.tuning.strong_share;
        self.assignment.solve(&self.gain, self.rows.len(), self.columns.len());
        for (r, &row) in self.rows.iter().enumerate() {
            if let Some(c) = self.assignment.column_of(r) {
                let seen = &self.detections[self.columns[c]];
                self.targets[row].take(seen, now, seen.score >= strong, &self.tuning);
                self.free[self.columns[c]] = false;
            }
        }
    }

    /// Free detections from the start score up begin a track, unless they are an echo of someone matched.
    fn bear(&mut self, now: MediaTime) {
        for (seen, &free) in self.detections.iter().zip(&self.free) {
            if !free || seen.score < self.config.start_score {
                continue;
            }
            let limit = self.tuning.birth_overlap;
            if self.targets.iter().any(|t| t.matched && shared(&t.last, &seen.bbox) > limit) {
                continue;
            }
            if self.targets.len() >= MAX_TRACKS {
                self.overflow.tracks += 1;
                continue;
            }
            self.targets.push(Target::new(TrackId(self.next_id), seen, now, &self.tuning));
            self.next_id += 1;
        }
    }

    /// Weighs the evidence of tentative tracks and confirms those that have enough.
    fn judge(&mut self, now: MediaTime, dt: f64) {
        let tuning = &self.tuning;
        let step = (dt / tuning.evidence_time).min(1.0) as f32;
        for i in 0..self.targets.len() {
            let target = self.targets[i];
            if target.confirmed() {
                continue;
            }
            let change = if target.matched {
                let others = self.targets.iter().filter(|other| other.matched && other.confirmed());
                let hidden = others.map(|other| shared(&other.last, &target.last)).fold(0.0, f32::max).min(1.0);
                let outside = (1.0 - hidden).powf(tuning.evidence_outside);
                let weight = if target.born == now { 1.0 } else { step };
                weight * outside * (target.score - self.config.start_score)
            } else {
                -step * tuning.evidence_miss
            };
            let target = &mut self.targets[i];
            target.evidence += change;
            let old_enough = (now - target.born).secs_f64() >= tuning.confirm_age;
            if target.matched && old_enough && target.evidence >= tuning.evidence {
                target.state = TrackState::Confirmed;
            }
        }
    }

    /// Forgets who is lost, who has left, and the weaker of two tracks on one person.
    fn forget(&mut self, now: MediaTime, size: Size) {
        let tuning = &self.tuning;
        for young in 1..self.targets.len() {
            for old in 0..young {
                let (a, b) = (&self.targets[old], &self.targets[young]);
                if (a.matched && a.confirmed() && b.matched && b.confirmed())
                    || a.predicted.iou(&b.predicted) <= tuning.twin
                {
                    continue;
                }
                let rank = |target: &Target| (target.confirmed(), target.matched);
                let weaker = if rank(b) > rank(a) { old } else { young };
                self.targets[weaker].evidence = f32::NEG_INFINITY;
            }
        }
        self.targets.retain(|target| {
            let gap = target.gap(now);
            if target.evidence == f32::NEG_INFINITY {
                return false;
            }
            if !target.confirmed() {
                return gap <= tuning.tentative_lost;
            }
            let visible = target.predicted.clipped(size).map_or(0.0, |part| part.area());
            gap <= if visible < tuning.inside * target.predicted.area() { tuning.left } else { tuning.lost }
        });
    }
}

impl Tracker for SortTracker {
    fn update(&mut self, seen: &Observation<'_>) -> &[Track] {
        let now = seen.time;
        let dt = self.last.map_or(0.0, |(before, _)| (now - before).secs_f64().max(0.0));
        self.admit(seen);
        self.advance(seen, dt);
        self.associate(now);
        self.associate_weak(now);
        self.bear(now);
        self.judge(now, dt);
        self.forget(now, seen.size);
        self.last = Some((now, seen.size));
        self.tracks.clear();
        self.tracks.extend(self.targets.iter().map(Target::track));
        &self.tracks
    }

    fn set_start_score(&mut self, score: f32) {
        self.config.start_score = score;
    }

    fn overflow(&self) -> Overflow {
        self.overflow
    }
}

fn plausible(seen: &Detection) -> bool {
    let bbox = &seen.bbox;
    bbox.is_valid()
        && [bbox.left, bbox.top, bbox.width, bbox.height].iter().all(|v| v.abs() <= FARTHEST)
        && seen.score.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Rect;

    #[test]
    fn nothing_is_allocated_once_warm() {
        let mut tracker = SortTracker::new(TrackerConfig { start_score: 0.4 });
        let mut detections = Vec::new();
        let mut warm = None;
        for k in 0..200_u64 {
            detections.clear();
            detections.extend((0..50).map(|i| {
                let (x, y) = ((i % 10) as f32 * 120.0 + (k % 40) as f32 * 2.0, (i / 10) as f32 * 140.0);
                Detection { bbox: Rect::new(x, y, 40.0, 100.0), score: if (i + k) % 9 == 0 { 0.2 } else { 0.8 } }
            }));
            let (time, size) = (MediaTime::of_frame(k, 10.0), Size::new(1280, 720));
            tracker.update(&Observation { time, size, detections: &detections, motion: None });
            let sizes = [
                tracker.targets.capacity(),
                tracker.detections.capacity(),
                tracker.free.capacity(),
                tracker.rows.capacity(),
                tracker.columns.capacity(),
                tracker.gain.capacity(),
                tracker.tracks.capacity(),
            ];
            match warm {
                None if k == 100 => warm = Some(sizes),
                Some(warm) => assert_eq!(warm, sizes),
                None => {}
            }
        }
    }
}
