//! Everything of one camera after detection: tracker, rules, incidents. One picture at a time, no thread of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::alerts::{IncidentConfig, Incidents};
use crate::config::plan::{Anchor, Camera, CameraDiff, MaskKind};
use crate::rules::{Ground, Measured, Quiet, RuleSet, Steady};
use crate::track::Tracker;
use crate::types::{
    Detection, EndReason, Event, MediaTime, Observation, PictureStatistics, Point, Polygon, Rect, Size, Span, Track,
};

/// The stages of one camera after detection.
pub struct CameraStages {
    tracker: Box<dyn Tracker>,
    judge: Judge,
    ignored: Vec<Polygon>,
    kept: Vec<Detection>,
    quiet: Quiet,
    steady: Steady,
}

/// What came of one analysed picture.
pub struct Observed<'a> {
    /// All live tracks, ordered by id, as they were measured.
    pub tracks: &'a [Track],
    /// Those that may count, as rules saw them: steadied.
    pub people: &'a [Track],
    /// What the rules measured.
    pub measured: &'a Measured,
    /// The rules of zones and lines rest because the camera has moved.
    pub resting: bool,
    /// Where the time went.
    pub spent: Spent,
}

/// Time of one picture after detection, for `lookout_stage_seconds`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// Tracker.
    pub track: Duration,
    /// Rules and incidents.
    pub rules: Duration,
}

/// What bounded tables refused since the start, for `lookout_overflow_total`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// Detections and births that the tracker did not take, and people whom a rule did not watch.
    pub tracks: u64,
    /// Signals about one more subject than there may be.
    pub incidents: u64,
}

/// Rules and incidents; what `replay` needs.
pub struct Judge {
    camera: Arc<Camera>,
    rules: RuleSet,
    incidents: Incidents,
    /// The rules of zones and lines have not seen the last picture.
    rested: bool,
}

impl Judge {
    /// With `trusted` identities (ground truth) nobody inherits from anybody.
    pub fn new(config: IncidentConfig, trusted: bool) -> Self {
        Self {
            camera: Arc::clone(&config.camera),
            rules: RuleSet::new(&config.camera, trusted),
            incidents: Incidents::new(config),
            rested: false,
        }
    }

    /// Takes a look at the camera's picture, before the tracks of that picture.
    pub fn look(&mut self, picture: PictureStatistics) {
        self.rules.look(picture);
    }

    /// Takes the tracks of one picture and appends the events that it causes.
    pub fn observe(
        &mut self,
        media: MediaTime,
        utc: jiff::Timestamp,
        size: Size,
        tracks: &[Track],
        events: &mut Vec<Event>,
    ) -> &Measured {
        let rests = self.incidents.resting();
        if rests && !self.rested {
            self.rules.renew(&self.camera);
        }
        self.rested = rests;
        let measured = match rests {
            true => self.rules.rest(media, size, tracks),
            false => self.rules.observe(media, size, tracks),
        };
        self.incidents.observe(media, utc, size, &measured.signals, &measured.crossed, events);
        measured
    }

    /// Ends what is open, at the last picture.
    pub fn stop(&mut self, reason: EndReason, events: &mut Vec<Event>) {
        self.incidents.stop(reason, events);
    }

    /// Puts another plan in force from the next picture on; `diff` leads to it from the one in force. Incidents of rules
    /// that do not go on end.
    pub fn replan(&mut self, camera: &Arc<Camera>, outage: Span, diff: &CameraDiff, events: &mut Vec<Event>) {
        self.rules.replan(camera, diff);
        self.incidents.replan(Arc::clone(camera), outage, &diff.rules, events);
        self.camera = Arc::clone(camera);
    }

    /// How lengths are measured.
    pub fn ground(&self) -> &Ground {
        self.rules.ground()
    }

    /// To go on from an earlier run, or to begin anew.
    pub fn ground_mut(&mut self) -> &mut Ground {
        self.rules.ground_mut()
    }

    /// No pictures for the outage time.
    pub fn signal_lost(&mut self, events: &mut Vec<Event>) {
        self.incidents.signal_lost(events);
    }

    /// Looks whether pictures come; see [`Incidents::supervise`].
    pub fn supervise(&mut self, up: MediaTime, silence: Span, utc: jiff::Timestamp, events: &mut Vec<Event>) {
        self.incidents.supervise(up, silence, utc, events);
    }

    /// Silences rules, by their ids, each until a time; all others are in force again.
    pub fn snooze(&mut self, snoozes: &[(String, jiff::Timestamp)]) {
        self.incidents.snooze(snoozes);
    }

    /// What the camera shows now is what it is to show.
    pub fn accept_view(&mut self, events: &mut Vec<Event>) {
        self.rules.accept();
        self.incidents.accept_view(events);
    }

    /// Whether the rules of zones and lines rest because the camera has moved.
    pub fn resting(&self) -> bool {
        self.incidents.resting()
    }
}

impl CameraStages {
    /// For one camera.
    pub fn new(config: IncidentConfig, tracker: Box<dyn Tracker>) -> Self {
        let ignored = ignored_polygons(&config.camera);
        Self {
            tracker,
            judge: Judge::new(config, false),
            ignored,
            kept: Vec::new(),
            quiet: Quiet::default(),
            steady: Steady::default(),
        }
    }

    /// Takes the detections of one picture and appends the events that it causes.
    pub fn observe(
        &mut self,
        media: MediaTime,
        utc: jiff::Timestamp,
        size: Size,
        detections: &[Detection],
        events: &mut Vec<Event>,
    ) -> Observed<'_> {
        let detections = if self.ignored.is_empty() {
            detections
        } else {
            self.kept.clear();
            let counted = |d: &&Detection| !self.ignored.iter().any(|zone| zone.contains(feet(d, size)));
            self.kept.extend(detections.iter().filter(counted));
            &self.kept
        };
        let start = Instant::now();
        let tracks = self.tracker.update(&Observation { time: media, size, detections, motion: None });
        let tracked = Instant::now();
        let counted = self.quiet.filter(size, tracks);
        let people = self.steady.observe(media, size, counted);
        self.judge.observe(media, utc, size, people, events);
        let (measured, resting) = (self.judge.rules.measured(), self.judge.resting());
        let spent = Spent { track: tracked - start, rules: tracked.elapsed() };
        Observed { tracks, people: self.steady.last(), measured, resting, spent }
    }

    /// Puts another plan in force from the next picture on, as [`Judge::replan`] does. Tracks live on.
    pub fn replan(&mut self, camera: &Arc<Camera>, outage: Span, diff: &CameraDiff, events: &mut Vec<Event>) {
        self.ignored = ignored_polygons(camera);
        self.judge.replan(camera, outage, diff, events);
    }

    /// Quiet spots, as fractions of the picture: what was always there counts for no rule.
    pub fn set_quiet(&mut self, spots: &[Rect]) {
        self.quiet.set(spots);
    }

    /// Rules and incidents.
    pub fn judge(&mut self) -> &mut Judge {
        &mut self.judge
    }

    /// What did not fit.
    pub fn refused(&self) -> Refused {
        let tracker = self.tracker.overflow();
        Refused {
            tracks: tracker.detections + tracker.tracks + self.judge.rules.overflow(),
            incidents: self.judge.incidents.overflow(),
        }
    }
}

fn ignored_polygons(camera: &Camera) -> Vec<Polygon> {
    camera.masks.iter().filter(|m| m.kind == MaskKind::Ignore).map(|m| m.polygon.clone()).collect()
}

fn feet(detection: &Detection, size: Size) -> Point {
    let p = size.to_fraction(detection.bbox.feet());
    debug_assert_eq!(Anchor::default(), Anchor::Feet);
    Point { x: p.x.clamp(0.0, 1.0 - 1e-9), y: p.y.clamp(0.0, 1.0 - 1e-9) }
}
