//! A rule table as written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::field::Field;
use crate::config::plan::Anchor;
use crate::config::schedule::ScheduleRaw;
use crate::config::units::{Distance, Duration, Speed};
use crate::types::{Direction, Kind, Severity};

/// A rule: what is watched, who counts, and how a condition becomes an alert.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RuleRaw {
    /// Rule id, unique in the camera.
    pub id: Field<String>,
    /// What is watched.
    pub kind: Field<Kind>,
    /// crowd, gathering: so many people or more. counter_flow, rush: only when so many move; 5 if left out.
    /// proximity: 3 or more make it a rule about queues; each pair if left out.
    pub people: Field<u32>,
    /// density: so many people a square metre or more; 2 if left out. Needs `[ground]`.
    pub density: Field<f64>,
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
    /// wrong_way, counter_flow: the allowed way, two or more points from its beginning to its end, fractions of width and
    /// height, y down; without it counter_flow takes the way that most people walk.
    pub along: Field<Vec<[f64; 2]>>,
    /// wrong_way: how far against the way; `1.5m` if left out. proximity: how near is too near.
    pub distance: Field<Distance>,
    /// counter_flow: this share or more of the people who move, 0 to 1; 0.3 if left out.
    pub share: Field<f64>,
    /// rush: median speed of the people, such as `2.5m/s`, which is what is taken if left out.
    pub speed: Field<Speed>,
    /// rush: and so many times as fast as is usual in the zone; 2 if left out.
    pub factor: Field<f64>,
    /// proximity: leave out pairs who have moved side by side for two seconds; `false` if left out.
    pub exempt_together: Field<bool>,
    /// vanished: how long somebody who was in the zone must not be seen.
    pub after: Field<Duration>,
    /// How long the condition must hold before the alert starts; `0s` if left out, rush `2s`, proximity `3s`, density `10s`.
    pub hold: Field<Duration>,
    /// An interruption that does not matter; `1s` if left out, loitering and wrong_way `2s`.
    pub gap: Field<Duration>,
    /// Once active, the condition holds from this value up; the threshold if left out, density 0.5 or a quarter below.
    pub release: Field<f64>,
    /// Quiet after an alert has ended; `0s` if left out.
    pub cooldown: Field<Duration>,
    /// When the rule is in force, in the site's time zone; always if left out.
    pub schedule: Field<ScheduleRaw>,
    /// How bad; `moderate` if left out, vanished and density `minor`.
    pub severity: Field<Severity>,
    /// Worse from these values up; density, if left out, severe from 3.5 and extreme from 4.5.
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
