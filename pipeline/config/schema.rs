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
