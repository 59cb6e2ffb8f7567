//! `kind = "nats"`.

use super::{Form, broker};
use crate::config::plan::Nats;
use crate::config::raw::SinkRaw;
use crate::config::template::{Placeholder, Template};

/// Its keys.
pub const KEYS: [&str; 8] = ["url", "ca", "username", "password", "token", "subject", "stream", "timeout"];

/// A stream that takes `lookout.>` takes them all.
const SUBJECT: &str = "lookout.{site}.{camera}.{kind}.{state}";

/// `None` where something needed is missing; the report says so.
pub fn build(mut raw: SinkRaw, form: &mut Form<'_, '_>) -> Option<Nats> {
    if let Some(at) = raw.token.place().filter(|_| raw.username.is_set()) {
        form.fault(&at, "token", "a client logs in by `token` or by `username` and `password`".into());
    }
    let broker = broker::broker(&mut raw, [("nats", 4222), ("tls", 4222)], form);
    let token = form.secret(raw.token, "token");
    let subject = broker::template(raw.subject, "subject", SUBJECT, is_subject, form);
    let stream_path = form.field("stream");
    let stream = raw.stream.checked(form.report, &stream_path, |name| {
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '.' | '*' | '>' | '/' | '\\');
        if name.is_empty() || name.contains(odd) { Err(format!("`{name}` is no name of a stream")) } else { Ok(()) }
    });
    let timeout = form.timeout(raw.timeout);
    Some(Nats { broker: broker?, token, subject: subject?, stream, timeout })
}

/// NATS, subject-based messaging: tokens between dots, none empty, without wildcards and white space; what begins with `$`
/// is the server's own. Placeholders count as text: what fills them has none of these.
fn is_subject(text: &str, template: &Template) -> Result<(), String> {
    if template.has(Placeholder::Onvif) {
        return Err("`{onvif}` is for topics of MQTT".into());
    }
    if text.len() > 1024 || text.split('.').any(str::is_empty) {
        return Err(format!("`{text}`: a subject is of words between dots, none of them empty"));
    }
    if text.starts_with('$') {
        return Err(format!("`{text}`: subjects that begin with `$` are the server's own"));
    }
    if text.contains(|c: char| matches!(c, '*' | '>') || c.is_whitespace() || c.is_control()) {
        return Err(format!("`{text}`: a subject to publish to has no `*`, `>` or white space"));
    }
    Ok(())
}
