//! Hot paths allocate nothing once warm.

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use lookout::alerts::IncidentConfig;
use lookout::config::load_camera;
use lookout::config::plan::{Camera, CameraDiff};
use lookout::engine::CameraStages;
use lookout::track::{SortTracker, TrackerConfig};
use lookout::types::{Detection, MediaTime, Rect, Size, Span};

const PEOPLE: u64 = 60;
/// A minute: the longest list, of somebody who lingers, has grown to its largest.
const WARM: u64 = 700;
const MEASURED: u64 = 300;
/// Another plan is put in force at this picture.
const EXCHANGED: u64 = 350;

/// People who stand about; now and then one is not detected or only weakly. Nobody comes or enters a zone: that costs a
/// list of its own.
fn picture(k: u64, out: &mut Vec<Detection>) {
    out.clear();
    for i in 0..PEOPLE {
        let phase = (k + 3 * i) as f32 * 0.2;
        let (x, y) = ((i % 12) as f32 * 100.0 + 40.0, (i / 12) as f32 * 120.0 + 60.0);
        let bbox = Rect::new(x + phase.sin(), y + 0.5 * phase.cos(), 36.0, 90.0);
        if !(k + 7 * i).is_multiple_of(53) {
            out.push(Detection { bbox, score: if (k + 5 * i).is_multiple_of(41) { 0.2 } else { 0.8 } });
        }
    }
}

#[test]
fn tracking_rules_and_incidents_allocate_nothing_once_warm() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/stages/crowded.toml");
    let camera = load_camera(&file, &jiff::tz::TimeZone::UTC).unwrap().plan;
    let renamed = Arc::new(Camera { name: "Another".into(), ..camera.clone() });
    let camera = Arc::new(camera);
    let config = IncidentConfig { site: "test".into(), camera: Arc::clone(&camera), outage: Span::from_secs(10) };
    let mut stages = CameraStages::new(config, Box::new(SortTracker::new(TrackerConfig { start_score: 0.4 })));
    let (mut detections, mut events, mut quiet, mut people, mut started) = (Vec::new(), Vec::new(), 0, 0, 0);
    for k in 0..WARM + MEASURED {
        picture(k, &mut detections);
        let media = MediaTime::of_frame(k, 10.0);
        let utc = Timestamp::UNIX_EPOCH + SignedDuration::from_nanos((media - MediaTime::ZERO).nanos());
        events.clear();
        if k == EXCHANGED {
            let diff = CameraDiff::between(&camera, &renamed);
            stages.replan(&renamed, Span::from_secs(10), &diff, &mut events);
        }
        let spent = allocation_counter::measure(|| {
            let seen = stages.observe(media, utc, Size::new(1280, 720), &detections, &mut events);
            people = seen.measured.people;
        });
        started += events.len();
        // An event has texts of its own.
        if k >= WARM && events.is_empty() {
            assert_eq!(spent.count_total, 0, "picture {k}: {} bytes", spent.bytes_total);
            quiet += 1;
        }
    }
    assert!(people > 50, "{people} people were followed");
    assert!(started > 0, "no rule saw anything");
    assert!(quiet > MEASURED * 8 / 10, "{quiet} pictures without an event");
}
