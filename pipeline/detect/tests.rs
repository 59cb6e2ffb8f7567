//! The whole way from picture to boxes, with small generated models. ONNX Runtime must be there (scripts/setup-runtime).

mod models;
mod reference;

use std::sync::Arc;
use std::time::Instant;

use models::{Constant, Folder};

use super::{DetectError, Detector, OnnxDetector};
use crate::config::plan::{Inference, Provider};
use crate::types::{Batch, Detection, Detections, Frame, MediaTime, Picture, PictureError, Rect, Size, Target};

/// 84 cells of strides 8, 16 and 32; 85 with stride 64.
const INPUT: Size = Size::new(64, 64);

struct Blank(Size);

impl Picture for Blank {
    fn size(&self) -> Size {
        self.0
    }

    fn convert(&self, target: Target, out: &mut Vec<u8>) -> Result<(), PictureError> {
        out.clear();
        out.resize(target.len(), 0);
        Ok(())
    }
}

fn frame(picture: impl Picture + 'static) -> Frame {
    Frame {
        index: 0,
        time: MediaTime::default(),
        utc: jiff::Timestamp::UNIX_EPOCH,
        arrived: Instant::now(),
        picture: Arc::new(picture),
    }
}

/// One CPU thread; says clearly if ONNX Runtime is missing, without which no test here means anything.
fn inference() -> Inference {
    if let Err(error) = super::runtime::environment() {
        panic!("{error}");
    }
    Inference { providers: vec![Provider::Cpu], workers: 1, threads: 1, batch: 1 }
}

fn load(folder: &Folder) -> Result<OnnxDetector, DetectError> {
    let entry = folder.catalog().resolve(None)?;
    OnnxDetector::new(&entry, entry.default_size(), &[], &inference())
}

fn run(detector: &mut OnnxDetector, sizes: &[Size]) -> Vec<Vec<Detection>> {
    let frames: Vec<Frame> = sizes.iter().map(|&size| frame(Blank(size))).collect();
    let mut out = vec![Detections::default(); 7];
    detector.detect(&Batch { frames: &frames }, &mut out).unwrap();
    out.into_iter().map(|d| d.items).collect()
}

/// Detections in a picture that is twice the input in both directions.
fn detect(head: &str, class: usize, model: &Constant) -> Vec<Detection> {
    let folder = Folder::of(head, class, "stretch", INPUT, model);
    let mut detector = load(&folder).unwrap();
    let mut found = run(&mut detector, &[Size::new(128, 128)]);
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn assert_found(found: &[Detection], wanted: &[(Rect, f32)]) {
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    for (found, (bbox, score)) in found.iter().zip(wanted) {
        let close = |a: f32, b: f32| (a - b).abs() < 1e-3;
        let sides = [(found.bbox.left, bbox.left), (found.bbox.top, bbox.top)];
        let lengths = [(found.bbox.width, bbox.width), (found.bbox.height, bbox.height)];
        assert!(sides.into_iter().chain(lengths).all(|(a, b)| close(a, b)), "{found:?}, not {bbox:?}");
        assert!(close(found.score, *score), "{found:?}, not {score}");
    }
}

/// Rows of zeros with some values set: `(row, column, value)`.
fn rows(count: usize, width: usize, values: &[(usize, usize, f32)]) -> Vec<f32> {
    let mut out = vec![0.0; count * width];
    values.iter().for_each(|&(row, column, value)| out[row * width + column] = value);
    out
}

#[test]
fn nanodet_reads_distributions_over_strides() {
    // Cell 70 is the third across, second down of stride 16 (64 cells before it): its centre is (40, 24). The sides are
    // 1, 0.5 (two bins equal), 0 and 2 strides.
    let mut distances = vec![0.0; 84 * 12];
    for (side, bins) in
        [[-99.0, 0.0, -99.0], [0.0, 0.0, -99.0], [0.0, -99.0, -99.0], [-99.0, -99.0, 0.0]].iter().enumerate()
    {
        distances[70 * 12 + 3 * side..][..3].copy_from_slice(bins);
    }
    let scores = rows(84, 2, &[(70, 1, 0.8), (3, 0, 0.9), (4, 1, 0.09)]);
    let two = Constant::new(1, INPUT).f32("scores", &[1, 84, 2], scores).f32("dists", &[1, 84, 12], distances);
    let wanted = [(Rect::new(2.0 * 24.0, 2.0 * 16.0, 2.0 * 16.0, 2.0 * 40.0), 0.8)];
    assert_found(&detect("nanodet", 1, &two), &wanted);

    // NanoDet-Plus: one output, eight bins, centres at the cell's corner: cell 70 is at (32, 16).
    let mut plus = vec![0.0; 85 * 34];
    plus[70 * 34 + 1] = 0.7;
    for side in 0..4 {
        for bin in 0..8 {
            plus[70 * 34 + 2 + 8 * side + bin] = if bin == 1 { 50.0 } else { -50.0 };
        }
    }
    let one = Constant::new(1, INPUT).f32("output", &[1, 85, 34], plus);
    assert_found(&detect("nanodet", 1, &one), &[(Rect::new(32.0, 0.0, 64.0, 64.0), 0.7)]);
}

#[test]
fn yolox_reads_offsets_within_cells() {
    // Cell 9: second across and down of stride 8. Objectness times class.
    let values =
        [(9, 0, 0.5), (9, 1, 0.25), (9, 2, 0.0), (9, 3, 2f32.ln()), (9, 4, 0.5), (9, 7, 0.9), (8, 4, 0.9), (8, 5, 0.9)];
    let model = Constant::new(1, INPUT).f32("output", &[1, 84, 8], rows(84, 8, &values));
    // Centre (12, 10), 8 x 16.
    assert_found(&detect("yolox", 2, &model), &[(Rect::new(16.0, 4.0, 16.0, 32.0), 0.45)]);
}

#[test]
fn yolo_reads_its_three_layouts() {
    let wanted = [(Rect::new(20.0, 20.0, 40.0, 80.0), 0.6)];
    let boxed = |row: usize| vec![(row, 0, 20.0), (row, 1, 30.0), (row, 2, 20.0), (row, 3, 40.0)];

    let mut v5 = boxed(200);
    v5.extend([(200, 4, 0.75), (200, 6, 0.8), (100, 4, 0.9), (100, 5, 0.9)]);
    let model = Constant::new(1, INPUT).f32("output", &[1, 252, 7], rows(252, 7, &v5));
    assert_found(&detect("yolo", 1, &model), &wanted);

    // The same as planes, without objectness.
    let mut v8: Vec<_> = boxed(50).into_iter().map(|(cell, plane, value)| (plane, cell, value)).collect();
    v8.extend([(5, 50, 0.6), (4, 10, 0.9)]);
    let model = Constant::new(1, INPUT).f32("output0", &[1, 6, 84], rows(6, 84, &v8));
    assert_found(&detect("yolo", 1, &model), &wanted);

    let end = [10.0, 10.0, 30.0, 50.0, 0.6, 1.0, 10.0, 10.0, 30.0, 50.0, 0.9, 0.0];
    let model = Constant::new(1, INPUT).f32("output0", &[1, 2, 6], end.to_vec());
    assert_found(&detect("yolo", 1, &model), &wanted);
}

#[test]
fn detr_reads_processed_and_raw_queries() {
    let wanted = [(Rect::new(20.0, 20.0, 40.0, 80.0), 0.6)];
    let processed = Constant::new(1, INPUT)
        .with_sizes(1)
        .i64("labels", &[1, 2], vec![0, 1])
        .f32("boxes", &[1, 2, 4], vec![0.0, 0.0, 9.0, 9.0, 10.0, 10.0, 30.0, 50.0])
        .f32("scores", &[1, 2], vec![0.9, 0.6]);
    assert_found(&detect("detr", 1, &processed), &wanted);

    let logit = (0.6f32 / 0.4).ln();
    let boxes = vec![0.5, 0.5, 1.0, 1.0, 20.0 / 64.0, 30.0 / 64.0, 20.0 / 64.0, 40.0 / 64.0];
    let logits = vec![9.0, -9.0, -9.0, logit];
    for (names, boxes_first) in [(["pred_boxes", "logits"], false), (["dets", "labels"], true), (["a", "b"], true)] {
        let model = Constant::new(1, INPUT);
        let [b, l] = names;
        let (boxes, logits) = (boxes.clone(), logits.clone());
        let model = if boxes_first {
            model.f32(b, &[1, 2, 4], boxes).f32(l, &[1, 2, 2], logits)
        } else {
            model.f32(l, &[1, 2, 2], logits).f32(b, &[1, 2, 4], boxes)
        };
        assert_found(&detect("detr", 1, &model), &wanted);
    }
}

#[test]
fn outputs_that_do_not_fit_their_head_are_one_sentence() {
    let plain = |dims: &[i64]| {
        let len = dims.iter().product::<i64>() as usize;
        Constant::new(1, INPUT).f32("output", dims, vec![0.0; len])
    };
    let cases = [
        ("nanodet", 0, plain(&[1, 84, 45])),
        ("nanodet", 1, plain(&[1, 84, 1]).f32("dists", &[1, 84, 44], vec![0.0; 84 * 44])),
        ("yolox", 0, plain(&[1, 85, 85])),
        ("yolox", 3, plain(&[1, 84, 8])),
        ("yolo", 0, plain(&[1, 83, 7])),
        ("yolo", 2, plain(&[1, 6, 84])),
        ("yolo", 0, Constant::new(1, INPUT).i64("output", &[1, 6, 84], vec![0; 6 * 84])),
        ("detr", 0, plain(&[1, 300, 85])),
        ("detr", 0, plain(&[1, 3, 4]).f32("logits", &[1, 2, 4], vec![0.0; 8])),
    ];
    for (head, class, model) in cases {
        let error = load(&Folder::of(head, class, "stretch", INPUT, &model)).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, DetectError::Output { .. }) && !error.retry(), "{text}");
        assert!(text.starts_with(&format!("model `test`: its outputs do not fit head `{head}`: they are")), "{text}");
        assert!(!text.contains('\n'), "{text}");
    }
}

#[test]
fn files_and_inputs_that_are_wrong_are_one_sentence() {
    let v8 = |model: Constant| model.f32("output0", &[1, 6, 84], vec![0.0; 6 * 84]);
    let not_onnx = Folder::new("yolo", 0, "stretch", INPUT, b"this is not a model");
    let text = load(&not_onnx).unwrap_err().to_string();
    assert!(text.contains("is not a model that ONNX Runtime can load") && !text.contains('\n'), "{text}");

    let other_size = Folder::of("yolo", 0, "stretch", INPUT, &v8(Constant::new(1, Size::new(96, 64))));
    let text = load(&other_size).unwrap_err().to_string();
    assert!(text.contains("does not take an input of 64x64: its file fixes 96x64"), "{text}");

    let mut grey = v8(Constant::new(1, INPUT));
    grey.inputs[0].2[1] = 1;
    let text = load(&Folder::of("yolo", 0, "stretch", INPUT, &grey)).unwrap_err().to_string();
    assert!(text.contains("without three channels"), "{text}");

    let mut strange = v8(Constant::new(1, INPUT));
    strange.inputs[0].2.pop();
    let text = load(&Folder::of("yolo", 0, "stretch", INPUT, &strange)).unwrap_err().to_string();
    assert!(text.contains("a picture is float32 with four axes"), "{text}");
}

#[test]
fn a_fixed_batch_is_padded_and_every_frame_gets_its_own_place() {
    // Place 0 finds a box on the left, place 1 one on the right.
    let mut values = vec![0.0; 2 * 6 * 84];
    for (place, x) in [(0, 10.0), (1, 50.0)] {
        for (plane, value) in [(0, x), (1, 32.0), (2, 10.0), (3, 20.0), (4, 0.9)] {
            values[(place * 6 + plane) * 84 + 5] = value;
        }
    }
    let model = Constant::new(2, INPUT).f32("output0", &[2, 6, 84], values);
    let folder = Folder::of("yolo", 0, "center", INPUT, &model);
    let mut detector = load(&folder).unwrap();
    assert_eq!(detector.batch(), 2);
    // Wide pictures of different sizes: 16 rows of padding above and below.
    let found = run(&mut detector, &[Size::new(128, 64), Size::new(64, 32), Size::new(128, 64)]);
    assert_found(&found[0], &[(Rect::new(10.0, 12.0, 20.0, 40.0), 0.9)]);
    assert_found(&found[1], &[(Rect::new(45.0, 6.0, 10.0, 20.0), 0.9)]);
    assert_found(&found[2], &[(Rect::new(10.0, 12.0, 20.0, 40.0), 0.9)]);
}

#[test]
fn a_provider_that_is_not_there_falls_back() {
    let model = Constant::new(1, INPUT).f32("output0", &[1, 2, 6], vec![0.0; 12]);
    let folder = Folder::of("yolo", 0, "stretch", INPUT, &model);
    let entry = folder.catalog().resolve(None).unwrap();
    let providers = vec![Provider::Tensorrt, Provider::Cuda];
    let detector = OnnxDetector::new(&entry, INPUT, &[], &Inference { providers, ..inference() }).unwrap();
    // On a machine with a GPU one of the two may work.
    assert!(detector.batch() == 1 && detector.overflow() == 0);
}
