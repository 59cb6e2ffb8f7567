//! Everything of one camera after detection: tracker, rules, incidents. One picture at a time, no thread of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::alerts::{IncidentConfig, Incidents};
use crate::config::plan::{Anchor, Camera, CameraDiff, Mask, MaskKind, Motion};
use crate::rules::{Ground, Measured, Quiet, RuleSet, Steady};
use crate::track::Tracker;
use crate::types::{
    Aim, Detection, EndReason, Event, MediaTime, Observation, PictureStatistics, Point, Rect, Rest, Rests, Size, Span,
    Track,
};

/// The stages of one camera after detection.
pub struct CameraStages {
    tracker: Box<dyn Tracker>,
    judge: Judge,
    ignored: Vec<Mask>,
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
    /// Why rules of zones and lines rest, if any do.
    pub rests: Rests,
    /// Somebody is followed, or an alert is open: no picture may be left out.
    pub busy: bool,
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
    /// Where the camera looks.
    aim: Aim,
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
            aim: Aim::Fixed,
            rested: false,
        }
    }

    /// Takes a look at the camera's picture, before the tracks of that picture.
    pub fn look(&mut self, picture: PictureStatistics) {
        self.rules.look(picture);
    }

    /// Takes where the camera looks, before the tracks of that picture.
    pub fn turn(&mut self, aim: Aim) {
        self.aim = aim;
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
        if self.camera.motion != Motion::Fixed {
            self.rules.turn(&self.camera, size, &self.aim);
            self.incidents.sleep(self.rules.asleep());
        }
        self.rules.shift(self.aim.shift());
        let rests = self.rests().of_all().is_some();
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

    /// Nobody reads the events from now on; see [`Incidents::unread`].
    pub fn unread(&mut self) {
        self.incidents.unread();
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

    /// The camera shows something else from now on: nobody is where somebody was, and what it shows is what it is to show.
    pub fn see_other(&mut self, events: &mut Vec<Event>) {
        self.rules.renew(&self.camera);
        self.accept_view(events);
    }

    /// Why rules of zones and lines rest, if any do.
    pub fn rests(&self) -> Rests {
        if self.incidents.resting() { Rests::whole(Rest::Moved) } else { self.rules.rests() }
    }
}

impl CameraStages {
    /// For one camera.
    pub fn new(config: IncidentConfig, tracker: Box<dyn Tracker>) -> Self {
        let ignored = ignored(&config.camera);
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
        let aim = self.judge.aim;
        let detections = if self.ignored.is_empty() {
            detections
        } else {
            self.kept.clear();
            let holds = |mask: &&Mask| mask.preset.is_none_or(|preset| aim == Aim::Preset(preset));
            let hidden = |d: &&Detection| self.ignored.iter().filter(holds).any(|m| m.polygon.contains(feet(d, size)));
            let counted = |d: &&Detection| !hidden(d);
            self.kept.extend(detections.iter().filter(counted));
            &self.kept
        };
        let start = Instant::now();
        let motion = match aim {
            Aim::Carried { step, .. } => step.map(|step| step.in_pixels(size)),
            Aim::Fixed | Aim::Preset(_) | Aim::Turning | Aim::Elsewhere => None,
        };
        let tracks = self.tracker.update(&Observation { time: media, size, detections, motion });
        let tracked = Instant::now();
        let counted = self.quiet.filter(size, tracks);
        match (aim, &motion) {
            (Aim::Carried { .. }, Some(motion)) => self.steady.carry(motion),
            (Aim::Carried { .. }, None) | (Aim::Turning | Aim::Elsewhere, _) => self.steady.forget(),
            (Aim::Fixed | Aim::Preset(_), _) => {}
        }
        let people = self.steady.observe(media, size, counted);
        self.judge.observe(media, utc, size, people, events);
        let (measured, rests) = (self.judge.rules.measured(), self.judge.rests());
        let spent = Spent { track: tracked - start, rules: tracked.elapsed() };
        let busy = !tracks.is_empty() || self.judge.incidents.open() > 0;
        Observed { tracks, people: self.steady.last(), measured, rests, busy, spent }
    }

    /// Puts another plan in force from the next picture on, as [`Judge::replan`] does. Tracks live on.
    pub fn replan(&mut self, camera: &Arc<Camera>, outage: Span, diff: &CameraDiff, events: &mut Vec<Event>) {
        self.ignored = ignored(camera);
        self.judge.replan(camera, outage, diff, events);
    }

    /// Tracks start from this score from now on.
    pub fn set_start_score(&mut self, score: f32) {
        self.tracker.set_start_score(score);
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

fn ignored(camera: &Camera) -> Vec<Mask> {
    camera.masks.iter().filter(|m| m.kind == MaskKind::Ignore).cloned().collect()
}

fn feet(detection: &Detection, size: Size) -> Point {
    let p = size.to_fraction(detection.bbox.feet());
    debug_assert_eq!(Anchor::default(), Anchor::Feet);
    Point { x: p.x.clamp(0.0, 1.0 - 1e-9), y: p.y.clamp(0.0, 1.0 - 1e-9) }
}

#[cfg(test)]
mod tests;
