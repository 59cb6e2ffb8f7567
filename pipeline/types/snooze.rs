//! Rules that somebody has silenced for a time.

use serde::Serialize;

use super::time::millis;

/// A rule of a camera that raises nothing until a time, and then again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Snooze {
    /// Camera id.
    pub camera: String,
    /// Rule id.
    pub rule: String,
    /// From then on it raises alerts again.
    #[serde(with = "millis")]
    pub until: jiff::Timestamp,
    /// Name of the user or token.
    pub who: String,
    /// Why, in their words.
    pub reason: String,
    /// When it was silenced.
    #[serde(with = "millis")]
    pub since: jiff::Timestamp,
}
