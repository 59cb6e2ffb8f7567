//! The rules of the CAP 1.2 schema (OASIS, CAP-v1.2.xsd) and of its data dictionary (3.2), written down anew: order and
//! number of elements, patterns, enumerations.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// An element with its text and its children.
#[derive(Debug, Default)]
pub struct Element {
    pub name: String,
    pub namespace: Option<String>,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// Reads a document; the error says what is not well-formed.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
        let mut reader = Reader::from_str(text);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().map_err(|e| e.to_string())? {
                Event::Start(start) => {
                    let name = start.name().into_inner().to_owned();
                    let namespace = start.try_get_attribute("xmlns").unwrap().map(|a| a.value.into_owned());
                    open.push(Self { name, namespace, ..Self::default() });
                }
                Event::End(_) => {
                    let element = open.pop().unwrap();
                    open.last_mut().ok_or("an end too many")?.children.push(element);
                }
                Event::Text(part) => open.last_mut().unwrap().text.push_str(&part),
                Event::GeneralRef(part) => {
                    let value = resolve_predefined_entity(&part).ok_or_else(|| format!("unknown &{part:?};"))?;
                    open.last_mut().unwrap().text.push_str(value);
                }
                Event::Decl(_) => {}
                Event::Eof => break,
                other => return Err(format!("not expected: {other:?}")),
            }
        }
        let mut root = open.pop().filter(|_| open.is_empty()).ok_or("an element is not closed")?;
        if root.children.len() != 1 || !root.text.trim().is_empty() {
            return Err("not one root".into());
        }
        Ok(root.children.remove(0))
    }

    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.name == name)
    }

    /// All children of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |c| c.name == name)
    }

    /// The text of the first child of a name.
    pub fn value(&self, name: &str) -> &str {
        self.child(name).map_or("", |c| c.text.as_str())
    }
}

/// How often an element may be there.
#[derive(Clone, Copy, PartialEq)]
enum Often {
    One,
    Maybe,
    Any,
    Some,
}
use Often::{Any, Maybe, One, Some as AtLeastOne};

const ALERT: [(&str, Often); 15] = [
    ("identifier", One),
    ("sender", One),
    ("sent", One),
    ("status", One),
    ("msgType", One),
    ("source", Maybe),
    ("scope", One),
    ("restriction", Maybe),
    ("addresses", Maybe),
    ("code", Any),
    ("note", Maybe),
    ("references", Maybe),
    ("incidents", Maybe),
    ("info", Any),
    ("Signature", Any),
];
const INFO: [(&str, Often); 21] = [
    ("language", Maybe),
    ("category", AtLeastOne),
    ("event", One),
    ("responseType", Any),
    ("urgency", One),
    ("severity", One),
    ("certainty", One),
    ("audience", Maybe),
    ("eventCode", Any),
    ("effective", Maybe),
    ("onset", Maybe),
    ("expires", Maybe),
    ("senderName", Maybe),
    ("headline", Maybe),
    ("description", Maybe),
    ("instruction", Maybe),
    ("web", Maybe),
    ("contact", Maybe),
    ("parameter", Any),
    ("resource", Any),
    ("area", Any),
];
const RESOURCE: [(&str, Often); 6] =
    [("resourceDesc", One), ("mimeType", One), ("size", Maybe), ("uri", Maybe), ("derefUri", Maybe), ("digest", Maybe)];
const AREA: [(&str, Often); 6] =
    [("areaDesc", One), ("polygon", Any), ("circle", Any), ("geocode", Any), ("altitude", Maybe), ("ceiling", Maybe)];
const NAMED: [(&str, Often); 2] = [("valueName", One), ("value", One)];

const STATUS: &str = "Actual Exercise System Test Draft";
const TYPE: &str = "Alert Update Cancel Ack Error";
const SCOPE: &str = "Public Restricted Private";
const CATEGORY: &str = "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other";
const RESPONSE: &str = "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None";
const URGENCY: &str = "Immediate Expected Future Past Unknown";
const SEVERITY: &str = "Extreme Severe Moderate Minor Unknown";
const CERTAINTY: &str = "Observed Likely Possible Unlikely Unknown";

/// Everything that is wrong with a message.
pub fn faults(bytes: &[u8]) -> Vec<String> {
    let mut faults = Vec::new();
    match Element::read(bytes) {
        Ok(alert) => check_alert(&alert, &mut faults),
        Err(error) => faults.push(error),
    }
    faults
}

fn check_alert(alert: &Element, faults: &mut Vec<String>) {
    if alert.name != "alert" || alert.namespace.as_deref() != Some("urn:oasis:names:tc:emergency:cap:1.2") {
        faults.push(format!("the root is {} of {:?}", alert.name, alert.namespace));
    }
    order(alert, &ALERT, faults);
    for name in ["identifier", "sender"] {
        if alert.value(name).is_empty() || alert.value(name).contains([' ', ',', '<', '&']) {
            faults.push(format!("{name} `{}`", alert.value(name)));
        }
    }
    time(alert, "sent", faults);
    word(alert, "status", STATUS, faults);
    word(alert, "msgType", TYPE, faults);
    word(alert, "scope", SCOPE, faults);
    if alert.value("scope") == "Private" && alert.value("addresses").is_empty() {
        faults.push("a private message without addresses".into());
    }
    if (alert.value("scope") == "Restricted") != alert.child("restriction").is_some() {
        faults.push("restriction".into());
    }
    let refers = ["Update", "Cancel", "Ack", "Error"].contains(&alert.value("msgType"));
    if refers == alert.value("references").is_empty() {
        faults.push(format!("{} with references `{}`", alert.value("msgType"), alert.value("references")));
    }
    for reference in alert.value("references").split_whitespace() {
        match reference.split(',').collect::<Vec<_>>().as_slice() {
            [sender, identifier, sent] if !sender.is_empty() && !identifier.is_empty() && is_time(sent) => {}
            _ => faults.push(format!("reference `{reference}`")),
        }
    }
    let languages: Vec<&str> = alert.all("info").map(|i| i.value("language")).collect();
    if languages.iter().enumerate().any(|(i, l)| languages[..i].contains(l)) {
        faults.push("two infos of one language".into());
    }
    alert.all("info").for_each(|info| check_info(info, faults));
}

fn check_info(info: &Element, faults: &mut Vec<String>) {
    order(info, &INFO, faults);
    for (name, words) in [
        ("category", CATEGORY),
        ("responseType", RESPONSE),
        ("urgency", URGENCY),
        ("severity", SEVERITY),
        ("certainty", CERTAINTY),
    ] {
        word(info, name, words, faults);
    }
    for name in ["effective", "onset", "expires"] {
        time(info, name, faults);
    }
    if info.value("event").trim().is_empty() {
        faults.push("no event".into());
    }
    if info.value("headline").chars().count() > 160 {
        faults.push("the headline is too long".into());
    }
    for name in ["eventCode", "parameter"] {
        info.all(name).for_each(|named| order(named, &NAMED, faults));
    }
    for resource in info.all("resource") {
        order(resource, &RESOURCE, faults);
        let uri = resource.value("uri");
        if resource.child("uri").is_some() && (uri.contains(char::is_whitespace) || !uri.contains(':')) {
            faults.push(format!("uri `{uri}`"));
        }
        if !resource.value("mimeType").contains('/') {
            faults.push(format!("mimeType `{}`", resource.value("mimeType")));
        }
    }
    for area in info.all("area") {
        order(area, &AREA, faults);
        area.all("geocode").for_each(|named| order(named, &NAMED, faults));
        for circle in area.all("circle") {
            let centre = circle.text.split_once(' ').filter(|(_, radius)| number(radius).is_some_and(|r| r >= 0.0));
            if !centre.is_some_and(|(centre, _)| is_point(centre)) {
                faults.push(format!("circle `{}`", circle.text));
            }
        }
        for polygon in area.all("polygon") {
            let points: Vec<&str> = polygon.text.split(' ').collect();
            if points.len() < 4 || points.first() != points.last() || !points.iter().all(|p| is_point(p)) {
                faults.push(format!("polygon `{}`", polygon.text));
            }
        }
    }
}

/// Children in the order of `rules`, each as often as it may be; leaves hold no elements, branches no text.
fn order(element: &Element, rules: &[(&str, Often)], faults: &mut Vec<String>) {
    let mut next = 0;
    for child in &element.children {
        match rules.iter().position(|(name, _)| *name == child.name) {
            Some(at) if at >= next => next = at,
            Some(_) => faults.push(format!("{} in {} is out of order", child.name, element.name)),
            None => faults.push(format!("{} in {}", child.name, element.name)),
        }
        let branch = ["info", "resource", "area", "eventCode", "parameter", "geocode"].contains(&child.name.as_str());
        if branch == child.children.is_empty() || branch && !child.text.trim().is_empty() {
            faults.push(format!("content of {} in {}", child.name, element.name));
        }
    }
    for (name, often) in rules {
        let count = element.all(name).count();
        let good = match often {
            One => count == 1,
            Maybe => count <= 1,
            Any => true,
            AtLeastOne => count >= 1,
        };
        if !good {
            faults.push(format!("{count} times {name} in {}", element.name));
        }
    }
}

fn word(element: &Element, name: &str, words: &str, faults: &mut Vec<String>) {
    for found in element.all(name) {
        if !words.split(' ').any(|word| word == found.text) {
            faults.push(format!("{name} `{}`", found.text));
        }
    }
}

fn time(element: &Element, name: &str, faults: &mut Vec<String>) {
    for found in element.all(name) {
        if !is_time(&found.text) {
            faults.push(format!("{name} `{}`", found.text));
        }
    }
}

/// `\d\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[-,+]\d\d:\d\d`, and a time that there is.
pub fn is_time(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00+00:00";
    let form = text.bytes().zip(FORM).all(|(b, form)| match form {
        b'0' => b.is_ascii_digit(),
        b'+' => b == b'+' || b == b'-',
        _ => b == *form,
    });
    form && text.len() == FORM.len() && text.parse::<jiff::Timestamp>().is_ok()
}

fn is_point(text: &str) -> bool {
    text.split_once(',').is_some_and(|(lat, lon)| {
        number(lat).is_some_and(|v| v.abs() <= 90.0) && number(lon).is_some_and(|v| v.abs() <= 180.0)
    })
}

/// A decimal without an exponent.
fn number(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    text.parse().ok().filter(|_| plain)
}
