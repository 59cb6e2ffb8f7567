//! A `[[route]]` table to its checked plan.

use std::ops::Range;

use jiff::tz::TimeZone;

use super::fault::Report;
use super::field::Field;
use super::plan::{Grid, Route, Sink};
use super::raw::{RouteRaw, Table};
use super::schedule::Schedule;
use super::site::id;
use crate::types::Severity;

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
    mentions: &mut Vec<Mention>,
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
        mentions.extend(ids.iter().map(|id| Mention { at: at.clone(), path: path.clone(), id: id.clone(), zone }));
        ids
    };
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
    let not_yet = "is read, but not in force in this version";
    for (name, set, at) in [
        ("merge", raw.merge.is_set(), raw.merge.span().clone()),
        ("answer_within", raw.answer_within.is_set(), raw.answer_within.span().clone()),
        ("escalate_to", raw.escalate_to.is_set(), raw.escalate_to.span().clone()),
    ] {
        if set {
            report.warn(&at, field(name), not_yet);
        }
    }
    raw.merge.get(report, &field("merge"));
    raw.answer_within.get(report, &field("answer_within"));
    raw.escalate_to.get(report, &field("escalate_to"));
    Route {
        id,
        to,
        min_severity: raw.min_severity.get(report, &field("min_severity")).unwrap_or(Severity::Minor),
        kinds: raw.kinds.get(report, &field("kinds")).unwrap_or_default(),
        cameras,
        zones,
        grids: grids.unwrap_or_default(),
        schedule,
    }
}
