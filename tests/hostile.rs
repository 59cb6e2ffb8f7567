//! Cameras that send what no camera would: pictures of absurd sizes. They are refused before their memory is asked for, with a
//! reason, and alone.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lookout::capture::address::Credentials;
use lookout::capture::{Retry, SourceError};
use lookout::types::Size;

use crate::rtsp::{Watched, open, plan, quick};
use crate::support::clips::Clips;
use crate::support::command::{lookout, ran};
use crate::support::rtsp::Camera;
use crate::support::site::SiteFiles;

/// H.264 whose parameters are written in their simplest form.
const BASELINE: &str = "-c:v libx264 -profile:v baseline -preset ultrafast -tune zerolatency -g 12 -slices 1 -threads 1 \
    -pix_fmt yuv420p";
/// What libav itself would still take, at 400 MB a picture.
const ABSURD: Size = Size::new(16_000, 16_000);

/// The bits of a parameter set.
struct Bits {
    bits: Vec<bool>,
    at: usize,
}

impl Bits {
    /// Of a NAL unit, without the bytes that keep start codes out.
    fn of(nal: &[u8]) -> Self {
        let mut bytes: Vec<u8> = Vec::new();
        for &byte in nal {
            if !(byte == 3 && bytes.ends_with(&[0, 0])) {
                bytes.push(byte);
            }
        }
        Self { bits: bytes.iter().flat_map(|byte| (0..8).rev().map(move |n| byte >> n & 1 == 1)).collect(), at: 0 }
    }

    /// Exp-Golomb (H.264, 9.1).
    fn number(&mut self) -> u32 {
        let zeros = self.bits[self.at..].iter().take_while(|bit| !**bit).count();
        let digits = &self.bits[self.at + zeros..=self.at + 2 * zeros];
        self.at += 2 * zeros + 1;
        digits.iter().fold(0, |number, &bit| number << 1 | u32::from(bit)) - 1
    }
}

fn write_number(bits: &mut Vec<bool>, number: u32) {
    let digits = 32 - (number + 1).leading_zeros();
    bits.extend(std::iter::repeat_n(false, digits as usize - 1));
    bits.extend((0..digits).rev().map(|n| (number + 1) >> n & 1 == 1));
}

/// A sequence parameter set (H.264, 7.3.2.1.1) that announces another size.
fn resized(sps: &[u8], size: Size) -> Vec<u8> {
    let mut from = Bits::of(sps);
    // Header of the unit, profile, constraints, level.
    from.at = 32;
    assert_eq!(sps[1], 66, "baseline");
    let (_id, _frame_numbers, order) = (from.number(), from.number(), from.number());
    match order {
        0 => drop(from.number()),
        other => assert_eq!(other, 2),
    }
    let _references = from.number();
    from.at += 1;
    let mut to = from.bits[..from.at].to_vec();
    let (_width, _height) = (from.number(), from.number());
    write_number(&mut to, size.width / 16 - 1);
    write_number(&mut to, size.height / 16 - 1);
    let stop = from.bits.iter().rposition(|bit| *bit).unwrap();
    to.extend(&from.bits[from.at..=stop]);
    to.resize(to.len().next_multiple_of(8), false);
    let mut out: Vec<u8> = Vec::new();
    for byte in to.chunks(8).map(|bits| bits.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit))) {
        if byte <= 3 && out.ends_with(&[0, 0]) {
            out.push(3);
        }
        out.push(byte);
    }
    out
}

/// The clip as one of another size: only what it announces changes.
fn announced(clip: &Path, size: Size) -> PathBuf {
    let bytes = std::fs::read(clip).unwrap();
    let starts: Vec<usize> = (0..bytes.len() - 3).filter(|&i| bytes[i..i + 3] == [0, 0, 1]).collect();
    let mut out = Vec::new();
    for (&from, to) in starts.iter().zip(starts.iter().skip(1).copied().chain([bytes.len()])) {
        let nal = &bytes[from + 3..to];
        out.extend([0, 0, 0, 1]);
        match nal[0] & 0x1f {
            7 => out.extend(resized(nal.trim_ascii_end_zeros(), size)),
            _ => out.extend(nal.trim_ascii_end_zeros()),
        }
    }
    let path = clip.with_file_name(format!("announced-{size}.h264"));
    std::fs::write(&path, out).unwrap();
    path
}

trait Trim {
    fn trim_ascii_end_zeros(&self) -> &[u8];
}

impl Trim for [u8] {
    /// Zeros at the end belong to the next start code.
    fn trim_ascii_end_zeros(&self) -> &[u8] {
        &self[..self.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)]
    }
}

#[test]
fn a_picture_that_no_camera_has_is_refused_and_other_cameras_go_on() {
    let clips = Clips::new();
    let clip = clips.pattern("a.h264", "320x240", 25, 24, BASELINE);
    // The same with its own size is as good as it was.
    let same = Camera::start(&announced(&clip, Size::new(320, 240)), quick());
    assert_eq!(open(plan(&same.url()), Credentials::default()).unwrap().info().size, Size::new(320, 240));
    let camera = Camera::start(&announced(&clip, ABSURD), quick());
    let error = open(plan(&camera.url()), Credentials::default()).err().unwrap();
    assert!(matches!(&error, SourceError::TooLarge { size, .. } if *size == ABSURD), "{error}");
    assert_eq!((error.reason(), error.retry()), ("too_large", Retry::Late));

    let files = SiteFiles::new("");
    files.camera("huge", &format!("url = \"{}\"", camera.url()));
    files.camera("yard", "url = \"file:vtest.avi\"\nloop = true");
    let mut run = files.start();
    run.until("why it gives nothing", |run| {
        run.get("/api/v1/cameras").contains("a picture of 16000x16000 is too large: at most 35651584 pixels are taken")
    });
    let analysed = run.analysed("yard");
    run.until("the other goes on", |run| run.analysed("yard") > analysed + 10.0);
    assert_eq!((run.analysed("huge"), run.metric("lookout_camera_up{camera=\"huge\"}")), (0.0, Some(0.0)));
    assert_eq!(run.interrupt(), Some(0));
}

#[test]
fn a_stream_that_grows_beyond_all_measure_gives_its_good_pictures() {
    let clips = Clips::new();
    let clip = clips.pattern("a.h264", "320x240", 25, 24, BASELINE);
    let camera = Camera::start(&clips.join("grows.h264", &[&clip, &announced(&clip, ABSURD)]), quick());
    let watched = Watched::start(plan(&camera.url()));
    // Twice around.
    for _ in 0..60 {
        assert_eq!(watched.frame().picture.size(), Size::new(320, 240));
    }
    assert_eq!(watched.event(), "connected false");
    assert!(watched.event().starts_with("damaged "), "the others are counted");
    assert_eq!(watched.end(), SourceError::Stopped);
    assert_eq!(camera.sessions(), 1);
}

/// Answers every request with a redirect.
fn leads_to(place: String) -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _request = stream.read(&mut [0; 4_096]);
            write!(stream, "HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .unwrap_or_default();
        }
    });
    address
}

/// A camera over HTTP that serves one file.
fn serves(file: &Path) -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, bytes) = (listener.local_addr().unwrap(), std::fs::read(file).unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _request = stream.read(&mut [0; 4_096]);
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len())
                .and_then(|()| stream.write_all(&bytes))
                .unwrap_or_default();
        }
    });
    address
}

#[test]
fn a_camera_cannot_lead_to_files_of_this_machine() {
    let clips = Clips::new();
    let clip = clips.pattern("a.ts", "320x240", 25, 24, BASELINE);
    let opened = |place: String| {
        let source = plan(&format!("http://{}/stream", leads_to(place)));
        open(source, Credentials::default()).map(|source| source.info().size)
    };
    // It may lead to another address by HTTP, ...
    assert_eq!(opened(format!("http://{}/a.ts", serves(&clip))).unwrap(), Size::new(320, 240));
    // ... but to nothing else.
    for scheme in ["file:", "file://", "concat:", "subfile,,start,0,end,0,,:", "pipe:", "unix:"] {
        let error = opened(format!("{scheme}{}", clip.display())).err().unwrap();
        assert!(matches!(error, SourceError::Refused { .. }), "{scheme} {error}");
    }
}

#[test]
fn a_file_that_announces_absurd_pictures_is_refused() {
    let clips = Clips::new();
    let clip = announced(&clips.pattern("a.h264", "320x240", 25, 24, BASELINE), ABSURD);
    let camera = clips.path("camera.toml");
    std::fs::write(&camera, "id = \"a\"\n").unwrap();
    let mut analyze = lookout();
    analyze.arg("analyze").arg(&clip).arg("--camera").arg(&camera).arg("--out").arg(clips.path("out"));
    ran(&mut analyze).refused(1, &["a picture of 16000x16000 is too large"]);
    // As large as the standards have it is taken; the time is for a machine that is busy.
    let begun = std::time::Instant::now();
    let large = clips.pattern("large.mjpeg", "8192x4320", 25, 1, "-c:v mjpeg -pix_fmt yuvj420p");
    let mut analyze = lookout();
    analyze.arg("analyze").arg(&large).arg("--camera").arg(&camera).arg("--out").arg(clips.path("out"));
    assert_eq!(ran(&mut analyze).code, 0);
    assert!(begun.elapsed() < Duration::from_secs(600));
}
