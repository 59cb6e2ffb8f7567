//! A rule of the whole site to its checked plan.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::tz::TimeZone;

use super::condition::Start;
use super::fault::Report;
use super::plan::{Anchor, Camera, Condition, Filter, Gate, Reset, Rule, RulePlace};
use super::raw::{GateRaw, RuleRaw, SiteRuleRaw, Table};
use super::rule::incident;
use super::schedule;
use super::site::id;
use crate::types::{Direction, Kind, Unit};

/// When nobody is there, unless the rule says otherwise.
const RESET: jiff::civil::Time = jiff::civil::Time::constant(4, 0, 0, 0);
/// Most gates of a rule.
const MOST_GATES: usize = 1_000;

/// A gate that a rule names, to be checked once the cameras are known.
pub struct GateMention {
    at: Range<usize>,
    path: String,
    gate: Gate,
}

impl GateMention {
    /// Camera and line.
    pub fn line(&self) -> (&str, &str) {
        (&self.gate.camera, &self.gate.line)
    }

    /// Where it stands.
    pub fn span(&self) -> &Range<usize> {
        &self.at
    }

    /// Field path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Reports a gate that does not exist.
    pub fn check(&self, cameras: &[std::sync::Arc<Camera>], report: &mut Report<'_>) {
        let Gate { camera, line, .. } = &self.gate;
        match cameras.iter().find(|c| c.id == *camera) {
            None => {
                report.fault(&self.at, format!("{}.camera", self.path), format!("there is no camera `{camera}`"));
            }
            Some(found) if !found.lines.iter().any(|l| l.id == *line) => {
                let message = format!("camera `{camera}` has no line `{line}`");
                report.fault(&self.at, format!("{}.line", self.path), message);
            }
            Some(_) => {}
        }
    }
}

/// `None` only after a fault.
pub fn build(
    table: Table<SiteRuleRaw>,
    index: usize,
    zone: &TimeZone,
    mentions: &mut Vec<GateMention>,
    report: &mut Report<'_>,
) -> Option<Rule> {
    let (at, path) = (table.span(), format!("rule[{index}]"));
    let field = |name: &str| format!("{path}.{name}");
    let raw = table.into_inner();
    let id = id(raw.id, report, &field("id"), &at);
    let kind = raw.kind.require(report, &field("kind"), &at, "`occupancy`");
    if let Some(kind) = kind.filter(|kind| *kind != Kind::Occupancy) {
        let message = if kind.is_health() {
            format!("`{kind}` is watched for every camera; write [health.{kind}] in its file to change how")
        } else {
            format!("`{kind}` belongs to a zone or a line of a camera")
        };
        report.fault(&at, field("kind"), message);
    }
    let people = raw.people.require(report, &field("people"), &at, "so many people or more");
    if people == Some(0) {
        report.fault(&at, field("people"), "0 is always reached; give 1 or more");
    }
    let reset_at = raw.reset.span().clone();
    let reset = raw.reset.get(report, &field("reset")).map_or(Some(RESET), |text| match schedule::time(&text) {
        Ok(time) => Some(time),
        Err(message) => {
            report.fault(&reset_at, field("reset"), message);
            None
        }
    });
    let gates = gates(raw.gate, &at, &path, mentions, report);
    let rest = RuleRaw {
        hold: raw.hold,
        gap: raw.gap,
        release: raw.release,
        cooldown: raw.cooldown,
        schedule: raw.schedule,
        severity: raw.severity,
        escalate: raw.escalate,
        ..RuleRaw::default()
    };
    let start = Start::of(people.map_or(f64::INFINITY, f64::from), Unit::People);
    let incident = incident(rest, start, &path, report, zone);
    let reset = Reset { zone: zone.clone(), time: reset? };
    let condition = Condition::Occupancy { people: people?, gates, reset };
    // Nobody is seen by the site itself.
    let filter = Filter { anchor: Anchor::Feet, min_height: 0.0, max_height: f64::INFINITY, min_score: 0.0 };
    Some(Rule { id, condition, place: RulePlace::Site, filter, incident })
}

fn gates(
    tables: Vec<Table<GateRaw>>,
    owner: &Range<usize>,
    path: &str,
    mentions: &mut Vec<GateMention>,
    report: &mut Report<'_>,
) -> Vec<Gate> {
    if tables.is_empty() || tables.len() > MOST_GATES {
        let message = format!("{} gates; needs 1 to {MOST_GATES}, each a line of a camera", tables.len());
        report.fault(owner, format!("{path}.gate"), message);
    }
    let (mut gates, mut taken) = (Vec::new(), BTreeSet::new());
    for (i, table) in tables.into_iter().enumerate() {
        let (at, path) = (table.span(), format!("{path}.gate[{i}]"));
        let raw = table.into_inner();
        let camera = raw.camera.require(report, &format!("{path}.camera"), &at, "a camera id");
        let line = raw.line.require(report, &format!("{path}.line"), &at, "a line of that camera");
        let meaning = "the way in, `left_to_right` or `right_to_left`";
        let inward: Option<Direction> = raw.inward.require(report, &format!("{path}.inward"), &at, meaning);
        let (Some(camera), Some(line), Some(inward)) = (camera, line, inward) else { continue };
        if !taken.insert((camera.clone(), line.clone())) {
            report.fault(&at, &path, format!("line `{line}` of camera `{camera}` is named twice"));
        }
        let gate = Gate { camera, line, inward };
        mentions.push(GateMention { at, path, gate: gate.clone() });
        gates.push(gate);
    }
    gates
}
