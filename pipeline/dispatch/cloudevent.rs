//! CloudEvents 1.0: how an event leaves the house, as one JSON document or as attributes beside the event itself.

use serde::Serialize;

use crate::types::Event;
use crate::types::time::millis;

/// Media type of the structured JSON format.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";
/// Media type of the event itself.
pub const DATA_CONTENT_TYPE: &str = "application/json";

/// An event in its envelope; serialised, the structured JSON format.
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
            source: event.source(),
            kind: format!("lookout.alert.{}", event.state),
            subject: event.alert?.to_string(),
            time: event.at,
            datacontenttype: DATA_CONTENT_TYPE,
            data: event,
        })
    }

    /// `<alert>.<seq>`: what receivers drop repeats by.
    pub fn key(&self) -> &str {
        &self.id
    }

    /// Names and values for protocols with headers of their own, where the event travels as the body. The content type
    /// has its own place there. All are plain ASCII: ids are, and the rest is ours.
    pub fn attributes(&self) -> [(&'static str, String); 6] {
        [
            ("specversion", self.specversion.to_owned()),
            ("id", self.id.clone()),
            ("source", self.source.clone()),
            ("type", self.kind.clone()),
            ("subject", self.subject.clone()),
            ("time", format!("{:.3}", self.time)),
        ]
    }
}
