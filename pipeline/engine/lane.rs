//! One camera of a run: its slot, its stages after detection, its metrics and what the page sees.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam::channel::Sender;

use super::analyze::privacy_mask;
use super::ground::Watched;
use super::hub::CameraHub;
use super::keeping::Keeping;
use super::painter::Painter;
use super::site::Asked;
use super::stages::{CameraStages, Spent};
use crate::alerts::numbering::Entry;
use crate::capture::gaze::Stored;
use crate::capture::{FreshestSlot, Gaze, Inspector, PrivacyMask};
use crate::config::plan::Camera;
use crate::rules::Ground;
use crate::telemetry::{CameraMetrics, Metrics, PlanMetrics, Stage, StageMetrics};
use crate::types::{Aim, Detection, Direction, EndReason, Event, Frame, MediaTime, Rest, SiteCrossed, Span, State};

mod exchange;

/// What all threads share of a camera: what stays the same as long as it runs.
pub struct Lane {
    /// Camera id.
    pub id: String,
    /// Between capture and detection.
    pub slot: FreshestSlot,
    /// Somebody is followed, or an alert is open, as of the last picture.
    pub busy: AtomicBool,
    /// Its pictures cannot be converted, and that was said.
    pub unusable: AtomicBool,
    /// Pictures from this index on show another scene than those before; [`NO_OTHER`]: none does that is not known of.
    pub other_from: AtomicU64,
    /// Handles of its series.
    pub metrics: CameraMetrics,
    /// What the page sees.
    pub hub: Arc<CameraHub>,
}

/// A camera of a run, with what one thread at a time holds of it.
pub struct Seat {
    /// What all threads share.
    pub lane: Arc<Lane>,
    /// The rest.
    pub state: LaneState,
    /// How often its ground was looked at.
    pub ground: Watched,
}

/// Of [`Lane::other_from`].
pub const NO_OTHER: u64 = u64::MAX;

/// How long a picture took.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// Tracker, with where the camera looks, and rules.
    pub spent: Spent,
    /// From packet to the end of rules.
    pub age: Duration,
}

/// Where a camera's crossings go besides.
pub struct Gates {
    /// Id of the camera.
    camera: Arc<str>,
    /// What the site's rules ask for, and which of it was looked at.
    asked: Arc<Asked>,
    version: usize,
    /// For each line of the plan in force its id, if some rule asks for it.
    lines: Vec<Option<Arc<str>>>,
    /// To the site's rules.
    out: Sender<SiteCrossed>,
    /// Counts crossings that the site's rules did not take.
    overflow: prometheus::IntCounter,
}

/// What one worker at a time holds of a camera.
pub struct LaneState {
    /// The plan in force, and which one that is of those that were given.
    camera: Arc<Camera>,
    adopted: usize,
    /// Blacks out its privacy masks.
    mask: PrivacyMask,
    /// Handles of the series that it names.
    plan_metrics: PlanMetrics,
    metrics: Arc<Metrics>,
    stages: CameraStages,
    inspector: Inspector,
    gaze: Gaze,
    painter: Painter,
    events: Vec<Event>,
    out: Sender<Entry>,
    /// The way to the rules of the whole site.
    gates: Option<Gates>,
    /// What the camera leaves behind besides alerts.
    keeping: Option<Keeping>,
    track: StageMetrics,
    rules: StageMetrics,
    overflow: [Overflow; 3],
    started: Instant,
    last: Option<Instant>,
    /// When the camera had nothing more to give; until then nobody waited for pictures.
    over: Option<Instant>,
    /// Media time of the last picture.
    seen: MediaTime,
    interval: f64,
    silent: bool,
    /// Of the quiet spots in force.
    quiet: usize,
    /// Of the silenced rules.
    snoozed: usize,
    /// Of the scores from which tracks start.
    scored: usize,
}

/// Brings a counter up to a total that a stage keeps.
struct Overflow {
    counter: prometheus::IntCounter,
    counted: u64,
}

impl Overflow {
    fn note(&mut self, total: u64) {
        self.counter.inc_by(total.saturating_sub(self.counted));
        self.counted = total;
    }
}

/// Share of each new interval in the smoothed one that the page shows.
const SMOOTHING: f64 = 0.1;

impl Lane {
    /// Of a camera that has not begun.
    pub fn new(hub: Arc<CameraHub>, metrics: &Metrics) -> Self {
        Self {
            id: hub.id.clone(),
            slot: FreshestSlot::new(),
            busy: AtomicBool::new(true),
            unusable: AtomicBool::new(false),
            other_from: AtomicU64::new(NO_OTHER),
            metrics: metrics.for_camera(&hub.id),
            hub,
        }
    }
}

impl LaneState {
    /// For a camera by its first plan, of which `stages` and `painter` are made. `out` leads to the journal.
    pub fn new(
        camera: Arc<Camera>,
        stages: CameraStages,
        painter: Painter,
        out: Sender<Entry>,
        metrics: &Arc<Metrics>,
    ) -> Self {
        let gaze = Gaze::new(&camera, false);
        Self {
            adopted: 0,
            mask: privacy_mask(&camera),
            plan_metrics: metrics.for_plan(&camera),
            metrics: Arc::clone(metrics),
            camera,
            stages,
            inspector: Inspector::of_moving(gaze.moves()),
            gaze,
            painter,
            out,
            events: Vec::new(),
            gates: None,
            keeping: None,
            track: metrics.stage(Stage::Track),
            rules: metrics.stage(Stage::Rules),
            overflow: ["tracks", "incidents", "redaction"]
                .map(|queue| Overflow { counter: metrics.overflow(queue), counted: 0 }),
            started: Instant::now(),
            last: None,
            over: None,
            seen: MediaTime::ZERO,
            interval: 0.0,
            silent: false,
            quiet: 0,
            snoozed: 0,
            scored: 0,
        }
    }

    /// Crossings go to the rules of the whole site too.
    pub fn with_gates(mut self, gates: Gates) -> Self {
        self.gates = Some(gates);
        self
    }

    /// What rules see is kept too.
    pub fn with_keeping(mut self, keeping: Keeping) -> Self {
        self.keeping = Some(keeping);
        self
    }

    /// One analysed picture, from tracker to journal's queue.
    pub fn observe(&mut self, lane: &Lane, frame: &Frame, detections: &[Detection]) -> Judged {
        let size = frame.picture.size();
        self.look_at_other(lane, frame);
        if lane.hub.takes_view() {
            self.inspector.accept();
            self.gaze.accept();
            self.stages.judge().accept_view(&mut self.events);
        }
        if let Some(look) = self.inspector.look(frame, detections.iter().map(|d| d.bbox)) {
            self.stages.judge().look(look);
        }
        if let Some(spots) = lane.hub.quiet.newer(&mut self.quiet) {
            // A spot of the picture is no place for a camera that moves.
            self.stages.set_quiet(if self.gaze.moves() { &[] } else { &spots });
        }
        let aimed = self.aim(lane, frame, detections);
        let observed = self.stages.observe(frame.time, frame.utc, size, detections, &mut self.events);
        self.track.done(observed.spent.track + aimed);
        self.rules.done(observed.spent.rules);
        lane.busy.store(observed.busy, Ordering::Relaxed);
        let age = frame.arrived.elapsed();
        let judged = Judged { spent: Spent { track: observed.spent.track + aimed, ..observed.spent }, age };
        lane.metrics.analysed.inc();
        lane.metrics.frame_age.observe(age.as_secs_f64());
        self.seen = frame.time;
        for (gauge, people) in self.plan_metrics.people.iter().zip(&observed.measured.zone_people) {
            gauge.set(i64::from(*people));
        }
        for crossed in &observed.measured.crossed {
            self.plan_metrics.crossed(crossed.line, crossed.direction);
            self.gates.iter_mut().for_each(|gates| gates.tell(&self.camera, frame.utc, crossed));
        }
        let now = Instant::now();
        if let Some(last) = self.last.replace(now) {
            let interval = (now - last).as_secs_f64();
            self.interval =
                if self.interval == 0.0 { interval } else { self.interval + SMOOTHING * (interval - self.interval) };
        }
        self.silent = false;
        let (interval, dropped) = (self.interval, lane.slot.dropped());
        lane.hub.update(|s| {
            s.people = observed.measured.people;
            s.zones.iter_mut().zip(&observed.measured.zone_people).for_each(|(zone, people)| zone.people = *people);
            for crossed in &observed.measured.crossed {
                if let Some(line) = s.lines.get_mut(crossed.line) {
                    match crossed.direction {
                        Direction::LeftToRight => line.left_to_right += 1,
                        Direction::RightToLeft => line.right_to_left += 1,
                    }
                }
            }
            s.rate = if interval > 0.0 { 1.0 / interval } else { 0.0 };
            s.frame_age_ms = age.as_secs_f64() * 1e3;
            s.analysed += 1;
            s.dropped = dropped;
            s.last_picture = Some(frame.utc);
        });
        self.painter.note(frame.time, size, observed.people, observed.measured, &self.events);
        let rests = observed.rests;
        Rest::ALL.into_iter().for_each(|why| lane.metrics.suspended(why.word(), rests.has(why)));
        lane.hub.update(|s| s.suspended = rests.of_all().map(Rest::word));
        // An alert does not wait for its picture.
        send(&mut self.events, &self.out, &lane.id, &self.plan_metrics);
        if let Some(keeping) = &mut self.keeping {
            keeping.observe(&self.camera, (frame.time, frame.utc), size, observed.people, observed.measured);
        }
        self.painter.picture(frame, detections, observed.tracks, observed.measured);
        let refused = self.stages.refused();
        let totals = [refused.tracks, refused.incidents, self.painter.covered()];
        self.overflow.iter_mut().zip(totals).for_each(|(overflow, total)| overflow.note(total));
        judged
    }

    /// Finds out where a camera that moves looks; gives the time that took.
    fn aim(&mut self, lane: &Lane, frame: &Frame, detections: &[Detection]) -> Duration {
        if !self.gaze.moves() {
            return Duration::ZERO;
        }
        let begun = Instant::now();
        if let Some(preset) = lane.hub.takes_preset() {
            self.gaze.take_preset(&preset);
        }
        let aim = self.gaze.look(frame, detections.iter().map(|d| d.bbox));
        self.stages.judge().turn(aim);
        let preset = match aim {
            Aim::Preset(preset) => self.camera.presets.get(preset).map(|p| p.id.as_str()),
            Aim::Fixed | Aim::Turning | Aim::Elsewhere | Aim::Carried { .. } => None,
        };
        lane.hub.update(|s| {
            if s.preset.as_deref() != preset {
                s.preset = preset.map(str::to_owned);
            }
        });
        begun.elapsed()
    }

    /// Views of presets that an earlier run kept.
    pub fn restore_presets(&mut self, stored: &[Stored]) {
        self.gaze.presets().into_iter().for_each(|presets| presets.restore(stored));
    }

    /// Views of presets that are to be kept: if there are others than at the last call, or all there are.
    pub fn presets_to_keep(&mut self, all: bool) -> Option<Vec<Stored>> {
        let presets = self.gaze.presets()?;
        if all { Some(presets.stored()).filter(|stored| !stored.is_empty()) } else { presets.news() }
    }

    /// No picture for the outage time: ends what is open, once, and says that the camera is offline.
    pub fn check_outage(&mut self, lane: &Lane, now: Instant) {
        let outage = outage(&self.camera).secs_f64();
        let silent = self.last.is_some_and(|last| (now - last).as_secs_f64() > outage);
        if silent && !self.silent {
            self.silent = true;
            self.stages.judge().signal_lost(&mut self.events);
            self.painter.ended(self.seen, &self.events);
            send(&mut self.events, &self.out, &lane.id, &self.plan_metrics);
            self.painter.pause();
            self.keeping.iter_mut().for_each(Keeping::flush);
        }
        lane.metrics.suspended("signal_lost", self.silent);
        if self.silent {
            lane.hub.update(|s| s.suspended = Some("signal_lost"));
        }
        // A camera file that serves `analyze` alone has no source, and a file that was played to its end no more to give.
        if self.camera.source.is_none() {
            return;
        }
        if lane.hub.ended() {
            self.over = Some(now);
        } else {
            let up = MediaTime::ZERO + span(now - self.started);
            let silence = span(now - self.last.max(self.over).unwrap_or(self.started));
            self.stages.judge().supervise(up, silence, jiff::Timestamp::now(), &mut self.events);
            send(&mut self.events, &self.out, &lane.id, &self.plan_metrics);
        }
    }

    /// How the camera's lengths are measured.
    pub fn ground(&mut self) -> &mut Ground {
        self.stages.judge().ground_mut()
    }

    /// Ends what is open, at the last picture.
    pub fn end(&mut self, lane: &Lane, reason: EndReason) {
        self.stages.judge().stop(reason, &mut self.events);
        self.painter.ended(self.seen, &self.events);
        send(&mut self.events, &self.out, &lane.id, &self.plan_metrics);
        self.painter.pause();
        self.keeping.iter_mut().for_each(Keeping::flush);
    }
}

/// Time without pictures after which open incidents end.
pub fn outage(camera: &Camera) -> Span {
    camera.source.as_ref().map_or(Span::from_secs(10), |s| s.outage)
}

fn span(time: std::time::Duration) -> Span {
    Span::from_nanos(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX))
}

fn send(events: &mut Vec<Event>, out: &Sender<Entry>, camera: &str, metrics: &PlanMetrics) {
    for event in events.drain(..) {
        if let (State::Started, Some(severity)) = (event.state, event.severity) {
            metrics.alert(event.kind, severity);
        }
        // The queue is bounded; an alert is worth waiting for. It is gone only when the recorder failed, which ends the
        // process.
        if out.send(Entry::Event(Box::new(event))).is_err() {
            tracing::error!(camera, "the journal is gone: an event was lost");
        }
    }
}

#[cfg(test)]
mod tests;
