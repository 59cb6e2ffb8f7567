//! The `[trails]` table as written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::field::Field;
use crate::config::units::Duration;

/// Where people walked, without pictures: what changed rules are tried on.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrailsRaw {
    /// How long they are kept, at most 31d; `7d` if left out, `0s` keeps none.
    pub keep: Field<Duration>,
    /// Gigabytes of all cameras together, beyond which the oldest go; 20 if left out.
    pub quota_gb: Field<f64>,
}
