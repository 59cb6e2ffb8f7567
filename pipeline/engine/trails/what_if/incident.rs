//! What rules raise: one incident from its first event to its last.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::MOST_INCIDENTS;
use crate::types::time::{millis, millis_option};
use crate::types::{AlertId, Event, Kind, Point, Severity, State, Unit};

/// One incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Incident {
    /// Rule id.
    pub rule: String,
    /// What kind of rule.
    pub kind: Kind,
    /// The worst it got.
    pub severity: Severity,
    /// Zone id.
    pub zone: Option<String>,
    /// Line id.
    pub line: Option<String>,
    /// When it started.
    #[serde(with = "millis")]
    pub started_at: Timestamp,
    /// When it ended; null where it was open at the end of the stretch.
    #[serde(with = "millis_option")]
    pub ended_at: Option<Timestamp>,
    /// Worst value.
    pub peak: f64,
    /// Value at its start.
    pub value: f64,
    /// Of both.
    pub unit: Unit,
    /// People concerned at its start.
    pub people: u32,
    /// Anchor at its start, fractions, y down.
    #[serde(rename = "where")]
    pub place: Option<Point>,
    /// Left, top, width, height at its start, fractions.
    #[serde(rename = "box")]
    pub bbox: Option<[f64; 4]>,
    /// Trails of the people concerned at its start.
    pub tracks: Vec<u64>,
}

/// All that was told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// In the order of their starts.
    pub incidents: Vec<Incident>,
    /// Starts by day.
    pub days: BTreeMap<Date, u32>,
    /// Index of those that may change.
    open: HashMap<AlertId, usize>,
    started: usize,
}

impl Told {
    /// Takes an event. `who` finds out whom a start is about, `day` when it was; `None` where it was before what is asked.
    pub fn take(
        &mut self,
        event: &Event,
        day: impl FnOnce(&Event) -> Option<Date>,
        who: impl FnOnce(&Event) -> Vec<u64>,
    ) {
        let (Some(alert), Some(rule)) = (event.alert, &event.rule) else { return };
        if event.state == State::Started {
            if let Some(day) = day(event) {
                *self.days.entry(day).or_default() += 1;
            }
            self.started += 1;
            if self.incidents.len() >= MOST_INCIDENTS {
                return;
            }
            self.open.insert(alert, self.incidents.len());
            self.incidents.push(Incident {
                rule: rule.clone(),
                kind: event.kind,
                severity: event.severity.unwrap_or_default(),
                zone: event.zone.clone(),
                line: event.line.clone(),
                started_at: event.started_at.unwrap_or(event.at),
                ended_at: None,
                peak: event.peak,
                value: event.value,
                unit: event.unit,
                people: event.people,
                place: event.place_in_picture,
                bbox: event.bbox,
                tracks: who(event),
            });
        } else if let Some(incident) = self.open.get(&alert).and_then(|i| self.incidents.get_mut(*i)) {
            incident.peak = event.peak;
            incident.severity = event.severity.unwrap_or(incident.severity);
            if event.state == State::Ended {
                incident.ended_at = Some(event.at);
                self.open.remove(&alert);
            }
        }
    }

    /// What is open has no end that is known.
    pub fn leave_open(&mut self) {
        self.open.clear();
    }

    /// Only what lasted into the stretch from `from` on.
    pub fn since(&mut self, from: Timestamp) {
        self.incidents.retain(|incident| incident.ended_at.is_none_or(|end| end >= from));
    }

    /// What was told of a later time.
    pub fn append(&mut self, later: Self) {
        self.started += later.started;
        later.days.into_iter().for_each(|(day, count)| *self.days.entry(day).or_default() += count);
        let room = MOST_INCIDENTS - self.incidents.len().min(MOST_INCIDENTS);
        self.incidents.extend(later.incidents.into_iter().take(room));
    }

    /// Whether there were more incidents than are kept.
    pub fn cut(&self) -> bool {
        self.started > MOST_INCIDENTS
    }
}
