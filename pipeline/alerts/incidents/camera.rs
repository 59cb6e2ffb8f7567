//! What concerns the camera itself: rules that rest while it looks elsewhere, and a camera that gives no pictures.

use super::super::clock::Moment;
use super::super::incident::Incident;
use super::{Entry, Incidents};
use crate::config::plan::RulePlace;
use crate::types::{EndReason, Event, MediaTime, Signal, Span, Subject};

impl Incidents {
    pub(super) fn about_camera(&self, rule: usize) -> bool {
        self.watched.rules()[rule].place == RulePlace::Camera
    }

    /// Whether the rules of zones and lines rest because the camera has moved.
    pub fn resting(&self) -> bool {
        self.resting
    }

    /// The rules rest from the alert that the camera has moved until its view is back. An outage in between ends the
    /// alert and not the rest.
    pub(super) fn rest(&mut self, now: Moment, signals: &[Signal], out: &mut Vec<Event>) {
        let Some(moved) = self.moved else { return };
        let active = self.tables[moved].entries.iter().any(|e| e.incident.active().is_some());
        if active && !self.resting {
            self.resting = true;
            self.end_where(now, EndReason::SignalLost, |this, rule| !this.about_camera(rule), out);
        } else if self.resting && !active {
            let elsewhere = signals.iter().any(|s| s.rule == moved && s.value >= 1.0);
            // Who silences the alert does not want rules to look at the wrong ground.
            let state = &self.rules[moved];
            self.resting = elsewhere && (state.in_force || state.is_snoozed(now.utc));
        }
    }

    /// Tells which rules rest by where the camera looks, before the picture's signals. What is open of one that begins to
    /// ends with that picture.
    pub fn sleep(&mut self, rules: &[bool]) {
        self.asleep.resize(rules.len(), false);
        for (rule, (before, now)) in self.asleep.iter_mut().zip(rules).enumerate() {
            if *now && !std::mem::replace(before, *now) {
                self.fallen.push(rule);
            }
            *before = *now;
        }
    }

    /// What the camera shows now is what it is to show: the alert that it moved ends, and the rules are in force again.
    pub fn accept_view(&mut self, out: &mut Vec<Event>) {
        if let (Some(now), Some(moved)) = (self.last, self.moved) {
            self.end_where(now, EndReason::Reconfigured, |_, rule| rule == moved, out);
        }
        self.resting = false;
    }

    /// Looked at between pictures: `silence` since the last one, or since the start where none ever came. `up` is the
    /// time of the process, which goes on without pictures, and `utc` that of the host, for want of a picture's.
    pub fn supervise(&mut self, up: MediaTime, silence: Span, utc: jiff::Timestamp, out: &mut Vec<Event>) {
        let Some(offline) = self.offline else { return };
        let after = |at: jiff::Timestamp, span: Span| {
            at.saturating_add(jiff::SignedDuration::from_nanos(span.nanos())).unwrap_or(at)
        };
        let since = match self.last {
            Some(last) => Moment { observed: up - silence, ..last },
            None => Moment { observed: up - silence, media: MediaTime::ZERO, utc: after(utc, Span::ZERO - silence) },
        };
        let plan = &self.watched.rules()[offline].incident;
        let silent = silence >= plan.hold;
        let told = if silent { silence } else { Span::ZERO };
        let media = if self.last.is_some() { since.media + told } else { since.media };
        let now = Moment { observed: up, media, utc: after(since.utc, told) };
        let entries = &mut self.tables[offline].entries;
        if entries.is_empty() {
            if !silent {
                return;
            }
            entries.push(Entry { subject: Subject::Camera, incident: Incident::new(), observation: 0 });
            self.known += 1;
        }
        let incident = &mut entries[0].incident;
        let state = &self.rules[offline];
        // Silenced by the host's clock: there may have been no picture for long.
        let snoozed = state.is_snoozed(utc);
        let in_force = !snoozed && plan.schedule.as_ref().is_none_or(|schedule| schedule.window_at(now.utc).is_some());
        let off = if snoozed { EndReason::Snoozed } else { EndReason::Schedule };
        let changes = if in_force {
            let signal = silent.then(|| Signal::about_camera(offline, true));
            incident.observe(plan, now, signal.as_ref(), Some(since))
        } else {
            [incident.end(plan, now, off), None]
        };
        if incident.is_idle(now) {
            entries.clear();
            self.known -= 1;
        }
        for change in changes.iter().flatten() {
            self.tell(now, (offline, Subject::Camera), change, out);
        }
    }

    /// An alert that no pictures come ends at the last look that found none, for there may never have been one; if
    /// pictures have come since, at the last of these.
    pub(super) fn end_offline(&mut self, reason: EndReason, out: &mut Vec<Event>) {
        let Some(offline) = self.offline else { return };
        for mut entry in std::mem::take(&mut self.tables[offline].entries) {
            self.known -= 1;
            let Some(until) = entry.incident.active().map(|active| active.condition.until) else { continue };
            let later = self.last.filter(|last| last.media > until.media);
            let now = later.map_or(until, |last| Moment { observed: until.observed, ..last });
            let change = entry.incident.end(&self.watched.rules()[offline].incident, now, reason);
            change.iter().for_each(|change| self.tell(now, (offline, entry.subject), change, out));
        }
    }
}
