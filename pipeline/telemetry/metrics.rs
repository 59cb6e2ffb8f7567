//! Every metric of the stages, by the names, labels and units of the design. Handles are resolved once, when a camera
//! or a sink is registered, so that all its series exist at zero from the start and no hot path looks up a label.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

use super::answers::{AnswerMetrics, FigureMetrics, RouteMetrics};
use super::health::Health;
use super::process::ProcessMetrics;
use crate::config::plan;
use crate::types::{Direction, Kind, Severity};

/// Why a camera is connected anew; the `reason` of `lookout_camera_reconnects_total`.
pub const RECONNECT_REASONS: [&str; 10] = [
    "ended",
    "unreadable",
    "undecodable",
    "too_large",
    "refused",
    "unauthorized",
    "connect_timeout",
    "stalled",
    "lost",
    "garbled",
];
/// Why the rules of a camera rest; the `reason` of `lookout_rules_suspended`.
pub const SUSPEND_REASONS: [&str; 8] =
    ["signal_lost", "moved", "turning", "no_preset", "other_preset", "lost", "out_of_view", "no_ground"];
/// Bounded queues that count what they turn away; the `queue` of `lookout_overflow_total`.
pub const QUEUES: [&str; 12] = [
    "candidates",
    "tracks",
    "incidents",
    "journal",
    "outbox",
    "redaction",
    "evidence",
    "events",
    "viewers",
    "logins",
    "site",
    "trails",
];
/// What became of a delivery; the `outcome` of `lookout_deliveries_total`.
pub const OUTCOMES: [&str; 4] = ["delivered", "failed", "skipped", "dead"];

/// Steps of a tenth or so where the ages of one to some cameras on a CPU lie, so that a quantile is known as closely.
const FRAME_AGE: [f64; 42] = [
    0.005, 0.01, 0.015, 0.02, 0.022, 0.025, 0.028, 0.031, 0.034, 0.037, 0.04, 0.044, 0.048, 0.053, 0.058, 0.064, 0.07,
    0.077, 0.084, 0.092, 0.1, 0.11, 0.12, 0.13, 0.14, 0.16, 0.18, 0.2, 0.225, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8,
    1.0, 1.25, 1.5, 2.0, 5.0,
];
/// The same for inference, from 10 ms up.
const STAGE: [f64; 33] = [
    0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.022, 0.025, 0.028, 0.031,
    0.034, 0.037, 0.04, 0.044, 0.048, 0.053, 0.058, 0.064, 0.07, 0.077, 0.084, 0.092, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0,
];
const DELIVERY: [f64; 15] =
    [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0, 36_000.0, 360_000.0];
/// What became of a picture; the `outcome` of `lookout_frames_total`.
const FRAMES: [&str; 4] = ["analysed", "idle", "dropped", "corrupt"];
const SEVERITIES: [Severity; 4] = [Severity::Minor, Severity::Moderate, Severity::Severe, Severity::Extreme];
const DIRECTIONS: [Direction; 2] = [Direction::LeftToRight, Direction::RightToLeft];
const BATCH: [f64; 6] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];

/// A timed stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Packet to picture.
    Decode,
    /// Picture to the model's size.
    Convert,
    /// Model.
    Infer,
    /// Tracker.
    Track,
    /// Rules and incidents.
    Rules,
}

/// All metrics of a process, with a registry of their own.
pub struct Metrics {
    registry: Registry,
    frames: IntCounterVec,
    frame_age: HistogramVec,
    people: IntGaugeVec,
    crossings: IntCounterVec,
    alerts: IntCounterVec,
    occupancy: IntGaugeVec,
    suspended: IntGaugeVec,
    up: IntGaugeVec,
    reconnects: IntCounterVec,
    overflow: IntCounterVec,
    deliveries: IntCounterVec,
    delivery_seconds: HistogramVec,
    outbox_pending: IntGaugeVec,
    outbox_oldest: GaugeVec,
    answers: AnswerMetrics,
    stages: [StageMetrics; 5],
    heartbeat: GaugeVec,
    process: ProcessMetrics,
    /// Threads and parts that are unwell.
    pub health: Health,
    /// Pictures that went through the model together.
    pub batch_size: Histogram,
    /// Configuration files taken into force.
    pub reloads_applied: IntCounter,
    /// Configuration files refused.
    pub reloads_refused: IntCounter,
    /// Free bytes where the journal is.
    pub disk_free: IntGauge,
}

/// Time and life sign of one stage.
#[derive(Clone)]
pub struct StageMetrics {
    /// Seconds of one piece of work.
    pub seconds: Histogram,
    heartbeat: Gauge,
}

/// Handles of one camera.
pub struct CameraMetrics {
    /// Pictures that went through detection.
    pub analysed: IntCounter,
    /// Pictures that the rate or the motion gate left out.
    pub idle: IntCounter,
    /// Pictures that a fresher one replaced, or on which inference failed.
    pub dropped: IntCounter,
    /// Pictures that did not decode.
    pub corrupt: IntCounter,
    /// Seconds from packet to the end of rules.
    pub frame_age: Histogram,
    /// 1 while pictures come.
    pub up: IntGauge,
    suspended: Vec<IntGauge>,
    reconnects: Vec<IntCounter>,
}

/// Handles of what the plan of a camera names: they change with it.
pub struct PlanMetrics {
    /// People in each zone, in the order of the plan.
    pub people: Vec<IntGauge>,
    crossings: Vec<[IntCounter; 2]>,
    alerts: Vec<(Kind, Severity, IntCounter)>,
}

/// Handles of the site's own rules.
pub struct SiteMetrics {
    people: Vec<IntGauge>,
    alerts: Vec<(Kind, Severity, IntCounter)>,
    refused: IntCounter,
    counted: u64,
}

/// Handles of one sink.
pub struct SinkMetrics {
    /// Accepted by the receiver.
    pub delivered: IntCounter,
    /// Attempts that failed and will be repeated.
    pub failed: IntCounter,
    /// Updates that a newer one overtook.
    pub skipped: IntCounter,
    /// Given up; kept as dead letters.
    pub dead: IntCounter,
    /// Seconds from verdict to accepted.
    pub seconds: Histogram,
    /// Events that wait.
    pub pending: IntGauge,
    /// Age of the oldest of them in seconds.
    pub oldest: Gauge,
}

impl Stage {
    /// All, in the order of the pipeline.
    pub const ALL: [Self; 5] = [Self::Decode, Self::Convert, Self::Infer, Self::Track, Self::Rules];

    /// The `stage` of its series.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Convert => "convert",
            Self::Infer => "infer",
            Self::Track => "track",
            Self::Rules => "rules",
        }
    }
}

/// Registers what it builds.
pub(super) struct Builder(Registry);

impl Builder {
    pub(super) fn keep<C: prometheus::core::Collector + Clone + 'static>(
        &self,
        collector: C,
    ) -> Result<C, prometheus::Error> {
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    pub(super) fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
        self.keep(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    pub(super) fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
        self.keep(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    pub(super) fn float_gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<GaugeVec, prometheus::Error> {
        self.keep(GaugeVec::new(Opts::new(name, help), labels)?)
    }

    pub(super) fn histograms(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: &[f64],
    ) -> Result<HistogramVec, prometheus::Error> {
        self.keep(HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)?)
    }
}

impl Metrics {
    /// All families; fails only if two of them had the same name.
    pub fn new() -> Result<Arc<Self>, prometheus::Error> {
        let b = Builder(Registry::new());
        let stage_seconds = b.histograms(
            "lookout_stage_seconds",
            "Time that a stage takes for one picture or batch.",
            &["stage"],
            &STAGE,
        )?;
        let heartbeat = b.float_gauges(
            "lookout_stage_heartbeat_timestamp_seconds",
            "Unix time at which a stage last finished work.",
            &["stage"],
        )?;
        let stages = Stage::ALL.map(|stage| StageMetrics {
            seconds: stage_seconds.with_label_values(&[stage.word()]),
            heartbeat: heartbeat.with_label_values(&[stage.word()]),
        });
        heartbeat.with_label_values(&["alerts"]);
        heartbeat.with_label_values(&["dispatch"]);
        let reloads =
            b.counters("lookout_config_reloads_total", "Configuration files read while running.", &["outcome"])?;
        let overflow = b.counters("lookout_overflow_total", "Items that a bounded queue turned away.", &["queue"])?;
        for queue in QUEUES {
            overflow.with_label_values(&[queue]);
        }
        let batch = HistogramOpts::new("lookout_batch_size", "Pictures that went through the model together.");
        let batch_size = b.keep(Histogram::with_opts(batch.buckets(BATCH.to_vec()))?)?;
        let disk_free =
            b.keep(IntGauge::new("lookout_disk_free_bytes", "Free bytes on the disk that holds the journal.")?)?;
        b.gauges("lookout_build_info", "Always 1; the version is a label.", &["version"])?
            .with_label_values(&[env!("CARGO_PKG_VERSION")])
            .set(1);
        let metrics = Self {
            frames: b.counters("lookout_frames_total", "Pictures by what became of them.", &["camera", "outcome"])?,
            frame_age: b.histograms(
                "lookout_frame_age_seconds",
                "From the packet to the end of rules.",
                &["camera"],
                &FRAME_AGE,
            )?,
            people: b.gauges("lookout_people", "People in a zone now.", &["camera", "zone"])?,
            crossings: b.counters(
                "lookout_crossings_total",
                "People who crossed a line.",
                &["camera", "line", "direction"],
            )?,
            alerts: b.counters("lookout_alerts_total", "Alerts started.", &["camera", "kind", "severity"])?,
            occupancy: b.gauges("lookout_occupancy", "People on the whole site now.", &["rule"])?,
            suspended: b.gauges("lookout_rules_suspended", "1 while rules rest.", &["camera", "reason"])?,
            up: b.gauges("lookout_camera_up", "1 while pictures come.", &["camera"])?,
            reconnects: b.counters(
                "lookout_camera_reconnects_total",
                "Connections made anew.",
                &["camera", "reason"],
            )?,
            overflow,
            deliveries: b.counters("lookout_deliveries_total", "Deliveries by outcome.", &["sink", "outcome"])?,
            delivery_seconds: b.histograms(
                "lookout_delivery_seconds",
                "From the verdict to the receiver's acceptance.",
                &["sink"],
                &DELIVERY,
            )?,
            outbox_pending: b.gauges("lookout_outbox_pending", "Events that wait for delivery.", &["sink"])?,
            outbox_oldest: b.float_gauges(
                "lookout_outbox_oldest_seconds",
                "Age of the oldest event that waits for delivery.",
                &["sink"],
            )?,
            answers: AnswerMetrics::new(&b)?,
            stages,
            heartbeat,
            process: ProcessMetrics::new(&b)?,
            health: Health::new(&b.gauges(
                "lookout_degraded",
                "1 while a part does its work badly or not at all.",
                &["part"],
            )?),
            batch_size,
            reloads_applied: reloads.with_label_values(&["applied"]),
            reloads_refused: reloads.with_label_values(&["refused"]),
            disk_free,
            registry: b.0,
        };
        Ok(Arc::new(metrics))
    }

    /// All series of a camera, whatever its plan, at zero.
    pub fn for_camera(&self, id: &str) -> CameraMetrics {
        let frames = |outcome| self.frames.with_label_values(&[id, outcome]);
        CameraMetrics {
            analysed: frames("analysed"),
            idle: frames("idle"),
            dropped: frames("dropped"),
            corrupt: frames("corrupt"),
            frame_age: self.frame_age.with_label_values(&[id]),
            up: self.up.with_label_values(&[id]),
            suspended: SUSPEND_REASONS.iter().map(|r| self.suspended.with_label_values(&[id, r])).collect(),
            reconnects: RECONNECT_REASONS.iter().map(|r| self.reconnects.with_label_values(&[id, r])).collect(),
        }
    }

    /// All series that the plan of a camera names; new ones at zero.
    pub fn for_plan(&self, camera: &plan::Camera) -> PlanMetrics {
        let id = camera.id.as_str();
        let both = |line: &plan::Line| {
            DIRECTIONS.map(|direction| self.crossings.with_label_values(&[id, &line.id, direction.word()]))
        };
        PlanMetrics {
            people: camera.zones.iter().map(|z| self.people.with_label_values(&[id, &z.id])).collect(),
            crossings: camera.lines.iter().map(both).collect(),
            alerts: self.alerts_of(id, &camera.rules),
        }
    }

    /// The series of another plan of the same camera: those of zones and lines that it does not have are gone.
    pub fn replan(&self, old: &plan::Camera, new: &plan::Camera) -> PlanMetrics {
        let id = new.id.as_str();
        for zone in old.zones.iter().filter(|zone| !new.zones.iter().any(|z| z.id == zone.id)) {
            // There is none to remove only if it was removed before.
            self.people.remove_label_values(&[id, &zone.id]).ok();
        }
        for line in old.lines.iter().filter(|line| !new.lines.iter().any(|l| l.id == line.id)) {
            for direction in DIRECTIONS {
                self.crossings.remove_label_values(&[id, &line.id, direction.word()]).ok();
            }
        }
        self.for_plan(new)
    }

    /// All series of a camera that is gone are gone; `plan` is the last that was in force.
    pub fn forget(&self, plan: &plan::Camera) {
        let id = plan.id.as_str();
        // There is none to remove only if it never was.
        for outcome in FRAMES {
            self.frames.remove_label_values(&[id, outcome]).ok();
        }
        self.frame_age.remove_label_values(&[id]).ok();
        self.up.remove_label_values(&[id]).ok();
        for reason in SUSPEND_REASONS {
            self.suspended.remove_label_values(&[id, reason]).ok();
        }
        for reason in RECONNECT_REASONS {
            self.reconnects.remove_label_values(&[id, reason]).ok();
        }
        for zone in &plan.zones {
            self.people.remove_label_values(&[id, &zone.id]).ok();
        }
        for (line, direction) in plan.lines.iter().flat_map(|line| DIRECTIONS.map(|direction| (line, direction))) {
            self.crossings.remove_label_values(&[id, &line.id, direction.word()]).ok();
        }
        // Earlier plans had rules of other kinds.
        for (kind, severity) in Kind::ALL.into_iter().flat_map(|kind| SEVERITIES.map(|severity| (kind, severity))) {
            self.alerts.remove_label_values(&[id, &kind.word(), &severity.word()]).ok();
        }
    }

    /// All series of the site's own rules, at zero. Their alerts have an empty camera.
    pub fn for_site(&self, site: &plan::Site) -> SiteMetrics {
        SiteMetrics {
            people: site.rules.iter().map(|r| self.occupancy.with_label_values(&[&r.id])).collect(),
            alerts: self.alerts_of("", &site.rules),
            refused: self.overflow("site"),
            counted: 0,
        }
    }

    /// The series of other rules of the site: those of rules that are gone are gone.
    pub fn replan_site(&self, handles: &SiteMetrics, old: &[plan::Rule], new: &plan::Site) -> SiteMetrics {
        for rule in old.iter().filter(|rule| !new.rules.iter().any(|r| r.id == rule.id)) {
            // There is none to remove only if it was removed before.
            self.occupancy.remove_label_values(&[&rule.id]).ok();
        }
        SiteMetrics { counted: handles.counted, ..self.for_site(new) }
    }

    fn alerts_of(&self, camera: &str, rules: &[plan::Rule]) -> Vec<(Kind, Severity, IntCounter)> {
        let mut kinds: Vec<Kind> = rules.iter().map(|r| r.condition.kind()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let mut alerts = Vec::new();
        for kind in kinds {
            for severity in SEVERITIES {
                let counter = self.alerts.with_label_values(&[camera, &kind.word(), &severity.word()]);
                alerts.push((kind, severity, counter));
            }
        }
        alerts
    }

    /// All series of a sink, at zero.
    pub fn for_sink(&self, sink: &str) -> SinkMetrics {
        let outcome = |word| self.deliveries.with_label_values(&[sink, word]);
        let [delivered, failed, skipped, dead] = OUTCOMES.map(outcome);
        SinkMetrics {
            delivered,
            failed,
            skipped,
            dead,
            seconds: self.delivery_seconds.with_label_values(&[sink]),
            pending: self.outbox_pending.with_label_values(&[sink]),
            oldest: self.outbox_oldest.with_label_values(&[sink]),
        }
    }

    /// All series of a route, at zero.
    pub fn for_route(&self, route: &str) -> RouteMetrics {
        self.answers.for_route(route)
    }

    /// All series of a grid, at zero.
    pub fn for_grid(&self, grid: &str) -> FigureMetrics {
        self.answers.for_grid(grid)
    }

    /// All series of a kind of alert, at zero.
    pub fn for_kind(&self, kind: Kind) -> FigureMetrics {
        self.answers.for_kind(&kind.word())
    }

    /// Counts answers.
    pub fn answers(&self) -> AnswerMetrics {
        self.answers.clone()
    }

    /// Handles of a stage.
    pub fn stage(&self, stage: Stage) -> StageMetrics {
        self.stages[stage as usize].clone()
    }

    /// The life sign of a stage that is not timed: `alerts`.
    pub fn heartbeat(&self, stage: &str) -> Gauge {
        self.heartbeat.with_label_values(&[stage])
    }

    /// Counter of what a bounded queue turned away; `queue` is one of [`QUEUES`].
    pub fn overflow(&self, queue: &'static str) -> IntCounter {
        self.overflow.with_label_values(&[queue])
    }

    /// The text exposition format, version 0.0.4.
    pub fn encode(&self) -> Result<String, prometheus::Error> {
        self.process.look();
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

impl StageMetrics {
    /// Notes that a piece of work took `elapsed` and that the stage lives.
    pub fn done(&self, elapsed: Duration) {
        self.seconds.observe(elapsed.as_secs_f64());
        self.heartbeat.set(unix_time());
    }

    /// When it last finished work; `None`: never.
    pub fn heartbeat(&self) -> Option<jiff::Timestamp> {
        let seconds = self.heartbeat.get();
        if seconds > 0.0 { jiff::Timestamp::from_millisecond((seconds * 1e3) as i64).ok() } else { None }
    }
}

/// Now, in seconds; 0 where the clock is before 1970.
pub(super) fn unix_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64())
}

impl SiteMetrics {
    /// Notes what the rules measured, in the order of the plan, and how many crossings were refused so far.
    pub fn note(&mut self, people: &[f64], refused: u64) {
        self.people.iter().zip(people).for_each(|(gauge, people)| gauge.set(*people as i64));
        self.refused.inc_by(refused.saturating_sub(self.counted));
        self.counted = refused;
    }

    /// Counts an alert that started.
    pub fn alert(&self, kind: Kind, severity: Severity) {
        count(&self.alerts, kind, severity);
    }
}

fn count(alerts: &[(Kind, Severity, IntCounter)], kind: Kind, severity: Severity) {
    if let Some((_, _, counter)) = alerts.iter().find(|a| a.0 == kind && a.1 == severity) {
        counter.inc();
    }
}

impl PlanMetrics {
    /// Counts a person at line `line` of the plan.
    pub fn crossed(&self, line: usize, direction: Direction) {
        if let Some(counters) = self.crossings.get(line) {
            counters[usize::from(direction == Direction::RightToLeft)].inc();
        }
    }

    /// Counts an alert that started.
    pub fn alert(&self, kind: Kind, severity: Severity) {
        count(&self.alerts, kind, severity);
    }
}

impl CameraMetrics {
    /// Notes whether rules rest for `reason`, one of [`SUSPEND_REASONS`].
    pub fn suspended(&self, reason: &str, rests: bool) {
        if let Some(i) = SUSPEND_REASONS.iter().position(|r| *r == reason) {
            self.suspended[i].set(i64::from(rests));
        }
    }

    /// Connections made anew, for whatever reason.
    pub fn reconnects(&self) -> u64 {
        self.reconnects.iter().map(IntCounter::get).sum()
    }

    /// Counts a connection made anew for `reason`, one of [`RECONNECT_REASONS`].
    pub fn reconnected(&self, reason: &str) {
        if let Some(i) = RECONNECT_REASONS.iter().position(|r| *r == reason) {
            self.reconnects[i].inc();
        }
    }
}

#[cfg(test)]
mod tests;
