//! A rule of the whole site as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{EscalateRaw, Table};
use crate::config::field::Field;
use crate::config::schedule::ScheduleRaw;
use crate::config::units::Duration;
use crate::types::{Direction, Kind, Severity};

/// A rule about the whole site.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SiteRuleRaw {
    /// Rule id, unique among the site's rules.
    pub id: Field<String>,
    /// `occupancy`: people on the site, by those who came in and went out.
    pub kind: Field<Kind>,
    /// So many people or more.
    pub people: Field<u32>,
    /// Time of day, `HH:MM`, at which nobody is there and the count begins anew; `04:00` if left out.
    pub reset: Field<String>,
    /// Lines of cameras at which people come in and go out.
    #[schemars(with = "Vec<GateRaw>")]
    pub gate: Vec<Table<GateRaw>>,
    /// How long the condition must hold before the alert starts; `0s` if left out.
    pub hold: Field<Duration>,
    /// An interruption that does not matter; `1s` if left out.
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
}

/// A line at which people come in and go out.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GateRaw {
    /// Camera id.
    pub camera: Field<String>,
    /// Line id.
    pub line: Field<String>,
    /// Which way people come in.
    pub inward: Field<Direction>,
}
