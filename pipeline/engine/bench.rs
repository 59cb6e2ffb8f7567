//! How a site does on this machine: it runs for a while as it would in earnest, and its own metrics say what it took.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::run::{Parts, RunError};
use crate::capture::Stop;
use crate::config::{ConfigError, SiteFiles};
use crate::telemetry::{Metrics, Stage};

/// The first pictures must come within this time.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is not measured: caches fill, decoders begin.
const WARM_UP: Duration = Duration::from_secs(2);
/// Between looks.
const TICK: Duration = Duration::from_millis(50);

/// A site could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Its configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It does not start.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Metrics cannot be set up.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// It broke off. A retry may help.
    #[error("{0}")]
    Failed(String),
    /// The stop flag was set.
    #[error("interrupted")]
    Stopped,
}

impl BenchError {
    /// Whether the same call may succeed later.
    pub const fn retry(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Stopped)
    }
}

/// What a site took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// Cameras that it had.
    pub cameras: usize,
    /// How long it was measured.
    pub seconds: f64,
    /// Pictures decoded a second, of all cameras.
    pub decoded: f64,
    /// Pictures analysed a second, of all cameras.
    pub analysed: f64,
    /// Of the pictures to be analysed, those that were dropped: 0 to 1.
    pub dropped: f64,
    /// The 99th percentile of frame age of the worst camera, seconds.
    pub age: f64,
    /// Median time of one inference, seconds.
    pub infer: f64,
    /// Cores in use: processor seconds a second.
    pub cpu: f64,
    /// Of these, each stage, in the order of [`Stage::ALL`].
    pub stages: [f64; Stage::ALL.len()],
    /// Resident memory at the end, bytes.
    pub memory: f64,
}

/// Runs a site for `measured`, without API and deliveries. The stop flag ends it early.
pub fn trial(site: &Path, measured: Duration, interrupted: &Stop) -> Result<Trial, BenchError> {
    let files = SiteFiles::load(site)?.plan;
    let plan = files.site.clone();
    let metrics = Metrics::new()?;
    let parts = Parts::open(files, std::sync::Arc::clone(&metrics))?;
    let hub = std::sync::Arc::clone(&parts.hub);
    let stop = Stop::new();
    let (run, _no_deliveries) = parts.start(&plan, &stop)?;
    let wait = |until: &dyn Fn() -> bool, patience: Duration| {
        let deadline = Instant::now() + patience;
        while !until() && Instant::now() < deadline && !stop.is_set() && !interrupted.is_set() {
            std::thread::sleep(TICK);
        }
        until()
    };
    let came = wait(&|| hub.cameras().iter().all(|camera| camera.snapshot().analysed > 0), PATIENCE);
    wait(&|| false, WARM_UP);
    let (before, began) = (Series::of(&metrics)?, Instant::now());
    wait(&|| false, measured);
    let (after, took) = (Series::of(&metrics)?, began.elapsed());
    stop.set();
    run.wait().map_err(BenchError::Failed)?;
    if interrupted.is_set() {
        return Err(BenchError::Stopped);
    }
    if !came {
        return Err(BenchError::Failed("a camera gave no picture".into()));
    }
    let ids: Vec<&str> = plan.cameras.iter().map(|camera| camera.id.as_str()).collect();
    Ok(summary(&ids, &before, &after, took.as_secs_f64()))
}

fn summary(cameras: &[&str], before: &Series, after: &Series, seconds: f64) -> Trial {
    let risen = |series: &str| after.value(series) - before.value(series);
    let pictures = |outcome: &str| -> f64 {
        let of = |camera: &&str| risen(&format!("lookout_frames_total{{camera=\"{camera}\",outcome=\"{outcome}\"}}"));
        cameras.iter().map(of).sum()
    };
    let quantile = |share: f64, family: &str, label: &str| {
        let rise = |(edge, value): (f64, f64), before: &BTreeMap<u64, f64>| {
            (edge, value - before.get(&edge.to_bits()).copied().unwrap_or(0.0))
        };
        let old = before.buckets(family, label).into_iter().map(|(edge, value)| (edge.to_bits(), value)).collect();
        let rises: Vec<(f64, f64)> = after.buckets(family, label).into_iter().map(|b| rise(b, &old)).collect();
        interpolated(&rises, share)
    };
    let ages = cameras.iter().map(|id| quantile(0.99, "lookout_frame_age_seconds", &format!("camera=\"{id}\"")));
    let (analysed, dropped) = (pictures("analysed"), pictures("dropped"));
    Trial {
        cameras: cameras.len(),
        seconds,
        decoded: risen("lookout_stage_seconds_count{stage=\"decode\"}") / seconds,
        analysed: analysed / seconds,
        dropped: if analysed + dropped > 0.0 { dropped / (analysed + dropped) } else { 1.0 },
        age: ages.fold(0.0, f64::max),
        infer: quantile(0.5, "lookout_stage_seconds", "stage=\"infer\""),
        cpu: risen("process_cpu_seconds_total") / seconds,
        stages: ["decode", "convert", "infer", "track", "rules"]
            .map(|stage| risen(&format!("lookout_stage_seconds_sum{{stage=\"{stage}\"}}")) / seconds),
        memory: after.value("process_resident_memory_bytes"),
    }
}

/// Where `share` of what the buckets count lies, as Prometheus interpolates; infinite beyond the last edge.
fn interpolated(buckets: &[(f64, f64)], share: f64) -> f64 {
    let wanted = share * buckets.last().map_or(0.0, |(_, count)| *count);
    let (mut low, mut below) = (0.0, 0.0);
    for &(edge, count) in buckets {
        if count >= wanted && count > below {
            return if edge.is_finite() { low + (edge - low) * (wanted - below) / (count - below) } else { edge };
        }
        (low, below) = (edge, count);
    }
    0.0
}

/// The text that Prometheus gets, by series.
struct Series(BTreeMap<String, f64>);

impl Series {
    fn of(metrics: &Metrics) -> Result<Self, BenchError> {
        Ok(Self::parse(&metrics.encode()?))
    }

    fn parse(text: &str) -> Self {
        let rows = text.lines().filter(|line| !line.starts_with('#'));
        Self(
            rows.filter_map(|line| line.rsplit_once(' '))
                .filter_map(|(s, v)| Some((s.into(), v.parse().ok()?)))
                .collect(),
        )
    }

    fn value(&self, series: &str) -> f64 {
        self.0.get(series).copied().unwrap_or(0.0)
    }

    /// Upper edges and cumulative counts of a histogram's series, in order.
    fn buckets(&self, family: &str, label: &str) -> Vec<(f64, f64)> {
        let begin = format!("{family}_bucket{{{label},le=\"");
        let edge = |text: &str| if text == "+Inf" { Some(f64::INFINITY) } else { text.parse().ok() };
        let all = self
            .0
            .iter()
            .filter_map(|(series, count)| Some((edge(series.strip_prefix(&begin)?.strip_suffix("\"}")?)?, *count)));
        let mut all: Vec<(f64, f64)> = all.collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_prometheus_own() {
        let buckets = [(0.1, 10.0), (0.2, 30.0), (0.5, 40.0), (f64::INFINITY, 40.0)];
        assert!((interpolated(&buckets, 0.5) - 0.15).abs() < 1e-12);
        assert_eq!(interpolated(&buckets, 1.0), 0.5);
        assert_eq!(interpolated(&[(0.1, 0.0), (f64::INFINITY, 4.0)], 0.99), f64::INFINITY);
        assert_eq!(interpolated(&[(0.1, 0.0), (f64::INFINITY, 0.0)], 0.99), 0.0);
    }

    #[test]
    fn a_summary_takes_what_was_added_meanwhile() {
        let page = |analysed: u32, dropped: u32, fast: u32, slow: u32, cpu: f64| {
            Series::parse(&format!(
                "# TYPE lookout_frames_total counter\n\
                 lookout_frames_total{{camera=\"a\",outcome=\"analysed\"}} {analysed}\n\
                 lookout_frames_total{{camera=\"a\",outcome=\"dropped\"}} {dropped}\n\
                 lookout_frame_age_seconds_bucket{{camera=\"a\",le=\"0.1\"}} {fast}\n\
                 lookout_frame_age_seconds_bucket{{camera=\"a\",le=\"0.2\"}} {slow}\n\
                 lookout_frame_age_seconds_bucket{{camera=\"a\",le=\"+Inf\"}} {slow}\n\
                 lookout_stage_seconds_sum{{stage=\"infer\"}} {cpu}\n\
                 process_cpu_seconds_total {cpu}\n"
            ))
        };
        let trial = summary(&["a"], &page(100, 0, 50, 100, 1.0), &page(190, 10, 140, 190, 6.0), 10.0);
        assert_eq!((trial.analysed, trial.dropped, trial.cpu), (9.0, 0.1, 0.5));
        assert!(trial.age < 0.1 && trial.stages[2] == 0.5, "{trial:?}");
    }
}
