//! A `[[route]]` table to its checked plan.

use std::ops::Range;

use jiff::tz::TimeZone;

use super::fault::Report;
use super::field::Field;
use super::plan::{Grid, Route, Sink};
use super::raw::{RouteRaw, Table};
use super::schedule::{Schedule, time};
use super::site::id;
use super::units::Duration;
use crate::types::{Severity, Span};

/// A camera or zone that a route names.
pub struct Mention {
    /// Where.
    pub at: Range<usize>,
    /// Field path.
    pub path: String,
    /// The id.
    pub id: String,
    /// Whether it is a zone.
    pub zone: bool,
}

/// A route that another escalates to.
pub struct Escalation {
    /// Where.
    pub at: Range<usize>,
    /// Field path.
    pub path: String,
    /// Index of the route that escalates.
    pub from: usize,
    /// Id of the other one.
    pub to: String,
}

/// What routes name that is only known later.
#[derive(Default)]
pub struct Named {
    /// Cameras and zones.
    pub mentions: Vec<Mention>,
    /// Other routes.
    pub escalations: Vec<Escalation>,
}

/// What a route may name.
pub struct Known<'a> {
    /// All sinks.
    pub sinks: &'a [Sink],
    /// All grids.
    pub grids: &'a [Grid],
    /// Of schedules.
    pub zone: &'a TimeZone,
}

pub fn build(
    table: Table<RouteRaw>,
    index: usize,
    known: &Known<'_>,
    named: &mut Named,
    report: &mut Report<'_>,
) -> Route {
    let (at, path) = (table.span(), format!("route[{index}]"));
    let field = |name: &str| format!("{path}.{name}");
    let raw = table.into_inner();
    let id = id(raw.id, report, &field("id"), &at);
    let to_at = raw.to.span().clone();
    let names = raw.to.require(report, &field("to"), &at, "sink ids").unwrap_or_default();
    let mut to = Vec::new();
    for (i, name) in names.iter().enumerate() {
        match known.sinks.iter().position(|s| s.id == *name) {
            Some(sink) if !to.contains(&sink) => to.push(sink),
            Some(_) => report.fault(&to_at, format!("{}[{i}]", field("to")), format!("`{name}` is named twice")),
            None => report.fault(&to_at, format!("{}[{i}]", field("to")), format!("there is no sink `{name}`")),
        }
    }
    if names.is_empty() && to_at != (0..0) {
        report.fault(&to_at, field("to"), "names no sink");
    }
    let mut mention = |field: Field<Vec<String>>, path: String, zone: bool, report: &mut Report<'_>| {
        let at = field.span().clone();
        let ids = field.get(report, &path).unwrap_or_default();
        named.mentions.extend(ids.iter().map(|id| Mention {
            at: at.clone(),
            path: path.clone(),
            id: id.clone(),
            zone,
        }));
        ids
    };
    let conditions = [
        ("min_severity", raw.min_severity.place()),
        ("kinds", raw.kinds.place()),
        ("cameras", raw.cameras.place()),
        ("zones", raw.zones.place()),
        ("grids", raw.grids.place()),
        ("schedule", raw.schedule.place()),
    ];
    let cameras = mention(raw.cameras, field("cameras"), false, report);
    let zones = mention(raw.zones, field("zones"), true, report);
    let grids = raw.grids.checked(report, &field("grids"), |ids| {
        match ids.iter().find(|id| !known.grids.iter().any(|g| g.id == **id)) {
            Some(id) => Err(format!("there is no grid `{id}`")),
            None => Ok(()),
        }
    });
    let schedule_at = raw.schedule.span().clone();
    let schedule = raw.schedule.get(report, &field("schedule")).and_then(|raw| {
        Schedule::build(raw, known.zone).map_err(|message| report.fault(&schedule_at, field("schedule"), message)).ok()
    });
    let default = raw.default.get(report, &field("default")).unwrap_or(false);
    let only_escalated = raw.only_escalated.get(report, &field("only_escalated")).unwrap_or(false);
    if default || only_escalated {
        let why =
            if default { "the default route takes what no other does" } else { "only escalated alerts come here" };
        for (name, at) in conditions.iter().filter_map(|(name, at)| Some((name, at.as_ref()?))) {
            report.fault(at, field(name), why);
        }
        if default && only_escalated {
            report.fault(&at, field("only_escalated"), "the default route takes more than that");
        }
    }
    let second = |d: &Duration| {
        if d.0 >= Span::from_secs(1) { Ok(()) } else { Err("at least 1s".to_owned()) }
    };
    let must_answer = raw.answer_within.is_set();
    let answer_within = raw.answer_within.checked(report, &field("answer_within"), second).map(|d| d.0);
    let test_at = raw.test_at.checked(report, &field("test_at"), |text| time(text).map(|_| ()));
    let merge = raw.merge.checked(report, &field("merge"), second).map(|d| d.0);
    if let Some(at) = raw.escalate_to.place()
        && !must_answer
    {
        report.fault(&at, field("escalate_to"), "nothing escalates without `answer_within`");
    }
    let to_at = raw.escalate_to.span().clone();
    if let Some(to) = raw.escalate_to.get(report, &field("escalate_to")) {
        named.escalations.push(Escalation { at: to_at, path: field("escalate_to"), from: index, to });
    }
    Route {
        id,
        to,
        min_severity: raw.min_severity.get(report, &field("min_severity")).unwrap_or(Severity::Minor),
        kinds: raw.kinds.get(report, &field("kinds")).unwrap_or_default(),
        cameras,
        zones,
        grids: grids.unwrap_or_default(),
        schedule,
        default,
        only_escalated,
        merge,
        answer_within,
        test_at: test_at.and_then(|text| time(&text).ok()),
        escalate_to: None,
    }
}

/// Finds the routes that others escalate to, once all are known: none may lead back to where it came from.
pub fn link(routes: &mut [Route], escalations: &[Escalation], report: &mut Report<'_>) {
    for Escalation { at, path, from, to } in escalations {
        match routes.iter().position(|r| r.id == *to) {
            Some(to) => routes[*from].escalate_to = Some(to),
            None => report.fault(at, path.as_str(), format!("there is no route `{to}`")),
        }
    }
    for Escalation { at, path, from, .. } in escalations {
        let mut next = routes[*from].escalate_to;
        // A way that does not come back ends within as many steps as there are routes.
        for _ in 0..routes.len() {
            if next == Some(*from) {
                report.fault(at, path.as_str(), "an alert would go round in a circle");
                break;
            }
            next = next.and_then(|i| routes[i].escalate_to);
        }
    }
    let mut defaults = routes.iter().enumerate().filter(|(_, r)| r.default).map(|(i, _)| i).skip(1);
    if let Some(second) = defaults.next() {
        report.fault(&(0..0), format!("route[{second}].default"), "there is another default route");
    }
}
