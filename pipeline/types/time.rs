//! Media time: the only clock that rules, filters and dwell may use.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use serde::{Serialize, Serializer};

const NANOS: f64 = 1e9;

/// Time of a picture since the first picture of its stream, in nanoseconds.
///
/// Never runs backwards within a stream: capture repairs time stamps before a picture leaves it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaTime(i64);

/// A length of media time in nanoseconds; may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

impl MediaTime {
    /// The first picture.
    pub const ZERO: Self = Self(0);

    /// From nanoseconds since the first picture.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From seconds since the first picture, rounded to the nanosecond.
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self((seconds * NANOS).round() as i64)
    }

    /// Picture `index` (from 0) of a stream with `fps` pictures a second.
    pub fn of_frame(index: u64, fps: f64) -> Self {
        Self::from_secs_f64(index as f64 / fps)
    }

    /// Nanoseconds since the first picture.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Seconds since the first picture.
    pub fn secs_f64(self) -> f64 {
        self.0 as f64 / NANOS
    }

    /// Seconds rounded to the millisecond, as written in events.
    pub fn rounded_secs(self) -> f64 {
        (self.0 as f64 / 1e6).round() / 1e3
    }

    /// The UTC time of this picture when the stream's first picture was taken at `start`.
    pub fn utc(self, start: jiff::Timestamp) -> jiff::Timestamp {
        start.saturating_add(jiff::SignedDuration::from_nanos(self.0)).unwrap_or(start)
    }
}

impl Span {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// From nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole seconds.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds * 1_000_000_000)
    }

    /// From whole milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000_000)
    }

    /// From seconds, rounded to the nanosecond.
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self((seconds * NANOS).round() as i64)
    }

    /// Nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Seconds.
    pub fn secs_f64(self) -> f64 {
        self.0 as f64 / NANOS
    }
}

impl Sub for MediaTime {
    type Output = Span;
    fn sub(self, other: Self) -> Span {
        Span(self.0 - other.0)
    }
}

impl Add<Span> for MediaTime {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for MediaTime {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl AddAssign<Span> for MediaTime {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for MediaTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.secs_f64())
    }
}

impl Serialize for MediaTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.rounded_secs())
    }
}

/// RFC 3339 in UTC with milliseconds (`2026-11-24T03:00:12.400Z`), the form of every time in an event.
pub fn rfc3339_millis(at: jiff::Timestamp) -> String {
    let rounded = jiff::Timestamp::from_millisecond(rounded_millis(at)).unwrap_or(at);
    format!("{rounded:.3}")
}

/// Milliseconds since 1970, rounded as [`MediaTime::rounded_secs`] is: both stand in one event and must agree.
pub fn rounded_millis(at: jiff::Timestamp) -> i64 {
    i64::try_from((at.as_nanosecond() + 500_000).div_euclid(1_000_000)).unwrap_or(i64::MAX)
}

/// Serde adapter for [`rfc3339_millis`].
pub mod millis {
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes RFC 3339 with milliseconds.
    pub fn serialize<S: Serializer>(at: &jiff::Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::rfc3339_millis(*at))
    }

    /// Reads RFC 3339.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<jiff::Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Serde adapter for an optional [`rfc3339_millis`].
pub mod millis_option {
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes RFC 3339 with milliseconds, or null.
    pub fn serialize<S: Serializer>(at: &Option<jiff::Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::millis::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads RFC 3339 or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<jiff::Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_spans_survive_rounding_at_odd_rates() {
        for fps in [7.0, 29.97, 30.0, 59.94, 12.5] {
            for k in [1_u64, 2, 3, 11, 997] {
                let a = MediaTime::of_frame(k, fps);
                let b = MediaTime::from_secs_f64(k as f64 / fps + 15.0);
                assert_eq!(b - a, Span::from_secs(15), "{fps} {k}");
            }
        }
    }

    #[test]
    fn utc_is_written_with_three_decimals() {
        let start: jiff::Timestamp = "2026-11-24T03:00:00Z".parse().unwrap();
        assert_eq!(rfc3339_millis(MediaTime::from_secs_f64(12.4).utc(start)), "2026-11-24T03:00:12.400Z");
        assert_eq!(rfc3339_millis(start), "2026-11-24T03:00:00.000Z");
    }
}
