//! `kind = "kafka"`.

use super::Form;
use crate::config::plan::Kafka;
use crate::config::raw::SinkRaw;

/// Its keys.
pub const KEYS: [&str; 3] = ["brokers", "topic", "timeout"];

/// Whether this build can send to Kafka.
const BUILT_IN: bool = cfg!(feature = "kafka");

/// `None` where brokers or topic are missing or wrong; the report says so.
pub fn build(raw: SinkRaw, form: &mut Form<'_, '_>) -> Option<Kafka> {
    if let Some(at) = raw.kind.place().filter(|_| !BUILT_IN) {
        form.fault(&at, "kind", "this Lookout is built without Kafka; build it with `--features kafka`".into());
    }
    let [brokers_path, topic_path] = ["brokers", "topic"].map(|key| form.field(key));
    for (missing, key, meaning) in [
        (!raw.brokers.is_set(), &brokers_path, "missing: at least one `host:port`"),
        (!raw.topic.is_set(), &topic_path, "missing: where events go"),
    ] {
        if missing {
            form.report.fault(&form.at, key.as_str(), meaning);
        }
    }
    let brokers = raw.brokers.checked(form.report, &brokers_path, |all| match all.iter().find(|text| !is_broker(text)) {
        Some(wrong) => Err(format!("`{wrong}` is not a `host:port`")),
        None if all.is_empty() => Err("names no broker".into()),
        None => Ok(()),
    });
    let topic = raw.topic.checked(form.report, &topic_path, |name| {
        if is_topic(name) { Ok(()) } else { Err(format!("`{name}` is no name of a topic of Kafka")) }
    });
    let timeout = form.timeout(raw.timeout);
    Some(Kafka { brokers: brokers?, topic: topic?, timeout })
}

fn is_broker(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let odd = |c: char| c.is_whitespace() || matches!(c, ',' | '/');
    !host.is_empty() && !host.contains(odd) && matches!(port.parse::<u16>(), Ok(1..))
}

/// Kafka, `Topic.validate`: 1 to 249 letters, digits, dots, `_` and `-`, but not `.` and `..`.
fn is_topic(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=249).contains(&name.len()) && name.bytes().all(legal) && !matches!(name, "." | "..")
}
