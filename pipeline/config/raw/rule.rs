//! A rule table as written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::field::Field;
use crate::config::plan::Anchor;
use crate::config::schedule::ScheduleRaw;
use crate::config::units::{Distance, Duration, Speed};
use crate::types::{Direction, Kind, Severity};

/// A rule: what is watched, who counts, and how a condition becomes an alert.
///
/// For forms that are made of the schema: `x-kinds` are the kinds that take a field (all without it), `x-required` those
/// that need it, `x-default` what is taken without it, by kind, `*` for all others.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RuleRaw {
    /// Rule id, unique in the camera.
    pub id: Field<String>,
    /// What is watched.
    pub kind: Field<Kind>,
    /// crowd, gathering: so many people or more. counter_flow, rush: only when so many move; 5 if left out.
    /// proximity: 3 or more make it a rule about queues; each pair if left out.
    #[schemars(extend("x-kinds" = ["crowd", "gathering", "counter_flow", "rush", "proximity"], "x-required" = ["crowd", "gathering"], "x-default" = { "counter_flow": 5, "rush": 5, "proximity": 2 }))]
    pub people: Field<u32>,
    /// density: so many people a square metre or more; 2 if left out. Needs `[ground]`.
    #[schemars(extend("x-kinds" = ["density"], "x-default" = { "density": 2.0 }))]
    pub density: Field<f64>,
    /// gathering: how near each other; loitering with mode `linger`: how far one may move. Metres or body heights.
    #[schemars(extend("x-kinds" = ["gathering", "loitering"], "x-required" = ["gathering"]))]
    pub radius: Field<Distance>,
    /// gathering: only people who stand (median speed below 0.5 m/s over 2 s).
    #[schemars(extend("x-kinds" = ["gathering"], "x-default" = { "gathering": false }))]
    pub standing: Field<bool>,
    /// loitering: how long one may stay.
    #[schemars(extend("x-kinds" = ["loitering"], "x-required" = ["loitering"]))]
    pub dwell: Field<Duration>,
    /// loitering: `dwell` is time inside the zone; `linger` asks that one also stays within `radius`.
    #[schemars(extend("x-kinds" = ["loitering"], "x-default" = { "loitering": "dwell" }))]
    pub mode: Field<StayRaw>,
    /// crossing: which way; either if left out.
    #[schemars(extend("x-kinds" = ["crossing"]))]
    pub direction: Field<Direction>,
    /// wrong_way, counter_flow: the allowed way, two or more points from its beginning to its end, fractions of width and
    /// height, y down; without it counter_flow takes the way that most people walk.
    #[schemars(extend("x-kinds" = ["wrong_way", "counter_flow"], "x-required" = ["wrong_way"]))]
    pub along: Field<Vec<[f64; 2]>>,
    /// wrong_way: how far against the way; `1.5m` if left out. proximity: how near is too near.
    #[schemars(extend("x-kinds" = ["wrong_way", "proximity"], "x-required" = ["proximity"], "x-default" = { "wrong_way": "1.5m" }))]
    pub distance: Field<Distance>,
    /// counter_flow: this share or more of the people who move, 0 to 1; 0.3 if left out.
    #[schemars(extend("x-kinds" = ["counter_flow"], "x-default" = { "counter_flow": 0.3 }))]
    pub share: Field<f64>,
    /// rush: median speed of the people, such as `2.5m/s`, which is what is taken if left out.
    #[schemars(extend("x-kinds" = ["rush"], "x-default" = { "rush": "2.5m/s" }))]
    pub speed: Field<Speed>,
    /// rush: and so many times as fast as is usual in the zone; 2 if left out.
    #[schemars(extend("x-kinds" = ["rush"], "x-default" = { "rush": 2.0 }))]
    pub factor: Field<f64>,
    /// proximity: leave out pairs who have moved side by side for two seconds; `false` if left out.
    #[schemars(extend("x-kinds" = ["proximity"], "x-default" = { "proximity": false }))]
    pub exempt_together: Field<bool>,
    /// vanished: how long somebody who was in the zone must not be seen.
    #[schemars(extend("x-kinds" = ["vanished"], "x-required" = ["vanished"]))]
    pub after: Field<Duration>,
    /// How long the condition must hold before the alert starts; `0s` if left out, rush `2s`, proximity `3s`, density `10s`.
    #[schemars(extend("x-kinds" = ["crowd", "density", "gathering", "intrusion", "wrong_way", "counter_flow", "rush", "proximity"], "x-default" = { "*": "0s", "rush": "2s", "proximity": "3s", "density": "10s" }))]
    pub hold: Field<Duration>,
    /// An interruption that does not matter; `1s` if left out, loitering and wrong_way `2s`.
    #[schemars(extend("x-kinds" = ["crowd", "density", "gathering", "loitering", "intrusion", "crossing", "wrong_way", "counter_flow", "rush", "proximity"], "x-default" = { "*": "1s", "loitering": "2s", "wrong_way": "2s" }))]
    pub gap: Field<Duration>,
    /// Once active, the condition holds from this value up; the threshold if left out, density 0.5 or a quarter below.
    #[schemars(extend("x-kinds" = ["crowd", "density", "gathering", "counter_flow", "rush"]))]
    pub release: Field<f64>,
    /// Quiet after an alert has ended; `0s` if left out.
    #[schemars(extend("x-default" = { "*": "0s" }))]
    pub cooldown: Field<Duration>,
    /// When the rule is in force, in the site's time zone; always if left out.
    pub schedule: Field<ScheduleRaw>,
    /// How bad; `moderate` if left out, vanished and density `minor`.
    #[schemars(extend("x-default" = { "*": "moderate", "vanished": "minor", "density": "minor" }))]
    pub severity: Field<Severity>,
    /// Worse from these values up; density, if left out, severe from 3.5 and extreme from 4.5.
    #[schemars(extend("x-default" = { "density": [{ "value": 3.5, "severity": "severe" }, { "value": 4.5, "severity": "extreme" }] }))]
    pub escalate: Field<Vec<EscalateRaw>>,
    /// Which point of the box stands for the person; `feet` if left out.
    #[schemars(extend("x-default" = { "*": "feet" }))]
    pub anchor: Field<Anchor>,
    /// Only people whose box is at least so high, a fraction of the picture's height.
    pub min_height: Field<f64>,
    /// Only people whose box is at most so high, a fraction of the picture's height.
    pub max_height: Field<f64>,
    /// Only people seen with at least this score.
    pub min_score: Field<f64>,
}

/// What staying means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StayRaw {
    /// Inside the zone.
    Dwell,
    /// Inside the zone and within a circle.
    Linger,
}

/// A step of severity.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalateRaw {
    /// From this value up.
    pub value: f64,
    /// So severe.
    pub severity: Severity,
}
