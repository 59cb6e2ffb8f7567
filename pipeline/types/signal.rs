//! What a rule measured at one picture.

use std::fmt;

use serde::Serialize;

use super::{MediaTime, Point, Rect, TrackId};

/// One measurement of one rule about one subject at one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Index of the rule in the camera's plan.
    pub rule: usize,
    /// Whom or what it is about.
    pub subject: Subject,
    /// The measured value, in the rule's unit; the condition is `value >= threshold`, for proximity `<=`. Kinds whose
    /// value is a time give 1 while their condition holds.
    pub value: f64,
    /// Whether lengths in the value come from a ground plane; else from box heights, and an event tells them in body
    /// heights.
    pub calibrated: bool,
    /// Since when the condition is known to hold, where that is before this picture (a lingering person, an
    /// inherited dwell).
    pub since: Option<MediaTime>,
    /// People that the value is about.
    pub people: u32,
    /// The anchor, fractions; of several people the median.
    pub place: Option<Point>,
    /// Of a single person, pixels.
    pub bbox: Option<Rect>,
    /// The value is a lower bound.
    pub saturated: bool,
    /// Which way a line was crossed.
    pub direction: Option<Direction>,
}

/// Whom an incident is about; one incident at a time for each rule and subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The rule's zone.
    Zone,
    /// One person: the first track of a chain that inherited from each other.
    Person(TrackId),
    /// A cluster of people, numbered within the rule.
    Cluster(u64),
    /// Two people, the smaller id first.
    Pair(TrackId, TrackId),
    /// A person who crossed the rule's line.
    Crossing(TrackId),
    /// The camera itself.
    Camera,
    /// The whole site.
    Site,
}

impl Signal {
    /// A measurement of which nothing else is known yet.
    pub const fn new(rule: usize, subject: Subject, value: f64) -> Self {
        Self {
            rule,
            subject,
            value,
            calibrated: true,
            since: None,
            people: 0,
            place: None,
            bbox: None,
            saturated: false,
            direction: None,
        }
    }

    /// About the camera itself: whether it is unwell.
    pub const fn about_camera(rule: usize, unwell: bool) -> Self {
        Self::new(rule, Subject::Camera, if unwell { 1.0 } else { 0.0 })
    }
}

/// Which way a line was crossed, for someone walking from its first point to its last.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize, schemars::JsonSchema, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the left to the right.
    LeftToRight,
    /// From the right to the left.
    RightToLeft,
}

/// One person crossed one line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossed {
    /// Index of the line in the camera's plan.
    pub line: usize,
    /// Which way.
    pub direction: Direction,
    /// Who: the first track of a chain that inherited from each other.
    pub person: TrackId,
    /// The track that completed the crossing.
    pub track: TrackId,
    /// When.
    pub time: MediaTime,
    /// Feet, fractions.
    pub place: Point,
    /// Box, pixels.
    pub bbox: Rect,
}

impl Direction {
    /// The word in files and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::LeftToRight => "left_to_right",
            Self::RightToLeft => "right_to_left",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zone => f.write_str("zone"),
            Self::Person(id) => write!(f, "person:{}", id.0),
            Self::Cluster(n) => write!(f, "cluster:{n}"),
            Self::Pair(a, b) => write!(f, "pair:{}:{}", a.0, b.0),
            Self::Crossing(id) => write!(f, "crossing:{}", id.0),
            Self::Camera => f.write_str("camera"),
            Self::Site => f.write_str("site"),
        }
    }
}
