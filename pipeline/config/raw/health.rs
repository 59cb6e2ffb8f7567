//! The `[health]` table of a camera file as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{EscalateRaw, Table};
use crate::config::field::Field;
use crate::config::schedule::ScheduleRaw;
use crate::config::units::Duration;
use crate::types::Severity;

/// What is watched of the camera itself; everything, unless said otherwise.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HealthRaw {
    /// No pictures, or none ever; takes no `limit`. `hold` is `[source] outage` if left out.
    #[schemars(with = "Option<AilmentRaw>")]
    pub offline: Option<Table<AilmentRaw>>,
    /// The same picture again and again; takes no `limit`. `hold` is `30s` if left out.
    #[schemars(with = "Option<AilmentRaw>")]
    pub frozen: Option<Table<AilmentRaw>>,
    /// Too dark to see anything, or covered: 98 of 100 pixels are darker than `limit`, 0 black to 1 white, `0.1` if left
    /// out. `hold` is `30s` if left out.
    #[schemars(with = "Option<AilmentRaw>")]
    pub dark: Option<Table<AilmentRaw>>,
    /// The picture is less sharp than `limit` times what is usual, `0.25` if left out. `hold` is `30s` if left out.
    #[schemars(with = "Option<AilmentRaw>")]
    pub blurred: Option<Table<AilmentRaw>>,
    /// The scene has shifted by `limit` times the picture's width or more, `0.02` if left out, or is another one; the
    /// rules of the camera rest as long. `hold` is `15s` if left out.
    #[schemars(with = "Option<AilmentRaw>")]
    pub moved: Option<Table<AilmentRaw>>,
}

/// How one ailment of the camera is watched.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AilmentRaw {
    /// `false`: not at all.
    pub watch: Field<bool>,
    /// From where on; what it measures depends on the ailment.
    pub limit: Field<f64>,
    /// How long it must last before the alert starts.
    pub hold: Field<Duration>,
    /// An interruption that does not matter; `2s` if left out, frozen `0s`.
    pub gap: Field<Duration>,
    /// Quiet after an alert has ended; `60s` if left out, moved `0s`.
    pub cooldown: Field<Duration>,
    /// When it is watched, in the site's time zone; always if left out.
    pub schedule: Field<ScheduleRaw>,
    /// How bad; `moderate` if left out.
    pub severity: Field<Severity>,
    /// Worse after so many seconds.
    pub escalate: Field<Vec<EscalateRaw>>,
}
