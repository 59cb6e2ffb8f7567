//! `configs/schema.json`, and the search for keys that it does not know.

use std::ops::Range;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::fault::Report;
use super::raw::{CameraRaw, SiteRaw};

/// JSON Schema (2020-12) of both kinds of files.
pub fn schema() -> Value {
    let site = schemars::schema_for!(SiteRaw).to_value();
    let camera = schemars::schema_for!(CameraRaw).to_value();
    let mut defs = serde_json::Map::new();
    let mut strip = |mut schema: Value| {
        if let Some(object) = schema.as_object_mut() {
            object.remove("$schema");
            if let Some(Value::Object(own)) = object.remove("$defs") {
                defs.extend(own);
            }
        }
        schema
    };
    let (site, camera) = (strip(site), strip(camera));
    defs.insert("site".into(), close(site));
    defs.insert("camera".into(), close(camera));
    let defs: serde_json::Map<_, _> = defs.into_iter().map(|(name, schema)| (name, close(schema))).collect();
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Lookout configuration",
        "anyOf": [{ "$ref": "#/$defs/site" }, { "$ref": "#/$defs/camera" }],
        "$defs": defs,
    })
}

/// Tables take no other keys: the reader refuses them too.
fn close(mut schema: Value) -> Value {
    if let Some(object) = schema.as_object_mut()
        && object.contains_key("properties")
    {
        object.insert("additionalProperties".into(), Value::Bool(false));
    }
    schema
}

/// Reports every key of `table` that the definition `name` of the schema does not have.
pub fn report_unknown_keys(table: &DeTable<'_>, name: &str, report: &mut Report<'_>) {
    let root = schema();
    walk(&root, &root["$defs"][name], table, "", report);
}

fn walk(root: &Value, schema: &Value, table: &DeTable<'_>, path: &str, report: &mut Report<'_>) {
    let Some(schema) = object_schema(root, schema) else { return };
    let Some(known) = schema["properties"].as_object() else { return };
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let field = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match known.get(name) {
            Some(inner) => descend(root, inner, value.get_ref(), &field, report),
            None => report.fault(&key.span(), field, unknown_message(name, known.keys().map(String::as_str))),
        }
    }
}

fn descend(root: &Value, schema: &Value, value: &DeValue<'_>, path: &str, report: &mut Report<'_>) {
    match value {
        DeValue::Table(table) => walk(root, schema, table, path, report),
        DeValue::Array(items) => {
            let Some(item_schema) = array_items(root, schema) else { return };
            for (i, item) in items.iter().enumerate() {
                descend(root, item_schema, item.get_ref(), &format!("{path}[{i}]"), report);
            }
        }
        _ => {}
    }
}

/// Follows references and optional wrappers to a schema with properties. Values that are read whole by serde (schedules,
/// escalation) are left to it: their own types refuse unknown keys.
fn object_schema<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        return object_schema(root, root.pointer(reference.trim_start_matches('#'))?);
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let mut found = options.iter().filter_map(|option| object_schema(root, option));
        return found.next().filter(|_| found.next().is_none());
    }
    (schema["properties"].is_object() && schema["required"].is_null()).then_some(schema)
}

fn array_items<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        return array_items(root, root.pointer(reference.trim_start_matches('#'))?);
    }
    schema.get("items")
}

fn unknown_message<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known.map(|k| (edit_distance(name, k), k)).min().filter(|(d, k)| *d <= 2.min(k.len() / 2));
    match near {
        Some((_, k)) => format!("unknown key; did you mean `{k}`?"),
        None => "unknown key".into(),
    }
}

/// Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replace = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Byte range of a parse error, where the parser gives one.
pub fn error_span(error: &toml::de::Error) -> Range<usize> {
    error.span().unwrap_or(0..0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::tz::TimeZone;
    use serde_json::Value;

    use crate::config::{Surroundings, camera_text, plan};

    /// Each kind of a camera's rules with what it needs.
    const NEEDED: [(&str, &[(&str, &str)]); 11] = [
        ("crowd", &[("people", "3")]),
        ("density", &[]),
        ("gathering", &[("people", "3"), ("radius", "\"2m\"")]),
        ("loitering", &[("dwell", "\"60s\"")]),
        ("intrusion", &[]),
        ("crossing", &[]),
        ("wrong_way", &[("along", "[[0.1, 0.5], [0.9, 0.5]]")]),
        ("counter_flow", &[]),
        ("rush", &[]),
        ("proximity", &[("distance", "\"1m\"")]),
        ("vanished", &[("after", "\"20s\"")]),
    ];

    fn plan(kind: &str, fields: &[(&str, String)]) -> Result<plan::Rule, String> {
        let place = if kind == "crossing" {
            "[[line]]\nid = \"p\"\npoints = [[0.1, 0.7], [0.9, 0.7]]\n[[line.rule]]\n"
        } else {
            "[[zone]]\nid = \"p\"\npolygon = [[0.1, 0.6], [0.9, 0.6], [0.9, 0.9], [0.1, 0.9]]\n[[zone.rule]]\n"
        };
        let fields: String = fields.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
        let text = format!("id = \"c\"\nground = \"learn\"\n{place}id = \"r\"\nkind = \"{kind}\"\n{fields}");
        let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
        let checked = camera_text(Path::new("c.toml"), &text, &around).map_err(|e| e.to_string())?;
        Ok(checked.plan.rules.into_iter().next().expect("one rule"))
    }

    fn needed(kind: &str, but: &str) -> Vec<(&'static str, String)> {
        let (_, fields) = NEEDED.iter().find(|(k, _)| *k == kind).expect("a kind");
        fields.iter().filter(|(name, _)| *name != but).map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    /// A value that any kind which takes the field takes.
    fn sample(name: &str) -> &'static str {
        match name {
            "people" => "7",
            "density" => "3.0",
            "radius" => "\"3m\"",
            "standing" | "exempt_together" => "true",
            "mode" => "\"dwell\"",
            "direction" => "\"left_to_right\"",
            "along" => "[[0.2, 0.5], [0.8, 0.5]]",
            "distance" => "\"2m\"",
            "share" => "0.5",
            "speed" => "\"3m/s\"",
            "factor" => "3.0",
            "dwell" | "after" | "hold" | "gap" | "cooldown" => "\"30s\"",
            "release" => "0.1",
            "schedule" => "{ from = \"08:00\", to = \"12:00\" }",
            "severity" => "\"severe\"",
            "escalate" => "[]",
            "anchor" => "\"center\"",
            _ => "0.4",
        }
    }

    fn fields() -> Vec<(String, Value)> {
        let schema = super::schema();
        let properties = schema["$defs"]["RuleRaw"]["properties"].as_object().expect("properties").clone();
        properties.into_iter().filter(|(name, _)| name != "id" && name != "kind").collect()
    }

    fn names(value: &Value, kind: &str) -> bool {
        value.as_array().is_some_and(|kinds| kinds.iter().any(|k| k == kind))
    }

    #[test]
    fn forms_are_told_which_fields_a_kind_takes_and_needs() {
        for (kind, own) in NEEDED {
            for (name, field) in fields() {
                let takes = field["x-kinds"].is_null() || names(&field["x-kinds"], kind);
                let mut all = needed(kind, &name);
                all.push((&name, sample(&name).to_owned()));
                let refused = plan(kind, &all).err().unwrap_or_default();
                let foreign =
                    refused.contains("does not belong") || refused.contains("out\n") || refused.ends_with(" out");
                assert_eq!(foreign, !takes, "{kind}.{name}: {refused}");
                let is_needed = own.iter().any(|(own, _)| *own == name);
                assert_eq!(names(&field["x-required"], kind), is_needed, "{kind}.{name}");
                assert_eq!(plan(kind, &needed(kind, &name)).is_err(), is_needed, "{kind} without {name}");
            }
        }
    }

    #[test]
    fn forms_are_told_what_is_taken_where_nothing_is_written() {
        let mut told = 0;
        for (kind, _) in NEEDED {
            for (name, field) in fields() {
                let takes = field["x-kinds"].is_null() || names(&field["x-kinds"], kind);
                let usual = &field["x-default"];
                let usual = if usual[kind].is_null() { &usual["*"] } else { &usual[kind] };
                if !takes || usual.is_null() {
                    continue;
                }
                // JSON's text is TOML's but for tables.
                let text = usual.to_string().replace("\":", "\" =");
                let mut all = needed(kind, "");
                all.push((&name, text));
                assert_eq!(plan(kind, &all), plan(kind, &needed(kind, "")), "{kind}.{name}");
                told += 1;
            }
        }
        assert!(told > 40, "{told}");
    }
}
