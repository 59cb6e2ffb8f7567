//! The health of a camera by made clips: each ailment is told and ends, and what only looks like one is not.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::clips::Clips;
use crate::support::command::{lookout, ran, write};
use crate::support::rtsp::{Behaviour, Camera};
use crate::support::site::SiteFiles;

const KINDS: [&str; 4] = ["frozen", "dark", "blurred", "moved"];

/// Whoever is in the picture, and the health of the camera with this hold.
fn camera(hold: &str) -> String {
    let mut text = "id = \"yard\"\n[detect]\ninput = [320, 256]\n".to_owned();
    for kind in KINDS {
        writeln!(text, "[health.{kind}]\nhold = \"{hold}\"").unwrap();
    }
    text.push_str("[[zone]]\nid = \"all\"\npolygon = [[0,0],[1,0],[1,1],[0,1]]\n");
    text.push_str("[[zone.rule]]\nid = \"anyone\"\nkind = \"intrusion\"\n");
    text
}

fn analyze(clip: &Path, camera: &str) -> Vec<Value> {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("yard.toml");
    write(&file, camera);
    ran(lookout().arg("analyze").arg(clip).arg("--camera").arg(file).arg("--out").arg(out.path())).went_well();
    let events = std::fs::read_to_string(out.path().join("events.jsonl")).unwrap();
    events.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(event: &'a Value, field: &str) -> &'a str {
    event[field].as_str().unwrap_or_default()
}

fn about_camera(event: &Value) -> bool {
    text(event, "rule").starts_with("camera.")
}

#[test]
fn each_ailment_is_told_once_and_ends() {
    let clips = Clips::new();
    // Dark from 40 to 55 s, blurred from 65 to 80, looking elsewhere from 90 to 105, the same picture from 115 to 130.
    let clip = clips.walkers_by(
        "story.avi",
        "-stream_loop 1",
        "-filter_complex fps=5,crop=700:520:'if(between(t,90,105),60,8)':8,gblur=sigma=10:enable='between(t,65,80)',\
         lutyuv=y=16+(val-16)*0.03:enable='between(t,40,55)',split[a][b];[a]trim=end=115,tpad=stop_mode=clone:\
         stop_duration=15[a];[b]trim=115:125,setpts=PTS-STARTPTS[b];[a][b]concat -c:v mpeg4 -q:v 3",
    );
    let events = analyze(&clip, &camera("5s"));
    let told: Vec<(&str, &str, f64)> = events
        .iter()
        .filter(|e| about_camera(e))
        .map(|e| (text(e, "rule"), text(e, "state"), e["media_time"].as_f64().unwrap()))
        .collect();
    let wanted = [
        ("camera.dark", 40.0, 55.0),
        ("camera.blurred", 65.0, 80.0),
        ("camera.moved", 90.0, 105.0),
        ("camera.frozen", 115.0, 130.0),
    ];
    assert_eq!(told.len(), 2 * wanted.len(), "{told:?}");
    for (pair, (rule, from, to)) in told.chunks(2).zip(wanted) {
        assert_eq!((pair[0].0, pair[0].1, pair[1].0, pair[1].1), (rule, "started", rule, "ended"), "{told:?}");
        // The hold, and a look every half second; the gap.
        assert!((from + 4.9..=from + 7.5).contains(&pair[0].2), "{told:?}");
        assert!((to - 0.1..=to + 4.0).contains(&pair[1].2), "{told:?}");
    }
    for event in events.iter().filter(|e| about_camera(e)) {
        let kind = text(event, "rule").strip_prefix("camera.").unwrap();
        assert_eq!((text(event, "kind"), text(event, "unit"), &event["zone"]), (kind, "s", &Value::Null), "{event}");
        assert!(!event["text"]["zh"].as_str().unwrap().is_empty(), "{event}");
    }

    // Rules rest while the camera looks elsewhere, and what was open ends with the alert.
    let (moved, back) = (told[4].2, told[5].2);
    let own = |state: &str, from: f64, to: f64| {
        let within = |e: &&Value| (from..=to).contains(&e["media_time"].as_f64().unwrap());
        events.iter().filter(|e| !about_camera(e) && text(e, "state") == state).filter(within).count()
    };
    let ended = events.iter().find(|e| text(e, "reason") == "signal_lost").unwrap();
    assert_eq!((text(ended, "rule"), ended["media_time"].as_f64()), ("anyone", Some(moved)), "{ended}");
    assert_eq!(own("started", moved, back), 0);
    assert!(own("started", back, 140.0) > 0 && own("started", 0.0, moved) > 0);
}

#[test]
fn noise_at_night_is_not_frozen_and_a_lamp_is_not_moved() {
    let clips = Clips::new();
    clips.walkers("still.png", 1, "");
    // Nothing but noise in a dim scene; then the light goes on.
    clips.ffmpeg(
        "-loop 1 -framerate 4 -t 60 -i still.png -vf lutyuv=y=16+(val-16)*0.25:enable='lt(t,35)',noise=alls=6:allf=t \
         -c:v mpeg4 -q:v 3 night.avi",
    );
    let events = analyze(&clips.path("night.avi"), &camera("5s"));
    assert!(!events.iter().any(about_camera), "{events:?}");
    // The same without noise is frozen, until the light goes on.
    clips.ffmpeg(
        "-loop 1 -framerate 4 -t 50 -i still.png -vf lutyuv=y=16+(val-16)*0.25:enable='lt(t,35)' -c:v mpeg4 -q:v 3 \
         still.avi",
    );
    let events = analyze(&clips.path("still.avi"), &camera("10s"));
    let told: Vec<_> = events.iter().filter(|e| about_camera(e)).map(|e| (text(e, "rule"), text(e, "state"))).collect();
    assert_eq!(told, [("camera.frozen", "started"), ("camera.frozen", "ended")], "{events:?}");
}

#[test]
fn people_who_walk_are_no_ailment_and_what_is_switched_off_is_silent() {
    let clips = Clips::new();
    let clip = clips.walkers("walkers.avi", 600, "-vf fps=5 -c:v mpeg4 -q:v 3");
    let events = analyze(&clip, &camera("2s"));
    assert!(!events.iter().any(about_camera), "{events:?}");
    clips.ffmpeg("-f lavfi -i color=c=black:size=320x240:rate=2 -frames:v 60 -c:v mpeg4 black.avi");
    let black = clips.path("black.avi");
    let told = |camera: &str| -> Vec<String> {
        let events = analyze(&black, camera);
        events.iter().filter(|e| text(e, "state") == "started").map(|e| text(e, "rule").to_owned()).collect()
    };
    assert_eq!(told(&camera("5s")), ["camera.dark", "camera.frozen"]);
    let off = camera("5s").replace("[health.frozen]", "[health.frozen]\nwatch = false");
    assert_eq!(told(&off), ["camera.dark"]);
}

#[test]
fn a_camera_that_gives_nothing_is_offline_until_it_does() {
    let clips = Clips::new();
    let options = "-c:v libx264 -preset ultrafast -tune zerolatency -g 12 -slices 1 -threads 1 -pix_fmt yuv420p -an";
    let clip = clips.walkers("walkers.h264", 60, options);
    let behaviour = Behaviour { pause: Duration::from_millis(40), ..Behaviour::default() };
    let camera = Camera::start(&clip, behaviour.clone());
    let url = camera.url();
    let address = url.strip_prefix("rtsp://").and_then(|u| u.strip_suffix("/stream1")).unwrap().parse().unwrap();
    drop(camera);
    let files = SiteFiles::new("");
    files.camera("yard", &format!("url = \"{url}\"\noutage = \"2s\""));
    let mut run = files.start();
    let offline = |state: &str, count: usize| {
        let is_it = |e: &&Value| text(e, "rule") == "camera.offline" && text(e, "state") == state;
        files.told().iter().filter(is_it).count() == count
    };
    run.until("it never came", |_| offline("started", 1));
    let camera = Camera::start_at(address, &clip, behaviour);
    run.until("it came", |_| offline("ended", 1));
    drop(camera);
    // The cooldown keeps a camera that comes and goes from telling it each time.
    run.until("its pictures end", |run| {
        run.metric("lookout_rules_suspended{camera=\"yard\",reason=\"signal_lost\"}") == Some(1.0)
    });
    assert_eq!(run.metric("lookout_alerts_total{camera=\"yard\",kind=\"offline\",severity=\"moderate\"}"), Some(1.0));
    assert_eq!(run.interrupt(), Some(0));
    let told = files.told();
    let of: Vec<&Value> = told.iter().filter(|e| text(e, "kind") == "offline").collect();
    let first = of[0];
    assert_eq!(
        (text(first, "state"), &first["evidence"]["picture"], first["media_time"].as_f64()),
        ("started", &Value::from("none"), Some(0.0))
    );
    assert!(first["value"].as_f64().unwrap() >= 2.0 && first["zone"].is_null(), "{first}");
    assert_eq!((text(of[1], "state"), text(of[1], "reason")), ("ended", "cleared"));
    assert_eq!(of[0]["alert"], of[1]["alert"]);
}
