//! A `[[sink]]` table to its checked plan: each kind asks for its own keys and refuses those of others.

use std::path::Path;

use super::fault::Report;
use super::plan::{Secret, Sink, SinkKind};
use super::raw::{SinkKindRaw, SinkRaw, Table};
use super::site::{http_url, id};
use crate::types::Span;

pub fn build(table: Table<SinkRaw>, index: usize, base: &Path, report: &mut Report<'_>) -> Option<Sink> {
    let (at, path) = (table.span(), format!("sink[{index}]"));
    let field = |name: &str| format!("{path}.{name}");
    let raw = table.into_inner();
    let id = id(raw.id, report, &field("id"), &at);
    let kind = raw.kind.require(report, &field("kind"), &at, "\"webhook\" or \"file\"");
    let kind = match kind? {
        SinkKindRaw::File => {
            let why = "does not belong to a file";
            raw.url.refuse(report, &field("url"), why);
            raw.secrets.refuse(report, &field("secrets"), why);
            raw.timeout.refuse(report, &field("timeout"), why);
            SinkKind::File {
                path: base.join(raw.path.require(report, &field("path"), &at, "where lines are appended")?),
            }
        }
        SinkKindRaw::Webhook => {
            raw.path.refuse(report, &field("path"), "does not belong to a webhook");
            let url_at = raw.url.span().clone();
            let url = raw.url.require(report, &field("url"), &at, "where to send")?;
            if let Err(message) = http_url(&url) {
                report.fault(&url_at, field("url"), message);
            }
            let secrets_at = raw.secrets.span().clone();
            let named = raw.secrets.get(report, &field("secrets")).unwrap_or_default();
            let mut secrets = Vec::new();
            for (i, text) in named.iter().enumerate() {
                match secret(text, base) {
                    Ok(secret) => secrets.push(secret),
                    Err(message) => report.fault(&secrets_at, format!("{}[{i}]", field("secrets")), message),
                }
            }
            let timeout = raw.timeout.get(report, &field("timeout")).map_or(Span::from_secs(15), |d| d.0);
            if !(Span::from_millis(100)..=Span::from_secs(300)).contains(&timeout) {
                report.fault(&at, field("timeout"), "not from 100ms to 300s");
            }
            SinkKind::Webhook { url, secrets, timeout }
        }
    };
    Some(Sink { id, kind })
}

fn secret(text: &str, base: &Path) -> Result<Secret, String> {
    match text.split_once(':') {
        Some(("env", name)) if !name.is_empty() => Ok(Secret::Env(name.to_owned())),
        Some(("file", path)) if !path.is_empty() => Ok(Secret::File(base.join(path))),
        // The text may be the secret itself: it is not repeated.
        _ => Err("a secret does not belong in this file; name its place as \"env:NAME\" or \"file:PATH\"".into()),
    }
}
