//! Topics and messages as ONVIF's event broker has them. Source: ONVIF Core Specification, event broker; Analytics
//! Service Specification, annex A; Imaging Service Specification.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::types::time::millis;
use crate::types::{Event, Kind, State};

/// What a subscriber of `onvif-ej` topics reads. Every event is one of its own, none is retained: an alert that is
/// over would start again at each new subscriber.
#[derive(Serialize)]
pub struct Message<'a> {
    #[serde(rename = "UtcTime", with = "millis")]
    time: jiff::Timestamp,
    #[serde(rename = "Source")]
    source: Source<'a>,
    #[serde(rename = "Data")]
    data: Map<String, Value>,
}

#[derive(Serialize)]
struct Source<'a> {
    #[serde(rename = "VideoSource")]
    camera: &'a str,
    #[serde(rename = "Rule")]
    rule: &'a str,
}

/// The topic below `onvif-ej`, without the prefix of the standard's own namespace. What the standard has no topic for is
/// in a namespace of ours.
pub fn topic(event: &Event) -> String {
    match event.kind {
        Kind::Crossing => "RuleEngine/LineDetector/Crossed",
        Kind::Intrusion => "RuleEngine/FieldDetector/ObjectsInside",
        Kind::Loitering => "RuleEngine/LoiteringDetector/ObjectIsLoitering",
        Kind::Occupancy => "RuleEngine/CountAggregation/OccupancyCounter",
        Kind::Crowd => "RuleEngine/lookout:Crowd",
        Kind::Density => "RuleEngine/lookout:Density",
        Kind::Gathering => "RuleEngine/lookout:Gathering",
        Kind::WrongWay => "RuleEngine/lookout:WrongWay",
        Kind::CounterFlow => "RuleEngine/lookout:CounterFlow",
        Kind::Rush => "RuleEngine/lookout:Rush",
        Kind::Proximity => "RuleEngine/lookout:Proximity",
        Kind::Vanished => "RuleEngine/lookout:Vanished",
        Kind::Offline => "VideoSource/SignalLoss",
        Kind::Frozen => "VideoSource/lookout:Frozen",
        Kind::Dark => "VideoSource/ImageTooDark/AnalyticsService",
        Kind::Blurred => "VideoSource/ImageTooBlurry/AnalyticsService",
        Kind::Moved => "VideoSource/GlobalSceneChange/AnalyticsService",
    }
    .to_owned()
}

/// The message: the standard's own items where the topic has any, and what makes it an alert of ours. `key` is the
/// idempotency key.
pub fn message<'a>(event: &'a Event, key: &str) -> Message<'a> {
    let holds = event.state != State::Ended;
    let own = match event.kind {
        Kind::Intrusion => Some(("IsInside", json!(holds))),
        Kind::Loitering => event.condition_since.map(|since| ("Since", json!(format!("{since:.3}")))),
        Kind::Occupancy => Some(("Count", json!(event.people))),
        kind if kind.is_health() => Some(("State", json!(holds))),
        _ => None,
    };
    let items = [
        ("Key", json!(key)),
        ("AlertState", json!(event.state)),
        ("Kind", json!(event.kind)),
        ("Severity", json!(event.severity)),
        ("Value", json!(event.value)),
        ("People", json!(event.people)),
        ("Test", json!(event.is_test())),
        ("TextZh", json!(event.text.zh)),
        ("TextEn", json!(event.text.en)),
    ];
    let data = own.into_iter().chain(items).map(|(name, value)| (name.to_owned(), value)).collect();
    let source =
        Source { camera: event.camera.as_deref().unwrap_or_default(), rule: event.rule.as_deref().unwrap_or_default() };
    Message { time: event.at, source, data }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::journal::sample_event;
    use crate::types::AlertId;

    fn event(kind: Kind, rule: &str, state: State) -> Event {
        Event { kind, rule: Some(rule.into()), ..sample_event(AlertId([1; 16]), 3, state) }
    }

    #[test]
    fn a_camera_that_is_unwell_has_the_topic_of_its_trouble() {
        for (kind, wanted) in [
            (Kind::Offline, "VideoSource/SignalLoss"),
            (Kind::Moved, "VideoSource/GlobalSceneChange/AnalyticsService"),
            (Kind::Frozen, "VideoSource/lookout:Frozen"),
        ] {
            let rule = format!("camera.{}", kind.word());
            assert_eq!(topic(&event(kind, &rule, State::Started)), wanted);
        }
    }

    #[test]
    fn a_message_says_what_the_standard_asks_and_which_alert_it_is() {
        for (state, inside) in [(State::Started, true), (State::Ended, false)] {
            let event = event(Kind::Intrusion, "door", state);
            let key = event.key().unwrap();
            let message = serde_json::to_value(message(&event, &key)).unwrap();
            let names: Vec<_> = message.as_object().unwrap().keys().collect();
            assert_eq!(names, ["Data", "Source", "UtcTime"]);
            assert_eq!(message["Source"]["Rule"], "door");
            assert_eq!((&message["Data"]["IsInside"], &message["Data"]["Key"]), (&json!(inside), &json!(key)));
        }
    }
}
