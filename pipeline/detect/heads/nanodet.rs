//! NanoDet (RangiLyu/nanodet): for each cell and side a distribution over 0..=R strides; the side is its mean
//! (Generalized Focal Loss, arXiv 2006.04388). Scores are probabilities.
//!
//! - two outputs: scores `[N, A, C]`, distances `[N, A, 4 (R + 1)]`, strides 8, 16, 32, cell centres at
//!   `(i + 0.5) stride` (NanoDet-m, -g);
//! - one output `[N, A, C + 4 (R + 1)]` with R = 7, strides 8, 16, 32, 64, cell centres at `i stride` (NanoDet-Plus).

use super::{Element, Level, MAX_OUTPUTS, MIN_SCORE, Shape, Sink, Values, cornered, count, levels, only};
use crate::types::Size;

const PLUS_BINS: usize = 8;
const MAX_BINS: usize = 32;

/// A checked NanoDet head.
#[derive(Clone, Debug, PartialEq)]
pub struct Nanodet {
    levels: Vec<Level>,
    class: usize,
    classes: usize,
    bins: usize,
    /// Of a cell's centre from its corner, in strides.
    offset: f32,
    reads: Reads,
}

#[derive(Clone, Debug, PartialEq)]
enum Reads {
    One,
    Two([usize; 2]),
}

impl Nanodet {
    pub(super) fn fit(class: usize, input: Size, outputs: &[Shape]) -> Result<Self, String> {
        let plain = levels(input, &[8, 16, 32]);
        let plus = levels(input, &[8, 16, 32, 64]);
        let (a, b) = (count(&plain), count(&plus));
        let fault = || {
            Err(format!(
                "at this input nanodet has [N, {a}, classes above {class}] and [N, {a}, 4 x bins], or one of \
                 [N, {b}, classes + 32]"
            ))
        };
        if let Some([cells, width]) = only(outputs) {
            return match width.checked_sub(4 * PLUS_BINS) {
                Some(classes) if cells == b && classes > class => {
                    Ok(Self { levels: plus, class, classes, bins: PLUS_BINS, offset: 0.0, reads: Reads::One })
                }
                _ => fault(),
            };
        }
        let [first, second] = outputs else { return fault() };
        let ([_, cells, classes], [_, same, width]) = (&first.dims[..], &second.dims[..]) else { return fault() };
        let float = first.element == Element::F32 && second.element == Element::F32;
        // A model with few bins and many classes cannot be told from its mirror: scores come first, as exported.
        let bins = width / 4;
        if !float || *cells != a || *same != a || *classes <= class || width % 4 != 0 || !(2..=MAX_BINS).contains(&bins)
        {
            return fault();
        }
        Ok(Self { levels: plain, class, classes: *classes, bins, offset: 0.5, reads: Reads::Two([0, 1]) })
    }

    pub(super) fn reads(&self) -> &[usize] {
        match &self.reads {
            Reads::One => &[0],
            Reads::Two(both) => both,
        }
    }

    pub(super) fn decode(&self, [first, second, _]: [Values<'_>; MAX_OUTPUTS], sink: &mut Sink<'_>) {
        let sides = 4 * self.bins;
        let (scores, score_stride, distances, distance_stride) = match self.reads {
            Reads::One => {
                let row = self.classes + sides;
                (first.f32(), row, first.f32().get(self.classes..).unwrap_or_default(), row)
            }
            Reads::Two(_) => (first.f32(), self.classes, second.f32(), sides),
        };
        for level in &self.levels {
            for cell in 0..level.cells {
                let at = level.start + cell;
                let Some(&score) = scores.get(at * score_stride + self.class) else { return };
                if !(score >= MIN_SCORE) {
                    continue;
                }
                let start = at * distance_stride;
                let Some(bins) = distances.get(start..start + sides) else { return };
                let stride = level.stride as f32;
                let x = ((cell % level.across) as f32 + self.offset) * stride;
                let y = ((cell / level.across) as f32 + self.offset) * stride;
                let side = |i: usize| mean(&bins[i * self.bins..(i + 1) * self.bins]) * stride;
                sink(cornered(x - side(0), y - side(1), x + side(2), y + side(3)), score);
            }
        }
    }
}

/// Mean of the bin's index under the softmax of the values.
fn mean(logits: &[f32]) -> f32 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut weights, mut sum) = (0.0, 0.0);
    for (i, logit) in logits.iter().enumerate() {
        let weight = (logit - most).exp();
        weights += weight;
        sum += weight * i as f32;
    }
    sum / weights
}
