//! The default model on a drawn figure, against a computation by numpy (tests/data/nanodet_reference.py).

use std::path::Path;

use super::{frame, inference};
use crate::detect::{Catalog, Detector, OnnxDetector};
use crate::types::{Batch, Picture, PictureError, PixelFormat, Size, Target};

const PICTURE: Size = Size::new(192, 160);

/// Someone standing.
struct Figure;

type Colour = [i32; 3];
const SKIN: Colour = [133, 126, 237];
const HAIR: Colour = [2, 44, 67];
const SHIRT: Colour = [113, 35, 96];
const TROUSERS: Colour = [113, 131, 116];
const SHOES: Colour = [51, 37, 82];
/// Centre and radii.
const ELLIPSES: [([i32; 4], Colour); 2] = [([114, 86, 3, 5], SKIN), ([142, 86, 3, 5], SKIN)];
const HEAD: [([i32; 4], Colour); 2] = [([128, 35, 9, 12], SKIN), ([128, 28, 9, 6], HAIR)];
/// Left, top, right, bottom.
const BODY: [([i32; 4], Colour); 4] =
    [([124, 43, 132, 50], SKIN), ([117, 48, 139, 89], SHIRT), ([111, 50, 117, 83], SHIRT), ([139, 50, 145, 83], SHIRT)];
const LEGS: [([i32; 4], Colour); 4] = [
    ([119, 87, 127, 135], TROUSERS),
    ([129, 87, 137, 135], TROUSERS),
    ([116, 135, 127, 141], SHOES),
    ([129, 135, 140, 141], SHOES),
];

fn pixel(x: i32, y: i32) -> Colour {
    let ellipse = |&([cx, cy, rx, ry], _): &([i32; 4], Colour)| {
        let (dx, dy) = ((x - cx) * ry, (y - cy) * rx);
        dx * dx + dy * dy <= (rx * ry) * (rx * ry)
    };
    let rectangle = |&([l, t, r, b], _): &([i32; 4], Colour)| x >= l && x < r && y >= t && y < b;
    // What is drawn last lies on top.
    let top = LEGS.iter().rev().find(|shape| rectangle(shape));
    let top = top.or_else(|| ELLIPSES.iter().rev().find(|shape| ellipse(shape)));
    let top = top.or_else(|| BODY.iter().rev().find(|shape| rectangle(shape)));
    let top = top.or_else(|| HEAD.iter().rev().find(|shape| ellipse(shape)));
    top.map_or([91 + x / 8, 115 + y / 6, 99 + (x + y) / 12], |(_, colour)| *colour)
}

impl Picture for Figure {
    fn size(&self) -> Size {
        PICTURE
    }

    fn convert(&self, target: Target, out: &mut Vec<u8>) -> Result<(), PictureError> {
        assert_eq!(target, Target { size: PICTURE, format: PixelFormat::Bgr24 });
        out.clear();
        for y in 0..PICTURE.height as i32 {
            for x in 0..PICTURE.width as i32 {
                out.extend(pixel(x, y).map(|value| value as u8));
            }
        }
        Ok(())
    }
}

#[test]
fn the_default_model_finds_what_numpy_finds() {
    let catalog = Catalog::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models")).unwrap();
    let mut detector = OnnxDetector::new(catalog.default_entry(), Size::new(256, 160), &[], &inference()).unwrap();
    let (frame, mut out) = (frame(Figure), Vec::new());
    detector.detect(&Batch { frames: std::slice::from_ref(&frame) }, &mut out).unwrap();
    let found = &out[0].items;

    let text = include_str!("../../../tests/data/nanodet_reference.json");
    let wanted: Vec<[f32; 5]> = serde_json::from_str(text).unwrap();
    // INT8 kernels differ between processors; what is certain of being a person must agree closely on all.
    let sure: Vec<_> = wanted.iter().filter(|row| row[4] >= 0.5).collect();
    assert!(!sure.is_empty() && found.iter().filter(|d| d.score >= 0.5).count() == sure.len(), "{found:?}");
    for (found, wanted) in found.iter().zip(sure) {
        let values = [found.bbox.left, found.bbox.top, found.bbox.width, found.bbox.height];
        assert!(values.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1.5), "{found:?}, not {wanted:?}");
        assert!((found.score - wanted[4]).abs() < 0.05, "{found:?}, not {wanted:?}");
    }
    // Twice the same picture, twice the same bits.
    let before = out[0].items.clone();
    detector.detect(&Batch { frames: std::slice::from_ref(&frame) }, &mut out).unwrap();
    assert_eq!(out[0].items, before);
}

#[test]
fn scales_are_merged_into_one_set() {
    struct Scaled;
    impl Picture for Scaled {
        fn size(&self) -> Size {
            PICTURE
        }

        /// Nearest neighbour.
        fn convert(&self, target: Target, out: &mut Vec<u8>) -> Result<(), PictureError> {
            let (w, h) = (target.size.width as i32, target.size.height as i32);
            out.clear();
            for y in 0..h {
                for x in 0..w {
                    let (x, y) = (x * PICTURE.width as i32 / w, y * PICTURE.height as i32 / h);
                    out.extend(pixel(x, y).map(|value| value as u8));
                }
            }
            Ok(())
        }
    }
    let catalog = Catalog::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models")).unwrap();
    let detector = |extra: &[Size]| {
        let mut detector =
            OnnxDetector::new(catalog.default_entry(), Size::new(192, 160), extra, &inference()).unwrap();
        let (frame, mut out) = (frame(Scaled), Vec::new());
        detector.detect(&Batch { frames: std::slice::from_ref(&frame) }, &mut out).unwrap();
        out.remove(0).items
    };
    let (one, two) = (detector(&[]), detector(&[Size::new(256, 224)]));
    assert_ne!(one, two);
    // Both scales see the one person: still one, where it was.
    let sure = |items: &[crate::types::Detection]| items.iter().filter(|d| d.score >= 0.5).count();
    assert_eq!((sure(&one), sure(&two)), (1, 1), "{one:?} {two:?}");
    assert!(one[0].bbox.iou(&two[0].bbox) > 0.7 && two[0].score >= one[0].score);
}
