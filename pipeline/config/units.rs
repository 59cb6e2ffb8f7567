//! Quantities carry their unit: `"10s"`, `"2m"` (metres), `"1.2bh"` (body heights).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::plan::Length;
use crate::types::Span;

/// A duration such as `"10s"`, `"500ms"`, `"2m"`, `"1h 30m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration(pub Span);

/// A length such as `"2m"` or `"1.2bh"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance(pub Length);

/// A speed such as `"2.5m/s"` or `"1.5bh/s"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed(pub Length);

const LONGEST_DAYS: i64 = 31;

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = text(deserializer, "a duration with its unit, such as \"10s\"")?;
        parse_duration(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Parses a duration; not negative, at most 31 days. A day is 24 hours, whatever the calendar says.
pub fn parse_duration(text: &str) -> Result<Span, String> {
    let wrong = || format!("`{text}` is not a duration; write it as \"10s\", \"500ms\", \"2m\" or \"7d\"");
    let days =
        text.trim().split_once('d').and_then(|(days, rest)| Some((days.trim().parse::<u16>().ok()?, rest.trim())));
    let (days, rest) = days.unwrap_or((0, text.trim()));
    let only_days = days > 0 && rest.is_empty();
    let rest: jiff::SignedDuration =
        if only_days { jiff::SignedDuration::ZERO } else { rest.parse().map_err(|_| wrong())? };
    let duration = rest + jiff::SignedDuration::from_hours(24 * i64::from(days));
    if duration.is_negative() || duration.as_hours() > LONGEST_DAYS * 24 {
        return Err(format!("`{text}` is out of range; a duration is from 0s to 31 days"));
    }
    i64::try_from(duration.as_nanos()).map(Span::from_nanos).map_err(|_| format!("`{text}` is out of range"))
}

impl<'de> Deserialize<'de> for Distance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = text(deserializer, "a length with its unit, such as \"2m\" or \"1.2bh\"")?;
        parse_length(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Speed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = text(deserializer, "a speed with its unit, such as \"2.5m/s\"")?;
        parse_speed(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// The way of a second.
fn parse_speed(text: &str) -> Result<Length, String> {
    let length = text.trim().strip_suffix("/s").and_then(|length| parse_length(length).ok());
    length.ok_or_else(|| {
        format!("`{text}` is not a speed; write metres a second as \"2.5m/s\" or body heights a second as \"1.5bh/s\"")
    })
}

fn parse_length(text: &str) -> Result<Length, String> {
    let wrong = || format!("`{text}` is not a length; write metres as \"2m\" or body heights as \"1.2bh\"");
    let trimmed = text.trim();
    let (number, make): (&str, fn(f64) -> Length) = match (trimmed.strip_suffix("bh"), trimmed.strip_suffix('m')) {
        (Some(number), _) => (number, Length::BodyHeights),
        (None, Some(number)) => (number, Length::Metres),
        (None, None) => return Err(wrong()),
    };
    let value: f64 = number.trim().parse().map_err(|_| wrong())?;
    if value.is_finite() && value > 0.0 && value <= 10_000.0 { Ok(make(value)) } else { Err(wrong()) }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D, expected: &'static str) -> Result<String, D::Error> {
    match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => Ok(text),
        other => Err(serde::de::Error::custom(format!("`{other}` is not {expected}"))),
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A duration with its unit: \"10s\", \"500ms\", \"2m\", \"1h 30m\"",
            "pattern": "^\\s*([0-9]+(\\.[0-9]+)?\\s*[a-zµ]+[, ]*)+$", "examples": ["10s"] })
    }
}

impl JsonSchema for Distance {
    fn schema_name() -> Cow<'static, str> {
        "Length".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A length: metres (\"2m\") or body heights (\"1.2bh\")",
            "pattern": "^\\s*[0-9]+(\\.[0-9]+)?\\s*(m|bh)$", "examples": ["2m", "1.2bh"] })
    }
}

impl JsonSchema for Speed {
    fn schema_name() -> Cow<'static, str> {
        "Speed".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A speed: metres (\"2.5m/s\") or body heights (\"1.5bh/s\") a second",
            "pattern": "^\\s*[0-9]+(\\.[0-9]+)?\\s*(m|bh)\\s*/s$", "examples": ["2.5m/s"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(parse_duration("10s"), Ok(Span::from_secs(10)));
        assert_eq!(parse_duration("500ms"), Ok(Span::from_millis(500)));
        assert_eq!(parse_duration("2m"), Ok(Span::from_secs(120)));
        assert_eq!(parse_duration("1h 30m"), Ok(Span::from_secs(5400)));
        assert_eq!(parse_duration("1.5s"), Ok(Span::from_millis(1500)));
        assert_eq!(parse_duration("7d"), Ok(Span::from_secs(7 * 86_400)));
        assert_eq!(parse_duration("1d 12h"), Ok(Span::from_secs(36 * 3600)));
        assert_eq!(parse_duration("20 seconds"), Ok(Span::from_secs(20)));
        for wrong in ["10", "-3s", "ten", "", "400d", "d", "1d x", "-1d"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lengths() {
        assert_eq!(parse_length("2m"), Ok(Length::Metres(2.0)));
        assert_eq!(parse_length("1.2bh"), Ok(Length::BodyHeights(1.2)));
        for wrong in ["2", "0m", "-1m", "NaNm", "2px", "infm"] {
            assert!(parse_length(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn speeds() {
        assert_eq!(parse_speed("2.5m/s"), Ok(Length::Metres(2.5)));
        assert_eq!(parse_speed(" 1.5 bh/s"), Ok(Length::BodyHeights(1.5)));
        for wrong in ["2.5", "2.5m", "2.5km/h", "0m/s", "-1m/s", "m/s"] {
            assert!(parse_speed(wrong).is_err(), "{wrong}");
        }
    }
}
