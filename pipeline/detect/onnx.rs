//! [`OnnxDetector`]: picture to tensor, model, head, suppression. One a worker thread.

use std::time::{Duration, Instant};

use super::catalog::{Entry, Fit};
use super::letterbox::{Filler, Geometry};
use super::nms::Candidates;
use super::session::Session;
use super::{DetectError, Detector};
use crate::config::plan::{Inference, Provider};
use crate::types::{Batch, Detections, Frame, Size, Target};

/// Runs one model at one input size, and at further ones whose candidates are merged by NMS.
#[derive(Debug)]
pub struct OnnxDetector {
    scales: Vec<Scale>,
    fit: Fit,
    nms: f32,
    /// One for each place of a batch.
    candidates: Vec<Candidates>,
    /// Packed pixels of one picture.
    pixels: Vec<u8>,
    spent: Spent,
}

/// Time of the last [`Detector::detect`], for `lookout_stage_seconds`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Scaling, colour conversion, normalisation.
    pub convert: Duration,
    /// The model alone.
    pub infer: Duration,
    /// Head and suppression.
    pub decode: Duration,
}

#[derive(Debug)]
struct Scale {
    session: Session,
    filler: Filler,
    input: Size,
    /// Of the picture last written to each place; its padding holds.
    written: Vec<Option<Geometry>>,
}

impl OnnxDetector {
    /// Verifies the model's file, loads it for each size and warms it up; when this returns, the first picture takes no
    /// longer than the next. `input` should come from [`Entry::default_size`] where a camera names none.
    pub fn new(entry: &Entry, input: Size, extra: &[Size], inference: &Inference) -> Result<Self, DetectError> {
        entry.verify()?;
        let scale = |&size: &Size| {
            let session = Session::load(entry, size, inference)?;
            let written = vec![None; session.batch()];
            Ok(Scale { session, filler: Filler::new(size, &entry.normalise), input: size, written })
        };
        let mut sizes = vec![input];
        sizes.extend(extra.iter().filter(|size| **size != input));
        let scales: Vec<Scale> = sizes.iter().map(scale).collect::<Result<_, DetectError>>()?;
        let batch = scales.iter().map(|scale| scale.session.batch()).max().unwrap_or(1);
        Ok(Self {
            scales,
            fit: entry.fit,
            nms: entry.nms,
            candidates: (0..batch).map(|_| Candidates::new()).collect(),
            pixels: Vec::new(),
            spent: Spent::default(),
        })
    }

    /// Frames that go through the model together; 1 on a CPU. [`Detector::detect`] takes more, in several runs.
    pub fn batch(&self) -> usize {
        self.candidates.len()
    }

    /// Where the model runs.
    pub fn provider(&self) -> Provider {
        self.scales[0].session.provider()
    }

    /// Where the time of the last batch went.
    pub fn spent(&self) -> Spent {
        self.spent
    }

    /// Candidates lost to the bound of [`super::nms::MAX_CANDIDATES`] since the start.
    pub fn overflow(&self) -> u64 {
        self.candidates.iter().map(Candidates::dropped).sum()
    }
}

impl Detector for OnnxDetector {
    fn detect(&mut self, batch: &Batch<'_>, out: &mut Vec<Detections>) -> Result<(), DetectError> {
        self.spent = Spent::default();
        out.resize_with(batch.frames.len(), Detections::default);
        out.iter_mut().for_each(|found| found.items.clear());
        for (frames, out) in batch.frames.chunks(self.batch()).zip(out.chunks_mut(self.candidates.len())) {
            self.candidates.iter_mut().for_each(Candidates::clear);
            for scale in &mut self.scales {
                scale.detect(frames, self.fit, &mut self.candidates, &mut self.pixels, &mut self.spent)?;
            }
            let start = Instant::now();
            for (candidates, found) in self.candidates.iter_mut().zip(out) {
                candidates.suppress(self.nms, &mut found.items);
            }
            self.spent.decode += start.elapsed();
        }
        Ok(())
    }
}

impl Scale {
    /// Adds the candidates of each frame, in pixels of its picture.
    fn detect(
        &mut self,
        frames: &[Frame],
        fit: Fit,
        candidates: &mut [Candidates],
        pixels: &mut Vec<u8>,
        spent: &mut Spent,
    ) -> Result<(), DetectError> {
        for (frames, candidates) in frames.chunks(self.session.batch()).zip(candidates.chunks_mut(self.session.batch()))
        {
            let start = Instant::now();
            for (place, frame) in frames.iter().enumerate() {
                self.write(place, frame, fit, pixels)?;
            }
            let written = Instant::now();
            let outputs = self.session.run()?;
            let inferred = Instant::now();
            for (place, candidates) in candidates.iter_mut().enumerate().take(frames.len()) {
                let Some(geometry) = self.written[place] else { continue };
                let (head, values) = outputs.place(place)?;
                head.decode(values, &mut |bbox, score| {
                    if let Some(bbox) = geometry.to_source(bbox) {
                        candidates.push(bbox, score);
                    }
                });
            }
            spent.convert += written - start;
            spent.infer += inferred - written;
            spent.decode += inferred.elapsed();
        }
        Ok(())
    }

    fn write(&mut self, place: usize, frame: &Frame, fit: Fit, pixels: &mut Vec<u8>) -> Result<(), DetectError> {
        let geometry = Geometry::new(frame.picture.size(), self.input, fit);
        frame.picture.convert(Target { size: geometry.fitted, format: self.filler.format() }, pixels)?;
        let tensor = self.session.input(place);
        if self.written[place] != Some(geometry) {
            self.filler.clear(tensor);
            self.written[place] = Some(geometry);
        }
        self.filler.fill(pixels, &geometry, tensor);
        Ok(())
    }
}
