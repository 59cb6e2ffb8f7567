//! Output tensors to candidates: one file per family of detectors. A head is chosen and checked once, against the shapes
//! that a first inference gives; decoding then only reads.

pub mod detr;
pub mod nanodet;
pub mod yolo;
pub mod yolox;

use serde::{Deserialize, Serialize};

use super::MIN_SCORE;
use crate::types::{Rect, Size};

/// The families, as the catalog names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// NanoDet and NanoDet-Plus: distributions over distances to the sides.
    Nanodet,
    /// YOLOX: offsets within cells, with objectness.
    Yolox,
    /// The layouts of YOLOv5 and YOLOv8, and the one without NMS of YOLOv10 and later.
    Yolo,
    /// RT-DETR, D-FINE, RF-DETR: a fixed number of queries.
    Detr,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nanodet => "nanodet",
            Self::Yolox => "yolox",
            Self::Yolo => "yolo",
            Self::Detr => "detr",
        })
    }
}

/// Most outputs that a head reads.
pub const MAX_OUTPUTS: usize = 3;

/// An output as the first inference gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// In the model.
    pub name: String,
    /// All axes; the first is the batch.
    pub dims: Vec<usize>,
    /// What its values are.
    pub element: Element,
}

/// Element types of outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// 32 bit floating point.
    F32,
    /// 64 bit integers.
    I64,
    /// No head takes these.
    Other,
}

/// Values of one output for one picture of the batch.
#[derive(Clone, Copy, Debug, Default)]
pub enum Values<'a> {
    /// Not read.
    #[default]
    None,
    /// 32 bit floating point.
    F32(&'a [f32]),
    /// 64 bit integers.
    I64(&'a [i64]),
}

impl<'a> Values<'a> {
    /// The floats; none if they are not floats, which [`Head::fit`] excludes.
    pub fn f32(self) -> &'a [f32] {
        if let Self::F32(values) = self { values } else { &[] }
    }

    /// The integers; none if they are not integers.
    pub fn i64(self) -> &'a [i64] {
        if let Self::I64(values) = self { values } else { &[] }
    }
}

/// A head that was checked against a model's outputs.
#[derive(Clone, Debug, PartialEq)]
pub enum Head {
    /// See [`nanodet`].
    Nanodet(nanodet::Nanodet),
    /// See [`yolox`].
    Yolox(yolox::Yolox),
    /// See [`yolo`].
    Yolo(yolo::Yolo),
    /// See [`detr`].
    Detr(detr::Detr),
}

/// Takes a box in pixels of the input and its score; those below [`MIN_SCORE`] may be left out.
pub type Sink<'a> = dyn FnMut(Rect, f32) + 'a;

impl Head {
    /// Finds the layout of a family that these outputs have. The error says what was found and what would fit.
    pub fn fit(kind: Kind, class: usize, input: Size, outputs: &[Shape]) -> Result<Self, String> {
        let head = match kind {
            Kind::Nanodet => nanodet::Nanodet::fit(class, input, outputs).map(Self::Nanodet),
            Kind::Yolox => yolox::Yolox::fit(class, input, outputs).map(Self::Yolox),
            Kind::Yolo => yolo::Yolo::fit(class, input, outputs).map(Self::Yolo),
            Kind::Detr => detr::Detr::fit(class, input, outputs).map(Self::Detr),
        };
        head.map_err(|wanted| format!("they are {}; {wanted}", describe(outputs)))
    }

    /// Indices of the outputs that [`Head::decode`] reads, in its order.
    pub fn reads(&self) -> &[usize] {
        match self {
            Self::Nanodet(head) => head.reads(),
            Self::Yolox(_) | Self::Yolo(_) => &[0],
            Self::Detr(head) => head.reads(),
        }
    }

    /// Gives all candidates of one picture. `values` are those that [`Head::reads`] names.
    pub fn decode(&self, values: [Values<'_>; MAX_OUTPUTS], sink: &mut Sink<'_>) {
        match self {
            Self::Nanodet(head) => head.decode(values, sink),
            Self::Yolox(head) => head.decode(values, sink),
            Self::Yolo(head) => head.decode(values, sink),
            Self::Detr(head) => head.decode(values, sink),
        }
    }
}

fn describe(outputs: &[Shape]) -> String {
    let one = |output: &Shape| {
        let element = match output.element {
            Element::F32 => "",
            Element::I64 => " of integers",
            Element::Other => " of another type",
        };
        format!("`{}` {:?}{element}", output.name, output.dims)
    };
    outputs.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// One level of a feature pyramid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Level {
    /// Index of its first cell among all cells.
    start: usize,
    /// Cells across.
    across: usize,
    /// Cells.
    cells: usize,
    /// Pixels of the input between cells.
    stride: usize,
}

/// The levels of an input; cells run level by level, row by row.
fn levels(input: Size, strides: &[usize]) -> Vec<Level> {
    let mut start = 0;
    let level = |&stride: &usize| {
        let across = (input.width as usize).div_ceil(stride);
        let cells = across * (input.height as usize).div_ceil(stride);
        start += cells;
        Level { start: start - cells, across, cells, stride }
    };
    strides.iter().map(level).collect()
}

fn count(levels: &[Level]) -> usize {
    levels.iter().map(|level| level.cells).sum()
}

/// Strides 8, 16, 32, with and without 64, whichever has `cells` cells.
fn levels_of(input: Size, cells: usize) -> Option<Vec<Level>> {
    [&[8, 16, 32][..], &[8, 16, 32, 64]].map(|strides| levels(input, strides)).into_iter().find(|l| count(l) == cells)
}

/// The one output of a model that has one: its axes after the batch.
fn only(outputs: &[Shape]) -> Option<[usize; 2]> {
    match outputs {
        [Shape { dims, element: Element::F32, .. }] => dims.get(1..)?.try_into().ok(),
        _ => None,
    }
}

/// A box by its middle.
fn centered(x: f32, y: f32, width: f32, height: f32) -> Rect {
    Rect::new(x - width * 0.5, y - height * 0.5, width, height)
}

/// A box by two corners.
fn cornered(left: f32, top: f32, right: f32, bottom: f32) -> Rect {
    Rect::new(left, top, right - left, bottom - top)
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}
