//! An event as an alarm notification (GB/T 28181-2016 A.2.5, -2022 A.2.5.3).

use std::io;

use super::manscdp;
use crate::config::plan::Gb28181;
use crate::dispatch::xml;
use crate::types::{EndReason, Event, Kind, Place, Severity};

/// Longest sentence of one language, characters: the message is to fit a datagram.
const SENTENCE: usize = 120;

/// How an alarm was found out (`AlarmMethod`) and what it is (`AlarmType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classes {
    /// 2 the device itself, 5 video analysis.
    pub method: u8,
    /// Of that method.
    pub kind: u8,
    /// 1 entered, 2 left; of an intrusion only.
    pub event: Option<u8>,
}

/// The classes that come nearest to an event.
pub fn classes(event: &Event) -> Classes {
    let seen = |kind| Classes { method: 5, kind, event: None };
    match event.kind {
        // 5 tripwire.
        Kind::Crossing => seen(5),
        // 6 intrusion. Who went into the water and was not seen to leave it has entered.
        Kind::Intrusion | Kind::Vanished => {
            // At an end for another reason nobody knows.
            let left = event.reason == Some(EndReason::Cleared);
            Classes { event: Some(if left { 2 } else { 1 }), ..seen(6) }
        }
        // 7 against the direction.
        Kind::WrongWay | Kind::CounterFlow => seen(7),
        // 8 loitering.
        Kind::Loitering => seen(8),
        // 9 flow statistics.
        Kind::Occupancy => seen(9),
        // 10 density.
        Kind::Crowd | Kind::Density | Kind::Gathering => seen(10),
        // 12 fast movement.
        Kind::Rush => seen(12),
        // 2 a moving target: nothing nearer is there.
        Kind::Proximity => seen(2),
        // By the device itself, 1: no picture. By analysis, 11: something is wrong with it.
        Kind::Offline => Classes { method: 2, kind: 1, event: None },
        Kind::Frozen | Kind::Dark | Kind::Blurred | Kind::Moved => seen(11),
    }
}

/// The body of the message that tells `event`, numbered `serial`.
pub fn notification(event: &Event, serial: u32, plan: &Gb28181) -> io::Result<Vec<u8>> {
    let device = event.camera.as_ref().and_then(|camera| plan.channels.get(camera)).unwrap_or(&plan.device_id);
    let Classes { method, kind, event: way } = classes(event);
    manscdp::write(plan.encoding, "Notify", "Alarm", serial, device, |xml| {
        xml::text(xml, "AlarmPriority", priority(event.severity))?;
        xml::text(xml, "AlarmMethod", &method.to_string())?;
        let local = event.at.to_zoned_datetime(plan.time_zone.clone());
        xml::text(xml, "AlarmTime", &local.strftime("%Y-%m-%dT%H:%M:%S").to_string())?;
        xml::text(xml, "AlarmDescription", &description(event))?;
        if let Some(Place { lat, lon }) = event.place {
            xml::text(xml, "Longitude", &format!("{lon:.6}"))?;
            xml::text(xml, "Latitude", &format!("{lat:.6}"))?;
        }
        xml::element(xml, "Info", |xml| {
            xml::text(xml, "AlarmType", &kind.to_string())?;
            match way {
                Some(way) => xml::element(xml, "AlarmTypeParam", |xml| xml::text(xml, "EventType", &way.to_string())),
                None => Ok(()),
            }
        })
    })
}

/// The sentence in both languages; where evidence lies, if it is ready.
fn description(event: &Event) -> String {
    let short = |text: &str| xml::shortened(text, SENTENCE);
    let mut text = format!("{} / {}", short(&event.text.zh), short(&event.text.en));
    let links = event.links.iter().flat_map(|links| [&links.picture, &links.clip]).flatten();
    for link in links {
        text.push(' ');
        text.push_str(link);
    }
    text
}

/// 1 is the highest of four.
const fn priority(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Extreme) => "1",
        Some(Severity::Severe) => "2",
        Some(Severity::Moderate) => "3",
        Some(Severity::Minor) | None => "4",
    }
}
