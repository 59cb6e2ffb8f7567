//! What cameras do to their streams: each fault with what must come of it. (Stalls, lost connections, passwords: `rtsp`; a
//! picture that stands still: `health`.)

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lookout::capture::address::Credentials;
use lookout::capture::{Clock, SourceError, Stop};
use lookout::config::plan;
use lookout::types::{Frame, Size, Span};

use crate::faults::assert_told_whole;
use crate::rtsp::{Watched, open, plan, quick};
use crate::support::clips::Clips;
use crate::support::rtsp::{Behaviour, Camera};
use crate::support::site::SiteFiles;
use crate::support::wire::Wire;

const H264: &str = "-c:v libx264 -preset ultrafast -tune zerolatency -g 12 -slices 1 -threads 1 -pix_fmt yuv420p";
const HEVC: &str = "-c:v libx265 -preset ultrafast -tune zerolatency -pix_fmt yuv420p \
    -x265-params keyint=12:slices=1:frame-threads=1:pools=none:log-level=none:repeat-headers=1";

fn h264(clips: &Clips, size: &str) -> PathBuf {
    clips.pattern(&format!("{size}.h264"), size, 25, 24, H264)
}

fn hevc(clips: &Clips) -> PathBuf {
    clips.pattern("a.hevc", "320x240", 25, 24, HEVC)
}

/// A clock by which waits are over at once; it counts them.
struct Impatient(Instant, std::sync::atomic::AtomicU64);

impl Impatient {
    fn new() -> Arc<Self> {
        Arc::new(Self(Instant::now(), Default::default()))
    }

    /// Time that would have been slept.
    fn slept(&self) -> Duration {
        Duration::from_millis(self.1.load(std::sync::atomic::Ordering::SeqCst))
    }
}

impl Clock for Impatient {
    fn now(&self) -> Instant {
        self.0.max(Instant::now()) + self.slept()
    }

    fn utc(&self) -> jiff::Timestamp {
        jiff::Timestamp::now().saturating_add(jiff::SignedDuration::try_from(self.slept()).unwrap()).unwrap()
    }

    fn sleep(&self, duration: Duration, stop: &Stop) -> bool {
        self.1.fetch_add(duration.as_millis() as u64, std::sync::atomic::Ordering::SeqCst);
        stop.wait(Duration::from_millis(2))
    }
}

/// So many pictures that follow each other: time goes on with each.
fn frames(watched: &Watched, count: usize) -> Vec<Frame> {
    let frames: Vec<Frame> = (0..count).map(|_| watched.frame()).collect();
    assert!(frames.is_sorted_by(|a, b| a.time < b.time && a.utc <= b.utc && a.index < b.index));
    frames
}

/// Media time between two pictures.
fn steps(frames: &[Frame]) -> Vec<Span> {
    frames.windows(2).map(|pair| pair[1].time - pair[0].time).collect()
}

#[test]
fn hevc_comes_like_h264() {
    let clips = Clips::new();
    let camera = Camera::start(&hevc(&clips), quick());
    let mut source = open(plan(&camera.url()), Credentials::default()).unwrap();
    assert_eq!((source.info().codec.as_str(), source.info().size), ("hevc", Size::new(320, 240)));
    for k in 0..48 {
        let decoded = source.next().unwrap();
        assert_eq!(decoded.pts.unwrap_or_default(), Span::from_millis(40 * k));
    }
    assert_eq!(source.damage(), lookout::capture::Damage::default());
}

#[test]
fn time_stamps_that_jump_are_repaired() {
    let clips = Clips::new();
    const SECOND: i64 = 90_000;
    // Ten seconds forward, an hour back, and to zero.
    for jumps in [vec![(30, 10 * SECOND)], vec![(30, -3_600 * SECOND)], vec![(30, -1_000_000 - 30 * 3_600)]] {
        let behaviour = Behaviour { jumps: jumps.clone(), pause: Duration::from_millis(40), ..Behaviour::default() };
        let camera = Camera::start(&h264(&clips, "320x240"), behaviour);
        let watched = Watched::start(plan(&camera.url()));
        let frames = frames(&watched, 60);
        // Later than the pictures came, by less than a second: no jump is in the media time.
        let whole = frames[59].time - frames[0].time;
        assert!((Span::from_millis(1_500)..Span::from_millis(4_500)).contains(&whole), "{jumps:?}: {whole:?}");
        assert_eq!(watched.end(), SourceError::Stopped);
        assert_eq!(camera.sessions(), 1, "{jumps:?}: nothing was connected anew");
    }
}

#[test]
fn damaged_packets_are_counted_and_pictures_go_on() {
    let clips = Clips::new();
    let behaviour = Behaviour { damage_every: Some(9), ..quick() };
    let camera = Camera::start(&h264(&clips, "320x240"), behaviour);
    let watched = Watched::start(plan(&camera.url()));
    assert_eq!(watched.event(), "connected false");
    let mut damaged = false;
    frames(&watched, 150);
    while let Some(event) = watched.try_event() {
        assert!(event.starts_with("damaged "), "the connection stays: {event}");
        damaged = true;
    }
    assert!(damaged);
    assert_eq!(watched.end(), SourceError::Stopped);
    assert_eq!(camera.sessions(), 1);
}

#[test]
fn another_size_and_another_codec_after_a_reconnect_are_one_stream() {
    let clips = Clips::new();
    let camera = Camera::start(&h264(&clips, "320x240"), quick());
    let address = camera.url()["rtsp://".len()..].strip_suffix("/stream1").unwrap().parse().unwrap();
    let watched = Watched::start(plan(&camera.url()));
    let mut last = frames(&watched, 10).pop().unwrap();
    let mut camera = Some(camera);
    for (file, size) in [(h264(&clips, "640x360"), Size::new(640, 360)), (hevc(&clips), Size::new(320, 240))] {
        drop(camera.take());
        camera = Some(Camera::start_at(address, &file, quick()));
        let next = std::iter::from_fn(|| Some(watched.frame())).find(|frame| frame.picture.size() == size).unwrap();
        assert!(next.time > last.time && next.index > last.index && next.utc >= last.utc);
        last = next;
    }
    assert_eq!(watched.end(), SourceError::Stopped);
}

#[test]
fn one_picture_a_second_and_sixty_are_both_as_they_come() {
    let clips = Clips::new();
    for (step, pause, wanted) in [(90_000, 1_000, 1_000), (1_500, 16, 16)] {
        let behaviour = Behaviour { step, pause: Duration::from_millis(pause), ..Behaviour::default() };
        let camera = Camera::start(&h264(&clips, "320x240"), behaviour);
        let watched = Watched::start(plan::Source { rate: None, ..plan(&camera.url()) });
        let count = if step == 90_000 { 4 } else { 120 };
        let steps = steps(&frames(&watched, count));
        let near = |step: &&Span| (*step).secs_f64() * 1e3 - f64::from(wanted) < 2.0;
        // The first picture has no time stamp of its own.
        assert!(steps.iter().skip(1).filter(near).count() + 3 >= steps.len(), "{steps:?}");
        assert_eq!(watched.end(), SourceError::Stopped);
    }
}

/// TCP half-open: no end, no reset, no byte.
#[test]
fn a_connection_that_dies_without_a_word_is_noticed_and_made_anew() {
    let clips = Clips::new();
    let walkers = clips.walkers("walkers.h264", 60, &format!("{H264} -an"));
    let behaviour = Behaviour { pause: Duration::from_millis(40), ..Behaviour::default() };
    let camera = Camera::start(&walkers, behaviour);
    let wire = Wire::start(camera.address());
    let files = SiteFiles::new("");
    files.camera(
        "yard",
        &format!("url = \"rtsp://{}/stream1\"\nstall_timeout = \"1s\"\noutage = \"1s\"", wire.address()),
    );
    let mut run = files.start();
    let started =
        |files: &SiteFiles| files.told().iter().filter(|e| e["rule"] == "anyone" && e["state"] == "started").count();
    run.until("an alert", |_| started(&files) == 1);
    wire.die();
    let stalled = "lookout_camera_reconnects_total{camera=\"yard\",reason=\"stalled\"}";
    run.until("the signal is lost", |_| files.told().iter().any(|e| e["reason"] == "signal_lost"));
    run.until("it is connected anew", |run| run.metric(stalled) == Some(1.0));
    let analysed = run.analysed("yard");
    run.until("pictures come", |run| run.analysed("yard") > analysed + 5.0);
    run.until("a new alert", |_| started(&files) == 2);
    assert_eq!(camera.sessions(), 2);
    assert!(run.log().contains("no picture for 1 s"), "{}", run.log());
    assert_eq!(run.interrupt(), Some(0));
    assert_told_whole(&files);
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn a_camera_that_is_refused_for_hours_costs_nothing_and_comes() {
    let clips = Clips::new();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let clock = Impatient::new();
    let watched = Watched::start_by(plan(&format!("rtsp://{address}/stream1")), Credentials::default(), clock.clone());
    let before = descriptors();
    for _ in 0..1_000 {
        assert_eq!(watched.event(), "refused");
    }
    // Other tests of this process open and close theirs.
    assert!(descriptors() < before + 200, "{before} {}", descriptors());
    assert!(clock.slept() > Duration::from_secs(6 * 3_600), "half a minute between two: {:?}", clock.slept());
    let camera = Camera::start_at(address, &h264(&clips, "320x240"), quick());
    while watched.event() != "connected false" {}
    frames(&watched, 5);
    drop(camera);
    assert_eq!(watched.end(), SourceError::Stopped);
}

#[test]
fn a_wrong_password_is_tried_seldom_and_stands_in_no_log() {
    let clips = Clips::new();
    let behaviour = Behaviour { credentials: Some("admin:right-s3cret"), ..quick() };
    let camera = Camera::start(&h264(&clips, "320x240"), behaviour);
    let files = SiteFiles::new("");
    files.camera("yard", &format!("url = \"{}\"", camera.url()));
    let with = |password: &str| {
        files.start_among(&[("LOOKOUT_CAMERA_YARD_USER", "admin"), ("LOOKOUT_CAMERA_YARD_PASSWORD", password)])
    };
    let mut run = with("wrong-s3cret");
    run.until("it is refused", |run| run.get("/api/v1/cameras").contains("user or password is missing or wrong"));
    assert!(!run.get("/api/v1/cameras").contains("s3cret"));
    assert_eq!(run.interrupt(), Some(0));
    assert_eq!(camera.sessions(), 0);
    let mut run = with("right-s3cret");
    run.until("pictures come", |run| run.analysed("yard") > 2.0);
    assert!(!run.log().contains("s3cret"), "{}", run.log());
    assert_eq!(run.interrupt(), Some(0));
}
