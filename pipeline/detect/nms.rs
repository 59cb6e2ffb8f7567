//! Candidates to detections: greedy non-maximum suppression, over all scales of a picture at once.

use std::cmp::Ordering;

use super::MIN_SCORE;
use crate::types::{Detection, Rect};

/// Candidates of one picture that are kept for suppression; the best of them. Dense crowds give a few hundred.
pub const MAX_CANDIDATES: usize = 1024;

/// A bounded set of candidates that keeps the best.
#[derive(Debug, Default)]
pub struct Candidates {
    items: Vec<Detection>,
    dropped: u64,
}

impl Candidates {
    /// Empty, with its memory taken once.
    pub fn new() -> Self {
        Self { items: Vec::with_capacity(2 * MAX_CANDIDATES), dropped: 0 }
    }

    /// Forgets the candidates, keeps memory and count.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// Takes a candidate unless its score is below [`MIN_SCORE`] or it is not a finite box with a positive size (a
    /// broken model may give NaN).
    pub fn push(&mut self, bbox: Rect, score: f32) {
        // A dequantised sigmoid may lie a hair above 1.
        if (MIN_SCORE..=1.001).contains(&score) && bbox.is_valid() {
            if self.items.len() >= 2 * MAX_CANDIDATES {
                self.shrink();
            }
            self.items.push(Detection { bbox, score: score.min(1.0) });
        }
    }

    /// Candidates lost to the bound since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn shrink(&mut self) {
        if self.items.len() > MAX_CANDIDATES {
            self.items.select_nth_unstable_by(MAX_CANDIDATES - 1, best_first);
            self.dropped += (self.items.len() - MAX_CANDIDATES) as u64;
            self.items.truncate(MAX_CANDIDATES);
        }
    }

    /// Greedy suppression: from the best down, a candidate stays unless a better one that stayed overlaps it by more
    /// than `threshold` (IoU). `out` is replaced, best first.
    pub fn suppress(&mut self, threshold: f32, out: &mut Vec<Detection>) {
        self.shrink();
        self.items.sort_unstable_by(best_first);
        out.clear();
        for candidate in &self.items {
            if out.iter().all(|kept| kept.bbox.iou(&candidate.bbox) <= threshold) {
                out.push(*candidate);
            }
        }
    }
}

/// Falling score, then left, then top, then size: a total order, so that no result depends on the order of arrival.
pub fn best_first(a: &Detection, b: &Detection) -> Ordering {
    let key = |d: &Detection| [d.bbox.left, d.bbox.top, d.bbox.width, d.bbox.height];
    let (left, right) = (key(a), key(b));
    let mut order = b.score.total_cmp(&a.score);
    for (x, y) in left.iter().zip(&right) {
        order = order.then(x.total_cmp(y));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn suppressed(items: &[(Rect, f32)], threshold: f32) -> Vec<Detection> {
        let mut candidates = Candidates::new();
        items.iter().for_each(|&(bbox, score)| candidates.push(bbox, score));
        let mut out = Vec::new();
        candidates.suppress(threshold, &mut out);
        out
    }

    #[test]
    fn the_better_of_two_overlapping_boxes_stays() {
        let a = Rect::new(0.0, 0.0, 10.0, 20.0);
        let near = Rect::new(1.0, 0.0, 10.0, 20.0);
        let far = Rect::new(9.0, 0.0, 10.0, 20.0);
        let out = suppressed(&[(a, 0.5), (near, 0.9), (far, 0.3)], 0.55);
        assert_eq!(out.iter().map(|d| d.bbox).collect::<Vec<_>>(), [near, far]);
        assert_eq!(suppressed(&[(a, 0.5), (near, 0.9), (far, 0.3)], 1.0).len(), 3);
    }

    #[test]
    fn broken_and_weak_candidates_are_not_taken() {
        let good = Rect::new(0.0, 0.0, 1.0, 1.0);
        let weak = [(good, 0.09), (good, f32::NAN), (good, 1.5), (Rect::new(f32::NAN, 0.0, 1.0, 1.0), 0.5)];
        assert!(suppressed(&weak, 0.5).is_empty());
        assert!(suppressed(&[(Rect::new(0.0, 0.0, 0.0, 1.0), 0.5)], 0.5).is_empty());
        assert_eq!(suppressed(&[(good, MIN_SCORE)], 0.5).len(), 1);
    }

    #[test]
    fn the_bound_keeps_the_best_and_counts() {
        let mut candidates = Candidates::new();
        let total = 5 * MAX_CANDIDATES;
        for i in 0..total {
            let score = 0.2 + 0.5 * ((i * 7919) % total) as f32 / total as f32;
            candidates.push(Rect::new(2.0 * i as f32, 0.0, 1.0, 1.0), score);
        }
        let mut out = Vec::new();
        candidates.suppress(0.5, &mut out);
        assert_eq!(out.len(), MAX_CANDIDATES);
        assert_eq!(candidates.dropped(), (total - MAX_CANDIDATES) as u64);
        let least = 0.2 + 0.5 * (total - MAX_CANDIDATES) as f32 / total as f32;
        assert!((out[MAX_CANDIDATES - 1].score - least).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn result_is_independent_of_order_and_never_overlaps(
            boxes in prop::collection::vec((0..40u8, 0..40u8, 1..20u8, 1..20u8, 1..10u8), 0..60),
        ) {
            let mut items: Vec<_> = boxes
                .iter()
                .map(|&(l, t, w, h, s)| (Rect::new(l.into(), t.into(), w.into(), h.into()), f32::from(s) / 10.0))
                .collect();
            let out = suppressed(&items, 0.5);
            items.reverse();
            prop_assert_eq!(&suppressed(&items, 0.5), &out);
            for (i, a) in out.iter().enumerate() {
                for b in &out[i + 1..] {
                    prop_assert!(a.score >= b.score && a.bbox.iou(&b.bbox) <= 0.5);
                }
            }
            for (bbox, score) in &items {
                prop_assert!(out.iter().any(|kept| kept.score >= *score && (kept.bbox == *bbox || kept.bbox.iou(bbox) > 0.5)));
            }
        }
    }
}
