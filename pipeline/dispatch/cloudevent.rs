//! CloudEvents 1.0, JSON format, structured mode: how an event leaves the house.

use serde::Serialize;

use crate::types::Event;
use crate::types::time::millis;

/// Media type of the structured JSON format.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// An event in its envelope.
#[derive(Serialize)]
pub struct CloudEvent<'a> {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    #[serde(with = "millis")]
    time: jiff::Timestamp,
    datacontenttype: &'static str,
    data: &'a Event,
}

impl<'a> CloudEvent<'a> {
    /// `None` for a count, which is never dispatched.
    pub fn new(event: &'a Event) -> Option<Self> {
        Some(Self {
            specversion: "1.0",
            id: event.key()?,
            source: match &event.camera {
                Some(camera) => format!("/{}/{camera}", event.site),
                None => format!("/{}", event.site),
            },
            kind: format!("lookout.alert.{}", event.state),
            subject: event.alert?.to_string(),
            time: event.at,
            datacontenttype: "application/json",
            data: event,
        })
    }
}
