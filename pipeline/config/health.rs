//! What is watched of a camera itself: rules that every camera has without asking.

use std::ops::Range;

use jiff::tz::TimeZone;

use super::condition::{Start, Time};
use super::fault::Report;
use super::plan::{Ailment, Anchor, Condition, Filter, Motion, Rule, RulePlace};
use super::raw::{AilmentRaw, HealthRaw, RuleRaw, Table};
use super::rule::incident;
use crate::types::{Kind, Span, Unit};

/// What an ailment has if nothing is said.
struct Usual {
    hold: Span,
    gap: Span,
    cooldown: Span,
}

/// Of everything but what is said below.
const USUAL: Usual = Usual { hold: Span::from_secs(30), gap: Span::from_secs(2), cooldown: Span::from_secs(60) };
/// The rule itself bridges what does not matter.
const FROZEN: Usual = Usual { gap: Span::ZERO, ..USUAL };
/// Until it has started the rules go on with zones that may lie elsewhere: no longer than sure takes, and never quiet.
const MOVED: Usual = Usual { hold: Span::from_secs(15), cooldown: Span::ZERO, ..USUAL };

/// The rules of one camera, in the order of the design. `outage` is the source's. A camera that moves by itself is not
/// told to have moved.
pub fn build(
    table: Option<Table<HealthRaw>>,
    (outage, motion): (Option<Span>, Motion),
    report: &mut Report<'_>,
    zone: &TimeZone,
) -> Vec<Rule> {
    let raw = table.map(toml::Spanned::into_inner).unwrap_or_default();
    let offline = Usual { hold: outage.unwrap_or(Span::from_secs(10)), ..USUAL };
    let fixed = motion == Motion::Fixed;
    if let (false, Some(table)) = (fixed, &raw.moved) {
        report.fault(&table.span(), "health.moved", "only a fixed camera is watched for having moved");
    }
    let mut rule = |kind, table, usual| ailment(kind, table, usual, report, zone);
    let rules = [
        rule(Kind::Offline, raw.offline, offline),
        rule(Kind::Frozen, raw.frozen, FROZEN),
        rule(Kind::Dark, raw.dark, USUAL),
        rule(Kind::Blurred, raw.blurred, USUAL),
        rule(Kind::Moved, raw.moved, MOVED).filter(|_| fixed),
    ];
    rules.into_iter().flatten().collect()
}

/// `None` where it is not watched.
fn ailment(
    kind: Kind,
    table: Option<Table<AilmentRaw>>,
    usual: Usual,
    report: &mut Report<'_>,
    zone: &TimeZone,
) -> Option<Rule> {
    let raw = table.map(toml::Spanned::into_inner).unwrap_or_default();
    let field = |name: &str| format!("health.{kind}.{name}");
    let watched = raw.watch.get(report, &field("watch")).unwrap_or(true);
    let mut limit = |range: Range<f64>, usual: f64, what: &str| {
        let within = |v: &f64| {
            if range.contains(v) { Ok(()) } else { Err(format!("{v} is not {what}")) }
        };
        raw.limit.clone().checked(report, &field("limit"), within).unwrap_or(usual)
    };
    let ailment = match kind {
        Kind::Dark => Ailment::Dark(limit(0.001..1.0, 0.1, "a luma from 0.001 up and below 1")),
        Kind::Blurred => Ailment::Blurred(limit(0.01..1.0, 0.25, "a share from 0.01 up and below 1")),
        Kind::Moved => Ailment::Moved(limit(0.01..0.3, 0.02, "a share of the width from 0.01 up and below 0.3")),
        _ => {
            raw.limit.refuse(report, &field("limit"), &format!("does not belong to `{kind}`"));
            if kind == Kind::Offline { Ailment::Offline } else { Ailment::Frozen }
        }
    };
    let hold = raw.hold.get(report, &field("hold")).map_or(usual.hold, |d| d.0);
    let own_cooldown = raw.cooldown.is_set();
    let rest = RuleRaw {
        gap: raw.gap,
        cooldown: raw.cooldown,
        schedule: raw.schedule,
        severity: raw.severity,
        escalate: raw.escalate,
        ..RuleRaw::default()
    };
    let start =
        Start { hold: Time::Own(hold), gap: Time::Usual(usual.gap), ..Start::of(hold.secs_f64(), Unit::Seconds) };
    let mut incident = incident(rest, start, &format!("health.{kind}"), report, zone);
    incident.quiet = true;
    if !own_cooldown {
        incident.cooldown = usual.cooldown;
    }
    let everybody = Filter { anchor: Anchor::default(), min_height: 0.0, max_height: f64::INFINITY, min_score: 0.0 };
    watched.then(|| Rule {
        id: format!("camera.{kind}"),
        condition: Condition::Health(ailment),
        place: RulePlace::Camera,
        filter: everybody,
        incident,
    })
}
