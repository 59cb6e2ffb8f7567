//! Rules about the camera itself.

use super::*;
use crate::types::Kind;

/// Indices of the rules about the camera in [`Bench`]: they follow its only rule.
const FROZEN: usize = 2;
const MOVED: usize = 5;

impl Bench {
    /// A picture every half second in which one person is in the zone and the camera has moved or not.
    fn views(&mut self, from: f64, to: f64, moved: bool) {
        for i in 0..((to - from) * 2.0) as u32 {
            let signals = [signal(Subject::Zone, 1.0), Signal::about_camera(MOVED, moved)];
            self.see(from + f64::from(i) * 0.5, &signals);
        }
    }

    /// Rule, state and time of each event.
    fn rules(&self) -> Vec<(&str, State, f64)> {
        self.events.iter().map(|e| (e.rule.as_deref().unwrap(), e.state, e.media_time)).collect()
    }

    fn supervise(&mut self, up: f64, silence: f64) {
        let (up, silence) = (MediaTime::from_secs_f64(up), Span::from_secs_f64(silence));
        self.incidents.supervise(up, silence, START.parse().unwrap(), &mut self.events);
    }
}

#[test]
fn rules_rest_while_the_camera_is_moved_and_end_what_was_open() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 1");
    b.views(0.0, 10.0, false);
    b.views(10.0, 40.0, true);
    assert!(b.incidents.resting());
    b.views(40.0, 50.0, false);
    assert!(!b.incidents.resting());
    assert_eq!(
        b.rules(),
        [
            ("r", State::Started, 0.0),
            ("camera.moved", State::Started, 25.0),
            ("r", State::Ended, 25.0),
            ("camera.moved", State::Ended, 42.0),
            ("r", State::Started, 42.5),
        ]
    );
    assert_eq!((b.events[2].reason, b.events[3].reason), (Some(EndReason::SignalLost), Some(EndReason::Cleared)));
    let moved = &b.events[1];
    assert_eq!((moved.kind, moved.zone.as_deref(), moved.people), (Kind::Moved, None, 0));
    assert_eq!((moved.value, moved.threshold, moved.unit), (15.0, 15.0, Unit::Seconds));
    assert!(moved.text.en.contains("its rules rest") && moved.text.zh.contains("规则暂停"), "{:?}", moved.text);
}

#[test]
fn an_outage_does_not_wake_rules_of_a_moved_camera() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 1");
    b.views(0.0, 30.0, true);
    b.incidents.signal_lost(&mut b.events);
    assert!(b.incidents.resting());
    b.views(60.0, 62.0, true);
    assert!(b.incidents.resting() && b.rules().last().unwrap().1 == State::Ended);
    b.views(62.0, 63.0, false);
    assert!(!b.incidents.resting());
}

#[test]
fn a_view_accepted_anew_ends_the_alert_and_wakes_the_rules() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 1");
    b.views(0.0, 20.0, true);
    b.incidents.accept_view(&mut b.events);
    let ended = b.events.last().unwrap();
    assert_eq!((ended.rule.as_deref(), ended.reason), (Some("camera.moved"), Some(EndReason::Reconfigured)));
    b.views(20.0, 21.0, false);
    assert_eq!(b.rules().last(), Some(&("r", State::Started, 20.0)));
}

#[test]
fn an_ailment_that_lasts_is_told_once() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 1");
    for i in 0..400 {
        b.see(f64::from(i), &[Signal::about_camera(FROZEN, i < 300)]);
    }
    assert_eq!(b.rules(), [("camera.frozen", State::Started, 30.0), ("camera.frozen", State::Ended, 300.0)]);
    assert_eq!(b.events[1].peak, 299.0);
    assert_eq!(b.events[1].text.en, "[moderate] c: Ended (cleared): the picture has not changed for 299 s");
}

#[test]
fn a_camera_that_never_came_is_offline_until_it_comes() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 1");
    (0..60).for_each(|i| b.supervise(f64::from(i), f64::from(i)));
    assert_eq!(b.rules(), [("camera.offline", State::Started, 0.0)]);
    let offline = &b.events[0];
    assert_eq!(offline.condition_since.unwrap().to_string(), "2026-11-24T02:59:50Z");
    assert_eq!((offline.at.to_string(), offline.value), (START.to_owned(), 10.0));
    assert_eq!(offline.text.zh, "【较重】c：10秒没有画面");
    b.zone(0.0, 3.0, 0.5, 1.0);
    (60..64).for_each(|i| b.supervise(f64::from(i), 0.2));
    let ended = b.events.last().unwrap();
    assert_eq!((ended.kind, ended.state, ended.seq), (Kind::Offline, State::Ended, 1));
    assert_eq!((ended.reason, ended.value), (Some(EndReason::Cleared), 59.0));
    (64..100).for_each(|i| b.supervise(f64::from(i), 0.2));
    assert_eq!(b.rules().len(), 3);
}

#[test]
fn a_camera_that_is_lost_is_offline_since_its_last_picture() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 1");
    b.zone(0.0, 20.5, 0.5, 0.0);
    (0..50).for_each(|i| b.supervise(20.0 + f64::from(i) * 0.25, f64::from(i) * 0.25));
    assert_eq!(b.rules(), [("camera.offline", State::Started, 30.0)]);
    assert_eq!(b.events[0].condition_since.unwrap().to_string(), "2026-11-24T03:00:20Z");
    b.incidents.stop(EndReason::Stopped, &mut b.events);
    let ended = b.events.last().unwrap();
    assert_eq!((ended.state, ended.reason, ended.media_time), (State::Ended, Some(EndReason::Stopped), 32.25));
}

#[test]
fn an_offline_camera_that_has_just_come_back_ends_at_its_last_picture() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 1");
    b.zone(0.0, 1.0, 0.5, 0.0);
    (0..60).for_each(|i| b.supervise(0.5 + f64::from(i) * 0.25, f64::from(i) * 0.25));
    b.zone(20.0, 21.0, 0.5, 1.0);
    b.supervise(16.5, 0.2);
    b.incidents.stop(EndReason::Stopped, &mut b.events);
    let times: Vec<f64> = b.events.iter().map(|e| e.media_time).collect();
    assert_eq!(times, [10.5, 20.0, 20.5, 20.5], "time never runs backwards");
    let ended = b.events.last().unwrap();
    assert_eq!((ended.kind, ended.state), (Kind::Offline, State::Ended));
    assert_eq!(ended.condition_until.unwrap().to_string(), "2026-11-24T03:00:15.25Z");
}
