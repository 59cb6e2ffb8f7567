//! An event as a message of the Common Alerting Protocol 1.2 (OASIS, 2010): the XML text of one `alert`.

use std::io;

use jiff::tz::{Offset, TimeZone};

use crate::alerts::journal::Answered;
use crate::alerts::text;
use crate::config::plan::Cap;
use crate::dispatch::xml::{self, Xml};
use crate::types::answer::NOT_A_PERSON;
use crate::types::{EndReason, Event, Kind, Localized, Place, Severity, State};

/// Media type of a message (IANA).
pub const CONTENT_TYPE: &str = "application/cap+xml";
const NAMESPACE: &str = "urn:oasis:names:tc:emergency:cap:1.2";
/// The specification asks for a headline of at most so many characters (3.2.2).
const HEADLINE: usize = 160;

/// What a message does to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    /// The first that the receiver gets of an alert.
    Alert,
    /// Replaces the messages it refers to.
    Update,
    /// They are no longer in force.
    Cancel,
}

/// A language of an `info` block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Chinese,
    English,
}

/// The message that tells `event` to a receiver that has got the events `earlier` of the same alert, oldest first.
/// `None` for a count. UTF-8.
pub fn message(event: &Event, earlier: &[Event], cap: &Cap) -> Option<io::Result<Vec<u8>>> {
    let identifier = event.key()?;
    Some(write(News { event, false_alarm: None }, &identifier, earlier, cap))
}

/// The message that cancels the events `earlier` because dispatch has called their alert a false alarm; `newest` is the
/// last of them. `None` where there is nothing to cancel.
pub fn false_alarm(
    newest: &Event,
    answer: &Answered,
    earlier: &[Event],
    cap: &Cap,
) -> Option<io::Result<Vec<u8>>> {
    referred(earlier).next()?;
    let identifier = format!("{}.false_alarm.{}", newest.alert?, answer.number);
    Some(write(News { event: newest, false_alarm: Some(answer) }, &identifier, earlier, cap))
}

/// What a message tells.
#[derive(Clone, Copy)]
struct News<'a> {
    event: &'a Event,
    /// Instead of the event, that there was none.
    false_alarm: Option<&'a Answered>,
}

impl News<'_> {
    fn at(self) -> jiff::Timestamp {
        self.false_alarm.map_or(self.event.at, |answer| answer.row.at)
    }

    /// A word for why the alert is over, if it is.
    fn note(self) -> Option<String> {
        match self.false_alarm.map(|answer| &answer.row.answer) {
            Some(answer) => Some([Some(answer.word()), answer.detail()].into_iter().flatten().collect::<Vec<_>>().join(": ")),
            None => self.event.reason.map(EndReason::word),
        }
    }

    fn text(self) -> Localized {
        let Some(answer) = self.false_alarm else { return self.event.text.clone() };
        let Localized { zh, en } = &self.event.text;
        let (why_zh, why_en) = match answer.row.answer.detail() {
            None => (String::new(), String::new()),
            Some(NOT_A_PERSON) => ("（不是人）".to_owned(), " (not a person)".to_owned()),
            Some(reason) => (format!("（{reason}）"), format!(" ({reason})")),
        };
        Localized { zh: format!("误报，已撤销{why_zh}：{zh}"), en: format!("False alarm, cancelled{why_en}: {en}") }
    }
}

/// What kind of message tells `event`.
///
/// An alert that is over is cancelled. Where Lookout merely lost sight of it (`signal_lost`, `stopped`) nothing is
/// cancelled: the message says that nobody knows.
pub fn message_type(event: &Event, earlier: &[Event]) -> MessageType {
    match (referred(earlier).next().is_some(), is_over(event) && !is_out_of_sight(event)) {
        (false, _) => MessageType::Alert,
        (true, true) => MessageType::Cancel,
        (true, false) => MessageType::Update,
    }
}

/// Messages that can be updated or cancelled: not those that cancelled others.
fn referred(earlier: &[Event]) -> impl Iterator<Item = &Event> {
    earlier.iter().filter(|e| !is_over(e) || is_out_of_sight(e))
}

/// Also of evidence that becomes ready after the end: it repeats the reason.
fn is_over(event: &Event) -> bool {
    event.reason.is_some()
}

fn is_out_of_sight(event: &Event) -> bool {
    matches!(event.reason, Some(EndReason::SignalLost | EndReason::Stopped))
}

fn write(news: News<'_>, identifier: &str, earlier: &[Event], cap: &Cap) -> io::Result<Vec<u8>> {
    let event = news.event;
    let kind = if news.false_alarm.is_some() { MessageType::Cancel } else { message_type(event, earlier) };
    let mut document = xml::document("UTF-8")?;
    document.create_element("alert").with_attribute(("xmlns", NAMESPACE)).write_inner_content(|xml| {
        xml::text(xml, "identifier", identifier)?;
        xml::text(xml, "sender", &cap.sender)?;
        xml::text(xml, "sent", &time(news.at(), &cap.time_zone))?;
        xml::text(xml, "status", if event.is_test() { "Test" } else { "Actual" })?;
        let word = match kind {
            MessageType::Alert => "Alert",
            MessageType::Update => "Update",
            MessageType::Cancel => "Cancel",
        };
        xml::text(xml, "msgType", word)?;
        xml::text(xml, "source", &event.source())?;
        xml::text(xml, "scope", "Private")?;
        xml::text(xml, "addresses", &addresses(&cap.addresses))?;
        if let Some(note) = news.note() {
            xml::text(xml, "note", &note)?;
        }
        if kind != MessageType::Alert {
            let reference = |e: &Event| Some(format!("{},{},{}", cap.sender, e.key()?, time(e.at, &cap.time_zone)));
            let references: Vec<String> = referred(earlier).filter_map(reference).collect();
            xml::text(xml, "references", &references.join(" "))?;
        }
        let incidents: Vec<String> = event.alert.iter().chain(&event.related).map(ToString::to_string).collect();
        xml::text(xml, "incidents", &incidents.join(" "))?;
        for language in [Language::Chinese, Language::English] {
            xml::element(xml, "info", |xml| info(xml, news, cap, language))?;
        }
        Ok(())
    })?;
    Ok(document.into_inner())
}

fn info(xml: &mut Xml, news: News<'_>, cap: &Cap, language: Language) -> io::Result<()> {
    let (event, texts, is_false) = (news.event, news.text(), news.false_alarm.is_some());
    let say = |chinese: &'static str, english: &'static str| match language {
        Language::Chinese => chinese,
        Language::English => english,
    };
    let (name_zh, name_en) = text::kind(event.kind);
    let sentence = match language {
        Language::Chinese => &texts.zh,
        Language::English => &texts.en,
    };
    xml::text(xml, "language", say("zh-CN", "en"))?;
    xml::text(xml, "category", category(event.kind))?;
    xml::text(xml, "event", say(name_zh, name_en))?;
    if is_false || event.reason == Some(EndReason::Cleared) {
        xml::text(xml, "responseType", "AllClear")?;
    } else if !is_over(event) {
        xml::text(xml, "responseType", "Assess")?;
    }
    xml::text(xml, "urgency", if is_false { "Past" } else { urgency(event) })?;
    xml::text(xml, "severity", severity(event.severity))?;
    xml::text(xml, "certainty", if is_false { "Unlikely" } else { certainty(event) })?;
    event_code(xml, "eventCode", "lookout.kind", &event.kind.word())?;
    xml::text(xml, "effective", &time(news.at(), &cap.time_zone))?;
    if let Some(since) = event.condition_since {
        xml::text(xml, "onset", &time(since, &cap.time_zone))?;
    }
    let at = news.at();
    let expires = at.saturating_add(jiff::SignedDuration::from_nanos(cap.expires.nanos())).unwrap_or(at);
    xml::text(xml, "expires", &time(expires, &cap.time_zone))?;
    xml::text(xml, "senderName", &format!("Lookout {}", event.site))?;
    xml::text(xml, "headline", &xml::shortened(sentence, HEADLINE))?;
    xml::text(xml, "description", sentence)?;
    for (name, value) in parameters(event) {
        event_code(xml, "parameter", name, &value)?;
    }
    let links = event.links.as_ref();
    let picture = links.and_then(|l| l.picture.as_deref());
    let clip = links.and_then(|l| l.clip.as_deref());
    let resources = [
        (picture, say("现场图片（人员已打码）", "still picture, people pixelated"), "image/jpeg"),
        (clip, say("现场视频片段（人员已打码）", "clip, people pixelated"), "video/mp4"),
    ];
    for (uri, what, mime) in resources {
        let Some(uri) = uri else { continue };
        xml::element(xml, "resource", |xml| {
            xml::text(xml, "resourceDesc", what)?;
            xml::text(xml, "mimeType", mime)?;
            xml::text(xml, "uri", uri)
        })?;
    }
    xml::element(xml, "area", |xml| area(xml, event, cap))
}

/// `valueName` and `value` in an element; the values of one event.
fn event_code(xml: &mut Xml, element: &str, name: &str, value: &str) -> io::Result<()> {
    xml::element(xml, element, |xml| {
        xml::text(xml, "valueName", name)?;
        xml::text(xml, "value", value)
    })
}

fn parameters(event: &Event) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("lookout.state", event.state.word()),
        ("lookout.value", event.value.to_string()),
        ("lookout.threshold", event.threshold.to_string()),
        ("lookout.peak", event.peak.to_string()),
        ("lookout.unit", event.unit.word()),
        ("lookout.people", event.people.to_string()),
    ];
    let ids = [
        ("lookout.rule", &event.rule),
        ("lookout.zone", &event.zone),
        ("lookout.line", &event.line),
        ("lookout.grid", &event.grid),
    ];
    all.extend(ids.into_iter().filter_map(|(name, id)| id.clone().map(|id| (name, id))));
    all
}

/// Where the camera stands, and around it as far as it may see; the place of people is not known more closely.
fn area(xml: &mut Xml, event: &Event, cap: &Cap) -> io::Result<()> {
    let part = event.zone_name.as_deref().or(event.line.as_deref());
    let names = [event.camera_name.as_deref(), part].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let name = if names.is_empty() { event.site.clone() } else { names };
    xml::text(xml, "areaDesc", &name)?;
    if let Some(Place { lat, lon }) = event.place.filter(is_on_earth) {
        xml::text(xml, "circle", &format!("{lat:.6},{lon:.6} {:.3}", f64::from(cap.radius) / 1000.0))?;
    }
    match &event.grid {
        Some(grid) => event_code(xml, "geocode", "lookout.grid", grid),
        None => Ok(()),
    }
}

fn is_on_earth(place: &Place) -> bool {
    (-90.0..=90.0).contains(&place.lat) && (-180.0..=180.0).contains(&place.lon)
}

fn category(kind: Kind) -> &'static str {
    match kind {
        Kind::Crowd | Kind::Density | Kind::Gathering | Kind::CounterFlow | Kind::Rush | Kind::Occupancy => "Safety",
        Kind::Loitering | Kind::Intrusion | Kind::Crossing | Kind::WrongWay | Kind::Proximity => "Security",
        Kind::Vanished => "Rescue",
        Kind::Offline | Kind::Frozen | Kind::Dark | Kind::Blurred | Kind::Moved => "Infra",
    }
}

fn urgency(event: &Event) -> &'static str {
    if is_out_of_sight(event) {
        return "Unknown";
    }
    if is_over(event) {
        return "Past";
    }
    match event.severity {
        Some(Severity::Severe | Severity::Extreme) => "Immediate",
        _ if event.state == State::Overdue => "Immediate",
        _ => "Expected",
    }
}

fn severity(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Extreme) => "Extreme",
        Some(Severity::Severe) => "Severe",
        Some(Severity::Moderate) => "Moderate",
        Some(Severity::Minor) => "Minor",
        None => "Unknown",
    }
}

/// Never `Observed`: nobody has looked yet.
fn certainty(event: &Event) -> &'static str {
    match event.kind {
        _ if is_out_of_sight(event) => "Unknown",
        // Not seen to come out is not seen to drown.
        Kind::Vanished => "Possible",
        _ => "Likely",
    }
}

/// A space separates recipients; quotes hold one with spaces together.
fn addresses(all: &[String]) -> String {
    let quoted = |a: &String| if a.contains(char::is_whitespace) { format!("\"{a}\"") } else { a.clone() };
    all.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// A `dateTime` of the schema: whole seconds and a numeric offset, UTC as `-00:00` (3.3.2). Nothing was watched before
/// 1970; the offsets of that past have seconds, which cannot be written.
fn time(at: jiff::Timestamp, zone: &TimeZone) -> String {
    let local = at.max(jiff::Timestamp::UNIX_EPOCH).to_zoned_datetime(zone.clone());
    if local.offset() == Offset::UTC || local.offset().seconds() % 60 != 0 {
        let utc = local.with_time_zone(TimeZone::UTC);
        return utc.strftime("%Y-%m-%dT%H:%M:%S-00:00").to_string();
    }
    local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
