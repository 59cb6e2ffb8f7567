//! How well a detection continues a track: the gains that the assignment maximises. Not above zero: never.

use super::target::Target;
use super::tuning::Tuning;
use crate::types::{Detection, MediaTime, Rect};

/// A track as the first association sees it at one picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seeker<'a> {
    target: &'a Target,
    predicted: Rect,
    /// Where the person was last measured, if that is a place to look.
    last: Option<Rect>,
    buffer: f32,
    gate: f32,
}

impl<'a> Seeker<'a> {
    pub fn new(target: &'a Target, now: MediaTime, tuning: &Tuning) -> Self {
        let gap = target.gap(now);
        let seconds = gap as f32;
        let known = (tuning.buffer + tuning.buffer_rate * seconds).min(tuning.buffer_limit);
        let fresh = if target.fresh { (tuning.buffer_fresh * seconds).min(tuning.buffer_limit) } else { 0.0 };
        let buffer = known + fresh;
        let handicap = if target.confirmed() { 0.0 } else { tuning.tentative_handicap };
        Self {
            target,
            predicted: target.predicted.padded(buffer),
            last: (gap > tuning.recover_after).then(|| target.last.padded(buffer)),
            buffer,
            gate: tuning.gate + handicap + tuning.lost_handicap * seconds,
        }
    }

    /// First association: buffered, height-modulated overlap and distance to the prediction, by score.
    pub fn gain(&self, seen: &Detection, tuning: &Tuning) -> f32 {
        let grown = seen.bbox.padded(self.buffer);
        let mut overlap = self.predicted.iou(&grown);
        if let Some(last) = &self.last {
            overlap = overlap.max(tuning.recover_share * last.iou(&grown));
        }
        // Most pairs end here; the rest can at most add the weight of the distance.
        if overlap <= 0.0 || overlap + tuning.distance_weight <= self.gate {
            return 0.0;
        }
        let alike = likeness(&self.target.predicted, &seen.bbox).powf(tuning.height_power);
        let distance2 = self.target.filter.distance2(&seen.bbox, seen.score, &tuning.motion) as f32;
        let near = alike * (overlap + tuning.distance_weight * (-distance2 / 2.0).exp());
        if near > self.gate { near - self.gate + tuning.score_weight * seen.score } else { 0.0 }
    }
}

/// Second association: a weak detection must lie where the person is expected.
pub(super) fn weak_gain(target: &Target, seen: &Detection, tuning: &Tuning) -> f32 {
    let overlap = target.predicted.iou(&seen.bbox);
    if overlap <= tuning.weak_gate {
        return 0.0;
    }
    let near = overlap * likeness(&target.predicted, &seen.bbox).powf(tuning.height_power);
    if near > tuning.weak_gate { near - tuning.weak_gate + tuning.score_weight * seen.score } else { 0.0 }
}

/// Ratio of heights, 0 to 1.
fn likeness(a: &Rect, b: &Rect) -> f32 {
    a.height.min(b.height) / a.height.max(b.height)
}
