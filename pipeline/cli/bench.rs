//! `lookout bench`: how many cameras this machine holds, where its time goes, what to change first.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use jiff::tz::TimeZone;
use lookout::capture::{Clip, ClipOptions, Stop};
use lookout::config::load_camera;
use lookout::engine::bench::{BenchError, Trial, trial};
use serde::Serialize;

use super::common::{Invalid, parse_fps, print, say, warn};
use super::signals;

/// Try how many cameras like one this machine holds: sites of more and more cameras run for a while as they would in
/// earnest, each playing VIDEO live, without API and deliveries. Nothing else should run meanwhile.
///
/// A site holds as long as at most 2 % of the pictures to be analysed are dropped, and of no camera 1 picture in 100 is
/// older after its rules than (1 + cameras / workers) times the median inference.
///
/// Example: lookout bench vtest.avi --camera configs/demo/junction.toml --rate 8
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// What such a camera gives: a recording with its size and pictures a second
    video: PathBuf,
    /// Camera file: zones, rules, detection; one zone with three rules if left out
    #[arg(long, value_name = "FILE")]
    camera: Option<PathBuf>,
    /// Analysed pictures a second, at most
    #[arg(long, value_name = "FPS", default_value = "8", value_parser = parse_fps)]
    rate: f64,
    /// Seconds that each site is measured
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u64).range(2..=3600))]
    seconds: u64,
    /// Inference workers; one a core if left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: Option<u16>,
    /// Try no more cameras than so many
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256))]
    most: u16,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Of the machine that is taken to be usable: the rest is for bursts, page and deliveries.
const USABLE: f64 = 0.9;
/// Pictures that may be dropped.
const DROPPED: f64 = 0.02;
/// Sites that are tried after the first.
const TRIALS: usize = 5;
/// Where no camera file is given.
const CAMERA: &str = r#"
[[zone]]
id = "all"
polygon = [[0.02, 0.02], [0.98, 0.02], [0.98, 0.98], [0.02, 0.98]]
[[zone.rule]]
id = "crowd"
kind = "crowd"
people = 8
[[zone.rule]]
id = "loiter"
kind = "loitering"
dwell = "60s"
[[zone.rule]]
id = "gathering"
kind = "gathering"
people = 5
radius = "2m"
[[line]]
id = "line"
points = [[0.5, 0.98], [0.5, 0.02]]
"#;

/// A trial with what it is held against.
#[derive(Clone, Serialize)]
struct Tried {
    #[serde(flatten)]
    trial: Trial,
    /// Most that the 99th percentile of frame age may be, seconds.
    bound: f64,
    holds: bool,
}

/// Something to change, and how many cameras that would hold by calculation.
#[derive(Serialize)]
struct Change {
    what: String,
    cameras: f64,
}

#[derive(Serialize)]
struct Report {
    width: u32,
    height: u32,
    fps: f64,
    rate: f64,
    cores: usize,
    workers: usize,
    /// By the first trial.
    calculated: f64,
    /// The most that held and the least that did not.
    holds: Option<usize>,
    fails: Option<usize>,
    trials: Vec<Tried>,
    changes: Vec<Change>,
}

/// Sites under a folder that goes with this.
struct Bench<'a> {
    args: &'a Args,
    camera: toml_edit::DocumentMut,
    folder: PathBuf,
    workers: usize,
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        // A folder of temporary files that stays is nobody's loss.
        fs::remove_dir_all(&self.folder).ok();
    }
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let stop = Stop::new();
    let _signals = signals::watcher(&stop)?;
    let mut clip = Clip::open(&args.video, &ClipOptions::default(), &stop)?;
    let size = clip.next()?.map(|frame| frame.picture.size()).unwrap_or_default();
    let fps = clip.info().fps.unwrap_or(0.0);
    drop(clip);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let bench = Bench::new(args, cores)?;
    let first = bench.tried(1, &stop)?;
    let a_camera = first.trial.cpu.max(1e-3);
    let calculated = cores as f64 * USABLE / a_camera;
    let changes = changes(&first.trial, cores as f64, args.rate);
    let Found { holds, fails, trials } = search(first, calculated, usize::from(args.most), |n| bench.tried(n, &stop))?;
    let report = Report {
        width: size.width,
        height: size.height,
        fps,
        rate: args.rate,
        cores,
        workers: bench.workers,
        calculated,
        holds,
        fails,
        trials,
        changes,
    };
    if args.json { print(&serde_json::to_string(&report)?) } else { print(report.in_words().trim_end()) }
}

impl<'a> Bench<'a> {
    fn new(args: &'a Args, cores: usize) -> anyhow::Result<Self> {
        let text = match &args.camera {
            Some(file) => {
                warn(&load_camera(file, &TimeZone::UTC)?.warnings);
                fs::read_to_string(file).with_context(|| file.display().to_string())?
            }
            None => CAMERA.to_owned(),
        };
        let camera = text.parse().map_err(|error| Invalid(format!("the camera file: {error}")))?;
        let folder = std::env::temp_dir().join(format!("lookout-bench-{}", std::process::id()));
        let workers = args.workers.map_or(cores, usize::from);
        Ok(Self { args, camera, folder, workers })
    }

    /// A site of `cameras`, tried.
    fn tried(&self, cameras: usize, stop: &Stop) -> anyhow::Result<Tried> {
        say(&format!("{cameras} camera{} for {} s ...", if cameras == 1 { "" } else { "s" }, self.args.seconds));
        let site = self.write(cameras).with_context(|| self.folder.display().to_string())?;
        let trial = trial(&site, Duration::from_secs(self.args.seconds), stop).map_err(|error| match error {
            BenchError::Config(error) => anyhow::Error::from(error),
            BenchError::Run(error) => error.into(),
            other => other.into(),
        })?;
        let bound = (1.0 + cameras.div_ceil(self.workers) as f64) * trial.infer;
        let holds = trial.dropped <= DROPPED && trial.age <= bound;
        Ok(Tried { trial, bound, holds })
    }

    /// The files of a site of so many cameras, all of the same kind.
    fn write(&self, cameras: usize) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join(cameras.to_string());
        fs::create_dir_all(folder.join("cameras"))?;
        let video = fs::canonicalize(&self.args.video)?;
        let (Some(parent), Some(name)) = (video.parent(), video.file_name().and_then(|name| name.to_str())) else {
            return Err(Invalid(format!("{}: is no name for a file", video.display())).into());
        };
        let quoted = |text: &Path| toml_edit::Value::from(text.to_string_lossy().into_owned()).to_string();
        let site = format!(
            "id = \"bench\"\ndata = \"data\"\nmedia_dirs = [{}]\n[inference]\nworkers = {}\nthreads = 1\n",
            quoted(parent),
            self.workers
        );
        fs::write(folder.join("site.toml"), site)?;
        for k in 0..cameras {
            let mut camera = self.camera.clone();
            camera["id"] = toml_edit::value(format!("cam-{k:03}"));
            camera.remove("grid");
            let mut source = toml_edit::Table::new();
            source["url"] = toml_edit::value(format!("file:{name}"));
            source["loop"] = toml_edit::value(true);
            source["rate"] = toml_edit::value(self.args.rate);
            camera["source"] = toml_edit::Item::Table(source);
            fs::write(folder.join(format!("cameras/cam-{k:03}.toml")), camera.to_string())?;
        }
        Ok(folder.join("site.toml"))
    }
}

/// What a search found.
#[derive(Default)]
struct Found {
    /// The most that held and the least that did not.
    holds: Option<usize>,
    fails: Option<usize>,
    trials: Vec<Tried>,
}

/// Looks for the most cameras that hold, from what was calculated.
fn search<E>(
    first: Tried,
    calculated: f64,
    most: usize,
    mut tried: impl FnMut(usize) -> Result<Tried, E>,
) -> Result<Found, E> {
    let (mut holds, mut fails) = if first.holds { (Some(1), None) } else { (None, Some(1)) };
    let mut trials = vec![first];
    let mut next = (calculated as usize).clamp(1, most);
    for _ in 0..TRIALS {
        if fails == Some(1) || holds.is_some_and(|n| next <= n) || fails.is_some_and(|n| next >= n) {
            break;
        }
        let trial = tried(next)?;
        if trial.holds {
            holds = Some(next);
        } else {
            fails = Some(next);
        }
        trials.push(trial);
        next = match (holds, fails) {
            (Some(low), Some(high)) => (low + high) / 2,
            (Some(low), None) => (low + low.div_ceil(5)).min(most),
            (None, _) => next * 4 / 5,
        };
    }
    Ok(Found { holds, fails, trials })
}

/// What can be changed, the most helpful first: cameras by calculation from one camera's trial.
fn changes(one: &Trial, cores: f64, rate: f64) -> Vec<Change> {
    let [decode, convert, infer, track, rules] = one.stages;
    let analysis = convert + infer + track + rules;
    let with = |saved: f64| cores * USABLE / (one.cpu - saved).max(1e-3);
    let mut changes = vec![
        Change { what: format!("[source] rate = {} instead of {rate}", rate / 2.0), cameras: with(analysis / 2.0) },
        Change {
            what: "[detect] gate = true, where nobody is most of the time".into(),
            cameras: with(analysis * (1.0 - (0.5 / rate).min(1.0))),
        },
        Change {
            what: "[detect] input of half the width and height (small people are missed)".into(),
            cameras: with((convert + infer) * 0.75),
        },
        Change { what: "[source] sub, a stream of half the width and height".into(), cameras: with(decode * 0.75) },
        Change { what: "[inference] providers with a GPU".into(), cameras: with(infer) },
    ];
    changes.sort_by(|a, b| b.cameras.total_cmp(&a.cameras));
    changes
}

impl Report {
    fn in_words(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out).ok();
        out
    }

    fn write_to(&self, out: &mut String) -> std::fmt::Result {
        let Self { width, height, fps, rate, cores, workers, .. } = self;
        writeln!(
            out,
            "{width}x{height}, {fps:.1} pictures a second, at most {rate} of them analysed; {cores} cores, {workers} workers"
        )?;
        if let Some(Tried { trial, .. }) = self.trials.first() {
            writeln!(out, "\none camera uses {:.3} of a core:", trial.cpu)?;
            let named = ["decode", "convert", "infer", "track", "rules"].into_iter().zip(trial.stages);
            let other = (trial.cpu - trial.stages.iter().sum::<f64>()).max(0.0);
            for (stage, cpu) in named.chain([("other", other)]) {
                writeln!(out, "  {stage:<8} {cpu:6.3}  {:5.1} %", cpu / trial.cpu.max(1e-9) * 100.0)?;
            }
        }
        writeln!(
            out,
            "\n{:>7} {:>9} {:>8} {:>10} {:>10} {:>6} {:>8}",
            "cameras", "analysed", "dropped", "age p99", "at most", "cores", "memory"
        )?;
        for Tried { trial, bound, holds } in &self.trials {
            writeln!(
                out,
                "{:7} {:7.1}/s {:6.1} % {:7.0} ms {:7.0} ms {:6.2} {:5.0} MB  {}",
                trial.cameras,
                trial.analysed,
                trial.dropped * 100.0,
                trial.age * 1e3,
                bound * 1e3,
                trial.cpu,
                trial.memory / 1e6,
                if *holds { "holds" } else { "does not hold" }
            )?;
        }
        let most = |n: Option<usize>| n.map_or("none".to_owned(), |n| n.to_string());
        writeln!(
            out,
            "\nholds {} (by calculation {:.1}); the least that did not: {}",
            most(self.holds),
            self.calculated,
            most(self.fails)
        )?;
        writeln!(out, "\nto hold more, the most helpful first (cameras by calculation):")?;
        for change in &self.changes {
            writeln!(out, "  {:5.1}  {}", change.cameras, change.what)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(cameras: usize, holds: bool) -> Tried {
        let trial = Trial {
            cameras,
            seconds: 10.0,
            decoded: 10.0,
            analysed: 8.0,
            dropped: 0.0,
            age: 0.03,
            infer: 0.02,
            cpu: 0.2,
            stages: [0.02, 0.01, 0.15, 0.001, 0.001],
            memory: 1e8,
        };
        Tried { trial, bound: 0.04, holds }
    }

    /// The most that holds is `truth`.
    fn searched(truth: usize, calculated: f64) -> (Option<usize>, Option<usize>, usize) {
        let found = search(tried(1, truth >= 1), calculated, 64, |n| Ok::<_, ()>(tried(n, n <= truth)));
        let Found { holds, fails, trials } = found.unwrap_or_default();
        (holds, fails, trials.len())
    }

    #[test]
    fn the_most_that_holds_is_found_from_above_and_below() {
        assert_eq!(searched(9, 9.4), (Some(9), Some(10), 4));
        assert_eq!(searched(6, 9.4).0, Some(6));
        assert_eq!(searched(0, 9.4), (None, Some(1), 1));
        assert_eq!(searched(1, 1.8), (Some(1), None, 1));
        let (holds, fails, trials) = searched(40, 10.0);
        assert!(holds >= Some(20) && fails.is_none() && trials <= 1 + TRIALS, "it does not go on for ever");
    }

    #[test]
    fn where_inference_takes_most_the_first_advice_is_about_it() {
        let first = &changes(&tried(1, true).trial, 2.0, 8.0)[0];
        assert!(first.what.contains("gate") || first.what.contains("GPU"), "{}", first.what);
        assert!(first.cameras > 2.0 * USABLE / 0.2, "{}", first.cameras);
        let decoding = Trial { stages: [0.18, 0.001, 0.01, 0.0, 0.0], ..tried(1, true).trial };
        assert!(changes(&decoding, 2.0, 8.0)[0].what.contains("sub"));
    }
}
