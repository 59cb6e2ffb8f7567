use proptest::prelude::*;

use super::*;

fn ms(millis: i64) -> Span {
    Span::from_millis(millis)
}

/// Stamps at 25 pictures a second; `None`: no time stamp. Times come back in milliseconds.
fn file(stamps: &[Option<i64>]) -> (Vec<i64>, Repairs) {
    let mut timeline = Timeline::new(Feed::Recorded, None);
    timeline.announce(Some(25.0));
    let times = stamps.iter().map(|&s| timeline.stamp(s.map(ms), Span::ZERO).0);
    let times = times.map(|t| (t - MediaTime::ZERO).nanos() / 1_000_000).collect();
    (times, timeline.repairs())
}

fn some(stamps: &[i64]) -> Vec<Option<i64>> {
    stamps.iter().copied().map(Some).collect()
}

#[test]
fn good_stamps_count_from_the_first_picture() {
    let (times, repairs) = file(&some(&[1_000, 1_040, 1_080, 1_120]));
    assert_eq!(times, [0, 40, 80, 120]);
    assert_eq!(repairs.total(), 0);
}

#[test]
fn missing_stamps_follow_the_interval() {
    let (times, repairs) = file(&[Some(0), None, None, Some(120), None]);
    assert_eq!(times, [0, 40, 80, 120, 160]);
    assert_eq!(repairs, Repairs { missing: 3, ..Repairs::default() });
    assert_eq!(file(&[None, None, None]).0, [0, 40, 80]);
    assert_eq!(file(&[None, None, Some(700), Some(740)]).0, [0, 40, 80, 120]);
}

#[test]
fn one_slip_spoils_one_picture() {
    let (times, repairs) = file(&some(&[0, 40, 80, 20, 160, 200]));
    assert_eq!(times, [0, 40, 80, 120, 160, 200]);
    assert_eq!(repairs, Repairs { backwards: 1, ..Repairs::default() });
    let (times, repairs) = file(&some(&[0, 40, 80, 90_000, 160, 200]));
    assert_eq!(times, [0, 40, 80, 120, 160, 200]);
    assert_eq!(repairs, Repairs { jumped: 1, ..Repairs::default() });
}

#[test]
fn a_clock_that_was_set_goes_on_without_a_hole() {
    let (times, repairs) = file(&some(&[0, 40, 80, 900_000, 900_040, 900_080, 5, 45, 85]));
    assert_eq!(times, [0, 40, 80, 120, 160, 200, 240, 280, 320]);
    assert_eq!(repairs, Repairs { jumped: 1, backwards: 1, ..Repairs::default() });
}

#[test]
fn a_real_gap_is_kept_from_its_second_picture_on() {
    let (times, repairs) = file(&some(&[0, 40, 5_080, 5_120, 5_160]));
    assert_eq!(times, [0, 40, 80, 5_120, 5_160]);
    assert_eq!(repairs.jumped, 1);
}

#[test]
fn pictures_that_are_far_apart_are_believed() {
    let mut timeline = Timeline::new(Feed::Recorded, None);
    timeline.announce(Some(0.25));
    let times: Vec<f64> = (0..5).map(|k| timeline.stamp(Some(ms(k * 4_000)), Span::ZERO).0.secs_f64()).collect();
    assert_eq!(times, [0.0, 4.0, 8.0, 12.0, 16.0]);
    // Announced at 25 a second, in truth one in four seconds: only the first step is disbelieved.
    let (times, repairs) = file(&some(&[0, 4_000, 8_000, 12_000, 16_000]));
    assert_eq!(times[2..], [8_000, 12_000, 16_000]);
    assert_eq!(repairs.total(), 1);
}

#[test]
fn a_wrapped_counter_goes_on() {
    for wrap in WRAPS {
        let top = wrap - 60_000_000;
        let mut timeline = Timeline::new(Feed::Recorded, None);
        timeline.announce(Some(25.0));
        let raw = |k: i64| Span::from_nanos((top + k * 40_000_000) % wrap);
        let times: Vec<i64> = (0..5).map(|k| timeline.stamp(Some(raw(k)), Span::ZERO).0.nanos()).collect();
        assert_eq!(times, [0, 40_000_000, 80_000_000, 120_000_000, 160_000_000]);
        assert_eq!(timeline.repairs(), Repairs { wrapped: 1, ..Repairs::default() });
    }
}

#[test]
fn pairs_with_the_same_stamp_do_not_run_away() {
    let stamps: Vec<_> = (0..400).map(|k| Some(k / 2 * 40)).collect();
    let (times, _) = file(&stamps);
    for (k, time) in times.iter().enumerate() {
        assert!((time - k as i64 * 20).abs() <= 60, "{k}: {time}");
    }
}

#[test]
fn override_counts_pictures_over_loops_and_time_over_reconnects() {
    let mut timeline = Timeline::new(Feed::Recorded, Some(7.0));
    for k in 0..20 {
        if k == 10 {
            timeline.follow(Follows::Loop);
        }
        assert_eq!(timeline.stamp(Some(ms(13 * k)), Span::ZERO).0, MediaTime::of_frame(k as u64, 7.0));
    }
    let mut live = Timeline::new(Feed::Live, Some(10.0));
    live.stamp(None, ms(0));
    live.stamp(None, ms(100));
    live.follow(Follows::Reconnect);
    assert_eq!(live.stamp(None, ms(30_100)).0.secs_f64(), 30.1);
    assert_eq!(live.stamp(None, ms(30_200)).0.secs_f64(), 30.2);
}

#[test]
fn a_loop_goes_on_by_one_interval() {
    let mut timeline = Timeline::new(Feed::Recorded, None);
    timeline.announce(Some(25.0));
    let mut times = Vec::new();
    for _ in 0..3 {
        for k in 0..4 {
            times.push((timeline.stamp(Some(ms(500 + 40 * k)), Span::ZERO).0 - MediaTime::ZERO).nanos() / 1_000_000);
        }
        timeline.follow(Follows::Loop);
    }
    assert_eq!(times, (0..12).map(|k| k * 40).collect::<Vec<_>>());
    assert_eq!(timeline.repairs().total(), 0);
}

#[test]
fn a_reconnect_goes_on_by_the_time_that_passed() {
    let mut timeline = Timeline::new(Feed::Live, None);
    timeline.stamp(Some(ms(7_000)), ms(100));
    timeline.stamp(Some(ms(7_040)), ms(140));
    timeline.follow(Follows::Reconnect);
    assert_eq!(timeline.stamp(Some(ms(3)), ms(5_140)).0.secs_f64(), 5.04);
    assert_eq!(timeline.stamp(Some(ms(43)), ms(5_181)).0.secs_f64(), 5.08);
    assert_eq!(timeline.repairs().total(), 0);
}

#[test]
fn the_host_clock_says_whether_a_camera_really_paused() {
    let mut timeline = Timeline::new(Feed::Live, None);
    for k in 0..10 {
        timeline.stamp(Some(ms(40 * k)), ms(40 * k));
    }
    let (time, fault) = timeline.stamp(Some(ms(60_360)), ms(60_400));
    assert_eq!((time.secs_f64(), fault), (60.36, None));
    // The same jump without a pause: the camera was set to another time.
    let (time, fault) = timeline.stamp(Some(ms(90_000_000)), ms(60_440));
    assert_eq!((time.secs_f64(), fault), (60.4, Some(TimeFault::Jumped)));
    let (time, fault) = timeline.stamp(Some(ms(90_000_040)), ms(60_480));
    assert_eq!((time.secs_f64(), fault), (60.44, None));
}

#[test]
fn a_burst_after_connecting_does_not_squeeze_the_first_pictures() {
    let mut timeline = Timeline::new(Feed::Live, None);
    timeline.announce(Some(25.0));
    let stamps = [None, Some(ms(40)), Some(ms(80)), Some(ms(120))];
    let times: Vec<f64> = stamps.iter().map(|&pts| timeline.stamp(pts, ms(7)).0.secs_f64()).collect();
    assert_eq!(times, [0.0, 0.04, 0.08, 0.12]);
    assert_eq!(timeline.repairs().total(), 0);
}

#[test]
fn a_live_stream_without_stamps_runs_by_arrival() {
    let mut timeline = Timeline::new(Feed::Live, None);
    for k in 0..500 {
        let (time, fault) = timeline.stamp(None, ms(90 * k));
        assert_eq!((time, fault), (MediaTime::ZERO + ms(90 * k), (k > 0).then_some(TimeFault::Missing)));
    }
}

/// A stream of which the true times are known, with slips strewn in.
fn slips() -> impl Strategy<Value = Vec<(i64, Option<Option<i64>>)>> {
    let slip = prop_oneof![
        6 => Just(None),
        1 => Just(Some(None)),
        1 => any::<i32>().prop_map(|raw| Some(Some(i64::from(raw) * 1_000))),
    ];
    prop::collection::vec((33_i64..48, slip), 10..300)
}

proptest! {
    #[test]
    fn garbage_never_stops_time(
        live in any::<bool>(),
        stamps in prop::collection::vec((prop::option::of(any::<i64>()), -1_000_000_i64..10_000_000_000, 0_u8..40), 1..300),
    ) {
        let mut timeline = Timeline::new(if live { Feed::Live } else { Feed::Recorded }, None);
        let (mut last, mut arrived) = (None, 0_i64);
        for (raw, passed, event) in stamps {
            arrived += passed;
            match event {
                0 => timeline.follow(Follows::Loop),
                1 => timeline.follow(Follows::Reconnect),
                _ => {}
            }
            // Time stamps of libav are 64 bits of some time base; nanoseconds of a sane one stay far below.
            let (time, _) = timeline.stamp(raw.map(|raw| Span::from_nanos(raw / 8)), Span::from_nanos(arrived));
            prop_assert!(last < Some(time), "{last:?} {time:?}");
            last = Some(time);
        }
    }

    #[test]
    fn truth_comes_through(slips in slips()) {
        let mut timeline = Timeline::new(Feed::Recorded, None);
        timeline.announce(Some(25.0));
        let (mut truth, mut wrong_in_a_row, mut faults) = (0_i64, 0_i64, 0);
        // The first three are good, so that there is something to fall back on.
        for (k, (step, slip)) in slips.into_iter().enumerate() {
            let slip = slip.filter(|_| k > 2);
            let raw = slip.unwrap_or(Some(truth));
            let (time, _) = timeline.stamp(raw.map(ms), Span::ZERO);
            wrong_in_a_row = if slip.is_some() { wrong_in_a_row + 1 } else { 0 };
            faults += i64::from(slip.is_some());
            let error = ((time - MediaTime::ZERO).nanos() / 1_000_000 - truth).abs();
            // Exact where the stamp is good, apart from catching up after an estimate that ran ahead; an estimate is
            // off by what the interval varies.
            prop_assert!(error <= 10 + 12 * (wrong_in_a_row + 4), "picture {k}: off by {error} ms");
            truth += step;
        }
        prop_assert!(timeline.repairs().total() as i64 <= faults + 1);
    }
}
