//! `kind = "webhook"`.

use url::{Host, Url};

use super::Form;
use crate::config::field::Field;
use crate::config::plan::Webhook;
use crate::config::raw::SinkRaw;
use crate::config::reach::is_public;

/// Its keys.
pub const KEYS: [&str; 7] = ["url", "mode", "secrets", "ca", "allow_private", "answers", "timeout"];

/// `None` where the address is missing; the report says so.
pub fn build(raw: SinkRaw, form: &mut Form<'_, '_>) -> Option<Webhook> {
    let allow_private = form.switch(raw.allow_private, "allow_private");
    let url = url(raw.url, allow_private, form);
    let mode_path = form.field("mode");
    let mode = raw.mode.get(form.report, &mode_path).unwrap_or_default();
    let secrets = form.secrets(raw.secrets, "secrets");
    let ca = form.file(raw.ca, "ca");
    let answers = form.switch(raw.answers, "answers");
    let timeout = form.timeout(raw.timeout);
    Some(Webhook { url: url?, mode, secrets, ca, allow_private, timeout, answers })
}

/// Where an HTTP receiver is.
pub fn url(field: Field<String>, allow_private: bool, form: &mut Form<'_, '_>) -> Option<String> {
    let at = field.span().clone();
    let url = form.text(field, "url", "where to send")?;
    if let Err(message) = check(&url, allow_private) {
        form.fault(&at, "url", message);
    }
    Some(url)
}

/// Whether this is an address to send to. A name is looked up only when somebody connects; an address that is written
/// out can be judged here.
fn check(text: &str, allow_private: bool) -> Result<(), String> {
    let url = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
        _ => return Err(format!("`{text}` is not an http:// or https:// address")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a name and password do not belong in an address".into());
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    if allow_private || is_public(address) {
        return Ok(());
    }
    Err(format!("{address} is not a public address; write `allow_private = true` if it is meant"))
}
