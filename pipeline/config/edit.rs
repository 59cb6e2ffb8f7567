//! Edits of a camera's file as text: other tables are put into it so that comments, order and whatever is not touched stay
//! as somebody wrote them.

use serde_json::{Map, Value as Json};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, TomlError, Value};

/// Lists of tables whose elements are known by their id.
const BY_ID: [&str; 3] = ["zone", "line", "rule"];
/// Lists of tables without ids.
const BY_PLACE: [&str; 1] = ["mask"];
/// The keys of a new table that come first.
const FIRST: [&str; 8] = ["id", "name", "grid", "kind", "polygon", "points", "left", "right"];

/// An edit that cannot be put into a text. Not worth a retry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// The text is no TOML: there is nothing to put it into.
    #[error("the file is no TOML, so nothing can be put into it: {0}")]
    Text(String),
    /// TOML has no such value.
    #[error("{field}: {why}")]
    Value {
        /// Field path.
        field: String,
        /// What is wrong.
        why: &'static str,
    },
}

/// The tables of a text as they are written; `None` where it is no TOML.
pub fn tables(text: &str) -> Option<Json> {
    let table: toml::Table = toml::from_str(text).ok()?;
    serde_json::to_value(table).ok()
}

/// Puts `camera` into a text. At the top, what it does not have stays and what is null goes; what it has is whole: within
/// it, what is missing goes. Zones, lines and rules are known by their ids and stay in the order of the text, new ones come
/// last.
pub fn merge(text: &str, camera: &Map<String, Json>) -> Result<String, MergeError> {
    let no_toml = |error: TomlError| MergeError::Text(error.message().trim().replace('\n', " "));
    let mut document: DocumentMut = text.parse().map_err(no_toml)?;
    let table = document.as_table_mut();
    for (key, value) in ordered(camera) {
        put(table, key, value, key)?;
    }
    Ok(document.to_string())
}

fn put(table: &mut dyn TableLike, key: &str, value: &Json, field: &str) -> Result<(), MergeError> {
    if value.is_null() {
        table.remove(key);
        return Ok(());
    }
    if table.get(key).is_some_and(|item| same(item, value)) {
        return Ok(());
    }
    match (value, table.get_mut(key)) {
        (Json::Object(object), Some(item)) if item.is_table_like() => {
            let inner = item.as_table_like_mut().ok_or_else(|| wrong(field, "is no table"))?;
            put_whole(inner, object, field)
        }
        // On one line within an element of a list, as in the examples.
        (Json::Object(_), _) if field.contains('[') => {
            table.insert(key, Item::Value(scalar(value, field)?));
            Ok(())
        }
        (Json::Object(object), _) => {
            let mut inner = Table::new();
            put_whole(&mut inner, object, field)?;
            table.insert(key, Item::Table(inner));
            Ok(())
        }
        (Json::Array(list), item) if is_list(key, list) => {
            let old = item.and_then(|item| item.as_array_of_tables_mut()).map(std::mem::take).unwrap_or_default();
            let new = lists(old, key, list, field)?;
            if new.is_empty() {
                table.remove(key);
            } else if let Some(item) = table.get_mut(key) {
                *item = Item::ArrayOfTables(new);
            } else {
                table.insert(key, Item::ArrayOfTables(new));
            }
            Ok(())
        }
        (_, Some(Item::Value(old))) => {
            let decor = old.decor().clone();
            *old = scalar(value, field)?;
            *old.decor_mut() = decor;
            Ok(())
        }
        _ => {
            table.insert(key, Item::Value(scalar(value, field)?));
            Ok(())
        }
    }
}

/// Makes a table what the object is.
fn put_whole(table: &mut dyn TableLike, object: &Map<String, Json>, field: &str) -> Result<(), MergeError> {
    let gone: Vec<String> =
        table.iter().map(|(key, _)| key.to_owned()).filter(|key| !object.contains_key(key)).collect();
    for key in gone {
        table.remove(&key);
    }
    for (key, value) in ordered(object) {
        put(table, key, value, &format!("{field}.{key}"))?;
    }
    Ok(())
}

fn is_list(key: &str, list: &[Json]) -> bool {
    (BY_ID.contains(&key) || BY_PLACE.contains(&key)) && list.iter().all(Json::is_object)
}

/// The elements of a list of tables: those that are known stay where they are.
fn lists(old: ArrayOfTables, key: &str, list: &[Json], field: &str) -> Result<ArrayOfTables, MergeError> {
    let old: Vec<Table> = old.into_iter().collect();
    let homes = homes(&old, list, BY_ID.contains(&key));
    let mut new = ArrayOfTables::new();
    for (i, mut table) in old.into_iter().enumerate() {
        if let Some(k) = homes.iter().position(|home| *home == Some(i)) {
            put_element(&mut table, &list[k], &format!("{field}[{k}]"))?;
            new.push(table);
        }
    }
    for (k, value) in list.iter().enumerate().filter(|(k, _)| homes[*k].is_none()) {
        let mut table = Table::new();
        put_element(&mut table, value, &format!("{field}[{k}]"))?;
        new.push(table);
    }
    Ok(new)
}

/// For each element the table that it is, if any; each table is one element's.
fn homes(old: &[Table], list: &[Json], by_id: bool) -> Vec<Option<usize>> {
    let id = |table: &Table| table.get("id").and_then(Item::as_str).map(str::to_owned);
    let mut homes: Vec<Option<usize>> = vec![None; list.len()];
    let mut settle = |is_home: &dyn Fn(&Table, &Json) -> bool| {
        for k in 0..list.len() {
            if homes[k].is_none() {
                let found = (0..old.len()).find(|i| !homes.contains(&Some(*i)) && is_home(&old[*i], &list[k]));
                homes[k] = found;
            }
        }
    };
    if by_id {
        settle(&|table, value| id(table).is_some() && id(table).as_deref() == value["id"].as_str());
    } else {
        // What has not changed is itself; the rest goes by its place.
        settle(&|table, value| same_table(table, value));
        settle(&|_, _| true);
    }
    homes
}

fn put_element(table: &mut Table, value: &Json, field: &str) -> Result<(), MergeError> {
    let object = value.as_object().ok_or_else(|| wrong(field, "is no table"))?;
    put_whole(table, object, field)
}

/// Whether a part of the text says this value already, in whatever words.
fn same(item: &Item, value: &Json) -> bool {
    match (item, value) {
        (Item::Value(own), value) => same_value(own, value),
        (Item::Table(table), value) => same_table(table, value),
        (Item::ArrayOfTables(own), Json::Array(list)) => {
            own.len() == list.len() && own.iter().zip(list).all(|(table, value)| same_table(table, value))
        }
        _ => false,
    }
}

fn same_table(table: &dyn TableLike, value: &Json) -> bool {
    let Json::Object(object) = value else { return false };
    let own = table.iter().filter(|(_, item)| !item.is_none()).count();
    own == object.len() && object.iter().all(|(key, value)| table.get(key).is_some_and(|item| same(item, value)))
}

fn same_value(own: &Value, value: &Json) -> bool {
    match (own, value) {
        (Value::String(own), Json::String(text)) => own.value() == text,
        (Value::Boolean(own), Json::Bool(is)) => own.value() == is,
        (Value::Integer(own), Json::Number(number)) => {
            number.as_i64() == Some(*own.value()) || number.as_f64() == Some(*own.value() as f64)
        }
        (Value::Float(own), Json::Number(number)) => number.as_f64() == Some(*own.value()),
        (Value::Array(own), Json::Array(list)) => {
            own.len() == list.len() && own.iter().zip(list).all(|(own, value)| same_value(own, value))
        }
        (Value::InlineTable(own), value) => same_table(own, value),
        _ => false,
    }
}

/// A value as TOML has it.
fn scalar(value: &Json, field: &str) -> Result<Value, MergeError> {
    Ok(match value {
        Json::Null => return Err(wrong(field, "null is no value here")),
        Json::Bool(is) => Value::from(*is),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::from(whole),
            (None, Some(float)) => Value::from(float),
            (None, None) => return Err(wrong(field, "the number is out of range")),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(list) => {
            let mut array = Array::new();
            for (i, value) in list.iter().enumerate() {
                array.push(scalar(value, &format!("{field}[{i}]"))?);
            }
            Value::Array(array)
        }
        Json::Object(object) => {
            let mut table = InlineTable::new();
            for (key, value) in ordered(object) {
                table.insert(key, scalar(value, &format!("{field}.{key}"))?);
            }
            Value::InlineTable(table)
        }
    })
}

/// The keys of an object as a person would write them: what it is first, lists of tables last.
fn ordered(object: &Map<String, Json>) -> Vec<(&str, &Json)> {
    let mut entries: Vec<(&str, &Json)> = object.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let rank = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
    entries.sort_by_key(|(key, _)| (BY_ID.contains(key) || BY_PLACE.contains(key), rank(key)));
    entries
}

fn wrong(field: &str, why: &'static str) -> MergeError {
    MergeError::Value { field: field.to_owned(), why }
}

#[cfg(test)]
mod tests;
