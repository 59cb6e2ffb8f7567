//! The layouts of the Ultralytics exports and their kin; boxes in pixels of the input, scores are probabilities.
//!
//! - v5 (also v6, v7): `[N, A, 5 + C]`, a row is centre x, y, width, height, objectness, classes; A is three or one for
//!   each cell;
//! - v8 (also v9, v11, v12): `[N, 4 + C, A]`, the same without objectness, planes instead of rows; A is one for each cell;
//! - without NMS (v10, v26): `[N, K, 6]`, a row is left, top, right, bottom, score, class.
//!
//! The number of cells of strides 8, 16, 32 (or up to 64) tells them apart.

use super::{MAX_OUTPUTS, MIN_SCORE, Shape, Sink, Values, centered, cornered, count, levels, levels_of, only};
use crate::types::Size;

/// A checked YOLO head.
#[derive(Clone, Debug, PartialEq)]
pub struct Yolo {
    layout: Layout,
    class: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Layout {
    V5 { row: usize },
    V8 { cells: usize },
    EndToEnd,
}

impl Yolo {
    pub(super) fn fit(class: usize, input: Size, outputs: &[Shape]) -> Result<Self, String> {
        let is_grid = |cells: usize| levels_of(input, cells).is_some();
        let layout = match only(outputs) {
            Some([planes, cells]) if is_grid(cells) && planes > 4 + class => Layout::V8 { cells },
            Some([cells, row]) if (is_grid(cells) || (cells % 3 == 0 && is_grid(cells / 3))) && row > 5 + class => {
                Layout::V5 { row }
            }
            Some([queries, 6]) if queries > 0 && !is_grid(queries) => Layout::EndToEnd,
            _ => {
                let cells = count(&levels(input, &[8, 16, 32]));
                return Err(format!(
                    "at this input yolo has one of [N, 4 + classes, {cells}], [N, {}, 5 + classes] or [N, K, 6], with more \
                     than {class} classes",
                    3 * cells
                ));
            }
        };
        Ok(Self { layout, class })
    }

    pub(super) fn decode(&self, [values, ..]: [Values<'_>; MAX_OUTPUTS], sink: &mut Sink<'_>) {
        let values = values.f32();
        match self.layout {
            Layout::V5 { row } => {
                for row in values.chunks_exact(row) {
                    let score = row[4] * row[5 + self.class];
                    if score >= MIN_SCORE {
                        sink(centered(row[0], row[1], row[2], row[3]), score);
                    }
                }
            }
            Layout::V8 { cells } => {
                let Some(scores) = values.get((4 + self.class) * cells..(5 + self.class) * cells) else { return };
                for (i, &score) in scores.iter().enumerate() {
                    if score >= MIN_SCORE {
                        let at = |plane: usize| values[plane * cells + i];
                        sink(centered(at(0), at(1), at(2), at(3)), score);
                    }
                }
            }
            Layout::EndToEnd => {
                for row in values.chunks_exact(6) {
                    if row[4] >= MIN_SCORE && row[5] == self.class as f32 {
                        sink(cornered(row[0], row[1], row[2], row[3]), row[4]);
                    }
                }
            }
        }
    }
}
