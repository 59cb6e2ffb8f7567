//! All incidents of one camera, or of the site: signals in, events out.

mod camera;

use std::sync::Arc;

use super::clock::{Moment, ObservedClock};
use super::event::{Context, count, transition};
use super::incident::{Change, Incident};
use super::watched::Watched;
use crate::config::plan::{Camera, RulePlace, Site};
use crate::types::{Crossed, EndReason, Event, Kind, MediaTime, Signal, Size, Span, Subject};

/// Incidents of one camera at most: a thousand people and eight rules about each. A signal about one more subject is
/// dropped and counted.
const MOST_INCIDENTS: usize = 8_192;

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

/// The incidents of one camera, or of the site.
pub struct Incidents {
    site: String,
    watched: Watched,
    outage: Span,
    clock: ObservedClock,
    /// One for each rule.
    tables: Vec<Table>,
    /// For crossings the cooldown is the line's.
    rules: Vec<RuleState>,
    /// Entries of all tables.
    known: usize,
    observation: u64,
    size: Size,
    last: Option<Moment>,
    overflow: u64,
    /// Indices of the rules about the camera that are more than an alert.
    offline: Option<usize>,
    moved: Option<usize>,
    resting: bool,
    /// For each rule whether it rests by where the camera looks, as far as that was told; and which began to since the
    /// last picture.
    asleep: Vec<bool>,
    fallen: Vec<usize>,
    /// Ids of rules that somebody has silenced, and until when.
    snoozes: Vec<(String, jiff::Timestamp)>,
    /// Somebody reads the events.
    read: bool,
}

/// The incidents of one rule, by subject. A picture's signals of a rule come mostly in the order of their subjects, so
/// that the next one is mostly the next entry.
#[derive(Default)]
struct Table {
    entries: Vec<Entry>,
    next: usize,
}

struct Entry {
    subject: Subject,
    incident: Incident,
    observation: u64,
}

impl Table {
    /// Where the subject is, or where it belongs.
    fn find(&mut self, subject: Subject) -> Result<usize, usize> {
        let expected = self.entries.get(self.next).is_some_and(|e| e.subject == subject);
        let found = if expected { Ok(self.next) } else { self.entries.binary_search_by_key(&subject, |e| e.subject) };
        self.next = found.map_or_else(|at| at, |at| at + 1);
        found
    }
}

#[derive(Default)]
struct RuleState {
    window: Option<(jiff::Timestamp, jiff::Timestamp)>,
    in_force: bool,
    quiet_until: Option<MediaTime>,
    /// Somebody has silenced it until then. A hold begins no earlier.
    snoozed_until: Option<jiff::Timestamp>,
}

impl RuleState {
    fn is_snoozed(&self, utc: jiff::Timestamp) -> bool {
        self.snoozed_until.is_some_and(|until| utc < until)
    }

    /// Why it is not in force at this time.
    fn off(&self, utc: jiff::Timestamp) -> EndReason {
        if self.is_snoozed(utc) { EndReason::Snoozed } else { EndReason::Schedule }
    }

    /// A hold begins no earlier.
    fn from(&self) -> Option<jiff::Timestamp> {
        self.window.map(|(from, _)| from).max(self.snoozed_until)
    }
}

impl Incidents {
    /// Nothing has happened yet.
    pub fn new(config: IncidentConfig) -> Self {
        Self::of(config.site, Watched::Camera(config.camera), config.outage)
    }

    /// Of the rules about the whole site: their signals come without end, whatever the cameras do.
    pub fn of_site(site: &Site) -> Self {
        Self::of(site.id.clone(), Watched::site(site), Span::from_nanos(i64::MAX))
    }

    fn of(site: String, watched: Watched, outage: Span) -> Self {
        let rules = watched.rules().iter().map(|_| RuleState::default()).collect();
        let tables = watched.rules().iter().map(|_| Table::default()).collect();
        let health = |kind| watched.camera().and_then(|camera| camera.health_rule(kind));
        Self {
            offline: health(Kind::Offline),
            moved: health(Kind::Moved),
            resting: false,
            asleep: Vec::new(),
            fallen: Vec::new(),
            snoozes: Vec::new(),
            read: true,
            site,
            watched,
            outage,
            rules,
            clock: ObservedClock::default(),
            tables,
            known: 0,
            observation: 0,
            size: Size::default(),
            last: None,
            overflow: 0,
        }
    }

    /// Nobody reads the events from now on: they have no text, and ids that only tell incidents apart.
    pub fn unread(&mut self) {
        self.read = false;
    }

    /// Signals that were dropped because the table was full.
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    /// Alerts that are open now.
    pub fn open(&self) -> usize {
        self.tables.iter().flat_map(|t| &t.entries).filter(|e| e.incident.active().is_some()).count()
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
        if self.clock.last().is_some_and(|last| media - last > self.outage) {
            self.signal_lost(out);
        }
        let now = self.clock.advance(media, utc);
        (self.last, self.size) = (Some(now), size);
        self.observation += 1;
        self.update_windows(now);
        for rule in std::mem::take(&mut self.fallen) {
            self.end_rule(rule, now, EndReason::SignalLost, out);
        }
        if !self.resting {
            for c in crossed {
                out.push(count(&self.context(), now, c));
            }
        }
        self.tables.iter_mut().for_each(|table| table.next = 0);
        for signal in signals {
            if !self.resting || self.about_camera(signal.rule) {
                self.observe_signal(now, signal, out);
            }
        }
        self.observe_silence(now, out);
        self.rest(now, signals, out);
    }

    fn update_windows(&mut self, now: Moment) {
        for (state, rule) in self.rules.iter_mut().zip(self.watched.rules()) {
            let snoozed = state.is_snoozed(now.utc);
            let Some(schedule) = &rule.incident.schedule else {
                state.in_force = !snoozed;
                continue;
            };
            let inside = |w: &(jiff::Timestamp, jiff::Timestamp)| w.0 <= now.utc && now.utc < w.1;
            if !state.window.as_ref().is_some_and(inside) {
                state.window = schedule.window_at(now.utc);
            }
            state.in_force = !snoozed && state.window.is_some();
        }
    }

    fn observe_signal(&mut self, now: Moment, signal: &Signal, out: &mut Vec<Event>) {
        let plan = &self.watched.rules()[signal.rule].incident;
        let state = &self.rules[signal.rule];
        let quiet = state.quiet_until.is_some_and(|until| now.observed < until);
        let found = self.tables[signal.rule].find(signal.subject);
        let known = found.is_ok();
        // Nothing to begin: most signals say that all is quiet.
        if !state.in_force || (!known && (quiet || !plan.begins(signal.value))) {
            return;
        }
        if !known && self.known >= MOST_INCIDENTS {
            self.overflow += 1;
            return;
        }
        let mut since = signal.since.map(|media| self.clock.earlier(now, media));
        if let (Some(since), Some(from)) = (&mut since, state.from())
            && since.utc < from
        {
            // A hold begins no earlier than the rule's window, and not while it was silenced.
            let late = jiff::SignedDuration::from_nanos(
                i64::try_from(from.as_nanosecond() - since.utc.as_nanosecond()).unwrap_or(0),
            );
            let late = Span::from_nanos(i64::try_from(late.as_nanos()).unwrap_or(0));
            *since = Moment { observed: since.observed + late, media: since.media + late, utc: from };
        }
        let table = &mut self.tables[signal.rule];
        let at = found.unwrap_or_else(|at| {
            table.entries.insert(
                at,
                Entry { subject: signal.subject, incident: Incident::new(), observation: self.observation },
            );
            table.next = at + 1;
            self.known += 1;
            at
        });
        let entry = &mut table.entries[at];
        entry.observation = self.observation;
        for change in entry.incident.observe(plan, now, Some(signal), since).into_iter().flatten() {
            self.tell(now, (signal.rule, signal.subject), &change, out);
        }
    }

    /// Subjects of which no rule said anything: their condition does not hold. Forgets those of which there is nothing
    /// more to know.
    fn observe_silence(&mut self, now: Moment, out: &mut Vec<Event>) {
        let mut changes = Vec::new();
        let mut known = 0;
        for (rule, table) in self.tables.iter_mut().enumerate() {
            // Whether pictures come is told by [`Incidents::supervise`].
            if Some(rule) == self.offline {
                known += table.entries.len();
                continue;
            }
            let (plan, state) = (&self.watched.rules()[rule].incident, &self.rules[rule]);
            let (in_force, off) = (state.in_force, state.off(now.utc));
            table.entries.retain_mut(|entry| {
                let [first, second] = if !in_force {
                    [entry.incident.end(plan, now, off), None]
                } else if entry.observation != self.observation {
                    entry.incident.observe(plan, now, None, None)
                } else {
                    [None, None]
                };
                changes.extend([first, second].into_iter().flatten().map(|change| ((rule, entry.subject), change)));
                !entry.incident.is_idle(now)
            });
            known += table.entries.len();
        }
        self.known = known;
        for (key, change) in changes {
            self.tell(now, key, &change, out);
        }
    }

    fn tell(&mut self, now: Moment, key: (usize, Subject), change: &Change, out: &mut Vec<Event>) {
        let rule = &self.watched.rules()[key.0];
        if matches!(change, Change::Ended(..))
            && matches!(rule.place, RulePlace::Line(_))
            && rule.incident.cooldown > Span::ZERO
        {
            self.rules[key.0].quiet_until = Some(now.observed + rule.incident.cooldown);
        }
        out.push(transition(&self.context(), now, key.0, key.1, change));
    }

    fn context(&self) -> Context<'_> {
        Context { site: &self.site, watched: &self.watched, size: self.size, read: self.read }
    }

    /// No pictures for the outage time: open incidents end, pending ones vanish. The event's time is that of the last
    /// picture plus the outage.
    pub fn signal_lost(&mut self, out: &mut Vec<Event>) {
        let Some(last) = self.last else { return };
        let outage = self.outage;
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
        for rule in 0..self.tables.len() {
            if ends(self, rule) {
                self.end_rule(rule, now, reason, out);
            }
        }
    }

    /// Puts another plan of the camera in force, from the next picture on. `rules` says for each rule where it goes on: its
    /// incidents live. Those of all others end at the last picture.
    pub fn replan(&mut self, camera: Arc<Camera>, outage: Span, rules: &[Option<usize>], out: &mut Vec<Event>) {
        let health = |kind| camera.health_rule(kind);
        let (offline, moved) = (health(Kind::Offline), health(Kind::Moved));
        self.go_over(Watched::Camera(camera), rules, out);
        (self.offline, self.moved, self.outage) = (offline, moved, outage);
        self.resting &= self.moved.is_some();
        self.asleep.clear();
        self.fallen.clear();
        self.apply_snoozes();
    }

    /// The same for the rules of the whole site: those that do not go on end at the last observation.
    pub fn replan_site(&mut self, site: &Site, rules: &[Option<usize>], out: &mut Vec<Event>) {
        self.go_over(Watched::site(site), rules, out);
    }

    fn go_over(&mut self, watched: Watched, rules: &[Option<usize>], out: &mut Vec<Event>) {
        let mut tables: Vec<Table> = watched.rules().iter().map(|_| Table::default()).collect();
        let mut states: Vec<RuleState> = watched.rules().iter().map(|_| RuleState::default()).collect();
        for rule in 0..self.tables.len() {
            let place = rules.get(rule).copied().flatten();
            match place.and_then(|to| Some((tables.get_mut(to)?, states.get_mut(to)?))) {
                Some((table, state)) => {
                    *table = std::mem::take(&mut self.tables[rule]);
                    *state = std::mem::take(&mut self.rules[rule]);
                }
                None if Some(rule) == self.offline => self.end_offline(EndReason::Reconfigured, out),
                None => {
                    if let Some(last) = self.last {
                        self.end_rule(rule, last, EndReason::Reconfigured, out);
                    }
                }
            }
        }
        self.known = tables.iter().map(|table| table.entries.len()).sum();
        (self.tables, self.rules, self.watched) = (tables, states, watched);
    }

    /// Silences rules, by their ids, each until a time; all others are in force again.
    pub fn snooze(&mut self, snoozes: &[(String, jiff::Timestamp)]) {
        self.snoozes.clear();
        self.snoozes.extend_from_slice(snoozes);
        self.apply_snoozes();
    }

    fn apply_snoozes(&mut self) {
        for (state, rule) in self.rules.iter_mut().zip(self.watched.rules()) {
            state.snoozed_until = self.snoozes.iter().find(|(id, _)| *id == rule.id).map(|(_, until)| *until);
        }
    }

    fn end_rule(&mut self, rule: usize, now: Moment, reason: EndReason, out: &mut Vec<Event>) {
        let entries = std::mem::take(&mut self.tables[rule].entries);
        self.known = self.known.saturating_sub(entries.len());
        for mut entry in entries {
            let change = entry.incident.end(&self.watched.rules()[rule].incident, now, reason);
            change.iter().for_each(|change| self.tell(now, (rule, entry.subject), change, out));
        }
    }
}
