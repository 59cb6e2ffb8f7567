//! A rule table to its checked plan: each kind asks for its own parameters and refuses those of others.

use std::ops::Range;

use jiff::tz::TimeZone;

use super::fault::Report;
use super::field::Field;
use super::plan::{Condition, Escalation, Filter, Incident, Rule, RulePlace, Stay};
use super::raw::{EscalateRaw, RuleRaw, StayRaw};
use super::schedule::{Schedule, ScheduleRaw};
use crate::types::{Kind, Severity, Span, Unit};

/// `None` only after a fault.
pub fn build(
    mut raw: RuleRaw,
    id: String,
    path: &str,
    at: &Range<usize>,
    place: RulePlace,
    report: &mut Report<'_>,
    zone: &TimeZone,
) -> Option<Rule> {
    let kind_at = raw.kind.span().clone();
    let kind = std::mem::take(&mut raw.kind).require(
        report,
        &format!("{path}.kind"),
        at,
        "what is watched, such as \"crowd\"",
    );
    let Some(kind) = kind else {
        incident(raw, Start::of_people(1), path, report, zone);
        return None;
    };
    if matches!(place, RulePlace::Line(_)) != (kind == Kind::Crossing) {
        let message =
            if kind == Kind::Crossing { "`crossing` belongs to a line" } else { "a line takes only `crossing` rules" };
        report.fault(&kind_at, format!("{path}.kind"), message);
    }
    refuse_foreign(&raw, kind, path, report);
    let (condition, start) = condition(&mut raw, kind, path, at, &kind_at, report);
    let filter = filter(&mut raw, path, report);
    let incident = incident(raw, start, path, report, zone);
    Some(Rule { id, condition: condition?, place, filter, incident })
}

/// What a kind sets in the shared machine.
struct Start {
    threshold: f64,
    unit: Unit,
    /// A kind that has its own hold refuses `hold`.
    hold: Option<Span>,
    gap: Span,
}

const GAP: Span = Span::from_secs(1);
const LOITERING_GAP: Span = Span::from_secs(2);

impl Start {
    fn of_people(threshold: u32) -> Self {
        Self { threshold: f64::from(threshold), unit: Unit::People, hold: None, gap: GAP }
    }
}

/// The condition is `None` only after a fault; the rest of the rule is checked all the same.
fn condition(
    raw: &mut RuleRaw,
    kind: Kind,
    path: &str,
    at: &Range<usize>,
    kind_at: &Range<usize>,
    report: &mut Report<'_>,
) -> (Option<Condition>, Start) {
    let field = |name: &str| format!("{path}.{name}");
    // Without a known number, `release` and `escalate` are checked against one that anything passes.
    let counted = |people: Option<u32>| {
        people.map_or(Start { threshold: f64::INFINITY, ..Start::of_people(1) }, Start::of_people)
    };
    match kind {
        Kind::Crowd => {
            let people = people(raw, path, at, report, 1);
            (people.map(|people| Condition::Crowd { people }), counted(people))
        }
        Kind::Gathering => {
            let people = people(raw, path, at, report, 2);
            let radius = std::mem::take(&mut raw.radius).require(
                report,
                &field("radius"),
                at,
                "how near each other, such as \"2m\"",
            );
            let standing = std::mem::take(&mut raw.standing).get(report, &field("standing")).unwrap_or(false);
            let both = people.zip(radius);
            (both.map(|(people, radius)| Condition::Gathering { people, radius: radius.0, standing }), counted(people))
        }
        Kind::Loitering => {
            let mode = stay(raw, path, at, report);
            let dwell_at = raw.dwell.span().clone();
            let dwell = std::mem::take(&mut raw.dwell).require(
                report,
                &field("dwell"),
                at,
                "how long one may stay, such as \"120s\"",
            );
            let dwell = dwell.map(|d| d.0);
            if dwell == Some(Span::ZERO) {
                report.fault(&dwell_at, field("dwell"), "a dwell of 0s is `intrusion`");
            }
            let dwell = dwell.unwrap_or_default();
            let start =
                Start { threshold: dwell.secs_f64(), unit: Unit::Seconds, hold: Some(dwell), gap: LOITERING_GAP };
            (mode.map(|mode| Condition::Loitering { mode }), start)
        }
        Kind::Intrusion => (Some(Condition::Intrusion), Start::of_people(1)),
        Kind::Crossing => {
            let direction = std::mem::take(&mut raw.direction).get(report, &field("direction"));
            (Some(Condition::Crossing { direction }), Start { hold: Some(Span::ZERO), ..Start::of_people(1) })
        }
        Kind::Offline | Kind::Frozen | Kind::Dark | Kind::Blurred | Kind::Moved => {
            let message = format!("`{kind}` is watched for every camera; write [health.{kind}] to change how");
            report.fault(kind_at, field("kind"), message);
            (None, counted(None))
        }
        Kind::Density
        | Kind::WrongWay
        | Kind::CounterFlow
        | Kind::Rush
        | Kind::Proximity
        | Kind::Vanished
        | Kind::Occupancy => {
            let known = "there are crowd, gathering, loitering, intrusion and crossing";
            report.fault(kind_at, field("kind"), format!("`{kind}` is not available in this version; {known}"));
            (None, counted(None))
        }
    }
}

fn stay(raw: &mut RuleRaw, path: &str, at: &Range<usize>, report: &mut Report<'_>) -> Option<Stay> {
    let radius = format!("{path}.radius");
    match std::mem::take(&mut raw.mode).get(report, &format!("{path}.mode")).unwrap_or(StayRaw::Dwell) {
        StayRaw::Dwell => {
            raw.radius.refuse(report, &radius, "only with mode = \"linger\"");
            Some(Stay::Dwell)
        }
        StayRaw::Linger => {
            let radius =
                std::mem::take(&mut raw.radius).require(report, &radius, at, "how far one may move, such as \"2m\"");
            radius.map(|r| Stay::Linger { radius: r.0 })
        }
    }
}

fn people(raw: &mut RuleRaw, path: &str, at: &Range<usize>, report: &mut Report<'_>, least: u32) -> Option<u32> {
    let field = std::mem::take(&mut raw.people);
    let path = format!("{path}.people");
    if !field.is_set() {
        report.fault(at, path, "missing: so many people or more");
        return None;
    }
    field.checked(report, &path, |n| {
        if (least..=10_000).contains(n) { Ok(()) } else { Err(format!("{n} is not from {least} to 10000")) }
    })
}

/// Parameters that belong to other kinds: most likely a typing error with consequences.
fn refuse_foreign(raw: &RuleRaw, kind: Kind, path: &str, report: &mut Report<'_>) {
    let why = format!("does not belong to `{kind}`");
    let field = |name: &str| format!("{path}.{name}");
    let counts = matches!(kind, Kind::Crowd | Kind::Gathering);
    let mut refuse = |wrong: bool, name: &str, span: Option<Range<usize>>, why: &str| {
        if let (true, Some(span)) = (wrong, span) {
            report.fault(&span, field(name), why);
        }
    };
    refuse(!counts, "people", raw.people.place(), &why);
    refuse(!counts, "release", raw.release.place(), &why);
    refuse(!matches!(kind, Kind::Gathering | Kind::Loitering), "radius", raw.radius.place(), &why);
    refuse(kind != Kind::Gathering, "standing", raw.standing.place(), &why);
    refuse(kind != Kind::Loitering, "dwell", raw.dwell.place(), &why);
    refuse(kind != Kind::Loitering, "mode", raw.mode.place(), &why);
    refuse(kind != Kind::Crossing, "direction", raw.direction.place(), &why);
    refuse(kind == Kind::Loitering, "hold", raw.hold.place(), "loitering holds for `dwell`; leave `hold` out");
    refuse(kind == Kind::Crossing, "hold", raw.hold.place(), "a crossing is an instant; leave `hold` out");
}

fn filter(raw: &mut RuleRaw, path: &str, report: &mut Report<'_>) -> Filter {
    let share =
        |v: &f64| if (0.0..=1.0).contains(v) { Ok(()) } else { Err(format!("{v} is not a fraction from 0 to 1")) };
    let max_at = raw.max_height.span().clone();
    let min_height =
        std::mem::take(&mut raw.min_height).checked(report, &format!("{path}.min_height"), share).unwrap_or(0.0);
    let max_height = std::mem::take(&mut raw.max_height).checked(report, &format!("{path}.max_height"), share);
    if max_height.is_some_and(|max| max <= min_height) {
        report.fault(&max_at, format!("{path}.max_height"), "not above `min_height`: nobody counts");
    }
    Filter {
        anchor: std::mem::take(&mut raw.anchor).get(report, &format!("{path}.anchor")).unwrap_or_default(),
        min_height,
        max_height: max_height.unwrap_or(f64::INFINITY),
        min_score: std::mem::take(&mut raw.min_score)
            .checked(report, &format!("{path}.min_score"), share)
            .unwrap_or(0.0),
    }
}

fn incident(raw: RuleRaw, start: Start, path: &str, report: &mut Report<'_>, zone: &TimeZone) -> Incident {
    let field = |name: &str| format!("{path}.{name}");
    let hold = match start.hold {
        Some(own) => own,
        None => raw.hold.get(report, &field("hold")).map_or(Span::ZERO, |d| d.0),
    };
    let threshold = start.threshold;
    let release = raw.release.checked(report, &field("release"), |v| {
        if *v >= 0.0 && *v <= threshold {
            Ok(())
        } else {
            Err(format!("{v} is not from 0 to the threshold {threshold}"))
        }
    });
    let schedule = schedule(raw.schedule, report, &field("schedule"), zone);
    let severity = raw.severity.get(report, &field("severity")).unwrap_or_default();
    let escalate = raw.escalate.checked(report, &field("escalate"), |steps| worse(steps, threshold, severity));
    let escalate = escalate.unwrap_or_default().into_iter();
    Incident {
        threshold,
        release: release.unwrap_or(threshold),
        unit: start.unit,
        elapsed: start.unit == Unit::Seconds,
        hold,
        gap: raw.gap.get(report, &field("gap")).map_or(start.gap, |d| d.0),
        cooldown: raw.cooldown.get(report, &field("cooldown")).map_or(Span::ZERO, |d| d.0),
        schedule,
        quiet: false,
        severity,
        escalate: escalate.map(|s| Escalation { value: s.value, severity: s.severity }).collect(),
    }
}

/// The schedule of a rule.
pub fn schedule(field: Field<ScheduleRaw>, report: &mut Report<'_>, path: &str, zone: &TimeZone) -> Option<Schedule> {
    let at = field.span().clone();
    match Schedule::build(field.get(report, path)?, zone) {
        Ok(schedule) => Some(schedule),
        Err(message) => {
            report.fault(&at, path, message);
            None
        }
    }
}

/// Whether each step is worse than the one before, from the start of an alert on.
pub fn worse(steps: &[EscalateRaw], threshold: f64, severity: Severity) -> Result<(), String> {
    let mut last = (if threshold.is_finite() { threshold } else { 0.0 }, severity);
    for step in steps {
        if step.value.is_nan() || step.value < last.0 || step.severity <= last.1 {
            return Err(format!(
                "each step must be worse than the one before: {} from {} up does not follow {} from {} up",
                step.severity, step.value, last.1, last.0
            ));
        }
        last = (step.value, step.severity);
    }
    Ok(())
}
