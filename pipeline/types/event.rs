//! One line of `events.jsonl`, and the `data` of a dispatched CloudEvent. Field names and order are fixed.

use serde::{Deserialize, Serialize};

use super::time::{millis, millis_option};
use super::{AlertId, Direction, EndReason, Kind, MediaTime, Point, Severity, State, Unit};

/// Version of the event format.
pub const SCHEMA: u32 = 1;

/// A change of an alert, or a person counted at a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Event {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The alert; null for a count.
    pub alert: Option<AlertId>,
    /// From 0 within an alert.
    pub seq: u32,
    /// What changed.
    pub state: State,
    /// UTC time of the picture that caused it.
    #[serde(with = "millis")]
    pub at: jiff::Timestamp,
    /// The same as seconds since the first picture.
    pub media_time: f64,
    /// Site id.
    pub site: String,
    /// Patch of ground with a responsible unit.
    pub grid: Option<String>,
    /// Camera id; null where it is about the whole site.
    pub camera: Option<String>,
    /// Camera name for people.
    pub camera_name: Option<String>,
    /// Zone id.
    pub zone: Option<String>,
    /// Zone name for people.
    pub zone_name: Option<String>,
    /// Line id.
    pub line: Option<String>,
    /// Which way a line was crossed.
    pub direction: Option<Direction>,
    /// Rule id; null for a plain count.
    pub rule: Option<String>,
    /// What kind of rule.
    pub kind: Kind,
    /// How bad; null for a plain count.
    pub severity: Option<Severity>,
    /// Measured now.
    pub value: f64,
    /// The value that starts an alert.
    pub threshold: f64,
    /// Unit of both.
    pub unit: Unit,
    /// People concerned.
    pub people: u32,
    /// Largest value so far.
    pub peak: f64,
    /// The value is only a lower bound.
    pub saturated: bool,
    /// When the alert started.
    #[serde(with = "millis_option")]
    pub started_at: Option<jiff::Timestamp>,
    /// When the condition began to hold.
    #[serde(with = "millis_option")]
    pub condition_since: Option<jiff::Timestamp>,
    /// Last observation at which it held; in `ended` only.
    #[serde(with = "millis_option")]
    pub condition_until: Option<jiff::Timestamp>,
    /// Anchor, fractions, y down.
    #[serde(rename = "where")]
    #[schema(value_type = Option<[f64; 2]>)]
    pub place_in_picture: Option<Point>,
    /// Left, top, width, height, fractions.
    #[serde(rename = "box")]
    pub bbox: Option<[f64; 4]>,
    /// Where the camera stands.
    pub place: Option<Place>,
    /// Why it ended.
    pub reason: Option<EndReason>,
    /// Alerts of the same grid that it was merged with.
    pub related: Vec<AlertId>,
    /// Whether picture and clip can be fetched.
    pub evidence: EvidenceState,
    /// A sentence for dispatchers.
    pub text: Localized,
    /// Where the files that are ready can be fetched for a while; only in what is delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
    /// Whose deadline passed; in `overdue` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue: Option<Overdue>,
    /// Nothing happened: somebody tries whether alerts arrive. Only there when true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}

/// A deadline that passed without an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Overdue {
    /// Route that set it.
    pub route: String,
    /// How long the unit had, seconds.
    pub within_s: u64,
    /// Route that the alert goes to now, if there is one.
    pub escalated_to: Option<String>,
}

/// Signed addresses that expire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Links {
    /// The still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// The clip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<String>,
}

/// Degrees, WGS 84.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
pub struct Place {
    /// North positive.
    pub lat: f64,
    /// East positive.
    pub lon: f64,
}

/// Readiness of picture and clip; an alert never waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EvidenceState {
    /// The still.
    pub picture: MediaState,
    /// The clip.
    pub clip: MediaState,
    /// Severity to which the alert rose when its newest still was taken; only there once such a still is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated: Option<Severity>,
}

/// Readiness of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaState {
    /// Will not be made (no pictures, or not asked for).
    None,
    /// Being made.
    Pending,
    /// Can be fetched.
    Ready,
    /// Could not be made.
    Failed,
}

/// The same sentence in both first languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Localized {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl EvidenceState {
    /// Neither will be made.
    pub const NONE: Self = Self { picture: MediaState::None, clip: MediaState::None, escalated: None };
}

impl Event {
    /// Where it comes from: `/<site>/<camera>`, or `/<site>` where no one camera does.
    pub fn source(&self) -> String {
        match &self.camera {
            Some(camera) => format!("/{}/{camera}", self.site),
            None => format!("/{}", self.site),
        }
    }

    /// The idempotency key `<alert>.<seq>`; `None` for a count.
    pub fn key(&self) -> Option<String> {
        self.alert.map(|alert| format!("{alert}.{}", self.seq))
    }

    /// Whether it only tries the path: no unit is to be sent, and no statistics count it.
    pub const fn is_test(&self) -> bool {
        self.test
    }

    /// Media time of the picture, rounded to the millisecond.
    pub fn set_time(&mut self, time: MediaTime, utc: jiff::Timestamp) {
        self.media_time = time.rounded_secs();
        self.at = utc;
    }
}
