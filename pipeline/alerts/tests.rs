mod camera;

use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::config::{Surroundings, camera_text};
use crate::types::{EndReason, Event, MediaTime, Severity, Signal, Size, Span, State, Subject, TrackId, Unit};

const START: &str = "2026-11-24T03:00:00Z";

struct Bench {
    incidents: Incidents,
    events: Vec<Event>,
}

impl Bench {
    fn new(rule: &str) -> Self {
        let text = format!(
            "id = \"c\"\n[[zone]]\nid = \"z\"\npolygon = [[0,0],[1,0],[1,1],[0,1]]\n[[zone.rule]]\nid = \"r\"\n{rule}\n"
        );
        let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
        let camera = camera_text(Path::new("c.toml"), &text, &around).unwrap_or_else(|e| panic!("{e}")).plan;
        let config = IncidentConfig { site: "s".into(), camera: Arc::new(camera), outage: Span::from_secs(10) };
        Self { incidents: Incidents::new(config), events: Vec::new() }
    }

    fn see(&mut self, seconds: f64, signals: &[Signal]) {
        let media = MediaTime::from_secs_f64(seconds);
        let utc = media.utc(START.parse().unwrap());
        self.incidents.observe(media, utc, Size::new(100, 100), signals, &[], &mut self.events);
    }

    /// One value of the zone every `step` seconds from `from` until before `to`.
    fn zone(&mut self, from: f64, to: f64, step: f64, value: f64) {
        let n = ((to - from) / step).round() as usize;
        for i in 0..n {
            self.see(from + i as f64 * step, &[signal(Subject::Zone, value)]);
        }
    }

    fn stop(mut self) -> Vec<(State, f64)> {
        self.incidents.stop(EndReason::Stopped, &mut self.events);
        self.told()
    }

    fn told(&self) -> Vec<(State, f64)> {
        self.events.iter().map(|e| (e.state, e.media_time)).collect()
    }
}

fn signal(subject: Subject, value: f64) -> Signal {
    Signal { people: value as u32, ..Signal::new(0, subject, value) }
}

#[test]
fn an_alert_starts_when_the_hold_is_over_and_ends_after_the_gap() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 3\nhold = \"2s\"\ngap = \"1s\"");
    b.zone(0.0, 1.0, 0.5, 0.0);
    b.zone(1.0, 5.0, 0.5, 3.0);
    b.zone(5.0, 8.0, 0.5, 0.0);
    assert_eq!(b.told(), [(State::Started, 3.0), (State::Ended, 6.0)]);
    let ended = &b.events[1];
    assert_eq!(ended.reason, Some(EndReason::Cleared));
    assert_eq!(ended.condition_since.unwrap().to_string(), "2026-11-24T03:00:01Z");
    assert_eq!(ended.condition_until.unwrap().to_string(), "2026-11-24T03:00:04.5Z");
    assert_eq!((ended.seq, ended.alert), (1, b.events[0].alert));
}

#[test]
fn an_interruption_within_the_gap_neither_stops_the_clock_nor_ends() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 3\nhold = \"3s\"\ngap = \"1s\"");
    for (t, v) in [(0.0, 3.0), (0.5, 1.0), (1.0, 3.0), (2.0, 0.0), (3.0, 0.0), (3.5, 4.0), (3.6, 4.0)] {
        b.see(t, &[signal(Subject::Zone, v)]);
    }
    assert_eq!(b.told(), [], "the second interruption lasted 2.5 s");
    b.zone(4.5, 7.0, 1.0, 3.0);
    assert_eq!(b.told(), [(State::Started, 6.5)], "counted anew from 3.5");
}

#[test]
fn two_true_observations_far_apart_are_no_interruption() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 3\nhold = \"3s\"\ngap = \"0s\"");
    b.zone(0.0, 4.5, 1.5, 3.0);
    assert_eq!(b.told(), [(State::Started, 3.0)]);
}

#[test]
fn release_is_lower_than_the_threshold_only_while_active() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 5\nrelease = 3\ngap = \"0s\"");
    for (t, v) in [(0.0, 4.0), (1.0, 5.0), (2.0, 3.0), (3.0, 2.0), (4.0, 4.0)] {
        b.see(t, &[signal(Subject::Zone, v)]);
    }
    assert_eq!(b.told(), [(State::Started, 1.0), (State::Ended, 3.0)]);
}

#[test]
fn severity_rises_at_once_and_never_falls() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 2\nescalate = [{ value = 4, severity = \"severe\" }]");
    for (t, v) in [(0.0, 2.0), (1.0, 3.0), (2.0, 4.0), (3.0, 2.0), (4.0, 4.0), (5.5, 5.0), (7.0, 5.0)] {
        b.see(t, &[signal(Subject::Zone, v)]);
    }
    assert_eq!(b.told(), [(State::Started, 0.0), (State::Updated, 2.0), (State::Updated, 7.0)]);
    let severities: Vec<_> = b.events.iter().map(|e| e.severity.unwrap()).collect();
    assert_eq!(severities, [Severity::Moderate, Severity::Severe, Severity::Severe]);
    assert_eq!(b.events[2].peak, 5.0);
}

#[test]
fn cooldown_keeps_the_same_subject_quiet() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 1\ngap = \"0s\"\ncooldown = \"5s\"");
    for (t, v) in [(0.0, 1.0), (1.0, 0.0), (2.0, 1.0), (4.0, 1.0), (6.0, 1.0)] {
        b.see(t, &[signal(Subject::Zone, v)]);
    }
    assert_eq!(b.told(), [(State::Started, 0.0), (State::Ended, 1.0), (State::Started, 6.0)]);
}

#[test]
fn a_rule_out_of_its_window_ends_and_a_hold_begins_in_it() {
    let mut b =
        Bench::new("kind = \"crowd\"\npeople = 1\nhold = \"10s\"\nschedule = { from = \"03:01\", to = \"03:02\" }");
    b.zone(0.0, 130.0, 1.0, 2.0);
    assert_eq!(b.told(), [(State::Started, 70.0), (State::Ended, 120.0)]);
    assert_eq!(b.events[1].reason, Some(EndReason::Schedule));
}

#[test]
fn loitering_reports_the_time_stayed_and_each_person_is_an_alert() {
    let mut b = Bench::new("kind = \"loitering\"\ndwell = \"4s\"");
    for i in 0..16 {
        let mut signals = vec![signal(Subject::Person(TrackId(1)), 1.0)];
        if i >= 2 {
            signals.push(signal(Subject::Person(TrackId(2)), 1.0));
        }
        b.see(f64::from(i) * 0.5, &signals);
    }
    assert_eq!(b.told(), [(State::Started, 4.0), (State::Started, 5.0)]);
    assert_eq!((b.events[0].value, b.events[0].threshold), (4.0, 4.0));
    assert_ne!(b.events[0].alert, b.events[1].alert);
}

#[test]
fn time_without_pictures_counts_for_neither_hold_nor_gap() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 1\nhold = \"3s\"");
    b.zone(0.0, 2.0, 0.5, 1.0);
    b.zone(8.0, 12.0, 0.5, 1.0);
    assert_eq!(b.told(), [(State::Started, 9.0)], "1.5 s before, one step, and 1 s after");
    let mut b = Bench::new("kind = \"crowd\"\npeople = 1\ngap = \"2s\"");
    b.zone(0.0, 2.0, 0.5, 1.0);
    b.see(8.0, &[signal(Subject::Zone, 0.0)]);
    b.zone(8.5, 10.0, 0.5, 1.0);
    assert_eq!(b.told(), [(State::Started, 0.0)]);
}

#[test]
fn an_outage_ends_with_signal_lost_and_begins_anew() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 1\nhold = \"1s\"");
    b.zone(0.0, 2.0, 0.5, 1.0);
    b.zone(20.0, 22.0, 0.5, 1.0);
    assert_eq!(b.told(), [(State::Started, 1.0), (State::Ended, 11.5), (State::Started, 21.0)]);
    assert_eq!(b.events[1].reason, Some(EndReason::SignalLost));
    assert_eq!(b.stop().last(), Some(&(State::Ended, 21.5)));
}

#[test]
fn a_pending_condition_vanishes_at_the_end() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 1\nhold = \"10s\"");
    b.zone(0.0, 5.0, 0.5, 1.0);
    assert_eq!(b.stop(), []);
}

#[test]
fn texts_name_the_place_and_the_numbers_in_both_languages() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 3");
    b.see(0.0, &[signal(Subject::Zone, 4.0)]);
    let text = &b.events[0].text;
    assert_eq!(text.en, "[moderate] c, z: 4 people in the zone, threshold 3");
    assert_eq!(text.zh, "【较重】c·z：区域内4人，阈值3人");
}

const NEAR: &str =
    "kind = \"proximity\"\ndistance = \"1.7m\"\nhold = \"0s\"\nescalate = [{ value = 0.5, severity = \"severe\" }]";

#[test]
fn where_less_is_worse_the_peak_is_the_smallest_and_severity_rises_downwards() {
    let mut b = Bench::new(NEAR);
    let pair = Subject::Pair(TrackId(1), TrackId(2));
    for (t, v) in [(0.0, 2.0), (1.0, 1.7), (2.0, 1.5), (3.0, 0.4), (4.0, 1.6), (5.0, 3.0), (7.0, 3.0)] {
        b.see(t, &[signal(pair, v)]);
    }
    assert_eq!(b.told(), [(State::Started, 1.0), (State::Updated, 3.0), (State::Ended, 7.0)]);
    assert_eq!((b.events[0].value, b.events[0].peak, b.events[0].unit), (1.7, 1.7, Unit::Metres));
    let ended = &b.events[2];
    assert_eq!((ended.peak, ended.value, ended.severity), (0.4, 1.6, Some(Severity::Severe)));
}

#[test]
fn without_a_ground_plane_lengths_are_told_in_body_heights() {
    let mut b = Bench::new(NEAR);
    let pair = Subject::Pair(TrackId(1), TrackId(2));
    b.see(0.0, &[Signal { calibrated: false, people: 2, ..signal(pair, 0.85) }]);
    let event = &b.events[0];
    assert_eq!((event.value, event.threshold, event.peak, event.unit), (0.5, 1.0, 0.5, Unit::BodyHeights));
    assert_eq!(event.text.en, "[moderate] c, z: 2 people 0.5 body heights apart, limit 1");
    assert_eq!(event.text.zh, "【较重】c·z：2人相距0.5个身高，下限1个身高");
}

#[test]
fn every_kind_of_rule_speaks_both_languages() {
    let way = "along = [[0.1, 0.5], [0.9, 0.5]]";
    for (rule, subject, value, en, zh) in [
        (
            format!("kind = \"wrong_way\"\n{way}"),
            Subject::Person(TrackId(1)),
            2.0,
            "a person has gone 2 m against the way",
            "有人逆行2米",
        ),
        (
            "kind = \"counter_flow\"".into(),
            Subject::Zone,
            0.4,
            "40% of the people go against the flow, threshold 30%",
            "40%的人逆向而行，阈值30%",
        ),
        ("kind = \"rush\"\nhold = \"0s\"".into(), Subject::Zone, 3.5, "3 people run, 3.5 m/s", "3人奔跑，速度3.5米/秒"),
    ] {
        let mut b = Bench::new(&rule);
        b.see(0.0, &[Signal { people: 3, ..signal(subject, value) }]);
        let text = &b.events[0].text;
        assert_eq!(
            (text.en.as_str(), text.zh.as_str()),
            (format!("[moderate] c, z: {en}").as_str(), format!("【较重】c·z：{zh}").as_str())
        );
    }
    let mut b = Bench::new("kind = \"vanished\"\nafter = \"20s\"");
    (0..=20).for_each(|t| b.see(f64::from(t), &[signal(Subject::Person(TrackId(1)), 1.0)]));
    let text = &b.events[0].text;
    assert_eq!(text.en, "[minor] c, z: a person in the water has not been seen for 20 s; please check");
    assert_eq!(text.zh, "【一般】c·z：有人进入水域后20秒未见，请核实");
}

#[test]
fn incidents_are_bounded() {
    let mut b = Bench::new("kind = \"loitering\"\ndwell = \"100s\"");
    let crowd: Vec<Signal> = (0..10_000).map(|i| signal(Subject::Person(TrackId(i)), 1.0)).collect();
    b.see(0.0, &crowd);
    assert_eq!(b.incidents.overflow(), 10_000 - 8_192);
}

proptest! {
    /// Against a plain re-computation over the whole list of observations.
    #[test]
    fn starts_and_ends_agree_with_a_plain_recomputation(
        values in prop::collection::vec(0..4u8, 1..200),
        steps in prop::collection::vec(1..20u32, 200),
        hold in 0..30u32, gap in 0..30u32, cooldown in 0..40u32,
    ) {
        let rule = format!("kind = \"crowd\"\npeople = 2\nhold = \"{hold}00ms\"\ngap = \"{gap}00ms\"\ncooldown = \"{cooldown}00ms\"");
        let mut b = Bench::new(&rule);
        let mut tick = 0u32;
        let observations: Vec<(u32, bool)> = values.iter().zip(&steps).map(|(v, step)| { tick += step; (tick, *v >= 2) }).collect();
        for ((t, _), v) in observations.iter().zip(&values) {
            b.see(f64::from(*t) / 10.0, &[signal(Subject::Zone, f64::from(*v))]);
        }
        let told: Vec<(State, u32)> = b.told().iter().filter(|(s, _)| *s != State::Updated).map(|(s, t)| (*s, (t * 10.0).round() as u32)).collect();
        prop_assert_eq!(told, recompute(&observations, hold, gap, cooldown));
    }
}

/// Stretches in which the condition holds, interruptions of at most `gap` bridged; then holds and cooldowns.
fn recompute(observations: &[(u32, bool)], hold: u32, gap: u32, cooldown: u32) -> Vec<(State, u32)> {
    let mut told = Vec::new();
    let mut quiet_until = 0;
    let mut i = 0;
    while i < observations.len() {
        if !observations[i].1 {
            i += 1;
            continue;
        }
        let (since, _) = observations[i];
        let (mut last_true, mut interrupted, mut started) = (since, false, false);
        let mut end = None;
        let mut j = i;
        while j < observations.len() {
            let (t, holds) = observations[j];
            if (interrupted || !holds) && t - last_true > gap {
                end = Some(t);
                break;
            }
            if holds {
                (last_true, interrupted) = (t, false);
                if !started && t - since >= hold && t >= quiet_until {
                    started = true;
                    told.push((State::Started, t));
                }
            } else {
                interrupted = true;
            }
            j += 1;
        }
        if let (Some(t), true) = (end, started) {
            told.push((State::Ended, t));
            quiet_until = t + cooldown;
        }
        i = j;
    }
    told
}

#[test]
fn a_silenced_rule_ends_what_is_open_and_holds_again_from_then_on() {
    let mut b = Bench::new("kind = \"crowd\"\npeople = 3\nhold = \"2s\"");
    b.zone(0.0, 5.0, 0.5, 3.0);
    let until: jiff::Timestamp = "2026-11-24T03:00:10Z".parse().unwrap();
    b.incidents.snooze(&[("r".into(), until), ("gone".into(), until)]);
    b.zone(5.0, 20.0, 0.5, 3.0);
    let expected = [(State::Started, 2.0), (State::Ended, 5.0), (State::Started, 12.0)];
    assert_eq!(b.told(), expected);
    assert_eq!(b.events[1].reason, Some(EndReason::Snoozed));
    // Woken before its time.
    b.incidents.snooze(&[("r".into(), "2026-11-24T04:00:00Z".parse().unwrap())]);
    b.zone(20.0, 25.0, 0.5, 3.0);
    b.incidents.snooze(&[]);
    b.zone(25.0, 30.0, 0.5, 3.0);
    assert_eq!(b.told()[3..], [(State::Ended, 20.0), (State::Started, 27.0)]);
}

#[test]
fn a_condition_that_began_while_it_was_silenced_counts_from_the_end_of_it() {
    let mut b = Bench::new("kind = \"loitering\"\ndwell = \"4s\"");
    b.incidents.snooze(&[("r".into(), "2026-11-24T03:00:10Z".parse().unwrap())]);
    for i in 0..40_u32 {
        let t = f64::from(i) * 0.5;
        let since = Some(MediaTime::from_secs_f64(0.0));
        b.see(t, &[Signal { since, ..signal(Subject::Person(TrackId(1)), 1.0) }]);
    }
    assert_eq!(b.told()[0], (State::Started, 14.0));
}
