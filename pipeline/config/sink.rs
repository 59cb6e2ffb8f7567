//! A `[[sink]]` table to its checked plan: each kind asks for its own keys and refuses those of others.

mod broker;
mod cap;
mod gb28181;
mod kafka;
mod mqtt;
mod nats;
mod webhook;

use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::fault::Report;
use super::field::Field;
use super::plan::{Secret, Sink, SinkKind};
use super::raw::{SinkKindRaw, SinkRaw, Table};
use super::site::id;
use super::units::Duration;
use crate::types::Span;

/// Keys of a file sink.
const FILE_KEYS: [&str; 1] = ["path"];

/// What a sink takes from its site.
#[derive(Clone, Copy)]
pub struct Of<'a> {
    /// The site's id.
    pub site: &'a str,
    /// What paths are relative to.
    pub base: &'a Path,
    /// The site's.
    pub zone: &'a TimeZone,
}

/// The sink of a table; `None` where something needed is missing, which the report says.
pub fn build(table: Table<SinkRaw>, index: usize, of: Of<'_>, report: &mut Report<'_>) -> Option<Sink> {
    let Of { site, base, zone } = of;
    let mut form = Form { at: table.span(), path: format!("sink[{index}]"), site, base, zone, report };
    let raw = table.into_inner();
    let places = raw.places();
    let (id_path, kind_path) = (form.field("id"), form.field("kind"));
    let id = id(raw.id.clone(), form.report, &id_path, &form.at);
    let meaning = "\"webhook\", \"mqtt\", \"nats\", \"kafka\", \"cap\", \"gb28181\", \"file\" or \"log\"";
    let kind = raw.kind.clone().require(form.report, &kind_path, &form.at, meaning)?;
    let (name, own): (_, &[&str]) = match kind {
        SinkKindRaw::File => ("file", &FILE_KEYS),
        SinkKindRaw::Log => ("log", &[]),
        SinkKindRaw::Webhook => ("webhook", &webhook::KEYS),
        SinkKindRaw::Cap => ("cap", &cap::KEYS),
        SinkKindRaw::Gb28181 => ("gb28181", &gb28181::KEYS),
        SinkKindRaw::Mqtt => ("mqtt", &mqtt::KEYS),
        SinkKindRaw::Nats => ("nats", &nats::KEYS),
        SinkKindRaw::Kafka => ("kafka", &kafka::KEYS),
    };
    for (key, place) in places {
        if let Some(place) = place.filter(|_| !own.contains(&key)) {
            form.fault(&place, key, format!("does not belong to a sink of kind `{name}`"));
        }
    }
    let kind = match kind {
        SinkKindRaw::File => {
            SinkKind::File { path: base.join(form.text(raw.path, "path", "where lines are appended")?) }
        }
        SinkKindRaw::Log => SinkKind::Log,
        SinkKindRaw::Webhook => SinkKind::Webhook(webhook::build(raw, &mut form)?),
        SinkKindRaw::Cap => SinkKind::Cap(cap::build(raw, &id, &mut form)?),
        SinkKindRaw::Gb28181 => SinkKind::Gb28181(gb28181::build(raw, &mut form)?),
        SinkKindRaw::Mqtt => SinkKind::Mqtt(mqtt::build(raw, &id, &mut form)?),
        SinkKindRaw::Nats => SinkKind::Nats(nats::build(raw, &mut form)?),
        SinkKindRaw::Kafka => SinkKind::Kafka(kafka::build(raw, &mut form)?),
    };
    Some(Sink { id, kind })
}

/// One `[[sink]]` table while it is checked.
struct Form<'a, 'r> {
    /// Where the table stands.
    at: Range<usize>,
    /// `sink[0]`.
    path: String,
    /// The site's id.
    site: &'a str,
    /// What paths are relative to.
    base: &'a Path,
    /// The site's.
    zone: &'a TimeZone,
    report: &'a mut Report<'r>,
}

impl Form<'_, '_> {
    /// Path of a key, for faults.
    fn field(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    fn fault(&mut self, at: &Range<usize>, key: &str, message: String) {
        let path = self.field(key);
        self.report.fault(at, path, message);
    }

    /// A text that must be there.
    fn text(&mut self, field: Field<String>, key: &str, meaning: &str) -> Option<String> {
        let path = self.field(key);
        field.require(self.report, &path, &self.at, meaning)
    }

    /// A file that need not be named.
    fn file(&mut self, field: Field<String>, key: &str) -> Option<PathBuf> {
        let path = self.field(key);
        field.get(self.report, &path).map(|file| self.base.join(file))
    }

    /// A switch that is off if left out.
    fn switch(&mut self, field: Field<bool>, key: &str) -> bool {
        let path = self.field(key);
        field.get(self.report, &path).unwrap_or(false)
    }

    /// The places of several secrets.
    fn secrets(&mut self, field: Field<Vec<String>>, key: &str) -> Vec<Secret> {
        let (path, at) = (self.field(key), field.span().clone());
        let named = field.get(self.report, &path).unwrap_or_default();
        let mut secrets = Vec::new();
        for (i, text) in named.iter().enumerate() {
            match secret(text, self.base) {
                Ok(secret) => secrets.push(secret),
                Err(message) => self.report.fault(&at, format!("{path}[{i}]"), message),
            }
        }
        secrets
    }

    /// The place of a secret that need not be there.
    fn secret(&mut self, field: Field<String>, key: &str) -> Option<Secret> {
        let (path, at) = (self.field(key), field.span().clone());
        let text = field.get(self.report, &path)?;
        secret(&text, self.base).map_err(|message| self.report.fault(&at, path, message)).ok()
    }

    /// A time of at least `least` that is `standard` if left out.
    fn span(&mut self, field: Field<Duration>, key: &str, least: Span, standard: Span) -> Span {
        let path = self.field(key);
        let sane = |wanted: &Duration| {
            if wanted.0 >= least { Ok(()) } else { Err(format!("less than {} s", least.secs_f64())) }
        };
        field.checked(self.report, &path, sane).map_or(standard, |d| d.0)
    }

    /// How long a receiver may take to answer.
    fn timeout(&mut self, field: Field<Duration>) -> Span {
        let path = self.field("timeout");
        let sane = |wanted: &Duration| {
            let range = Span::from_millis(100)..=Span::from_secs(300);
            if range.contains(&wanted.0) { Ok(()) } else { Err("not from 100ms to 300s".to_owned()) }
        };
        field.checked(self.report, &path, sane).map_or(Span::from_secs(15), |d| d.0)
    }
}

fn secret(text: &str, base: &Path) -> Result<Secret, String> {
    match text.split_once(':') {
        Some(("env", name)) if !name.is_empty() => Ok(Secret::Env(name.to_owned())),
        Some(("file", path)) if !path.is_empty() => Ok(Secret::File(base.join(path))),
        // The text may be the secret itself: it is not repeated.
        _ => Err("a secret does not belong in this file; name its place as \"env:NAME\" or \"file:PATH\"".into()),
    }
}
