//! All incidents of one camera: signals in, events out.

mod camera;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::clock::{Moment, ObservedClock};
use super::event::{Context, count, transition};
use super::incident::{Change, Incident};
use crate::config::plan::{Camera, RulePlace};
use crate::types::{Crossed, EndReason, Event, Kind, MediaTime, Signal, Size, Span, Subject};

/// Incidents of one camera at most; a signal about one more subject is dropped and counted.
const MOST_INCIDENTS: usize = 2_048;

/// What the incidents of a camera are built from.
#[derive(Clone)]
pub struct IncidentConfig {
    /// Site id.
    pub site: String,
    /// The camera.
    pub camera: Arc<Camera>,
    /// Time without pictures after which open incidents end.
    pub outage: Span,
}

/// The incidents of one camera.
pub struct Incidents {
    config: IncidentConfig,
    clock: ObservedClock,
    table: BTreeMap<(usize, Subject), Entry>,
    /// For crossings the cooldown is the line's.
    rules: Vec<RuleState>,
    observation: u64,
    size: Size,
    last: Option<Moment>,
    overflow: u64,
    /// Indices of the rules about the camera that are more than an alert.
    offline: Option<usize>,
    moved: Option<usize>,
    resting: bool,
}

struct Entry {
    incident: Incident,
    observation: u64,
}

#[derive(Default)]
struct RuleState {
    window: Option<(jiff::Timestamp, jiff::Timestamp)>,
    in_force: bool,
    quiet_until: Option<MediaTime>,
}

impl Incidents {
    /// Nothing has happened yet.
    pub fn new(config: IncidentConfig) -> Self {
        let rules = config.camera.rules.iter().map(|_| RuleState::default()).collect();
        let (offline, moved) = (config.camera.health_rule(Kind::Offline), config.camera.health_rule(Kind::Moved));
        Self {
            offline,
            moved,
            resting: false,
            config,
            rules,
            clock: ObservedClock::default(),
            table: BTreeMap::new(),
            observation: 0,
            size: Size::default(),
            last: None,
            overflow: 0,
        }
    }

    /// Signals that were dropped because the table was full.
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    /// Alerts that are open now.
    pub fn open(&self) -> usize {
        self.table.values().filter(|e| e.incident.active().is_some()).count()
    }

    /// One analysed picture of `size`: appends the events that it causes, rule by rule.
    pub fn observe(
        &mut self,
        media: MediaTime,
        utc: jiff::Timestamp,
        size: Size,
        signals: &[Signal],
        crossed: &[Crossed],
        out: &mut Vec<Event>,
    ) {
        if self.clock.last().is_some_and(|last| media - last > self.config.outage) {
            self.signal_lost(out);
        }
        let now = self.clock.advance(media, utc);
        (self.last, self.size) = (Some(now), size);
        self.observation += 1;
        self.update_windows(now);
        if !self.resting {
            for c in crossed {
                out.push(count(&self.context(), now, c));
            }
        }
        for signal in signals {
            if !self.resting || self.about_camera(signal.rule) {
                self.observe_signal(now, signal, out);
            }
        }
        self.observe_silence(now, out);
        self.rest(now, signals, out);
        let rules = &self.config.camera.rules;
        let offline = self.offline;
        self.table.retain(|key, entry| Some(key.0) == offline || !entry.incident.is_idle(now));
        debug_assert!(self.table.keys().all(|(rule, _)| *rule < rules.len()));
    }

    fn update_windows(&mut self, now: Moment) {
        for (state, rule) in self.rules.iter_mut().zip(&self.config.camera.rules) {
            let Some(schedule) = &rule.incident.schedule else {
                state.in_force = true;
                continue;
            };
            let inside = |w: &(jiff::Timestamp, jiff::Timestamp)| w.0 <= now.utc && now.utc < w.1;
            if !state.window.as_ref().is_some_and(inside) {
                state.window = schedule.window_at(now.utc);
            }
            state.in_force = state.window.is_some();
        }
    }

    fn observe_signal(&mut self, now: Moment, signal: &Signal, out: &mut Vec<Event>) {
        let plan = &self.config.camera.rules[signal.rule].incident;
        let state = &self.rules[signal.rule];
        let key = (signal.rule, signal.subject);
        let quiet = state.quiet_until.is_some_and(|until| now.observed < until);
        let known = self.table.contains_key(&key);
        // Nothing to begin: most signals say that all is quiet.
        let holds = signal.value >= if plan.elapsed { 1.0 } else { plan.threshold };
        if !state.in_force || (!known && (quiet || !holds)) {
            return;
        }
        if !known && self.table.len() >= MOST_INCIDENTS {
            self.overflow += 1;
            return;
        }
        let mut since = signal.since.map(|media| self.clock.earlier(now, media));
        if let (Some(since), Some((from, _))) = (&mut since, &state.window)
            && since.utc < *from
        {
            // A hold begins no earlier than the rule's window.
            let late = jiff::SignedDuration::from_nanos(
                i64::try_from(from.as_nanosecond() - since.utc.as_nanosecond()).unwrap_or(0),
            );
            let late = Span::from_nanos(i64::try_from(late.as_nanos()).unwrap_or(0));
            *since = Moment { observed: since.observed + late, media: since.media + late, utc: *from };
        }
        let entry = self.table.entry(key).or_insert_with(|| Entry { incident: Incident::new(), observation: 0 });
        entry.observation = self.observation;
        for change in entry.incident.observe(plan, now, Some(signal), since) {
            self.tell(now, key, change, out);
        }
    }

    /// Subjects of which no rule said anything: their condition does not hold.
    fn observe_silence(&mut self, now: Moment, out: &mut Vec<Event>) {
        let mut changes = Vec::new();
        for (key, entry) in &mut self.table {
            // Whether pictures come is told by [`Incidents::supervise`].
            if Some(key.0) == self.offline {
                continue;
            }
            let plan = &self.config.camera.rules[key.0].incident;
            let [first, second] = if !self.rules[key.0].in_force {
                [entry.incident.end(plan, now, EndReason::Schedule), None]
            } else if entry.observation != self.observation {
                entry.incident.observe(plan, now, None, None)
            } else {
                continue;
            };
            changes.extend([first, second].into_iter().flatten().map(|change| (*key, change)));
        }
        for (key, change) in changes {
            self.tell(now, key, Some(change), out);
        }
    }

    fn tell(&mut self, now: Moment, key: (usize, Subject), change: Option<Change>, out: &mut Vec<Event>) {
        let Some(change) = change else { return };
        let rule = &self.config.camera.rules[key.0];
        if matches!(change, Change::Ended(..))
            && matches!(rule.place, RulePlace::Line(_))
            && rule.incident.cooldown > Span::ZERO
        {
            self.rules[key.0].quiet_until = Some(now.observed + rule.incident.cooldown);
        }
        out.push(transition(&self.context(), now, key.0, key.1, &change));
    }

    fn context(&self) -> Context<'_> {
        Context { site: &self.config.site, camera: &self.config.camera, size: self.size }
    }

    /// No pictures for the outage time: open incidents end, pending ones vanish. The event's time is that of the last
    /// picture plus the outage.
    pub fn signal_lost(&mut self, out: &mut Vec<Event>) {
        let Some(last) = self.last else { return };
        let outage = self.config.outage;
        let utc = last.utc.saturating_add(jiff::SignedDuration::from_nanos(outage.nanos())).unwrap_or(last.utc);
        let now = Moment { observed: last.observed, media: last.media + outage, utc };
        self.end_where(now, EndReason::SignalLost, |this, rule| Some(rule) != this.offline, out);
    }

    /// End of file or shutdown, at the last picture: open incidents end, pending ones vanish.
    pub fn stop(&mut self, reason: EndReason, out: &mut Vec<Event>) {
        if let Some(last) = self.last {
            self.end_where(last, reason, |this, rule| Some(rule) != this.offline, out);
        }
        self.end_offline(reason, out);
    }

    fn end_where(&mut self, now: Moment, reason: EndReason, ends: impl Fn(&Self, usize) -> bool, out: &mut Vec<Event>) {
        let ending: Vec<_> = self.table.keys().copied().filter(|key| ends(self, key.0)).collect();
        for key in ending {
            let Some(mut entry) = self.table.remove(&key) else { continue };
            let plan = &self.config.camera.rules[key.0].incident;
            let change = entry.incident.end(plan, now, reason);
            self.tell(now, key, change, out);
        }
    }
}
