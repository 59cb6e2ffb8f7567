//! `lookout models bench`: the time of one inference on this machine.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{ModelsError, write_json};
use lookout::config::plan::Inference;
use lookout::detect::{Detector, Entry, OnnxDetector};
use lookout::types::{Batch, Frame, MediaTime, Picture, PictureError, Size, Target};

const WARM_UP: usize = 3;

#[derive(Serialize)]
struct Measured {
    input: String,
    provider: String,
    threads: usize,
    /// Median time of the model alone, milliseconds.
    infer_ms: f64,
    /// Median time of filling the input, decoding and suppression, milliseconds.
    other_ms: f64,
}

/// Noise of the wanted size: capture's conversion is not measured here.
struct Noise(Size);

impl Picture for Noise {
    fn size(&self) -> Size {
        self.0
    }

    fn convert(&self, target: Target, out: &mut Vec<u8>) -> Result<(), PictureError> {
        if out.len() != target.len() {
            let mut state = 1u32;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            out.clear();
            out.extend((0..target.len()).map(|_| next()));
        }
        Ok(())
    }
}

pub(super) fn run(
    entry: &Entry,
    input: &[Size],
    inference: &Inference,
    runs: usize,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), ModelsError> {
    let sizes = if input.is_empty() { &entry.sizes } else { input };
    let mut rows = Vec::new();
    for &size in sizes {
        let row = measure(entry, size, inference, runs.max(1))?;
        if !json {
            let Measured { input, provider, threads, infer_ms, other_ms } = &row;
            writeln!(
                out,
                "{input:>9}  {provider}, threads {threads}: {infer_ms:.2} ms, and {other_ms:.3} ms around it"
            )?;
        }
        rows.push(row);
    }
    if json { write_json(&rows, out) } else { Ok(()) }
}

fn measure(entry: &Entry, size: Size, inference: &Inference, runs: usize) -> Result<Measured, ModelsError> {
    let mut detector = OnnxDetector::new(entry, size, &[], inference)?;
    let frame = Frame {
        index: 0,
        time: MediaTime::default(),
        utc: jiff::Timestamp::UNIX_EPOCH,
        arrived: Instant::now(),
        picture: Arc::new(Noise(size)),
    };
    let (mut found, mut infer, mut other) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..WARM_UP + runs {
        detector.detect(&Batch { frames: std::slice::from_ref(&frame) }, &mut found)?;
        if run >= WARM_UP {
            let spent = detector.spent();
            infer.push(spent.infer);
            other.push(spent.convert + spent.decode);
        }
    }
    Ok(Measured {
        input: size.to_string(),
        provider: format!("{:?}", detector.provider()).to_lowercase(),
        threads: inference.threads,
        infer_ms: median_ms(&mut infer),
        other_ms: median_ms(&mut other),
    })
}

fn median_ms(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
