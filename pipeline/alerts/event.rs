//! Changes of incidents as events.

use std::hash::{DefaultHasher, Hash, Hasher};

use sha2::{Digest, Sha256};

use super::clock::Moment;
use super::incident::{Active, Change};
use super::text;
use super::watched::Watched;
use crate::config::plan::{BODY_HEIGHT_M, Line, RulePlace};
use crate::types::event::SCHEMA;
use crate::types::geometry::round4;
use crate::types::time::rounded_millis;
use crate::types::{
    AlertId, Crossed, EndReason, Event, EvidenceState, Kind, Localized, MediaState, MediaTime, Rect, Size, State,
    Subject, Unit,
};

/// Where an event comes from.
pub struct Context<'a> {
    /// Site id.
    pub site: &'a str,
    /// The camera, or the site.
    pub watched: &'a Watched,
    /// Of the picture that boxes are in, pixels.
    pub size: Size,
    /// Somebody reads the events. Where nobody does they say nothing in words, and their ids only tell incidents apart.
    pub read: bool,
}

/// The first 16 bytes of SHA-256 over site, camera, rule, subject and the beginning of the condition in UTC
/// milliseconds, separated by line feeds, which no id contains. The whole site has no camera: an empty one.
pub fn alert_id(site: &str, camera: &str, rule: &str, subject: Subject, since: jiff::Timestamp) -> AlertId {
    let text = format!("{site}\n{camera}\n{rule}\n{subject}\n{}", rounded_millis(since));
    let digest = Sha256::digest(text.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    AlertId(id)
}

/// The same for events that nobody reads, at a fraction of the cost.
fn passing_id(rule: usize, subject: Subject, since: jiff::Timestamp) -> AlertId {
    let mut id = [0; 16];
    for (salt, half) in id.chunks_exact_mut(8).enumerate() {
        let mut hasher = DefaultHasher::new();
        (salt, rule, subject, since).hash(&mut hasher);
        half.copy_from_slice(&hasher.finish().to_le_bytes());
    }
    AlertId(id)
}

/// A change of an incident as the event that tells it.
pub fn transition(context: &Context<'_>, now: Moment, rule: usize, subject: Subject, change: &Change) -> Event {
    let watched = context.watched;
    let plan = &watched.rules()[rule];
    let camera = watched.camera().map_or("", |camera| camera.id.as_str());
    let (active, state, reason) = match change {
        Change::Started(active) => (active, State::Started, None),
        Change::Updated(active) => (active, State::Updated, None),
        Change::Ended(active, reason) => (active, State::Ended, Some(*reason)),
    };
    let Active { condition, .. } = &**active;
    let signal = &condition.signal;
    let (unit, metre) = unit(plan.incident.unit, signal.calibrated);
    let told = |value: f64| round_value(value / metre);
    let (zone, line) = watched.parts(plan.place);
    let id = if context.read {
        alert_id(context.site, camera, &plan.id, subject, condition.since.utc)
    } else {
        passing_id(rule, subject, condition.since.utc)
    };
    let event = Event {
        alert: Some(id),
        seq: active.seq,
        state,
        grid: watched.grid_of(plan.place).map(str::to_owned),
        zone: zone.map(|z| z.id.clone()),
        zone_name: zone.map(|z| z.name.clone()),
        line: line.map(|l| l.id.clone()),
        direction: signal.direction,
        rule: Some(plan.id.clone()),
        kind: plan.condition.kind(),
        severity: Some(active.severity),
        value: told(active.value),
        threshold: if metre == 1.0 { plan.incident.threshold } else { told(plan.incident.threshold) },
        unit,
        people: signal.people,
        peak: told(active.peak),
        saturated: signal.saturated,
        started_at: Some(active.started.utc),
        condition_since: Some(condition.since.utc),
        condition_until: reason.map(|_| condition.until.utc),
        place_in_picture: signal.place,
        bbox: signal.bbox.map(|b| fraction_box(b, context.size)),
        reason,
        ..blank(context, now)
    };
    worded(context, event, line)
}

/// With the sentence that it is in words, if somebody reads it.
fn worded(context: &Context<'_>, event: Event, line: Option<&Line>) -> Event {
    if !context.read {
        return event;
    }
    let sides = line.and_then(|l| l.left.as_deref().zip(l.right.as_deref()));
    Event { text: text::sentence(&event, sides), ..event }
}

/// A person counted at a line; never an alert.
pub fn count(context: &Context<'_>, now: Moment, crossed: &Crossed) -> Event {
    let place = RulePlace::Line(crossed.line);
    let (_, line) = context.watched.parts(place);
    let event = Event {
        state: State::Counted,
        grid: context.watched.grid_of(place).map(str::to_owned),
        line: line.map(|l| l.id.clone()),
        direction: Some(crossed.direction),
        place_in_picture: Some(crossed.place),
        bbox: Some(fraction_box(crossed.bbox, context.size)),
        ..blank(context, now)
    };
    worded(context, event, line)
}

/// An alert of the camera that starts at this time, with nothing measured.
pub(super) fn blank_alert(context: &Context<'_>, utc: jiff::Timestamp) -> Event {
    let now = Moment { observed: MediaTime::ZERO, media: MediaTime::ZERO, utc };
    Event { state: State::Started, ..blank(context, now) }
}

fn blank(context: &Context<'_>, now: Moment) -> Event {
    Event {
        schema: SCHEMA,
        alert: None,
        seq: 0,
        state: State::Counted,
        at: now.utc,
        media_time: now.media.rounded_secs(),
        site: context.site.to_owned(),
        grid: None,
        camera: context.watched.camera().map(|camera| camera.id.clone()),
        camera_name: context.watched.camera().map(|camera| camera.name.clone()),
        zone: None,
        zone_name: None,
        line: None,
        direction: None,
        rule: None,
        kind: Kind::Crossing,
        severity: None,
        value: 1.0,
        threshold: 1.0,
        unit: Unit::People,
        people: 1,
        peak: 1.0,
        saturated: false,
        started_at: None,
        condition_since: None,
        condition_until: None,
        place_in_picture: None,
        bbox: None,
        place: context.watched.place(),
        reason: None,
        related: Vec::new(),
        evidence: EvidenceState::NONE,
        text: Localized::default(),
        links: None,
        overdue: None,
        test: false,
    }
}

/// The event that ends an alert found open after a crash: the last one told, as `ended` with reason `stopped`.
pub fn stopped_after_crash(last: &Event) -> Event {
    let mut event = last.clone();
    event.seq += 1;
    event.state = State::Ended;
    event.reason = Some(EndReason::Stopped);
    event.overdue = None;
    event.condition_until = Some(last.at);
    // Pictures that were waiting in memory are gone.
    let lost = |state| if state == MediaState::Pending { MediaState::Failed } else { state };
    event.evidence = EvidenceState {
        picture: lost(last.evidence.picture),
        clip: lost(last.evidence.clip),
        escalated: last.evidence.escalated,
    };
    event.text = text::sentence(&event, None);
    event
}

/// The unit in which an event tells lengths, and how many of the plan's go into it: without a ground plane they were
/// measured in body heights.
fn unit(plan: Unit, calibrated: bool) -> (Unit, f64) {
    match plan {
        Unit::Metres if !calibrated => (Unit::BodyHeights, BODY_HEIGHT_M),
        Unit::MetresPerSecond if !calibrated => (Unit::BodyHeightsPerSecond, BODY_HEIGHT_M),
        unit => (unit, 1.0),
    }
}

fn round_value(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

fn fraction_box(b: Rect, size: Size) -> [f64; 4] {
    let (w, h) = (f64::from(size.width.max(1)), f64::from(size.height.max(1)));
    [f64::from(b.left) / w, f64::from(b.top) / h, f64::from(b.width) / w, f64::from(b.height) / h].map(round4)
}
