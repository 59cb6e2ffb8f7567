//! `cargo bench --bench redaction`: how many heads stay visible in redacted pictures, on `vtest.avi` with the true boxes
//! of PETS09-S2L1.
//!
//! The clip goes through the stages of `analyze`, but the pictures that are redacted are of noise: a pixel that comes out
//! as it went in was not covered. A head is the top of a true box, 1/7.5 of its height tall (the canon of proportions)
//! and three quarters of that wide, around the middle. It is visible when more than half of its pixels are. Lines and words
//! drawn over a head count as covering it. Labels whose column 7 is 0 (174 of 4,650) are left out.
//!
//! The clip is `media/vtest.avi`, the labels lie under `$LOOKOUT_SHARED` (default `../shared`). Without them it says so
//! and exits with 3. `--test`: the first pictures only.

#![allow(clippy::print_stdout, clippy::print_stderr)] // Its result.

use std::collections::{BTreeMap, VecDeque};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use lookout::alerts::IncidentConfig;
use lookout::alerts::overlay::{Overlay, OverlayError, Seen, fitted};
use lookout::alerts::raised::Raised;
use lookout::capture::{Clip, ClipOptions, Stop};
use lookout::config::plan::{Inference, Provider};
use lookout::config::{Surroundings, camera_text};
use lookout::detect::{Catalog, OnnxDetector};
use lookout::engine::analyze::{Analysed, Analysis, Findings};
use lookout::types::{Event, Frame, Picture, PictureError, Rect, Size, Span, Target};

/// Of the labels.
const LABELLED: Size = Size::new(768, 576);
/// Covering the boxes from this score up in each picture by itself is the plain way to redact.
const PLAIN: f32 = 0.35;

fn main() -> ExitCode {
    let shared = std::env::var_os("LOOKOUT_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let (clip, labels) = (PathBuf::from("media/vtest.avi"), shared.join("eval/PETS09-S2L1/gt/gt.txt"));
    let pictures = if std::env::args().any(|a| a == "--test") { 40 } else { u64::MAX };
    if let Some(file) = [&clip, &labels].into_iter().find(|file| !file.exists()) {
        println!("skipped: redaction: {} is not there", file.display());
        return ExitCode::from(3);
    }
    match measure(&clip, &labels, pictures) {
        Ok(heads) => {
            println!("heads more than half visible, of vtest.avi:");
            heads.redacted.tell("as Lookout redacts");
            heads.plain.tell("boxes from score 0.35 up alone");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("redaction: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn measure(clip: &Path, labels: &Path, pictures: u64) -> Result<Heads, Box<dyn Error>> {
    let time_zone = jiff::tz::TimeZone::UTC;
    let around = Surroundings { time_zone: &time_zone, media_dirs: None, grids: None };
    let camera = Arc::new(camera_text(Path::new("s2l1.toml"), "id = \"s2l1\"", &around)?.plan);
    let entry = Catalog::find()?.resolve(None)?;
    let inference = Inference { providers: vec![Provider::Cpu], workers: 1, threads: 1, batch: 1 };
    let detector = OnnxDetector::new(&entry, entry.default_size(), &[], &inference)?;
    let clip = Clip::open(clip, &ClipOptions::default(), &Stop::new())?;
    let mut heads = Heads {
        overlay: Overlay::new(Arc::clone(&camera)),
        raised: Raised::default(),
        truth: truth(&std::fs::read_to_string(labels)?)?,
        held: VecDeque::new(),
        left: pictures,
        redacted: Share::default(),
        plain: Share::default(),
    };
    let config = IncidentConfig { site: "bench".into(), camera, outage: Span::from_secs(10) };
    match Analysis::new(config, clip, Box::new(detector), entry.score).run(&mut heads, |_| {}) {
        Err(lookout::engine::analyze::AnalyzeError::Findings(Ended::Enough)) | Ok(_) => {}
        Err(error) => return Err(error.into()),
    }
    while let Some(picture) = heads.overlay.flush(&heads.raised) {
        let Some(index) = heads.held.pop_front() else { break };
        heads.redacted.add(heads.truth.get(&index), picture.size, |at| stays(picture.bgr, picture.size, index, at));
    }
    Ok(heads)
}

/// Heads by index of the picture, fractions. Rows whose column 7 is 0 are nobody who can be seen.
fn truth(text: &str) -> Result<BTreeMap<u64, Vec<Rect>>, Box<dyn Error>> {
    let mut heads: BTreeMap<u64, Vec<Rect>> = BTreeMap::new();
    for line in text.lines() {
        let row = line.split(',').map(|field| field.trim().parse::<f32>()).collect::<Result<Vec<_>, _>>()?;
        let [frame, _, left, top, width, height, seen, ..] = row[..] else { return Err("a label is too short".into()) };
        if seen != 0.0 {
            let tall = height / 7.5;
            let head = Rect::new(left + width / 2.0 - tall * 0.375, top, tall * 0.75, tall);
            let head = head.scaled(1.0 / LABELLED.width as f32, 1.0 / LABELLED.height as f32);
            heads.entry(frame as u64 - 1).or_default().push(head);
        }
    }
    Ok(heads)
}

/// How many heads there were, and how many of them can be seen.
#[derive(Default)]
struct Share {
    heads: u64,
    visible: u64,
}

impl Share {
    /// `shows` tells whether the pixel at x, y of a picture of `size` can be seen.
    fn add(&mut self, heads: Option<&Vec<Rect>>, size: Size, shows: impl Fn((u32, u32)) -> bool) {
        for head in heads.into_iter().flatten() {
            let scaled = head.scaled(size.width as f32, size.height as f32);
            let Some(inside) = scaled.clipped(size) else { continue };
            let columns = inside.left.floor() as u32..(inside.right().ceil() as u32).min(size.width);
            let rows = inside.top.floor() as u32..(inside.bottom().ceil() as u32).min(size.height);
            let pixels = (columns.len() * rows.len()) as u64;
            let shown = rows.flat_map(|y| columns.clone().map(move |x| (x, y))).filter(|&at| shows(at)).count() as u64;
            self.heads += u64::from(pixels > 0);
            self.visible += u64::from(2 * shown > pixels);
        }
    }

    fn tell(&self, who: &str) {
        let share = 100.0 * self.visible as f64 / self.heads.max(1) as f64;
        println!("  {who}: {} of {}, {share:.2} %", self.visible, self.heads);
    }
}

struct Heads {
    overlay: Overlay,
    raised: Raised,
    truth: BTreeMap<u64, Vec<Rect>>,
    /// Indices of the pictures that the overlay holds.
    held: VecDeque<u64>,
    left: u64,
    redacted: Share,
    plain: Share,
}

/// Why the clip was not analysed to its end.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("enough")]
    Enough,
    #[error(transparent)]
    Overlay(#[from] OverlayError),
}

impl Findings for Heads {
    type Error = Ended;

    fn picture(&mut self, seen: &Analysed<'_>) -> Result<(), Ended> {
        self.left = self.left.checked_sub(1).ok_or(Ended::Enough)?;
        let (index, size) = (seen.frame.index, fitted(seen.size));
        let (sx, sy) = (size.width as f32 / seen.size.width as f32, size.height as f32 / seen.size.height as f32);
        let boxes: Vec<Rect> =
            seen.detections.iter().filter(|d| d.score >= PLAIN).map(|d| d.bbox.scaled(sx, sy)).collect();
        let covered = |(x, y): (u32, u32)| {
            let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
            boxes.iter().any(|b| x >= b.left && x < b.right() && y >= b.top && y < b.bottom())
        };
        self.plain.add(self.truth.get(&index), size, |at| !covered(at));
        let frame = Frame { picture: Arc::new(Noise { size: seen.size, seed: index }), ..seen.frame.clone() };
        let noise = Seen {
            frame: &frame,
            detections: seen.detections,
            tracks: seen.tracks,
            zone_people: &[],
            line_counts: &[],
            shapes: &Default::default(),
            shift: seen.measured.shift,
        };
        self.held.push_back(index);
        if let Some(picture) = self.overlay.push(&noise, Some(size), &self.raised)?
            && let Some(index) = self.held.pop_front()
        {
            self.redacted.add(self.truth.get(&index), picture.size, |at| stays(picture.bgr, picture.size, index, at));
        }
        Ok(())
    }

    fn event(&mut self, _: &Event) -> Result<(), Ended> {
        Ok(())
    }
}

/// Whether the pixel at x, y of a picture that was noise is still as it was.
fn stays(bgr: &[u8], size: Size, seed: u64, (x, y): (u32, u32)) -> bool {
    let first = (y as usize * size.width as usize + x as usize) * 3;
    (first..first + 3).all(|byte| bgr[byte] == noise(seed, byte))
}

/// A picture whose every byte is known and like none beside it.
struct Noise {
    size: Size,
    seed: u64,
}

impl Picture for Noise {
    fn size(&self) -> Size {
        self.size
    }

    fn convert(&self, target: Target, out: &mut Vec<u8>) -> Result<(), PictureError> {
        out.clear();
        out.extend((0..target.len()).map(|byte| noise(self.seed, byte)));
        Ok(())
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014) over the place.
fn noise(seed: u64, byte: usize) -> u8 {
    let mut z = (seed << 32 | byte as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as u8
}
