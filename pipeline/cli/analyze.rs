//! `lookout analyze`: a video file through all stages; events, tracks and a report.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use lookout::alerts::IncidentConfig;
use lookout::capture::{Clip, ClipOptions, Stop};
use lookout::config::plan::{Camera, Inference, Provider, RulePlace};
use lookout::detect::{Catalog, OnnxDetector};
use lookout::engine::analyze::{Analysed, Analysis, AnalyzeError, Findings, Report};
use lookout::engine::annotate::Annotator;
use lookout::types::{Event, mot};

use super::common::{CameraArgs, parse_fps, print, say};
use super::output::Output;
use super::signals;

/// Analyse a video file as fast as it goes: every picture, unless a rate selects.
///
/// Writes DIR/events.jsonl, DIR/tracks.txt (MOT) and DIR/report.json, with --annotate DIR/annotated.mp4 too, and prints
/// a summary. Touches no journal, sink or network; the camera file's source is not opened.
///
/// Example: lookout analyze vtest.avi --camera configs/demo/junction.toml --out out/vtest
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Video file
    video: PathBuf,
    #[command(flatten)]
    camera: CameraArgs,
    /// Id of the catalog, or the path of an ONNX file that has an entry there
    #[arg(long, value_name = "ID|PATH")]
    model: Option<String>,
    /// Folder for the results
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// Analysed pictures a second, at most
    #[arg(long, value_name = "FPS", value_parser = parse_fps)]
    rate: Option<f64>,
    /// Put picture k at k/F seconds, whatever the file says
    #[arg(long, value_name = "F", value_parser = parse_fps)]
    fps_override: Option<f64>,
    /// Write a video as well: the analysed pictures, people pixelated, with zones, lines, boxes, counts and alerts
    #[arg(long)]
    annotate: bool,
    /// Threads inside one inference
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
    /// Print the report as JSON instead of a table
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let incidents = args.camera.load()?;
    let catalog = Catalog::find()?;
    let camera = Arc::clone(&incidents.camera);
    let entry = catalog.resolve(args.model.as_deref().or(camera.detect.model.as_deref()))?;
    let input = camera.detect.input.unwrap_or_else(|| entry.default_size());
    let inference =
        Inference { providers: vec![Provider::Cpu], workers: 1, threads: usize::from(args.threads), batch: 1 };
    let stop = Stop::new();
    let _signals = signals::watcher(&stop)?;
    // The file first: a wrong name should not wait for the model.
    let source = camera.source.as_ref();
    let options = ClipOptions {
        fps: args.fps_override.or(source.and_then(|s| s.fps)),
        rate: args.rate.or(source.and_then(|s| s.rate)),
        start: args.camera.start,
    };
    let clip = Clip::open(&args.video, &options, &stop)?;
    let detector = OnnxDetector::new(&entry, input, &camera.detect.extra, &inference)?;
    let score = camera.detect.score.unwrap_or(entry.score);
    let bar = progress_bar(clip.info().frames);
    let mut files = Files::create(&args.out, args.annotate.then_some(&camera))?;
    let analysis = Analysis::new(incidents.clone(), clip, Box::new(detector), score);
    let done = analysis.run(&mut files, |pictures| bar.set_position(pictures));
    bar.finish_and_clear();
    let mut report = done.map_err(|error| match error {
        AnalyzeError::Findings(error) => error,
        AnalyzeError::Source(error) => error.into(),
        AnalyzeError::Detect(error) => error.into(),
    })?;
    if report.truncated {
        say(&format!("warning: {}: breaks off before its end; what decoded was analysed", args.video.display()));
    }
    report.cpu_s = cpu_seconds();
    files.finish(&args.out, &report)?;
    if args.json { print(&serde_json::to_string(&report)?) } else { summarize(&report, &incidents, &args.out) }
}

/// CPU seconds of this process so far.
fn cpu_seconds() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    ((spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9) * 1e3).round() / 1e3
}

fn progress_bar(frames: Option<u64>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:32} {pos}/{len} pictures, {per_sec}, {eta} left");
    frames
        .map_or_else(ProgressBar::new_spinner, ProgressBar::new)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The results being written.
struct Files {
    events: Output,
    tracks: Output,
    rows: String,
    video: Option<(Annotator, Output)>,
}

impl Files {
    /// With a camera, its annotated video too.
    fn create(dir: &Path, annotate: Option<&Arc<Camera>>) -> anyhow::Result<Self> {
        let video = annotate.map(|camera| -> anyhow::Result<_> {
            let file = Output::create(&dir.join("annotated.mp4"))?;
            Ok((Annotator::new(camera.clone(), file.path())?, file))
        });
        Ok(Self {
            events: Output::create(&dir.join("events.jsonl"))?,
            tracks: Output::create(&dir.join("tracks.txt"))?,
            rows: String::new(),
            video: video.transpose()?,
        })
    }

    fn finish(mut self, dir: &Path, report: &Report) -> anyhow::Result<()> {
        let mut video = match self.video {
            Some((annotator, file)) => {
                annotator.finish().context("annotated.mp4")?;
                Some(file)
            }
            None => None,
        };
        let mut file = Output::create(&dir.join("report.json"))?;
        serde_json::to_writer(&mut file, report)?;
        file.write_all(b"\n")?;
        for output in [&mut self.events, &mut self.tracks, &mut file].into_iter().chain(&mut video) {
            output.settle()?;
        }
        self.events.finish()?;
        self.tracks.finish()?;
        video.map_or(Ok(()), Output::finish)?;
        file.finish()
    }
}

impl Findings for Files {
    type Error = anyhow::Error;

    fn picture(&mut self, seen: &Analysed<'_>) -> anyhow::Result<()> {
        if let Some((annotator, _)) = &mut self.video {
            annotator.picture(seen).context("annotated.mp4")?;
        }
        self.rows.clear();
        for track in seen.tracks.iter().filter(|t| t.counts()) {
            mot::write_row(&mut self.rows, seen.frame.index + 1, track.id.0, &track.bbox, track.score);
        }
        self.tracks.write_all(self.rows.as_bytes()).context("cannot write tracks.txt")
    }

    fn event(&mut self, event: &Event) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.events, event).context("cannot write events.jsonl")?;
        self.events.write_all(b"\n").context("cannot write events.jsonl")
    }
}

fn summarize(report: &Report, incidents: &IncidentConfig, out: &Path) -> anyhow::Result<()> {
    print(&format!(
        "{} of {} pictures analysed, {:.1} s of video, {} people followed, {:.1} s of CPU",
        report.analysed, report.frames, report.duration_s, report.tracks, report.cpu_s
    ))?;
    print(&format!("{:<24} {:<12} {:>8}", "rule", "kind", "alerts"))?;
    for rule in &incidents.camera.rules {
        let alerts = report.alerts.get(&rule.id).copied().unwrap_or(0);
        if rule.place != RulePlace::Camera || alerts > 0 {
            print(&format!("{:<24} {:<12} {:>8}", rule.id, rule.condition.kind().word(), alerts))?;
        }
    }
    for line in &incidents.camera.lines {
        let counts = report.lines.get(&line.id).copied().unwrap_or_default();
        let (left, right) = (line.left.as_deref().unwrap_or("left"), line.right.as_deref().unwrap_or("right"));
        let text = format!("{left} to {right} {}, {right} to {left} {}", counts.left_to_right, counts.right_to_left);
        print(&format!("{:<24} {:<12} {text}", line.id, "line"))?;
    }
    print(&format!("events, tracks and report are in {}", out.display()))
}
