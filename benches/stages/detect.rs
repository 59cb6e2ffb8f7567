//! Detection apart: what each step costs at the default input of 640x480, and how little of it is not the model.

#![allow(clippy::expect_used, reason = "a bench without its model has nothing to say")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use divan::Bencher;
use lookout::config::plan::{Inference, Provider};
use lookout::detect::letterbox::{Filler, Geometry};
use lookout::detect::nms::{Candidates, MAX_CANDIDATES};
use lookout::detect::session::Session;
use lookout::detect::{Catalog, Detector, Entry, OnnxDetector};
use lookout::types::{Batch, Frame, MediaTime, Picture, PictureError, Rect, Size, Target};

const INPUT: Size = Size::new(640, 480);

/// Pixels that are ready: conversion is capture's.
struct Ready;

impl Picture for Ready {
    fn size(&self) -> Size {
        INPUT
    }

    fn convert(&self, target: Target, out: &mut Vec<u8>) -> Result<(), PictureError> {
        out.resize(target.len(), 90);
        Ok(())
    }
}

fn entry() -> Entry {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    Catalog::load(&dir).expect("the shipped catalog").default_entry().clone()
}

fn one_thread() -> Inference {
    Inference { providers: vec![Provider::Cpu], workers: 1, threads: 1, batch: 1 }
}

#[divan::bench]
fn fill_the_tensor(bencher: Bencher<'_, '_>) {
    let filler = Filler::new(INPUT, &entry().normalise);
    let geometry = Geometry::new(INPUT, INPUT, entry().fit);
    let pixels: Vec<u8> = (0..3 * INPUT.area()).map(|i| (i % 251) as u8).collect();
    let mut tensor = vec![0.0; filler.len()];
    bencher.bench_local(|| filler.fill(black_box(&pixels), &geometry, black_box(&mut tensor)));
}

#[divan::bench(args = [50, 300, MAX_CANDIDATES])]
fn suppress(bencher: Bencher<'_, '_>, count: usize) {
    let mut candidates = Candidates::new();
    let mut out = Vec::new();
    bencher.bench_local(|| {
        candidates.clear();
        for i in 0..count {
            let at = (i * 7919 % 600) as f32;
            candidates.push(Rect::new(at, (i % 400) as f32, 30.0, 80.0), 0.1 + 0.8 * (i % 97) as f32 / 97.0);
        }
        candidates.suppress(0.55, &mut out);
        out.len()
    });
}

#[divan::bench(sample_count = 40, sample_size = 1)]
fn model_alone(bencher: Bencher<'_, '_>) {
    let mut session = Session::load(&entry(), INPUT, &one_thread()).expect("scripts/setup-runtime");
    bencher.bench_local(|| session.run().map(|outputs| outputs.place(0).is_ok()));
}

#[divan::bench(sample_count = 40, sample_size = 1)]
fn detect_one_picture(bencher: Bencher<'_, '_>) {
    let mut detector = OnnxDetector::new(&entry(), INPUT, &[], &one_thread()).expect("scripts/setup-runtime");
    let frame = Frame {
        index: 0,
        time: MediaTime::default(),
        utc: jiff::Timestamp::UNIX_EPOCH,
        arrived: Instant::now(),
        picture: Arc::new(Ready),
    };
    let mut out = Vec::new();
    bencher.bench_local(|| detector.detect(&Batch { frames: std::slice::from_ref(&frame) }, &mut out).is_ok());
}
