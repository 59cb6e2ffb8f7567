use std::collections::VecDeque;

use super::super::clock::testing::ManualClock;
use super::super::picture::VideoPicture;
use super::super::source::Decoded;
use super::*;
use crate::types::MediaTime;

const SMALL: Size = Size::new(16, 8);

/// One connection: how it opens, and how it ends after its pictures.
struct Script {
    open: Result<(), SourceError>,
    /// Time stamp, host time that passes before it, size.
    pictures: Vec<(Option<i64>, u64, Size)>,
    end: SourceError,
    live: bool,
}

struct Scripted {
    clock: Arc<ManualClock>,
    scripts: VecDeque<Script>,
    opened: usize,
    stop: Stop,
}

struct Playing {
    clock: Arc<ManualClock>,
    pictures: VecDeque<(Option<i64>, u64, Size)>,
    end: SourceError,
    info: StreamInfo,
    damage: Damage,
}

impl Opener for Scripted {
    fn open(&mut self, _: &Stop) -> Result<Box<dyn Source>, SourceError> {
        self.opened += 1;
        let Some(script) = self.scripts.pop_front() else {
            self.stop.set();
            return Err(SourceError::Stopped);
        };
        script.open?;
        let info = StreamInfo {
            size: SMALL,
            codec: "h264".into(),
            fps: Some(10.0),
            frames: None,
            duration: None,
            created: None,
            sample_aspect: None,
            live: script.live,
        };
        let (clock, pictures) = (Arc::clone(&self.clock), script.pictures.into());
        Ok(Box::new(Playing { clock, pictures, end: script.end, info, damage: Damage::default() }))
    }
}

impl Source for Playing {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Decoded, SourceError> {
        let Some((pts, passed, size)) = self.pictures.pop_front() else { return Err(self.end.clone()) };
        self.clock.advance(Duration::from_millis(passed));
        self.damage.packets += 1;
        let picture = Arc::new(VideoPicture::grey(size, 0));
        Ok(Decoded { pts: pts.map(Span::from_millis), arrived: self.clock.now(), took: Duration::ZERO, picture })
    }

    fn damage(&self) -> Damage {
        self.damage
    }
}

fn at() -> String {
    "rtsp://cam/1".into()
}

fn lost() -> SourceError {
    SourceError::Lost { at: at(), why: "reset".into() }
}

fn refused() -> Script {
    let error = SourceError::Refused { at: at(), why: "nobody".into() };
    Script { open: Err(error.clone()), pictures: Vec::new(), end: error, live: true }
}

fn live(pictures: impl IntoIterator<Item = i64>) -> Script {
    Script {
        open: Ok(()),
        pictures: pictures.into_iter().map(|k| (Some(k * 100), 100, SMALL)).collect(),
        end: lost(),
        live: true,
    }
}

struct Outcome {
    frames: Vec<(u64, f64, jiff::Timestamp, Duration)>,
    events: Vec<String>,
    slept: Vec<f64>,
    error: SourceError,
    opened: usize,
}

fn run(scripts: Vec<Script>, options: SupervisorOptions) -> Outcome {
    let clock = Arc::new(ManualClock::new());
    let stop = Stop::new();
    let epoch = clock.now();
    let opener = Scripted { clock: Arc::clone(&clock), scripts: scripts.into(), opened: 0, stop: stop.clone() };
    let mut supervisor = Supervisor::new(opener, Arc::clone(&clock) as Arc<dyn Clock>, stop, options);
    let (mut frames, mut events) = (Vec::new(), Vec::new());
    let error = supervisor.run(
        &mut |frame| frames.push((frame.index, frame.time.secs_f64(), frame.utc, frame.arrived - epoch)),
        &mut |event: &CaptureEvent<'_>| match event {
            CaptureEvent::Connected { again, .. } => events.push(format!("connected {again}")),
            CaptureEvent::Lost { error, connected, .. } => events.push(format!("{} {connected}", error.reason())),
            CaptureEvent::Repaired(fault) => events.push(fault.word().to_owned()),
            CaptureEvent::Resized { from, to } => events.push(format!("{from} to {to}")),
            CaptureEvent::Looped => events.push("looped".into()),
            CaptureEvent::FellBehind => events.push("fell behind".into()),
            CaptureEvent::Connecting | CaptureEvent::Decoded { .. } | CaptureEvent::Damaged(_) => {}
        },
    );
    let slept = clock.slept.lock().unwrap().iter().map(Duration::as_secs_f64).collect();
    Outcome { frames, events, slept, error, opened: supervisor.opener.opened }
}

#[test]
fn refusals_back_off_and_the_first_picture_is_at_zero() {
    let mut scripts: Vec<Script> = (0..7).map(|_| refused()).collect();
    scripts.push(live(50..53));
    let outcome = run(scripts, SupervisorOptions::default());
    assert_eq!(outcome.error, SourceError::Stopped);
    for (slept, wanted) in outcome.slept.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]) {
        assert!((wanted * 0.8..=wanted * 1.2).contains(slept), "{slept} for {wanted}");
    }
    assert_eq!(outcome.events[..8], ["refused false"; 7].into_iter().chain(["connected false"]).collect::<Vec<_>>());
    let times: Vec<f64> = outcome.frames.iter().map(|f| f.1).collect();
    assert_eq!(times, [0.0, 0.1, 0.2]);
}

#[test]
fn a_reconnect_goes_on_by_the_wall_and_counts_on() {
    let outcome = run(vec![live(0..200), live(0..3)], SupervisorOptions::default());
    assert_eq!(outcome.events, ["connected false", "lost true", "connected true", "lost true"]);
    let (before, after) = (outcome.frames[199], outcome.frames[200]);
    assert_eq!((before.0, after.0), (199, 200));
    // The wait, and the tenth of a second until the first picture.
    assert!((after.1 - before.1 - outcome.slept[0] - 0.1).abs() < 1e-6);
    // UTC is the host's again.
    let start: jiff::Timestamp = "2026-11-24T03:00:00Z".parse().unwrap();
    assert_eq!(after.2, start + after.3);
}

#[test]
fn a_connection_that_breaks_at_once_does_not_reset_the_back_off() {
    let outcome = run((0..5).map(|_| live(0..2)).collect(), SupervisorOptions::default());
    assert!(outcome.slept[3] > 6.0, "{:?}", outcome.slept);
    let outcome = run((0..5).map(|_| live(0..200)).collect(), SupervisorOptions::default());
    assert!(outcome.slept[3] <= 1.2, "{:?}", outcome.slept);
}

#[test]
fn wrong_passwords_wait_longest() {
    let error = SourceError::Unauthorized { at: at() };
    let script = || Script { open: Err(error.clone()), pictures: Vec::new(), end: error.clone(), live: true };
    let outcome = run(vec![script(), script()], SupervisorOptions::default());
    assert!(outcome.slept.iter().all(|&slept| slept >= 24.0), "{:?}", outcome.slept);
}

#[test]
fn ten_thousand_refusals_leave_nothing_behind() {
    let outcome = run((0..10_000).map(|_| refused()).collect(), SupervisorOptions::default());
    assert_eq!(outcome.opened, 10_001);
    assert!(outcome.frames.is_empty());
}

#[test]
fn a_file_is_played_in_real_time_over_and_over() {
    let file = || Script {
        open: Ok(()),
        pictures: (0..20).map(|k| (Some(k * 100), 3, SMALL)).collect(),
        end: SourceError::End { truncated: false },
        live: false,
    };
    let options = SupervisorOptions { repeat: true, ..SupervisorOptions::default() };
    let outcome = run(vec![file(), file(), file()], options);
    assert_eq!(outcome.frames.len(), 60);
    assert_eq!(outcome.events, ["connected false", "looped", "connected true", "looped", "connected true", "looped"]);
    for (k, frame) in outcome.frames.iter().enumerate() {
        assert_eq!(frame.1, MediaTime::of_frame(k as u64, 10.0).secs_f64());
        // 3 ms: decoding the first one.
        assert_eq!(frame.3, Duration::from_millis(3 + 100 * k as u64));
    }
    let outcome = run(vec![file(), file()], SupervisorOptions::default());
    assert_eq!(outcome.error, SourceError::End { truncated: false });
    assert_eq!(outcome.frames.len(), 20);
}

#[test]
fn rate_selects_before_the_sink_and_indices_count_on() {
    let options = SupervisorOptions { rate: Some(5.0), ..SupervisorOptions::default() };
    let outcome = run(vec![live(0..100)], options);
    let indices: Vec<u64> = outcome.frames.iter().map(|f| f.0).collect();
    assert_eq!(indices, (0..50).map(|k| 2 * k).collect::<Vec<_>>());
}

#[test]
fn new_size_and_bad_time_stamps_are_told() {
    let mut script = live(0..4);
    script.pictures[1].2 = Size::new(32, 8);
    script.pictures[2] = (None, 100, Size::new(32, 8));
    script.pictures[3].2 = Size::new(32, 8);
    let outcome = run(vec![script], SupervisorOptions::default());
    assert_eq!(outcome.events, ["connected false", "16x8 to 32x8", "missing", "lost true"]);
}

#[test]
fn another_source_goes_on_where_the_last_one_ended() {
    let clock = Arc::new(ManualClock::new());
    let opener = |scripts: Vec<Script>, stop: &Stop| Scripted {
        clock: Arc::clone(&clock),
        scripts: scripts.into(),
        opened: 0,
        stop: stop.clone(),
    };
    let (first, second) = (Stop::new(), Stop::new());
    let own_clock = Arc::clone(&clock) as Arc<dyn Clock>;
    let mut supervisor =
        Supervisor::new(opener(vec![live(0..3)], &first), own_clock, first.clone(), SupervisorOptions::default());
    let mut seen = Vec::new();
    let mut nobody = |_: &CaptureEvent<'_>| {};
    supervisor.run(&mut |frame| seen.push((frame.index, frame.time.secs_f64())), &mut nobody);
    clock.advance(Duration::from_secs(5));
    // Its pictures are counted instead of believed, and its first one comes as late as it is.
    let counted = SupervisorOptions { fps: Some(4.0), ..SupervisorOptions::default() };
    supervisor.exchange(opener(vec![live([9_000, 2, 1])], &second), second.clone(), counted);
    supervisor.run(&mut |frame| seen.push((frame.index, frame.time.secs_f64())), &mut nobody);
    let indices: Vec<u64> = seen.iter().map(|(index, _)| *index).collect();
    assert_eq!(indices, [0, 1, 2, 3, 4, 5]);
    let steps: Vec<f64> = seen.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
    assert!(steps[2] > 5.0 && steps[2] < 10.0, "{steps:?}");
    assert!((steps[3] - 0.25).abs() < 1e-6 && (steps[4] - 0.25).abs() < 1e-6, "{steps:?}");
}
