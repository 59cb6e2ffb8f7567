//! The alerts of one camera that pictures show, by media time.

use std::fmt::Write;

use super::draw::{self, Colour};
use super::text;
use crate::config::plan::{Camera, CameraDiff};
use crate::types::{AlertId, Event, Kind, MediaTime, Rect, Severity, Size, State, Track, TrackId, Unit};

/// Alerts kept, at most; the oldest goes first. Drawing loses one then, dispatch never.
const MOST: usize = 64;
/// Seconds that an alert is shown at least: a crossing is over at once.
const LEAST_SHOWN: f64 = 2.0;
/// Seconds after its end at which no picture that shows it is drawn any more.
const LATE: f64 = 30.0;
/// Overlap that makes a track the subject of an alert.
const SAME: f32 = 0.5;

/// Alerts by when they were active.
#[derive(Debug, Default)]
pub struct Raised {
    list: Vec<Shown>,
}

/// One alert.
#[derive(Debug)]
pub struct Shown {
    alert: AlertId,
    /// How bad.
    pub severity: Severity,
    /// Index of its zone in the plan.
    pub zone: Option<usize>,
    /// Index of its line in the plan.
    pub line: Option<usize>,
    /// The person it is about, as long as the track lasts.
    pub track: Option<TrackId>,
    /// It is about whoever is in its zone.
    pub whoever: bool,
    /// It is said in Chinese, as its place is named.
    pub chinese: bool,
    /// Kind and place.
    what: String,
    unit: Unit,
    peak: f64,
    /// Media time, seconds.
    since: f64,
    from: f64,
    until: Option<f64>,
}

impl Raised {
    /// Takes an event; `tracks` are those of its picture, in pixels of a picture of `size`.
    pub fn take(&mut self, event: &Event, camera: &Camera, tracks: &[Track], size: Size) {
        let (Some(alert), Some(severity)) = (event.alert, event.severity) else { return };
        let known = self.list.iter().position(|s| s.alert == alert);
        match (event.state, known) {
            (State::Started, None) => {
                // Pictures are drawn some pictures late.
                self.list.retain(|s| !s.over(event.media_time - LATE));
                if self.list.len() == MOST {
                    self.list.remove(0);
                }
                let zone = camera.zones.iter().position(|z| Some(&z.id) == event.zone.as_ref());
                let line = camera.lines.iter().position(|l| Some(&l.id) == event.line.as_ref());
                let name = zone.map(|i| &camera.zones[i].name).or(line.map(|i| &camera.lines[i].name));
                let name = name.unwrap_or(&camera.name);
                let chinese = text::is_chinese(name);
                let (zh, en) = text::kind(event.kind);
                let held = event.condition_since.map_or(0.0, |since| event.at.duration_since(since).as_secs_f64());
                self.list.push(Shown {
                    alert,
                    severity,
                    zone,
                    line,
                    track: subject(event, tracks, size),
                    whoever: event.kind == Kind::Intrusion,
                    chinese,
                    what: if chinese { format!("{zh}·{name}") } else { format!("{en} · {name}") },
                    unit: event.unit,
                    peak: event.peak,
                    since: event.media_time - held,
                    from: event.media_time,
                    until: None,
                });
            }
            (State::Updated, Some(k)) => {
                (self.list[k].severity, self.list[k].peak) = (severity, event.peak);
                self.list[k].track = subject(event, tracks, size).or(self.list[k].track);
            }
            (State::Ended, Some(k)) => self.list[k].until = Some(event.media_time),
            _ => {}
        }
    }

    /// Another plan is in force: where zones and lines are now. What is about one that is gone is shown without it.
    pub fn renumber(&mut self, diff: &CameraDiff) {
        for shown in &mut self.list {
            shown.zone = shown.zone.and_then(|i| diff.zones.get(i).copied().flatten());
            shown.line = shown.line.and_then(|i| diff.lines.get(i).copied().flatten());
        }
    }

    /// What was active at `time`, in the order of its start.
    pub fn at(&self, time: MediaTime) -> impl Iterator<Item = &Shown> {
        let now = time.rounded_secs();
        self.list.iter().filter(move |s| s.visible(now))
    }
}

/// The track in the box of an event about one person.
fn subject(event: &Event, tracks: &[Track], size: Size) -> Option<TrackId> {
    if !matches!(event.kind, Kind::Loitering | Kind::Crossing | Kind::WrongWay | Kind::Vanished) {
        return None;
    }
    let [left, top, width, height] = event.bbox?.map(|v| v as f32);
    let bbox = Rect::new(left, top, width, height).scaled(size.width as f32, size.height as f32);
    let overlap = |t: &&Track| (t.bbox.iou(&bbox), t.id);
    let best = tracks.iter().max_by(|a, b| overlap(a).0.total_cmp(&overlap(b).0))?;
    (best.bbox.iou(&bbox) >= SAME).then_some(best.id)
}

impl Shown {
    fn over(&self, now: f64) -> bool {
        self.until.is_some_and(|until| now >= until.max(self.from + LEAST_SHOWN))
    }

    fn visible(&self, now: f64) -> bool {
        now >= self.from && !self.over(now)
    }

    /// Of its severity.
    pub fn colour(&self) -> Colour {
        draw::severity(self.severity)
    }

    /// Writes what it says at `time` into `out`, which is cleared first.
    pub fn say(&self, time: MediaTime, out: &mut String) {
        out.clear();
        let (what, peak, seconds) = (&self.what, self.peak, self.seconds(time));
        // Writing to a string cannot fail.
        match (self.unit, self.chinese) {
            (Unit::People, _) if self.line.is_some() => write!(out, "{what}"),
            (Unit::People, true) => write!(out, "{what}：最多{peak:.0}人，{seconds:.0}秒"),
            (Unit::People, false) if peak < 1.5 => write!(out, "{what}: 1 person, {seconds:.0} s"),
            (Unit::People, false) => write!(out, "{what}: up to {peak:.0} people, {seconds:.0} s"),
            (Unit::PeoplePerSquareMetre, true) => write!(out, "{what}：最高{peak:.1}人/平方米，{seconds:.0}秒"),
            (Unit::PeoplePerSquareMetre, false) => {
                write!(out, "{what}: up to {peak:.1} people a square metre, {seconds:.0} s")
            }
            (Unit::Share, true) => write!(out, "{what}：最高{:.0}%，{seconds:.0}秒", 100.0 * peak),
            (Unit::Share, false) => write!(out, "{what}: up to {:.0} %, {seconds:.0} s", 100.0 * peak),
            (_, true) => write!(out, "{what}：{seconds:.0}秒"),
            (_, false) => write!(out, "{what}: {seconds:.0} s"),
        }
        .unwrap_or_default();
    }

    /// Seconds since its condition began to hold, at `time`.
    pub fn seconds(&self, time: MediaTime) -> f64 {
        (time.rounded_secs() - self.since).max(0.0)
    }
}
