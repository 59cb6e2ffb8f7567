//! A file from its first picture to its last: every selected picture is analysed, one thread, the same bytes each time.

use std::collections::BTreeMap;

use serde::Serialize;

use super::stages::{CameraStages, Observed};
use crate::alerts::IncidentConfig;
use crate::capture::{Clip, Gaze, Inspector, MotionGate, PrivacyMask, SourceError};
use crate::config::plan::{Camera, MaskKind};
use crate::detect::{DetectError, Detector};
use crate::rules::Measured;
use crate::track::{SortTracker, TrackerConfig};
use crate::types::{
    Batch, Detection, Detections, Direction, EndReason, Event, Frame, Size, State, Track, TrackId, TrackState,
};

/// Receives what an analysis finds, picture by picture.
pub trait Findings {
    /// Why it could not be taken; ends the analysis.
    type Error;
    /// One analysed picture, before its events.
    fn picture(&mut self, seen: &Analysed<'_>) -> Result<(), Self::Error>;
    /// One event, in order.
    fn event(&mut self, event: &Event) -> Result<(), Self::Error>;
}

/// One analysed picture.
pub struct Analysed<'a> {
    /// The picture, masked.
    pub frame: &'a Frame,
    /// Of the picture, pixels.
    pub size: Size,
    /// From score 0.1 up.
    pub detections: &'a [Detection],
    /// All live tracks, ordered by id.
    pub tracks: &'a [Track],
    /// Those that may count, as rules saw them: steadied.
    pub people: &'a [Track],
    /// What the rules measured.
    pub measured: &'a Measured,
    /// What the picture caused; each comes to [`Findings::event`] as well.
    pub events: &'a [Event],
}

/// Why an analysis did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum AnalyzeError<E> {
    /// The file.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The model.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// The receiver of the findings.
    #[error("{0}")]
    Findings(E),
}

/// `report.json`; only `cpu_s` may differ between runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Pictures in the file.
    pub frames: u64,
    /// Of these, analysed.
    pub analysed: u64,
    /// Media time of the last picture, seconds.
    pub duration_s: f64,
    /// The file breaks off before its announced end.
    pub truncated: bool,
    /// Confirmed tracks.
    pub tracks: u64,
    /// Started alerts by rule, zero included; those about the camera itself only if there were any.
    pub alerts: BTreeMap<String, u64>,
    /// Crossings by line.
    pub lines: BTreeMap<String, LineCounts>,
    /// CPU seconds of the process.
    pub cpu_s: f64,
}

/// Crossings of one line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LineCounts {
    /// From the left to the right.
    pub left_to_right: u64,
    /// From the right to the left.
    pub right_to_left: u64,
}

/// An analysis of one clip.
pub struct Analysis {
    clip: Clip,
    detector: Box<dyn Detector>,
    stages: CameraStages,
    mask: PrivacyMask,
    inspector: Inspector,
    /// Where the camera has one.
    gate: Option<MotionGate>,
    busy: bool,
    gaze: Gaze,
    report: Report,
    /// Confirmed in the last picture, ordered.
    confirmed: Vec<TrackId>,
    events: Vec<Event>,
}

impl Analysis {
    /// `score` is the least that starts a track: the camera's, else the model's own.
    pub fn new(config: IncidentConfig, clip: Clip, detector: Box<dyn Detector>, score: f32) -> Self {
        let report = Report::new(&config.camera);
        let mask = privacy_mask(&config.camera);
        let gate = config.camera.detect.gate.then(|| MotionGate::new(config.outage));
        let gaze = Gaze::new(&config.camera, true);
        let tracker = Box::new(SortTracker::new(TrackerConfig { start_score: score }));
        Self {
            clip,
            detector,
            stages: CameraStages::new(config, tracker),
            mask,
            inspector: Inspector::of_moving(gaze.moves()),
            gaze,
            gate,
            busy: false,
            report,
            confirmed: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Analyses the clip to its end. `progress` is told the pictures decoded so far.
    pub fn run<F: Findings>(
        mut self,
        findings: &mut F,
        mut progress: impl FnMut(u64),
    ) -> Result<Report, AnalyzeError<F::Error>> {
        let mut found: Vec<Detections> = Vec::new();
        while let Some(frame) = self.clip.next()? {
            let busy = self.busy;
            if self.gate.as_mut().is_some_and(|gate| !gate.takes(&frame, busy)) {
                continue;
            }
            let frame = self.mask.apply(frame);
            self.detector.detect(&Batch { frames: std::slice::from_ref(&frame) }, &mut found)?;
            let size = frame.picture.size();
            let detections = found.first().map_or(&[][..], |d| &d.items);
            if let Some(look) = self.inspector.look(&frame, detections.iter().map(|d| d.bbox)) {
                self.stages.judge().look(look);
            }
            let aim = self.gaze.look(&frame, detections.iter().map(|d| d.bbox));
            self.stages.judge().turn(aim);
            let observed = self.stages.observe(frame.time, frame.utc, size, detections, &mut self.events);
            self.report.tracks += newly_confirmed(&mut self.confirmed, observed.tracks);
            self.busy = observed.busy;
            let Observed { tracks, people, measured, .. } = observed;
            let seen = Analysed { frame: &frame, size, detections, tracks, people, measured, events: &self.events };
            findings.picture(&seen).map_err(AnalyzeError::Findings)?;
            self.report.analysed += 1;
            self.tell(findings)?;
            progress(self.clip.pictures());
        }
        self.stages.judge().stop(EndReason::Stopped, &mut self.events);
        self.tell(findings)?;
        self.report.frames = self.clip.pictures();
        self.report.duration_s = (self.clip.duration().secs_f64() * 1e3).round() / 1e3;
        self.report.truncated = self.clip.truncated();
        Ok(self.report)
    }

    fn tell<F: Findings>(&mut self, findings: &mut F) -> Result<(), AnalyzeError<F::Error>> {
        for event in self.events.drain(..) {
            self.report.count(&event);
            findings.event(&event).map_err(AnalyzeError::Findings)?;
        }
        Ok(())
    }
}

/// How many of the tracks are confirmed for the first time; `confirmed` becomes those of this picture.
fn newly_confirmed(confirmed: &mut Vec<TrackId>, tracks: &[Track]) -> u64 {
    let now = || tracks.iter().filter(|t| t.state == TrackState::Confirmed).map(|t| t.id);
    let new = now().filter(|id| confirmed.binary_search(id).is_err()).count();
    confirmed.clear();
    confirmed.extend(now());
    new as u64
}

impl Report {
    fn new(camera: &Camera) -> Self {
        Self {
            frames: 0,
            analysed: 0,
            duration_s: 0.0,
            truncated: false,
            tracks: 0,
            alerts: camera.own_rules().map(|r| (r.id.clone(), 0)).collect(),
            lines: camera.lines.iter().map(|l| (l.id.clone(), LineCounts::default())).collect(),
            cpu_s: 0.0,
        }
    }

    fn count(&mut self, event: &Event) {
        match (event.state, &event.rule, &event.line) {
            (State::Started, Some(rule), _) => *self.alerts.entry(rule.clone()).or_default() += 1,
            (State::Counted, _, Some(line)) => {
                let counts = self.lines.entry(line.clone()).or_default();
                match event.direction {
                    Some(Direction::LeftToRight) => counts.left_to_right += 1,
                    Some(Direction::RightToLeft) => counts.right_to_left += 1,
                    None => {}
                }
            }
            _ => {}
        }
    }
}

/// The privacy masks of a camera.
pub fn privacy_mask(camera: &Camera) -> PrivacyMask {
    PrivacyMask::new(camera.masks.iter().filter(|m| m.kind == MaskKind::Privacy).map(|m| m.polygon.clone()))
}
