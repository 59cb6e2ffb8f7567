use std::path::Path;
use std::time::Instant;

use jiff::tz::TimeZone;

use super::*;
use crate::config::{Surroundings, camera_text};
use crate::types::{Event, Picture, Severity, State, TrackState};

const SIZE: Size = Size::new(200, 100);
const GREY: [u8; 3] = [90; 3];
const EVENT: &str = r#"{"schema":1,"alert":"00000000000000000000000000000001","seq":0,"state":"started",
"at":"1970-01-01T00:00:03Z","media_time":3.0,"site":"s","grid":null,"camera":"c","camera_name":"C","zone":"yard",
"zone_name":"院子","line":null,"direction":null,"rule":"r","kind":"loitering","severity":"moderate","value":2.0,
"threshold":2.0,"unit":"s","people":1,"peak":2.0,"saturated":false,"started_at":"1970-01-01T00:00:03Z",
"condition_since":"1970-01-01T00:00:01Z","condition_until":null,"where":[0.5,0.9],"box":[0.4,0.5,0.1,0.4],
"place":null,"reason":null,"related":[],"evidence":{"picture":"none","clip":"none"},"text":{"zh":"","en":""}}"#;

struct Grey(Size);

impl Picture for Grey {
    fn size(&self) -> Size {
        self.0
    }
    fn convert(&self, target: Target, out: &mut Vec<u8>) -> Result<(), PictureError> {
        out.clear();
        out.resize(target.len(), GREY[0]);
        Ok(())
    }
}

fn frame(index: u64, size: Size) -> Frame {
    let time = MediaTime::of_frame(index, 1.0);
    Frame { index, time, utc: jiff::Timestamp::UNIX_EPOCH, arrived: Instant::now(), picture: Arc::new(Grey(size)) }
}

fn camera() -> Arc<Camera> {
    let text = "id = \"c\"\nname = \"C\"\n[[zone]]\nid = \"yard\"\nname = \"院子\"\n\
        polygon = [[0.02,0.5],[0.98,0.5],[0.98,0.98],[0.02,0.98]]\n";
    let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
    Arc::new(camera_text(Path::new("c.toml"), text, &around).unwrap().plan)
}

/// A person where the event's box is.
fn track(id: u64) -> Track {
    Track {
        id: TrackId(id),
        state: TrackState::Confirmed,
        bbox: Rect::new(80.0, 50.0, 20.0, 40.0),
        velocity: [0.0; 2],
        score: 0.9,
        matched: true,
        born: MediaTime::ZERO,
        birth: Point::default(),
        seen: MediaTime::ZERO,
    }
}

fn event(state: State, media_time: f64) -> Event {
    Event { state, media_time, ..serde_json::from_str(EVENT).unwrap() }
}

/// Colours of the zone's left edge and of the person's, picture by picture, with an alert from 3 s to 6 s.
fn colours() -> Vec<(u64, [u8; 3], [u8; 3])> {
    let (camera, tracks) = (camera(), [track(7)]);
    let (mut overlay, mut raised, mut out) = (Overlay::new(camera.clone()), Raised::default(), Vec::new());
    let mut keep = |picture: Annotated<'_>| {
        let at = |x: usize, y: usize| [0, 1, 2].map(|c| picture.bgr[(y * 200 + x) * 3 + c]);
        out.push((picture.time.nanos() as u64 / 1_000_000_000, at(4, 80), at(80, 75)));
    };
    for k in 0..10 {
        let frame = frame(k, SIZE);
        match k {
            3 => raised.take(&event(State::Started, 3.0), &camera, &tracks, SIZE),
            6 => raised.take(&event(State::Ended, 6.0), &camera, &tracks, SIZE),
            _ => {}
        }
        let seen = Seen {
            frame: &frame,
            detections: &[],
            tracks: &tracks,
            zone_people: &[1],
            line_counts: &[],
            shapes: &Default::default(),
            shift: Default::default(),
        };
        if let Some(picture) = overlay.push(&seen, Some(SIZE), &raised).unwrap() {
            keep(picture);
        }
    }
    while let Some(picture) = overlay.flush(&raised) {
        keep(picture);
    }
    out
}

#[test]
fn an_alert_is_drawn_on_the_pictures_of_its_time_although_they_come_late() {
    let alert = draw::severity(Severity::Moderate);
    let out = colours();
    assert_eq!(out.iter().map(|o| o.0).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    for (k, zone, person) in out {
        let expected = if (3..6).contains(&k) { (alert, alert) } else { (draw::ZONE, draw::PERSON) };
        assert_eq!((zone, person), expected, "picture {k}");
    }
}

#[test]
fn an_instant_is_shown_for_two_seconds_and_says_how_long_it_lasts() {
    let (camera, mut raised, mut text) = (camera(), Raised::default(), String::new());
    raised.take(&event(State::Started, 3.0), &camera, &[track(7)], SIZE);
    let at = |raised: &Raised, seconds: f64| raised.at(MediaTime::from_secs_f64(seconds)).count();
    assert_eq!([at(&raised, 2.9), at(&raised, 3.0), at(&raised, 9.0)], [0, 1, 1]);
    let time = MediaTime::from_secs_f64(5.0);
    raised.at(time).next().unwrap().say(time, &mut text);
    assert_eq!(text, "滞留·院子：4秒");
    raised.take(&event(State::Ended, 3.0), &camera, &[], SIZE);
    assert_eq!([at(&raised, 4.9), at(&raised, 5.0)], [1, 0]);
}

#[test]
fn only_so_many_alerts_are_kept() {
    let (camera, mut raised) = (camera(), Raised::default());
    for n in 0..200_u8 {
        let alert = Some(crate::types::AlertId([n; 16]));
        raised.take(&Event { alert, ..event(State::Started, 3.0) }, &camera, &[], SIZE);
    }
    assert_eq!(raised.at(MediaTime::from_secs_f64(3.0)).count(), 64);
}

#[test]
fn pictures_leave_at_most_640_wide_and_even() {
    for (from, to) in [
        ((1920, 1080), (640, 360)),
        ((768, 576), (640, 480)),
        ((641, 481), (640, 480)),
        ((333, 251), (332, 250)),
        ((640, 480), (640, 480)),
        ((1, 1), (2, 2)),
        ((8000, 9), (640, 2)),
    ] {
        assert_eq!(fitted(Size::new(from.0, from.1)), Size::new(to.0, to.1), "{from:?}");
    }
}
