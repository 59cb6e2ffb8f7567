//! One incident: idle, pending, active, ended. All rules share it (design, "The incident state machine").

use super::clock::Moment;
use crate::config::plan::Incident as Plan;
use crate::types::{EndReason, MediaTime, Severity, Signal, Span};

/// While a peak rises, an alert is updated at most so often.
const UPDATE_EVERY: Span = Span::from_secs(5);

/// The state of one rule about one subject.
#[derive(Debug)]
pub struct Incident {
    phase: Phase,
    quiet_until: Option<MediaTime>,
}

#[derive(Debug)]
enum Phase {
    Idle,
    Pending(Condition),
    Active(Box<Active>),
}

/// A condition that began to hold.
#[derive(Clone, Debug)]
pub struct Condition {
    /// First observation at which it held.
    pub since: Moment,
    /// Last observation at which it held.
    pub until: Moment,
    /// The signal then.
    pub signal: Signal,
    interrupted: bool,
}

/// A started alert.
#[derive(Clone, Debug)]
pub struct Active {
    /// What it is about.
    pub condition: Condition,
    /// When it started.
    pub started: Moment,
    /// Never falls.
    pub severity: Severity,
    /// Measured last, in the unit of the rule.
    pub value: f64,
    /// Worst value so far: the largest, where less is worse the smallest.
    pub peak: f64,
    /// Number of the next event.
    pub seq: u32,
    told: Moment,
    told_peak: f64,
}

/// What an observation brought about.
#[derive(Debug)]
pub enum Change {
    /// The hold is over.
    Started(Box<Active>),
    /// More severe, or a new peak.
    Updated(Box<Active>),
    /// Over, at this moment.
    Ended(Box<Active>, EndReason),
}

impl Incident {
    /// Nothing has happened.
    pub fn new() -> Self {
        Self { phase: Phase::Idle, quiet_until: None }
    }

    /// Whether it can be forgotten.
    pub fn is_idle(&self, now: Moment) -> bool {
        matches!(self.phase, Phase::Idle) && self.quiet_until.is_none_or(|until| until <= now.observed)
    }

    /// The alert, if one is open.
    pub fn active(&self) -> Option<&Active> {
        match &self.phase {
            Phase::Active(active) => Some(active),
            Phase::Idle | Phase::Pending(_) => None,
        }
    }

    /// One observation; `signal` is `None` where the rule had nothing to say of the subject. `since`: the signal's own
    /// beginning of the condition, on all clocks. Of the two changes the first happened first.
    pub fn observe(
        &mut self,
        plan: &Plan,
        now: Moment,
        signal: Option<&Signal>,
        since: Option<Moment>,
    ) -> [Option<Change>; 2] {
        let active = self.active().is_some();
        match signal.filter(|s| if active { plan.lasts(s.value) } else { plan.begins(s.value) }) {
            Some(signal) => {
                let ended = self.end_if_expired(plan, now);
                // A new condition must reach the threshold, not the release.
                let holds = ended.is_none() || plan.begins(signal.value);
                [ended, if holds { self.holds(plan, now, signal, since) } else { None }]
            }
            None => [self.interrupted(plan, now), None],
        }
    }

    /// An interruption that was too long ended the condition, even where no observation fell after its gap.
    fn end_if_expired(&mut self, plan: &Plan, now: Moment) -> Option<Change> {
        let condition = match &self.phase {
            Phase::Idle => return None,
            Phase::Pending(condition) => condition,
            Phase::Active(active) => &active.condition,
        };
        let expired = condition.interrupted && now.observed - condition.until.observed > plan.gap;
        if expired { self.end(plan, now, EndReason::Cleared) } else { None }
    }

    fn holds(&mut self, plan: &Plan, now: Moment, signal: &Signal, since: Option<Moment>) -> Option<Change> {
        match &mut self.phase {
            Phase::Active(active) => {
                active.condition.hold(now, signal);
                active.observe(plan, now, signal)
            }
            Phase::Pending(condition) => {
                condition.hold(now, signal);
                if let Some(since) = since {
                    condition.since = since;
                }
                self.start(plan, now)
            }
            Phase::Idle => {
                let since = since.unwrap_or(now);
                self.phase =
                    Phase::Pending(Condition { since, until: now, signal: signal.clone(), interrupted: false });
                self.start(plan, now)
            }
        }
    }

    fn start(&mut self, plan: &Plan, now: Moment) -> Option<Change> {
        let Phase::Pending(condition) = &self.phase else { return None };
        let held = now.observed - condition.since.observed >= plan.hold;
        let quiet = self.quiet_until.is_some_and(|until| now.observed < until);
        if !held || quiet {
            return None;
        }
        let mut active = Active {
            condition: condition.clone(),
            started: now,
            severity: plan.severity,
            value: 0.0,
            peak: if plan.falling { f64::INFINITY } else { f64::NEG_INFINITY },
            seq: 0,
            told: now,
            told_peak: 0.0,
        };
        let signal = active.condition.signal.clone();
        active.measure(plan, now, &signal);
        let told = active.tell(now);
        self.phase = Phase::Active(Box::new(active));
        Some(Change::Started(told))
    }

    fn interrupted(&mut self, plan: &Plan, now: Moment) -> Option<Change> {
        let condition = match &mut self.phase {
            Phase::Idle => return None,
            Phase::Pending(condition) => condition,
            Phase::Active(active) => &mut active.condition,
        };
        condition.interrupted = true;
        if now.observed - condition.until.observed > plan.gap { self.end(plan, now, EndReason::Cleared) } else { None }
    }

    /// Ends whatever there is: an active alert says why, a pending one vanishes.
    pub fn end(&mut self, plan: &Plan, now: Moment, reason: EndReason) -> Option<Change> {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Active(active) => {
                self.quiet_until = (plan.cooldown > Span::ZERO).then(|| now.observed + plan.cooldown);
                Some(Change::Ended(active, reason))
            }
            Phase::Idle | Phase::Pending(_) => None,
        }
    }
}

impl Condition {
    fn hold(&mut self, now: Moment, signal: &Signal) {
        self.until = now;
        self.interrupted = false;
        self.signal.clone_from(signal);
    }
}

impl Active {
    fn observe(&mut self, plan: &Plan, now: Moment, signal: &Signal) -> Option<Change> {
        let before = self.severity;
        self.measure(plan, now, signal);
        let due = !plan.quiet
            && now.observed - self.told.observed >= UPDATE_EVERY
            && self.peak != self.told_peak
            && plan.reaches(self.peak, self.told_peak);
        (self.severity > before || due).then(|| Change::Updated(self.tell(now)))
    }

    fn measure(&mut self, plan: &Plan, now: Moment, signal: &Signal) {
        self.value =
            if plan.elapsed { (now.observed - self.condition.since.observed).secs_f64() } else { signal.value };
        if plan.reaches(self.value, self.peak) {
            self.peak = self.value;
        }
        let reached =
            plan.escalate.iter().filter(|step| plan.reaches(self.value, step.value)).map(|step| step.severity);
        self.severity = reached.fold(self.severity, Severity::max);
    }

    /// A copy for an event, numbered; the next has the next number.
    fn tell(&mut self, now: Moment) -> Box<Self> {
        let copy = Box::new(self.clone());
        self.seq += 1;
        self.told = now;
        self.told_peak = self.peak;
        copy
    }
}
