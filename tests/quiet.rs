//! A statue that "loiters": answered to be no person, it is quiet, and nobody else is.

use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use lookout::alerts::IncidentConfig;
use lookout::alerts::journal::{Appended, By, Journal, Recorded, Via};
use lookout::config::{Surroundings, camera_text};
use lookout::engine::CameraStages;
use lookout::track::{SortTracker, TrackerConfig};
use lookout::types::{Answer, Detection, EndReason, Event, MediaTime, Rect, Size, Span, State};

const CAMERA: &str = r#"
id = "yard"
[[zone]]
id = "all"
polygon = [[0,0],[1,0],[1,1],[0,1]]
[[zone.rule]]
id = "stay"
kind = "loitering"
dwell = "5s"
"#;

/// A yard with a statue that shakes a little, as detections do, and a person who may be anywhere.
struct Yard {
    stages: CameraStages,
    frame: u64,
    events: Vec<Event>,
}

impl Yard {
    fn new() -> Self {
        let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
        let camera = camera_text(Path::new("yard.toml"), CAMERA, &around).unwrap_or_else(|e| panic!("{e}")).plan;
        let config = IncidentConfig { site: "t".into(), camera: Arc::new(camera), outage: Span::from_secs(10) };
        let tracker = Box::new(SortTracker::new(TrackerConfig { start_score: 0.4 }));
        Self { stages: CameraStages::new(config, tracker), frame: 0, events: Vec::new() }
    }

    /// So many seconds; gives what happened. `person` is where somebody stands, by the second.
    fn watch(&mut self, seconds: u64, person: impl Fn(f32) -> Option<f32>) -> Vec<Event> {
        self.events.clear();
        for step in 0..seconds * 10 {
            let shake = (self.frame as f32 * 0.7).sin();
            let mut seen =
                vec![Detection { bbox: Rect::new(400.0 + shake, 200.0 - shake, 40.0, 100.0 + shake), score: 0.8 }];
            seen.extend(
                person(step as f32 / 10.0).map(|x| Detection { bbox: Rect::new(x, 205.0, 40.0, 100.0), score: 0.9 }),
            );
            let media = MediaTime::of_frame(self.frame, 10.0);
            let utc = Timestamp::UNIX_EPOCH + SignedDuration::from_nanos(media.nanos());
            self.stages.observe(media, utc, Size::new(1000, 500), &seen, &mut self.events);
            self.frame += 1;
        }
        self.events.clone()
    }
}

fn states(events: &[Event]) -> Vec<State> {
    events.iter().map(|e| e.state).filter(|s| *s != State::Updated).collect()
}

#[test]
fn a_statue_is_quiet_until_its_spot_is_released_and_people_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path(), &[]).unwrap();
    let mut yard = Yard::new();
    let raised = yard.watch(20, |_| None);
    assert_eq!(states(&raised), [State::Started], "the complaint");
    journal.append(&raised.iter().map(|e| Appended::new(e.clone(), Vec::new())).collect::<Vec<_>>()).unwrap();
    let answer = Answer::FalseAlarm { reason: Some("not_a_person".into()) };
    let by = By { via: Via::Token, who: "platform".into() };
    let recorded = journal.answers().unwrap().record(raised[0].alert.unwrap(), &answer, &by).unwrap();
    let Recorded::Taken(taken) = recorded else { panic!("{recorded:?}") };
    let in_force = |journal: &Journal| -> Vec<Rect> {
        let spots = journal.spots().unwrap();
        spots.iter().map(|s| s.bbox.map(|v| v as f32)).map(|[x, y, w, h]| Rect::new(x, y, w, h)).collect()
    };
    yard.stages.set_quiet(&in_force(&journal));
    let after = yard.watch(60, |_| None);
    assert_eq!((states(&after), after[0].reason), (vec![State::Ended], Some(EndReason::Cleared)));

    // Somebody comes and stays beside it, within an arm's length.
    let came = yard.watch(30, |s| Some((900.0 - 100.0 * s).max(460.0)));
    assert_eq!(states(&came), [State::Started]);
    let left = yard.watch(20, |_| None);
    assert_eq!(states(&left), [State::Ended]);

    journal.answers().unwrap().release(taken.spot.unwrap(), "duty").unwrap();
    yard.stages.set_quiet(&in_force(&journal));
    assert_eq!(states(&yard.watch(20, |_| None)), [State::Started], "it counts again");
}
