//! `kind = "mqtt"`.

use super::{Form, broker};
use crate::config::plan::Mqtt;
use crate::config::raw::SinkRaw;
use crate::types::Span;

/// Its keys.
pub const KEYS: [&str; 10] =
    ["url", "ca", "username", "password", "client_id", "topic", "status", "payload", "timeout", "keepalive"];

/// Events as the event broker of ONVIF Profile M names them.
const TOPIC: &str = "{site}/onvif-ej/{onvif}/&{camera}/{rule}";

/// `None` where something needed is missing; the report says so.
pub fn build(mut raw: SinkRaw, id: &str, form: &mut Form<'_, '_>) -> Option<Mqtt> {
    let broker = broker::broker(&mut raw, [("mqtt", 1883), ("mqtts", 8883)], form);
    let topic = broker::template(raw.topic, "topic", TOPIC, |text, _| is_topic(text), form);
    let [client_path, status_path, payload_path, keepalive_path] =
        ["client_id", "status", "payload", "keepalive"].map(|key| form.field(key));
    let client_id = raw.client_id.checked(form.report, &client_path, |text| {
        let odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if text.is_empty() || text.contains(odd) { Err(format!("`{text}` is not a plain word")) } else { Ok(()) }
    });
    let status = raw.status.checked(form.report, &status_path, |text| match text.contains(['{', '}']) {
        true => Err("it is the same for every event and has no placeholders".into()),
        false => is_topic(text),
    });
    let payload = raw.payload.get(form.report, &payload_path).unwrap_or_default();
    let keepalive = raw.keepalive.checked(form.report, &keepalive_path, |wanted| {
        let range = Span::from_secs(1)..=Span::from_secs(3600);
        if range.contains(&wanted.0) { Ok(()) } else { Err("not from 1s to 1h".into()) }
    });
    let timeout = form.timeout(raw.timeout);
    Some(Mqtt {
        broker: broker?,
        client_id: client_id.unwrap_or_else(|| format!("lookout-{}-{id}", form.site)),
        topic: topic?,
        status: status.unwrap_or_else(|| format!("{}/lookout/status", form.site)),
        payload,
        timeout,
        keepalive: keepalive.map_or(Span::from_secs(30), |wanted| wanted.0),
    })
}

/// MQTT 3.1.1, 4.7: no wildcards and no null character; what begins with `$` is the broker's own. Placeholders count as
/// text: ids have none of these.
fn is_topic(text: &str) -> Result<(), String> {
    if text.is_empty() || text.len() > 1024 {
        return Err("a topic has 1 to 1024 bytes".into());
    }
    if text.starts_with('$') {
        return Err(format!("`{text}`: topics that begin with `$` are the broker's own"));
    }
    if text.contains(|c: char| matches!(c, '+' | '#') || c.is_control()) {
        return Err(format!("`{text}`: a topic to publish to has no `+`, `#` or control characters"));
    }
    Ok(())
}
