//! Detection transformers: Q queries, no grid. Outputs are told apart by their names or, where those do not help, shapes.
//!
//! - RT-DETR and D-FINE with their own post-processing: `labels` (integers) and `scores` `[N, Q]`, `boxes` `[N, Q, 4]` with
//!   corners in pixels of the size given as `orig_target_sizes`, which is the input here;
//! - without (RT-DETR and D-FINE: `logits`, `pred_boxes`; RF-DETR: `labels`, `dets`): logits `[N, Q, C]`, boxes `[N, Q, 4]`
//!   by centre and size in fractions of the input.

use super::{Element, MAX_OUTPUTS, MIN_SCORE, Shape, Sink, Values, centered, cornered, sigmoid};
use crate::types::{Rect, Size};

/// A checked DETR head.
#[derive(Clone, Debug, PartialEq)]
pub struct Detr {
    class: usize,
    layout: Layout,
}

#[derive(Clone, Debug, PartialEq)]
enum Layout {
    /// Reads boxes, scores, labels.
    Processed([usize; 3]),
    /// Reads boxes, logits.
    Raw { reads: [usize; 2], classes: usize, input: Size },
}

impl Detr {
    pub(super) fn fit(class: usize, input: Size, outputs: &[Shape]) -> Result<Self, String> {
        let named = |names: &[&str]| outputs.iter().position(|output| names.contains(&output.name.as_str()));
        let is =
            |i: usize, element: Element, rank: usize| outputs[i].element == element && outputs[i].dims.len() == rank;
        let queries = |i: usize| outputs[i].dims.get(1).copied();
        let fault = || {
            Err(format!(
                "detr has labels [N, Q] of integers, boxes [N, Q, 4], scores [N, Q], or boxes (`pred_boxes`, `dets`) \
                 [N, Q, 4] and logits (`logits`, `labels`) [N, Q, classes above {class}]"
            ))
        };
        if let (Some(boxes), Some(scores), Some(labels)) = (named(&["boxes"]), named(&["scores"]), named(&["labels"])) {
            let fits = is(boxes, Element::F32, 3) && is(scores, Element::F32, 2) && is(labels, Element::I64, 2);
            let fits = fits && outputs[boxes].dims[2] == 4 && queries(boxes) == queries(scores);
            if fits && queries(boxes) == queries(labels) {
                return Ok(Self { class, layout: Layout::Processed([boxes, scores, labels]) });
            }
            return fault();
        }
        let boxes = named(&["pred_boxes", "dets", "boxes"]).or_else(|| Self::by_shape(outputs, true));
        let logits = named(&["logits", "pred_logits", "labels"]).or_else(|| Self::by_shape(outputs, false));
        let (Some(boxes), Some(logits)) = (boxes, logits) else { return fault() };
        let fits = boxes != logits && is(boxes, Element::F32, 3) && is(logits, Element::F32, 3);
        if !fits || outputs[boxes].dims[2] != 4 || queries(boxes) != queries(logits) || outputs[logits].dims[2] <= class
        {
            return fault();
        }
        let classes = outputs[logits].dims[2];
        Ok(Self { class, layout: Layout::Raw { reads: [boxes, logits], classes, input } })
    }

    /// The one output of two with (or without) a last axis of 4.
    fn by_shape(outputs: &[Shape], boxes: bool) -> Option<usize> {
        let four = |output: &Shape| output.dims.len() == 3 && output.dims[2] == 4;
        match outputs {
            [a, b] if four(a) != four(b) => Some(usize::from(four(b) == boxes)),
            _ => None,
        }
    }

    pub(super) fn reads(&self) -> &[usize] {
        match &self.layout {
            Layout::Processed(reads) => reads,
            Layout::Raw { reads, .. } => reads,
        }
    }

    pub(super) fn decode(&self, [boxes, scores, labels]: [Values<'_>; MAX_OUTPUTS], sink: &mut Sink<'_>) {
        let boxes = boxes.f32().chunks_exact(4);
        match self.layout {
            Layout::Processed(_) => {
                for ((b, &score), &label) in boxes.zip(scores.f32()).zip(labels.i64()) {
                    if score >= MIN_SCORE && label == self.class as i64 {
                        sink(cornered(b[0], b[1], b[2], b[3]), score);
                    }
                }
            }
            Layout::Raw { classes, input, .. } => {
                let (width, height) = (input.width as f32, input.height as f32);
                for (b, logits) in boxes.zip(scores.f32().chunks_exact(classes)) {
                    let score = sigmoid(logits[self.class]);
                    if score >= MIN_SCORE {
                        let bbox: Rect = centered(b[0], b[1], b[2], b[3]);
                        sink(bbox.scaled(width, height), score);
                    }
                }
            }
        }
    }
}
