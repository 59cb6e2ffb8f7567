use std::path::Path;

use proptest::prelude::*;
use serde_json::json;

use super::*;

const FILE: &str = r#"# The forecourt, as the squad sees it.
id = "forecourt"    # never change
name = "Forecourt"
ground = "learn"

# From the north mast.
[source]
url = "rtsp://10.0.0.8/1"
rate = 8 # enough

# Where people wait.
[[zone]]
id = "steps"
polygon = [
  [0.20, 0.45], # the lamp
  [0.80, 0.45],
  [0.90, 0.98],
]

# Twelve is what the court allows.
[[zone.rule]]
id = "steps-crowd"
kind = "crowd"
people = 12 # not more
hold = "10s"

[[zone.rule]]
id = "steps-dwell"
kind = "loitering"
dwell = "120s"

# The gate.
[[zone]]
id = "gate"
polygon = [[0.0, 0.0], [0.1, 0.0], [0.1, 0.2]]

# The neighbour's window.
[[mask]]
kind = "privacy"
polygon = [[0, 0], [0.2, 0], [0.2, 0.3]]

# The bush.
[[mask]]
kind = "ignore"
polygon = [[0.5, 0], [0.6, 0], [0.6, 0.3]]
# The end.
"#;

fn put_into(text: &str, camera: &Json) -> String {
    merge(text, camera.as_object().unwrap()).unwrap()
}

fn own() -> Json {
    tables(FILE).unwrap()
}

#[test]
fn what_is_already_there_changes_nothing() {
    assert_eq!(put_into(FILE, &own()), FILE);
    assert_eq!(put_into(FILE, &json!({})), FILE);
    // As a browser counts.
    assert_eq!(put_into(FILE, &json!({ "source": { "url": "rtsp://10.0.0.8/1", "rate": 8.0 } })), FILE);
    for file in ["forecourt", "park-north", "park-south", "shore"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("configs/cameras/{file}.toml"));
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(put_into(&text, &tables(&text).unwrap()), text, "{file}");
    }
}

#[test]
fn one_value_changes_one_line() {
    let mut camera = own();
    camera["zone"][0]["rule"][0]["people"] = json!(15);
    assert_eq!(put_into(FILE, &camera), FILE.replace("people = 12 # not", "people = 15 # not"));
    let mut camera = own();
    camera["zone"][1]["polygon"][2] = json!([0.15, 0.25]);
    assert_eq!(put_into(FILE, &camera), FILE.replace("[0.1, 0.2]]", "[0.15, 0.25]]"));
    assert_eq!(put_into(FILE, &json!({ "name": "<b>前院</b>" })), FILE.replace("\"Forecourt\"", "\"<b>前院</b>\""));
}

#[test]
fn tables_come_and_go_with_their_comments() {
    let mut camera = own();
    let rule = json!({ "id": "anyone", "kind": "intrusion", "schedule": { "from": "18:00", "to": "08:00" } });
    camera["zone"][0]["rule"].as_array_mut().unwrap().push(rule);
    camera["zone"].as_array_mut().unwrap().remove(1);
    camera["mask"].as_array_mut().unwrap().remove(0);
    let merged = put_into(FILE, &camera);
    let gate = "\n# The gate.\n[[zone]]\nid = \"gate\"\npolygon = [[0.0, 0.0], [0.1, 0.0], [0.1, 0.2]]\n";
    let window =
        "\n# The neighbour's window.\n[[mask]]\nkind = \"privacy\"\npolygon = [[0, 0], [0.2, 0], [0.2, 0.3]]\n";
    let new =
        "\n[[zone.rule]]\nid = \"anyone\"\nkind = \"intrusion\"\nschedule = { from = \"18:00\", to = \"08:00\" }\n";
    let dwell = "dwell = \"120s\"\n";
    let expected = FILE.replace(gate, "").replace(window, "").replace(dwell, &format!("{dwell}{new}"));
    assert_eq!(merged, expected);
    // A new zone and the file's first line.
    let mut camera = own();
    camera["zone"].as_array_mut().unwrap().insert(0, json!({ "polygon": [[0, 0], [1, 0], [0, 1]], "id": "yard" }));
    camera["line"] =
        json!([{ "points": [[0, 0.5], [1, 0.5]], "id": "path", "rule": [{ "kind": "crossing", "id": "in" }] }]);
    let merged = put_into(FILE, &camera);
    let zone = "\n[[zone]]\nid = \"yard\"\npolygon = [[0, 0], [1, 0], [0, 1]]\n";
    let line =
        "\n[[line]]\nid = \"path\"\npoints = [[0, 0.5], [1, 0.5]]\n\n[[line.rule]]\nid = \"in\"\nkind = \"crossing\"\n";
    assert_eq!(
        merged,
        FILE.replace(gate, &format!("{gate}{zone}")).replace("# The end.\n", &format!("{}# The end.\n", line))
    );
}

#[test]
fn the_ground_is_a_word_or_a_table() {
    let known = json!({ "points": [[0, 0.5], [1, 0.5], [1, 1], [0, 1]], "metres": [[0, 9], [5, 9], [5, 0], [0, 0]] });
    let merged = put_into(FILE, &json!({ "ground": known }));
    assert_eq!(tables(&merged).unwrap()["ground"], known);
    let back = put_into(&merged, &json!({ "ground": "learn" }));
    assert_eq!(tables(&back), tables(FILE));
    let without = put_into(FILE, &json!({ "ground": null }));
    assert_eq!(without, FILE.replace("ground = \"learn\"\n", ""));
}

#[test]
fn what_cannot_be_put_in_is_named() {
    let refused = |text: &str, camera: Json| merge(text, camera.as_object().unwrap()).unwrap_err().to_string();
    assert!(refused("id = ", json!({})).starts_with("the file is no TOML"));
    let null = refused(FILE, json!({ "zone": [{ "id": "a", "polygon": [[0, null]] }] }));
    assert_eq!(null, "zone[0].polygon[0][1]: null is no value here");
}

/// A camera's tables of few ids, so that texts share some.
fn cameras() -> impl Strategy<Value = Json> {
    let rule = (0..3_u8, 1..4_u32).prop_map(|(id, people)| json!({ "id": format!("r{id}"), "people": people }));
    let rules = prop::collection::vec(rule, 0..3);
    let zone = (0..4_u8, prop::option::of("[a-z\"\\\\<é]{0,4}"), 0..3_u8, rules).prop_map(|(id, name, x, rules)| {
        let mut zone = json!({ "id": format!("z{id}"), "polygon": [[0, 0], [f64::from(x) / 4.0, 1], [0.5, 0.25]] });
        if let Some(name) = name {
            zone["name"] = json!(name);
        }
        if !rules.is_empty() {
            zone["rule"] = json!(unique(rules));
        }
        zone
    });
    let mask = (0..3_u8).prop_map(|x| json!({ "kind": "ignore", "polygon": [[0, 0], [x, 1]] }));
    let parts = (prop::collection::vec(zone, 0..4), prop::collection::vec(mask, 0..3), any::<bool>());
    parts.prop_map(|(zones, masks, learns)| {
        let mut camera = json!({ "id": "c", "zone": unique(zones), "mask": masks });
        camera["ground"] = if learns { json!("learn") } else { json!({ "learn": true, "freeze": false }) };
        camera
    })
}

fn unique(list: Vec<Json>) -> Vec<Json> {
    let mut taken = std::collections::BTreeSet::new();
    list.into_iter().filter(|value| taken.insert(value["id"].to_string())).collect()
}

/// The same, however the elements of its lists are ordered; an empty list is none.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Array(list) if list.iter().all(Json::is_object) => {
            let mut list: Vec<Json> = list.iter().map(sorted).collect();
            list.sort_by_key(ToString::to_string);
            json!(list)
        }
        Json::Object(object) => {
            let full = object.iter().filter(|(_, value)| **value != json!([]));
            Json::Object(full.map(|(key, value)| (key.clone(), sorted(value))).collect())
        }
        Json::Number(number) => json!(number.as_f64()),
        Json::Array(list) => json!(list.iter().map(sorted).collect::<Vec<_>>()),
        other => other.clone(),
    }
}

proptest! {
    /// Whatever was there, afterwards the text says what was put in, and saying it again changes nothing.
    #[test]
    fn the_text_says_what_was_put_in(a in cameras(), b in cameras()) {
        let text = put_into("# Mine.\n", &a);
        prop_assert_eq!(sorted(&tables(&text).unwrap()), sorted(&a));
        let merged = put_into(&text, &b);
        prop_assert_eq!(sorted(&tables(&merged).unwrap()), sorted(&b), "{}\nfrom\n{}", merged, text);
        prop_assert_eq!(put_into(&merged, &b), merged.clone());
        prop_assert!(merged.contains("# Mine."));
    }
}
