use std::sync::Arc;

use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::report::{Crossings, OccupiedHour, People, camera_day, csv, site_day};
use super::store::{NumbersReader, NumbersStore};
use super::tally::Tally;
use super::{Counted, LineCrossed, Occupied, ZonePeople, quarter};
use crate::config::plan::Camera;
use crate::config::{Surroundings, camera_text};
use crate::rules::Measured;
use crate::types::{Crossed, Direction, MediaTime, Point, Rect, TrackId};

fn camera(zones: &[&str]) -> Arc<Camera> {
    let zone = |id: &&str| format!("[[zone]]\nid = \"{id}\"\npolygon = [[0,0],[1,0],[1,1]]\n");
    let text = format!(
        "id = \"gate\"\n{}[[line]]\nid = \"path\"\npoints = [[0.1,0.5],[0.9,0.5]]\n",
        zones.iter().map(zone).collect::<String>()
    );
    let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
    camera_text(std::path::Path::new("gate.toml"), &text, &around).unwrap_or_else(|e| panic!("{e}")).plan.into()
}

fn measured(people: &[u32], directions: &[Direction]) -> Measured {
    let crossed = |direction: &Direction| Crossed {
        line: 0,
        direction: *direction,
        person: TrackId(1),
        track: TrackId(1),
        time: MediaTime::ZERO,
        place: Point::default(),
        bbox: Rect::default(),
    };
    let crossed = directions.iter().map(crossed).collect();
    Measured { zone_people: people.to_vec(), crossed, ..Measured::default() }
}

#[test]
fn people_are_weighed_by_the_time_they_were_there() {
    let plan = camera(&["yard", "steps"]);
    let mut tally = Tally::new(Arc::clone(&plan));
    let start: Timestamp = "2026-11-24T03:14:50Z".parse().unwrap();
    let see = |tally: &mut Tally, plan: &Arc<Camera>, seconds: f64, people: &[u32], ways: &[Direction]| {
        let time = MediaTime::from_secs_f64(seconds);
        tally.observe(plan, time, time.utc(start), &measured(people, ways))
    };
    assert_eq!(see(&mut tally, &plan, 0.0, &[9, 0], &[]), None);
    assert_eq!(see(&mut tally, &plan, 1.0, &[2, 1], &[Direction::LeftToRight]), None);
    assert_eq!(see(&mut tally, &plan, 3.0, &[4, 0], &[Direction::LeftToRight, Direction::RightToLeft]), None);
    // Five seconds without pictures count for nobody.
    assert_eq!(see(&mut tally, &plan, 8.0, &[4, 0], &[]), None);
    let zone =
        |zone: &str, seconds, person_seconds, most| ZonePeople { zone: zone.into(), seconds, person_seconds, most };
    let before = see(&mut tally, &plan, 10.0, &[1, 1], &[]).expect("a new quarter");
    let expected = Counted {
        camera: "gate".into(),
        quarter: quarter(start),
        zones: vec![zone("yard", 3.0, 2.0 + 2.0 * 4.0, 9), zone("steps", 3.0, 1.0, 1)],
        lines: vec![LineCrossed { line: "path".into(), left_to_right: 2, right_to_left: 1 }],
    };
    assert_eq!(before, expected);
    // Another plan has other zones; what was counted belongs to those of before.
    let other = camera(&["square"]);
    let before = see(&mut tally, &other, 11.0, &[7], &[]).expect("what the old plan counted");
    assert_eq!(
        (before.quarter, before.zones),
        (quarter(start) + 900, vec![zone("yard", 2.0, 2.0, 1), zone("steps", 2.0, 2.0, 1)])
    );
    assert_eq!(see(&mut tally, &other, 12.0, &[3], &[]), None);
    assert_eq!(tally.take().unwrap().zones, [zone("square", 1.0, 3.0, 7)]);
    assert_eq!(tally.take(), None);
}

#[test]
fn a_day_is_told_by_hours_of_the_sites_time_zone() {
    let folder = tempfile::tempdir().unwrap();
    // Half an hour off: its hours begin in the middle of UTC's.
    let zone = TimeZone::get("Asia/Kolkata").unwrap();
    let day = date(2026, 11, 24);
    let midnight = zone.to_timestamp(day.at(0, 0, 0, 0)).unwrap();
    let at = |minutes| quarter(midnight + SignedDuration::from_mins(minutes));
    assert!(NumbersReader::open(folder.path()).unwrap().is_none(), "nothing was counted yet");
    assert_eq!(camera_day(None, "gate", day, &zone).unwrap().hours, []);

    let mut store = NumbersStore::open(folder.path()).unwrap();
    let counted = |camera: &str, minutes, seconds, person_seconds, most, across| Counted {
        camera: camera.into(),
        quarter: at(minutes),
        zones: vec![ZonePeople { zone: "yard".into(), seconds, person_seconds, most }],
        lines: vec![LineCrossed { line: "path".into(), left_to_right: across, right_to_left: 1 }],
    };
    for counted in [
        counted("gate", -15, 60.0, 600.0, 50, 9),
        counted("gate", 0, 60.0, 60.0, 3, 1),
        counted("gate", 0, 60.0, 120.0, 2, 2),
        counted("gate", 45, 120.0, 600.0, 7, 4),
        counted("gate", 60, 0.0, 0.0, 1, 0),
        counted("shore", 60, 10.0, 20.0, 2, 0),
        counted("gate", 24 * 60, 60.0, 600.0, 60, 9),
    ] {
        store.add(&counted).unwrap();
    }
    for (minutes, last, most) in [(0, 10.0, 12.0), (0, 11.0, 11.0), (45, 4.0, 15.0), (60, 5.0, 6.0)] {
        store.note(&Occupied { rule: "park".into(), quarter: at(minutes), last, most }).unwrap();
    }
    let reader = NumbersReader::open(folder.path()).unwrap();
    let site = site_day(reader.as_ref(), ["gate", "shore"].into_iter(), day, &zone).unwrap();
    let hours = &site.cameras[0].hours;
    assert_eq!(hours.iter().map(|h| h.hour).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(hours[0].people["yard"], People { mean: 3.25, max: 7 }, "780 seconds of people in 240");
    assert_eq!(hours[0].lines["path"], Crossings { left_to_right: 7, right_to_left: 3 });
    assert_eq!(hours[1].people["yard"], People { mean: 0.0, max: 1 }, "seen for no time");
    assert_eq!(site.cameras[1].hours.len(), 1);
    let park = [OccupiedHour { hour: 0, last: 4.0, max: 15.0 }, OccupiedHour { hour: 1, last: 5.0, max: 6.0 }];
    assert_eq!(site.occupancy["park"], park);
    let rows: Vec<String> = csv(day, &site).lines().map(str::to_owned).collect();
    assert_eq!(
        rows,
        [
            "day,hour,camera,kind,id,mean,max,last,left_to_right,right_to_left",
            "2026-11-24,0,gate,zone,yard,3.25,7,,,",
            "2026-11-24,0,gate,line,path,,,,7,3",
            "2026-11-24,1,gate,zone,yard,0,1,,,",
            "2026-11-24,1,gate,line,path,,,,0,1",
            "2026-11-24,1,shore,zone,yard,2,2,,,",
            "2026-11-24,1,shore,line,path,,,,0,1",
            "2026-11-24,0,,site,park,,15,4,,",
            "2026-11-24,1,,site,park,,6,5,,",
        ]
    );
    store.sweep(midnight + SignedDuration::from_hours(24 * 400)).unwrap();
    let left = reader.as_ref().unwrap().counted("gate", 0, i64::MAX).unwrap();
    assert_eq!(left.len(), 4, "the day before is 400 days old");
}
