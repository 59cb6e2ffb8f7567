//! YOLOX (Megvii-BaseDetection/YOLOX, arXiv 2107.08430) as its exporter writes it: one output `[N, A, 5 + C]` of offsets
//! within cells, strides 8, 16, 32: centre = (value + cell) stride, size = exp(value) stride; objectness and classes are
//! probabilities, the score is their product.

use super::{Level, MAX_OUTPUTS, MIN_SCORE, Shape, Sink, Values, centered, count, levels, only};
use crate::types::Size;

/// A checked YOLOX head.
#[derive(Clone, Debug, PartialEq)]
pub struct Yolox {
    levels: Vec<Level>,
    class: usize,
    row: usize,
}

impl Yolox {
    pub(super) fn fit(class: usize, input: Size, outputs: &[Shape]) -> Result<Self, String> {
        let levels = levels(input, &[8, 16, 32]);
        match only(outputs) {
            Some([cells, row]) if cells == count(&levels) && row > 5 + class => Ok(Self { levels, class, row }),
            _ => Err(format!(
                "at this input yolox has one of [N, {}, 5 + classes] with more than {class} classes",
                count(&levels)
            )),
        }
    }

    pub(super) fn decode(&self, [values, ..]: [Values<'_>; MAX_OUTPUTS], sink: &mut Sink<'_>) {
        let mut rows = values.f32().chunks_exact(self.row);
        for level in &self.levels {
            let stride = level.stride as f32;
            for (cell, row) in rows.by_ref().take(level.cells).enumerate() {
                let score = row[4] * row[5 + self.class];
                if score >= MIN_SCORE {
                    let x = (row[0] + (cell % level.across) as f32) * stride;
                    let y = (row[1] + (cell / level.across) as f32) * stride;
                    sink(centered(x, y, row[2].exp() * stride, row[3].exp() * stride), score);
                }
            }
        }
    }
}
