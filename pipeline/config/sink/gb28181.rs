//! `kind = "gb28181"`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::Form;
use crate::config::field::Field;
use crate::config::plan::Gb28181;
use crate::config::raw::SinkRaw;
use crate::types::{Span, State};

/// Its keys.
pub const KEYS: [&str; 15] = [
    "server",
    "transport",
    "local",
    "server_id",
    "domain",
    "device_id",
    "username",
    "password",
    "channels",
    "encoding",
    "states",
    "acknowledge",
    "keepalive",
    "expires",
    "timeout",
];

/// What a platform is told unless the configuration says otherwise. Evidence is not: each message is an alarm of its own
/// to a platform.
const STATES: [State; 4] = [State::Started, State::Updated, State::Ended, State::Overdue];

/// `None` where something needed is missing; the report says so.
pub fn build(raw: SinkRaw, form: &mut Form<'_, '_>) -> Option<Gb28181> {
    let at = raw.server.span().clone();
    let server = form.text(raw.server, "server", "name or address of the platform with its port");
    if let Some(text) = server.as_deref().filter(|text| !is_host_and_port(text)) {
        let message = format!("`{text}` is not a name or address with a port such as 10.0.0.2:5060");
        form.fault(&at, "server", message);
    }
    let server_id = code(raw.server_id, "server_id", form);
    let device_id = code(raw.device_id, "device_id", form);
    let paths = ["transport", "encoding", "acknowledge", "local", "domain", "username"].map(|key| form.field(key));
    let [transport_path, encoding_path, acknowledge_path, local_path, domain_path, username_path] = &paths;
    let transport = raw.transport.get(form.report, transport_path).unwrap_or_default();
    let encoding = raw.encoding.get(form.report, encoding_path).unwrap_or_default();
    let acknowledge = raw.acknowledge.get(form.report, acknowledge_path).unwrap_or_default();
    let local = raw.local.checked(form.report, local_path, |text| match text.parse::<SocketAddr>() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("`{text}` is not an address with a port such as 0.0.0.0:5060")),
    });
    let word = |text: &String| {
        let odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if text.is_empty() || text.contains(odd) { Err(format!("`{text}` is not a plain word")) } else { Ok(()) }
    };
    let domain = raw.domain.checked(form.report, domain_path, word);
    let username = raw.username.checked(form.report, username_path, word);
    let password = form.secret(raw.password, "password");
    let channels = channels(raw.channels, form);
    let states_path = form.field("states");
    let states = raw.states.checked(form.report, &states_path, |states| {
        match states.iter().find(|state| **state == State::Counted) {
            Some(_) => Err("counts are no alerts".into()),
            None if states.is_empty() => Err("names no state".into()),
            None => Ok(()),
        }
    });
    let keepalive = form.span(raw.keepalive, "keepalive", Span::from_secs(1), Span::from_secs(60));
    let expires = form.span(raw.expires, "expires", Span::from_secs(60), Span::from_secs(3600));
    let timeout = form.timeout(raw.timeout);
    let (server, server_id, device_id) = (server?, server_id?, device_id?);
    Some(Gb28181 {
        transport,
        local: local.and_then(|text| text.parse().ok()),
        // The district and trade that the platform is of.
        domain: domain.unwrap_or_else(|| server_id[..10].to_owned()),
        username: username.unwrap_or_else(|| device_id.clone()),
        password,
        channels,
        encoding,
        states: states.unwrap_or_else(|| STATES.to_vec()),
        acknowledge,
        keepalive,
        expires,
        timeout,
        time_zone: form.zone.clone(),
        server,
        server_id,
        device_id,
    })
}

fn channels(field: Field<BTreeMap<String, String>>, form: &mut Form<'_, '_>) -> BTreeMap<String, String> {
    let (path, at) = (form.field("channels"), field.span().clone());
    let channels = field.get(form.report, &path).unwrap_or_default();
    for (camera, code) in &channels {
        if let Err(message) = is_code(code) {
            form.fault(&at, &format!("channels.{camera}"), message);
        }
    }
    channels
}

fn code(field: Field<String>, key: &str, form: &mut Form<'_, '_>) -> Option<String> {
    let path = form.field(key);
    if !field.is_set() {
        form.report.fault(&form.at, path.as_str(), "missing: a code of 20 digits");
    }
    field.checked(form.report, &path, |text| is_code(text))
}

/// GB/T 28181, annex E: 20 decimal digits.
fn is_code(text: &str) -> Result<(), String> {
    if text.len() == 20 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(format!("`{text}` is not a code of 20 digits"))
}

fn is_host_and_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '[' | ']' | ':');
    !host.is_empty() && host.chars().all(plain) && port.parse::<u16>().is_ok_and(|port| port > 0)
}
