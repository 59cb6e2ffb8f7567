//! A camera over RTSP that comes late, stalls, goes away and comes back.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use lookout::capture::address::Credentials;
use lookout::capture::{
    CameraOpener, CaptureEvent, Clock, Opener, Retry, Source, SourceError, Stop, Supervisor, SupervisorOptions,
    SystemClock,
};
use lookout::config::plan;
use lookout::types::{Frame, PixelFormat, Size, Span, Target};

use crate::support::clips::Clips;
use crate::support::rtsp::{Behaviour, Camera};

/// Long enough for a busy machine; every wait here ends by an event, not by this.
const LONG: Duration = Duration::from_secs(60);

fn clip(clips: &Clips) -> PathBuf {
    let options = "-c:v libx264 -preset ultrafast -tune zerolatency -g 12 -slices 1 -threads 1 -pix_fmt yuv420p";
    clips.pattern("a.h264", "320x240", 25, 24, options)
}

pub fn quick() -> Behaviour {
    Behaviour { pause: Duration::from_millis(5), ..Behaviour::default() }
}

pub fn plan(url: &str) -> plan::Source {
    plan::Source {
        url: plan::SourceUrl::Network(url.to_owned()),
        sub: None,
        rate: None,
        fps: None,
        repeat: false,
        outage: Span::from_secs(10),
        connect_timeout: Span::from_secs(60),
        stall_timeout: Span::from_secs(60),
        transport: plan::Transport::Tcp,
    }
}

pub fn open(source: plan::Source, credentials: Credentials) -> Result<Box<dyn Source>, SourceError> {
    CameraOpener::with_credentials(source, credentials, 1).open(&Stop::new())
}

/// A supervised camera on a thread of its own.
pub struct Watched {
    stop: Stop,
    pub frames: Receiver<Frame>,
    events: Receiver<String>,
    thread: Option<std::thread::JoinHandle<SourceError>>,
}

impl Watched {
    pub fn start(source: plan::Source) -> Self {
        Self::start_by(source, Credentials::default(), Arc::new(SystemClock))
    }

    pub fn start_by(source: plan::Source, credentials: Credentials, clock: Arc<dyn Clock>) -> Self {
        let stop = Stop::new();
        let opener = CameraOpener::with_credentials(source, credentials, 1);
        let mut supervisor = Supervisor::new(opener, clock, stop.clone(), SupervisorOptions::default());
        let ((frame, frames), (event, events)) = (channel(), channel());
        let thread = std::thread::spawn(move || {
            supervisor.run(&mut |one| frame.send(one).unwrap_or_default(), &mut |happened: &CaptureEvent<'_>| {
                let text = match happened {
                    CaptureEvent::Connected { again, .. } => format!("connected {again}"),
                    CaptureEvent::Lost { error, .. } => error.reason().to_owned(),
                    CaptureEvent::Damaged(damage) => format!("damaged {} {}", damage.packets, damage.pictures),
                    CaptureEvent::Resized { from, to } => format!("resized {from} {to}"),
                    _ => return,
                };
                event.send(text).unwrap_or_default();
            })
        });
        Self { stop, frames, events, thread: Some(thread) }
    }

    pub fn event(&self) -> String {
        self.events.recv_timeout(LONG).unwrap()
    }

    pub fn try_event(&self) -> Option<String> {
        self.events.try_recv().ok()
    }

    pub fn frame(&self) -> Frame {
        self.frames.recv_timeout(LONG).unwrap()
    }

    pub fn end(mut self) -> SourceError {
        self.stop.set();
        self.thread.take().unwrap().join().unwrap()
    }
}

#[test]
fn pictures_come_with_the_cameras_own_time() {
    let clips = Clips::new();
    let camera = Camera::start(&clip(&clips), quick());
    let mut source = open(plan(&camera.url()), Credentials::default()).unwrap();
    assert!(source.info().live);
    for k in 0..60 {
        let decoded = source.next().unwrap();
        // libav gives the first one none.
        assert_eq!(decoded.pts.unwrap_or_default(), Span::from_millis(40 * k));
        assert_eq!(decoded.picture.size(), Size::new(320, 240));
        let mut pixels = Vec::new();
        decoded.picture.convert(Target { size: Size::new(64, 48), format: PixelFormat::Rgb24 }, &mut pixels).unwrap();
    }
    assert_eq!(source.damage(), lookout::capture::Damage::default());
    assert_eq!(camera.sessions(), 1);
}

#[test]
fn nobody_there_is_refused_and_a_mute_camera_times_out() {
    let clips = Clips::new();
    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = open(plan(&format!("rtsp://{free}/1")), Credentials::default()).err().unwrap();
    assert!(matches!(error, SourceError::Refused { .. }), "{error}");
    assert_eq!(error.retry(), Retry::Soon);
    let camera = Camera::start(&clip(&clips), Behaviour { mute: true, ..quick() });
    let source = plan::Source { connect_timeout: Span::from_millis(300), ..plan(&camera.url()) };
    let error = open(source, Credentials::default()).err().unwrap();
    assert!(matches!(error, SourceError::ConnectTimeout { .. }), "{error}");
}

#[test]
fn a_stall_is_noticed_by_our_own_clock() {
    let clips = Clips::new();
    let camera = Camera::start(&clip(&clips), Behaviour { stall_after: Some(40), ..quick() });
    let source = plan::Source { stall_timeout: Span::from_millis(400), ..plan(&camera.url()) };
    let mut source = open(source, Credentials::default()).unwrap();
    let mut pictures = 0;
    let error = loop {
        match source.next() {
            Ok(_) => pictures += 1,
            Err(error) => break error,
        }
    };
    assert!((35..=40).contains(&pictures), "{pictures}");
    assert!(matches!(error, SourceError::Stalled { .. }), "{error}");
}

#[test]
fn stop_interrupts_a_silent_connection() {
    let clips = Clips::new();
    let camera = Camera::start(&clip(&clips), Behaviour { stall_after: Some(30), ..quick() });
    let watched = Watched::start(plan(&camera.url()));
    watched.frame();
    assert_eq!(watched.end(), SourceError::Stopped);
}

#[test]
fn passwords_open_and_are_never_shown() {
    let clips = Clips::new();
    let camera = Camera::start(&clip(&clips), Behaviour { credentials: Some("ad min:p@ss:/w"), ..quick() });
    for credentials in [Credentials::default(), Credentials::new("ad min", "s3cret-wrong")] {
        let error = open(plan(&camera.url()), credentials).err().unwrap();
        assert!(matches!(error, SourceError::Unauthorized { .. }), "{error}");
        assert_eq!(error.retry(), Retry::Late);
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    }
    let mut source = open(plan(&camera.url()), Credentials::new("ad min", "p@ss:/w")).unwrap();
    source.next().unwrap();
}

#[test]
fn a_camera_that_comes_late_goes_and_comes_back_is_one_stream() {
    let clips = Clips::new();
    let file = clip(&clips);
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let watched = Watched::start(plan(&format!("rtsp://{address}/stream1")));
    assert_eq!(watched.event(), "refused");
    let camera = Camera::start_at(address, &file, quick());
    while watched.events.try_recv().is_ok_and(|event| event == "refused") {}
    let first = watched.frame();
    assert_eq!((first.index, first.time.nanos()), (0, 0));
    let mut before = first;
    for _ in 0..20 {
        before = watched.frame();
    }
    drop(camera);
    while watched.event() != "lost" {}
    let _camera = Camera::start_at(address, &file, quick());
    while watched.event() != "connected true" {}
    let last = std::iter::from_fn(|| watched.frames.recv_timeout(LONG).ok()).take(200).reduce(|last, frame| {
        assert!(frame.index == last.index + 1 && frame.time > last.time && frame.utc >= last.utc);
        frame
    });
    let last = last.unwrap();
    assert!(last.index > before.index + 20 && last.time > before.time);
    // Media time went on by the wall's time, not by the camera's.
    assert!((last.utc.duration_since(before.utc).as_secs_f64() - (last.time - before.time).secs_f64()).abs() < 2.0);
    assert_eq!(watched.end(), SourceError::Stopped);
}

#[test]
fn many_short_connections_are_survived() {
    let clips = Clips::new();
    let camera = Camera::start(&clip(&clips), Behaviour { hang_up_after: Some(15), pause: Duration::ZERO, ..quick() });
    for _ in 0..25 {
        let mut source = open(plan(&camera.url()), Credentials::default()).unwrap();
        let error = std::iter::from_fn(|| Some(source.next())).find_map(Result::err).unwrap();
        assert!(matches!(error, SourceError::Lost { .. }), "{error}");
    }
    assert_eq!(camera.sessions(), 25);
}
