//! The words of alerts. Their spelling is the contract with dispatch.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Many people in a zone.
    Crowd,
    /// Many people a square metre.
    Density,
    /// People standing or moving close together.
    Gathering,
    /// One person staying.
    Loitering,
    /// Anyone inside.
    Intrusion,
    /// Someone crossed a line.
    Crossing,
    /// Someone moves against the allowed direction.
    WrongWay,
    /// A share of the people moves against the main flow.
    CounterFlow,
    /// A group suddenly runs.
    Rush,
    /// Two people closer than allowed.
    Proximity,
    /// Entered the water zone and was not seen to leave it.
    Vanished,
    /// People on the whole site.
    Occupancy,
    /// The camera gives no pictures.
    Offline,
    /// The camera gives the same picture again and again.
    Frozen,
    /// Nothing can be seen for want of light, or something covers the lens.
    Dark,
    /// The picture has lost its sharpness.
    Blurred,
    /// The camera looks elsewhere than its zones were drawn for.
    Moved,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Crowd,
        Self::Density,
        Self::Gathering,
        Self::Loitering,
        Self::Intrusion,
        Self::Crossing,
        Self::WrongWay,
        Self::CounterFlow,
        Self::Rush,
        Self::Proximity,
        Self::Vanished,
        Self::Occupancy,
        Self::Offline,
        Self::Frozen,
        Self::Dark,
        Self::Blurred,
        Self::Moved,
    ];

    /// Whether it is about the camera itself, which is watched without a rule in a file.
    pub const fn is_health(self) -> bool {
        matches!(self, Self::Offline | Self::Frozen | Self::Dark | Self::Blurred | Self::Moved)
    }
}

/// How bad; ordered.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Minor,
    /// Worth a look.
    #[default]
    Moderate,
    /// Send somebody.
    Severe,
    /// Danger to life.
    Extreme,
}

/// What an event says of its alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The hold is over.
    Started,
    /// More severe, or a new peak.
    Updated,
    /// Over; `reason` says why.
    Ended,
    /// A picture or clip became ready.
    Evidence,
    /// Nobody answered in time.
    Overdue,
    /// A person crossed a counting line; never dispatched.
    Counted,
}

/// Why an alert ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The condition no longer holds.
    Cleared,
    /// No pictures for `[source] outage`.
    SignalLost,
    /// The rule's window closed.
    Schedule,
    /// An operator silenced the rule.
    Snoozed,
    /// The rule or its zone was changed.
    Reconfigured,
    /// End of file, shutdown, or found open after a crash.
    Stopped,
}

/// Unit of an event's `value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub enum Unit {
    /// People.
    #[serde(rename = "people")]
    People,
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// People a square metre.
    #[serde(rename = "people/m2")]
    PeoplePerSquareMetre,
    /// Metres.
    #[serde(rename = "m")]
    Metres,
    /// Body heights.
    #[serde(rename = "bh")]
    BodyHeights,
    /// Metres a second.
    #[serde(rename = "m/s")]
    MetresPerSecond,
    /// Body heights a second.
    #[serde(rename = "bh/s")]
    BodyHeightsPerSecond,
    /// A part of the whole, 0 to 1.
    #[serde(rename = "share")]
    Share,
}

/// 128 bits, written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(pub [u8; 16]);

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for AlertId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| format!("`{text}` is not an alert id of 32 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

impl utoipa::PartialSchema for AlertId {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9a-f]{32}$")).into()
    }
}

impl utoipa::ToSchema for AlertId {}

impl Serialize for AlertId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AlertId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

macro_rules! word {
    ($($type:ty),*) => {$(
        impl $type {
            /// The word as it stands in files, metrics and messages.
            pub fn word(self) -> String {
                match serde_json::to_value(self) {
                    Ok(serde_json::Value::String(word)) => word,
                    _ => format!("{self:?}"),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.word())
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|e| e.to_string())
            }
        }
    )*};
}
word!(Kind, Severity, State, EndReason, Unit);
