//! What a detector found in one picture.

use super::{Frame, Rect};

/// One person-shaped thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Pixels of the source picture; may reach over its edge.
    pub bbox: Rect,
    /// Probability, 0 to 1.
    pub score: f32,
}

/// All detections of one picture, best first.
#[derive(Clone, Debug, Default)]
pub struct Detections {
    /// Sorted by falling score; equal scores by left, then top, so that the order never depends on threads.
    pub items: Vec<Detection>,
}

/// Pictures that go through the model together: same model, same input size.
pub struct Batch<'a> {
    /// One frame a camera.
    pub frames: &'a [Frame],
}
