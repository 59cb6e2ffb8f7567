//! Cameras that move, by clips that are made of a fixed one's: a window of it that pans and shakes against one that
//! stands, and one that turns between two views.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::support::clips::Clips;
use crate::support::command::{lookout, ran, write};

/// Where the window is at first, and how it pans and shakes; pixels of the clip, seconds. Like a drone that hovers in
/// wind while somebody steers it to and fro.
const STILL: &str = "560:420:104:78";
const MOVED: &str = "560:420:'104+58*sin(0.5*t)+7*sin(7*t)':'78+34*sin(0.31*t)+6*sin(9*t)'";
type Starts = BTreeMap<String, Vec<f64>>;

/// What happens on ground that both windows always show.
const RULES: &str = r#"
[[zone]]
id = "yard"
TIED
polygon = [[0.17, 0.34], [0.83, 0.34], [0.83, 0.84], [0.17, 0.84]]
[[zone.rule]]
id = "crowd"
kind = "crowd"
people = 5
hold = "2s"
gap = "2s"
[[zone.rule]]
id = "dwell"
kind = "loitering"
dwell = "8s"
[[zone.rule]]
id = "gathering"
kind = "gathering"
people = 3
radius = "1.5bh"
hold = "3s"
gap = "2s"
[[zone]]
id = "lawn"
TIED
polygon = [[0.55, 0.62], [0.83, 0.62], [0.83, 0.84], [0.55, 0.84]]
[[zone.rule]]
id = "lawn-any"
kind = "intrusion"
gap = "2s"
[[line]]
id = "path"
TIED
points = [[0.5, 0.34], [0.5, 0.84]]
"#;

fn analyze(clip: &Path, camera: &str) -> Vec<Value> {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("yard.toml");
    write(&file, camera);
    ran(lookout().arg("analyze").arg(clip).arg("--camera").arg(file).arg("--out").arg(out.path())).went_well();
    let events = std::fs::read_to_string(out.path().join("events.jsonl")).unwrap();
    events.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Media times at which each rule started and each line was crossed.
fn starts(events: &[Value]) -> Starts {
    let mut starts = Starts::new();
    for event in events {
        let what = match (event["state"].as_str(), event["rule"].as_str(), event["direction"].as_str()) {
            (Some("started"), Some(rule), _) => rule,
            (Some("counted"), _, Some(way)) => way,
            _ => continue,
        };
        starts.entry(what.to_owned()).or_default().push(event["media_time"].as_f64().unwrap());
    }
    starts
}

#[test]
fn the_same_incidents_from_a_window_that_pans_and_shakes() {
    let clips = Clips::new();
    let window = |name: &str, crop: &str| {
        clips.walkers_by(name, "", &format!("-frames:v 500 -vf crop={crop}:exact=1 -c:v mpeg4 -q:v 2"))
    };
    let (still, moved) = (window("still.avi", STILL), window("moved.avi", MOVED));
    let camera = |motion: &str, tied: &str| {
        format!("id = \"yard\"\n{motion}[detect]\ninput = [640, 480]\n{}", RULES.replace("TIED\n", tied))
    };
    let fixed = camera("", "");
    let usual = starts(&analyze(&still, &fixed));
    let carried = starts(&analyze(&moved, &camera("motion = \"moving\"\n", "tied = \"ground\"\n")));
    for what in ["crowd", "dwell", "gathering", "lawn-any", "left_to_right", "right_to_left"] {
        assert!(usual.contains_key(what), "nothing happens: {usual:?}");
    }
    let counts = |of: &Starts| of.iter().map(|(what, at)| (what.clone(), at.len())).collect::<Vec<_>>();
    assert_eq!(counts(&usual), counts(&carried), "{usual:?}\n{carried:?}");
    for (a, b) in usual.values().flatten().zip(carried.values().flatten()) {
        // People are found a little earlier or later in other pixels: the same within two seconds, as alerts are scored.
        assert!((a - b).abs() <= 2.0, "{usual:?}\n{carried:?}");
    }
    // By a camera that takes itself for a fixed one it is another story.
    let untold = camera("[health.moved]\nwatch = false\n", "");
    assert_ne!(counts(&starts(&analyze(&moved, &untold))), counts(&usual));
}

#[test]
fn rules_of_a_preset_rest_while_the_camera_turns_and_looks_elsewhere() {
    let clips = Clips::new();
    // Ten seconds and more at one view, two to turn, ten at another, and back.
    let x = "if(lt(t,16),20,if(lt(t,18),20+85*(t-16),if(lt(t,28),190,if(lt(t,30),190-85*(t-28),20))))";
    let y = "if(lt(t,16),40,if(lt(t,18),40+40*(t-16),if(lt(t,28),120,if(lt(t,30),120-40*(t-28),40))))";
    let clip = clips.walkers_by(
        "dome.avi",
        "",
        &format!("-t 42 -vf fps=5,crop=560:420:'{x}':'{y}':exact=1 -c:v mpeg4 -q:v 2"),
    );
    let zone = |preset: &str| {
        format!(
            "[[zone]]\nid = \"{preset}\"\npreset = \"{preset}\"\npolygon = [[0, 0], [1, 0], [1, 1], [0, 1]]\n\
             [[zone.rule]]\nid = \"{preset}-any\"\nkind = \"intrusion\"\ngap = \"10s\"\n"
        )
    };
    let camera = format!(
        "id = \"dome\"\nmotion = \"ptz\"\n[detect]\ninput = [320, 256]\n\
         [[preset]]\nid = \"yard\"\n[[preset]]\nid = \"road\"\n{}{}",
        zone("yard"),
        zone("road")
    );
    let events = analyze(&clip, &camera);
    let told: Vec<(&str, &str, f64, &str)> = events
        .iter()
        .map(|e| {
            let word = |field: &str| e[field].as_str().unwrap_or_default();
            (word("rule"), word("state"), e["media_time"].as_f64().unwrap(), word("reason"))
        })
        .filter(|(_, state, ..)| *state != "updated")
        .collect();
    // The first view is that of the first preset once it has stood for ten seconds; nobody said what the other one is.
    let wanted = [
        ("started", 9.0, 13.0, ""),
        ("ended", 16.0, 17.0, "signal_lost"),
        ("started", 30.0, 33.0, ""),
        ("ended", 41.0, 42.0, "stopped"),
    ];
    assert_eq!(told.len(), wanted.len(), "{told:?}");
    for ((rule, state, at, reason), (wanted, from, to, why)) in told.iter().zip(wanted) {
        assert_eq!((*rule, *state, *reason), ("yard-any", wanted, why), "{told:?}");
        assert!((from..=to).contains(at), "{told:?}");
    }
}
