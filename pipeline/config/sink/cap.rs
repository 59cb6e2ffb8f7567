//! `kind = "cap"`.

use super::{Form, webhook};
use crate::config::plan::{Cap, Length};
use crate::config::raw::SinkRaw;
use crate::types::Span;

/// Its keys.
pub const KEYS: [&str; 10] =
    ["url", "token", "ca", "allow_private", "answers", "timeout", "sender", "addresses", "radius", "expires"];

/// `None` where something needed is missing; the report says so.
pub fn build(raw: SinkRaw, id: &str, form: &mut Form<'_, '_>) -> Option<Cap> {
    let allow_private = form.switch(raw.allow_private, "allow_private");
    let url = webhook::url(raw.url, allow_private, form);
    let sender_path = form.field("sender");
    if !raw.sender.is_set() {
        form.report.fault(&form.at, sender_path.as_str(), "missing: who sends, such as \"lookout@court.example\"");
    }
    let sender = raw.sender.checked(form.report, &sender_path, |text| is_sender(text));
    let addresses_path = form.field("addresses");
    let addresses = raw.addresses.checked(form.report, &addresses_path, |all| {
        match all.iter().find(|a| a.trim().is_empty() || a.contains(|c: char| c == '"' || c.is_control())) {
            Some(wrong) => Err(format!("`{wrong}` is not a recipient")),
            None if all.is_empty() => Err("names no recipient".into()),
            None => Ok(()),
        }
    });
    let radius_path = form.field("radius");
    let radius = raw.radius.checked(form.report, &radius_path, |radius| match radius.0 {
        Length::Metres(m) if (1.0..=100_000.0).contains(&m) => Ok(()),
        _ => Err("not from 1m to 100000m".into()),
    });
    let radius = match radius.map(|radius| radius.0) {
        Some(Length::Metres(metres)) => metres.round() as u32,
        _ => 100,
    };
    let expires = form.span(raw.expires, "expires", Span::from_secs(60), Span::from_secs(24 * 3600));
    Some(Cap {
        token: form.secret(raw.token, "token"),
        ca: form.file(raw.ca, "ca"),
        timeout: form.timeout(raw.timeout),
        answers: form.switch(raw.answers, "answers"),
        url: url?,
        allow_private,
        sender: sender?,
        addresses: addresses.unwrap_or_else(|| vec![id.to_owned()]),
        radius,
        expires,
        time_zone: form.zone.clone(),
    })
}

/// CAP 1.2, 3.2.1: no spaces, commas or restricted characters (`<` and `&`).
fn is_sender(text: &str) -> Result<(), String> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '<' | '&');
    if text.is_empty() || text.contains(bad) {
        return Err("a sender has no white space, comma, `<` or `&`".into());
    }
    Ok(())
}
