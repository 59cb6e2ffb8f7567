//! A rule table to its checked plan: what it watches, who counts, how a condition becomes an alert.

use std::ops::Range;

use jiff::tz::TimeZone;

use super::condition::{Reading, Start, Time};
use super::fault::Report;
use super::plan::{Escalation, Filter, Incident, Rule, RulePlace};
use super::raw::RuleRaw;
use super::schedule::Schedule;
use crate::types::{Kind, Unit};

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
        incident(raw, Start::of(1.0, Unit::People), path, report, zone);
        return None;
    };
    if matches!(place, RulePlace::Line(_)) != (kind == Kind::Crossing) {
        let message =
            if kind == Kind::Crossing { "`crossing` belongs to a line" } else { "a line takes only `crossing` rules" };
        report.fault(&kind_at, format!("{path}.kind"), message);
    }
    let (condition, start) = Reading { raw: &mut raw, path, at, kind_at: &kind_at, report }.condition(kind);
    let filter = filter(&mut raw, path, report);
    let incident = incident(raw, start, path, report, zone);
    Some(Rule { id, condition: condition?, place, filter, incident })
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

/// The part of a rule that the shared machine needs.
pub fn incident(raw: RuleRaw, start: Start, path: &str, report: &mut Report<'_>, zone: &TimeZone) -> Incident {
    let field = |name: &str| format!("{path}.{name}");
    let mut time = |own: Time, raw: super::field::Field<super::units::Duration>, name: &str| match own {
        Time::Own(span) => span,
        Time::Usual(span) => raw.get(report, &field(name)).map_or(span, |d| d.0),
    };
    let hold = time(start.hold, raw.hold, "hold");
    let gap = time(start.gap, raw.gap, "gap");
    let threshold = start.threshold;
    let release = raw.release.checked(report, &field("release"), |v| {
        if *v >= 0.0 && *v <= threshold {
            Ok(())
        } else {
            Err(format!("{v} is not from 0 to the threshold {threshold}"))
        }
    });
    let schedule_at = raw.schedule.span().clone();
    let schedule = raw.schedule.get(report, &field("schedule")).and_then(|raw| match Schedule::build(raw, zone) {
        Ok(schedule) => Some(schedule),
        Err(message) => {
            report.fault(&schedule_at, field("schedule"), message);
            None
        }
    });
    let severity = raw.severity.get(report, &field("severity")).unwrap_or(start.severity);
    let follows = |before: f64, value: f64| if start.falling { value <= before } else { value >= before };
    let escalate = raw.escalate.checked(report, &field("escalate"), |steps| {
        let mut last = (if threshold.is_finite() { threshold } else { 0.0 }, severity);
        for step in steps {
            if !follows(last.0, step.value) || step.severity <= last.1 {
                let beyond = if start.falling { "down" } else { "up" };
                return Err(format!(
                    "each step must be worse than the one before: {} from {} {beyond} does not follow {} from {} {beyond}",
                    step.severity, step.value, last.1, last.0
                ));
            }
            last = (step.value, step.severity);
        }
        Ok(())
    });
    let own = |usual: Vec<Escalation>| usual.into_iter().filter(|s| s.severity > severity).collect();
    let escalate = match escalate {
        Some(steps) => steps.into_iter().map(|s| Escalation { value: s.value, severity: s.severity }).collect(),
        None => own(start.escalate),
    };
    Incident {
        threshold,
        release: release.unwrap_or(threshold - start.hysteresis),
        falling: start.falling,
        unit: start.unit,
        elapsed: start.unit == Unit::Seconds,
        hold,
        gap,
        cooldown: raw.cooldown.get(report, &field("cooldown")).map_or(crate::types::Span::ZERO, |d| d.0),
        schedule,
        quiet: false,
        severity,
        escalate,
    }
}
