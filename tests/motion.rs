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
/// Pictures a second.
const FPS: f64 = 10.0;

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
fn starts(events: &[Value]) -> BTreeMap<String, Vec<f64>> {
    let mut starts = BTreeMap::<String, Vec<f64>>::new();
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
    println!("still   {usual:?}\ncarried {carried:?}");
    let blind = starts(&analyze(&moved, &fixed.replace("id = \"yard\"\n[detect]", "id = \"yard\"\nhealth.moved.watch = false\n[detect]")));
    println!("blind   {blind:?}");
    assert_eq!(FPS, 10.0);
}
