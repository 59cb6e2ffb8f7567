//! A rule table as written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::field::Field;
use crate::config::plan::Anchor;
use crate::config::schedule::ScheduleRaw;
use crate::config::units::{Distance, Duration};
use crate::types::{Direction, Kind, Severity};

/// A rule: what is watched, who counts, and how a condition becomes an alert.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RuleRaw {
    /// Rule id, unique in the camera.
    pub id: Field<String>,
    /// What is watched.
    pub kind: Field<Kind>,
    /// crowd, gathering: so many people or more.
    pub people: Field<u32>,
    /// gathering: how near each other; loitering with mode `linger`: how far one may move. Metres or body heights.
    pub radius: Field<Distance>,
    /// gathering: only people who stand (median speed below 0.5 m/s over 2 s).
    pub standing: Field<bool>,
    /// loitering: how long one may stay.
    pub dwell: Field<Duration>,
    /// loitering: `dwell` is time inside the zone; `linger` asks that one also stays within `radius`.
    pub mode: Field<StayRaw>,
    /// crossing: which way; either if left out.
    pub direction: Field<Direction>,
    /// How long the condition must hold before the alert starts; `0s` if left out.
    pub hold: Field<Duration>,
    /// An interruption that does not matter; `1s` if left out, loitering `2s`.
    pub gap: Field<Duration>,
    /// Once active, the condition holds from this value up; the threshold if left out.
    pub release: Field<f64>,
    /// Quiet after an alert has ended; `0s` if left out.
    pub cooldown: Field<Duration>,
    /// When the rule is in force, in the site's time zone; always if left out.
    pub schedule: Field<ScheduleRaw>,
    /// How bad; `moderate` if left out.
    pub severity: Field<Severity>,
    /// Worse from these values up.
    pub escalate: Field<Vec<EscalateRaw>>,
    /// Which point of the box stands for the person; `feet` if left out.
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
