//! What is fed, and what must hold of it besides that nothing panics or hangs.

use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::tz::TimeZone;
use lookout::capture::{Clip, ClipOptions, Stop};
use lookout::config::plan::Cap;
use lookout::config::{SiteFiles, Surroundings, camera_text};
use lookout::dispatch::gb28181::manscdp::Body;
use lookout::dispatch::gb28181::sip::digest::Challenge;
use lookout::dispatch::gb28181::sip::message::{Framer, Message, SipError};
use lookout::dispatch::{answer, cap};
use lookout::engine::trails::codec;
use lookout::types::{Event, PixelFormat, Size, Span, Target as Wanted, mot};

use super::mutate::Target;

/// All targets.
pub const NAMES: [&str; 9] = ["camera", "site", "mot", "answer", "sip", "sip_body", "cap", "trail", "video"];

/// Files that a target needs until it is over.
pub type Kept = Vec<tempfile::TempDir>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A target by its name.
pub fn target(name: &str, kept: &mut Kept) -> Box<Target<'static>> {
    match name {
        "camera" => Box::new(camera),
        "site" => site(kept),
        "mot" => Box::new(rows),
        "answer" => Box::new(|body| format!("{:?}", answer::parse(body))),
        "sip" => Box::new(sip),
        "sip_body" => Box::new(|body| match Body::read(body) {
            Some(body) => format!("{} {} {}", body.root, body.serial().is_some(), body.field("CmdType").is_some()),
            None => "no body".into(),
        }),
        "cap" => Box::new(alert),
        "trail" => Box::new(trail),
        "video" => video(kept),
        _ => panic!("there is no target `{name}`: {NAMES:?}"),
    }
}

/// What it begins with: files of the repository, files of its own, and what is made here.
pub fn corpus(name: &str, kept: &mut Kept) -> Vec<Vec<u8>> {
    let folder = root().join("benches/fuzz/corpus").join(name);
    let mut found = files(&folder);
    match name {
        "camera" => {
            found.extend(
                ["configs/cameras", "configs/demo", "benches/events"].iter().flat_map(|f| files(&root().join(f))),
            );
        }
        "site" => found.extend(["configs/site.toml", "configs/demo.toml"].iter().map(|f| read(&root().join(f)))),
        "trail" => found.extend(trails()),
        "video" => found.extend(clips(kept)),
        _ => {}
    }
    found
}

/// In the order of their names.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths.retain(|path| path.extension().is_none_or(|ending| ending != "py"));
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A number as an outcome: it grows in few steps.
const fn about(n: usize) -> &'static str {
    match n {
        0 => "none",
        1 => "one",
        2 | 3 => "few",
        4..=8 => "some",
        _ => "many",
    }
}

fn camera(input: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(input) else { return "not UTF-8".into() };
    let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
    match camera_text(Path::new("camera.toml"), text, &around) {
        Ok(checked) => {
            let plan = &checked.plan;
            let ids = plan.zones.iter().all(|zone| !zone.id.is_empty() && zone.polygon.points().len() >= 3);
            assert!(ids, "a zone that is none was taken");
            format!("good {} {} {}", plan.zones.len(), plan.rules.len(), checked.warnings.len())
        }
        Err(error) => {
            assert!(!error.faults.is_empty(), "refused without a reason");
            for fault in &error.faults {
                assert!(fault.line >= 1 && fault.line <= text.lines().count().max(1) + 1, "{fault} lies outside");
            }
            // Values of the text are no other kind of fault.
            error.faults.iter().map(|f| f.message.split('`').step_by(2).collect::<String>() + "\n").collect()
        }
    }
}

fn site(kept: &mut Kept) -> Box<Target<'static>> {
    // In memory where there is such a folder: a file that is written over is on disk at once on ext4, which takes longer than reading it.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.unwrap_or_else(|e| panic!("{e}"));
    let file = folder.path().join("site.toml");
    kept.push(folder);
    Box::new(move |input| {
        if std::fs::write(&file, input).is_err() {
            return "not written".into();
        }
        match SiteFiles::load(&file) {
            Ok(checked) => format!("good {} {}", checked.plan.site.sinks.len(), checked.plan.site.routes.len()),
            Err(error) => {
                error.faults.iter().map(|f| f.message.split('`').step_by(2).collect::<String>() + "\n").collect()
            }
        }
    })
}

fn rows(input: &[u8]) -> String {
    match mot::read(input) {
        Ok(mut rows) => {
            mot::sort(&mut rows);
            let people = mot::people(&rows).count();
            assert!(people <= rows.len());
            for row in &rows {
                let bbox = row.detection().bbox;
                assert!(
                    bbox.width > 0.0 && bbox.height > 0.0 && bbox.width.is_finite(),
                    "a box that is none was taken"
                );
            }
            format!("{} rows, all {}", rows.len().min(3), people == rows.len())
        }
        Err(error) => error.to_string().split('`').step_by(2).collect(),
    }
}

/// As a datagram, and as a stream that comes in pieces: the same message.
fn sip(input: &[u8]) -> String {
    let datagram = Message::read(input);
    let mut framer = Framer::default();
    let mut streamed = Vec::new();
    for piece in input.chunks(7) {
        framer.push(piece);
        match framer.message() {
            Ok(Some(message)) => streamed.push(message),
            Ok(None) => {}
            Err(_) => break,
        }
    }
    match datagram {
        Ok(message) => {
            // Fields are written with a blank behind the colon, so that a message near the limit becomes too long.
            let again = Message::read(&message.to_bytes());
            let good = matches!(again, Ok(_) | Err(SipError::TooLong));
            assert!(good, "what was read and written cannot be read: {again:?}");
            let challenge = Challenge::read(&message).map(|_| "challenge");
            format!(
                "{:?} {:?} {:?} {}",
                message.method(),
                message.sequence().is_some(),
                challenge,
                streamed.len().min(3)
            )
        }
        Err(error) => format!("{error} {}", streamed.len().min(3)),
    }
}

/// Whatever event there is, the message is XML.
fn alert(input: &[u8]) -> String {
    let event: Event = match serde_json::from_slice(input) {
        Ok(event) => event,
        Err(error) => return error.to_string().split('`').step_by(2).collect(),
    };
    let plan = Cap {
        url: "https://alerts.example/cap".into(),
        token: None,
        ca: None,
        allow_private: false,
        timeout: Span::from_secs(5),
        answers: false,
        sender: "lookout@court.example".into(),
        addresses: vec!["duty@alerts.example".into()],
        radius: 100,
        expires: Span::from_secs(3600),
        time_zone: TimeZone::UTC,
    };
    match cap::message::message(&event, std::slice::from_ref(&event), &plan) {
        None => "no message".into(),
        Some(Err(error)) => error.to_string(),
        Some(Ok(bytes)) => {
            let text = String::from_utf8(bytes).unwrap_or_else(|e| panic!("not UTF-8: {e}"));
            let mut reader = quick_xml::Reader::from_str(&text);
            reader.config_mut().check_end_names = true;
            let mut elements = 0;
            loop {
                match reader.read_event() {
                    Ok(quick_xml::events::Event::Eof) => break,
                    Ok(quick_xml::events::Event::Start(_)) => elements += 1,
                    Ok(_) => {}
                    Err(error) => panic!("no XML: {error}\n{text}"),
                }
            }
            let control = |c: char| c.is_control() && !['\n', '\r', '\t'].contains(&c);
            assert!(!text.chars().any(control), "XML has no such characters: {text:?}");
            format!("{:?} {elements}", cap::message::message_type(&event, &[]))
        }
    }
}

fn trail(input: &[u8]) -> String {
    match codec::decode(input) {
        Ok(block) => {
            let mut bytes = Vec::new();
            codec::encode(&block, &mut bytes);
            let again = codec::decode(&bytes);
            assert!(again.is_ok(), "what was read and written cannot be read");
            let spots = block.trails.iter().map(|trail| trail.spots.len()).sum::<usize>();
            format!("{} {} {}", about(block.times.len()), about(block.trails.len()), about(spots))
        }
        Err(_) => format!("none {}", codec::decode_head(input).is_ok()),
    }
}

/// Whole blocks, as a codec of the same version writes them.
fn trails() -> Vec<Vec<u8>> {
    use lookout::engine::trails::block::{Block, Spot, Trail};
    let empty =
        Block { run: 1, highest: 3, size: Size::new(640, 480), times: vec![1_000, 1_100, 1_250], trails: Vec::new() };
    let mut bytes = Vec::new();
    codec::encode(&empty, &mut bytes);
    let spot = |picture: u32| Spot { picture, place: [4_000 + picture as i32, 5_000, 300, 900], score: 200 };
    let trail = |id: u64| Trail {
        id,
        person: id - 1,
        born: 1_000,
        birth: [4_000, 5_000],
        seen: vec![0..2, 2..3],
        spots: vec![spot(0), spot(2)],
    };
    let mut more = Vec::new();
    codec::encode(&Block { trails: vec![trail(1), trail(3)], ..empty }, &mut more);
    vec![bytes, more]
}

/// Decodes from the first picture to the last; a file is written first, so that one that kills the process is there.
fn video(kept: &mut Kept) -> Box<Target<'static>> {
    let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let file = folder.path().join("clip");
    let last = root().join("out/fuzz/video.last");
    kept.push(folder);
    Box::new(move |input| {
        let copied = std::fs::create_dir_all(root().join("out/fuzz")).and_then(|()| std::fs::write(&last, input));
        if copied.and_then(|()| std::fs::write(&file, input)).is_err() {
            return "not written".into();
        }
        let mut clip = match Clip::open(&file, &ClipOptions::default(), &Stop::new()) {
            Ok(clip) => clip,
            Err(error) => return error.reason().into(),
        };
        let (mut pictures, mut before) = (0, None);
        let end = loop {
            match clip.next() {
                Ok(Some(frame)) => {
                    assert!(before < Some(frame.time), "time runs backwards");
                    before = Some(frame.time);
                    let mut pixels = Vec::new();
                    let wanted = Wanted { size: Size::new(64, 48), format: PixelFormat::Rgb24 };
                    // A picture that cannot be converted is left out, not a reason to end.
                    frame.picture.convert(wanted, &mut pixels).ok();
                    pictures += 1;
                }
                Ok(None) => break "end",
                Err(error) => break error.reason(),
            }
        };
        let damage = clip.damage();
        let [packets, damaged] = [damage.packets, damage.pictures].map(|n| about(n as usize));
        format!("{} {end} {} {packets} {damaged}", about(pictures), clip.truncated())
    })
}

/// Some pictures each, of several codecs and containers.
fn clips(kept: &mut Kept) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let clip = |name: &str, options: &str| {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-nostdin", "-loglevel", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=10"]);
        ffmpeg.args(["-frames:v", "10", "-pix_fmt", "yuv420p"]).args(options.split(' ')).arg(name);
        let done = ffmpeg.current_dir(folder.path()).output();
        let done = done.unwrap_or_else(|e| panic!("the command `ffmpeg` is missing, run scripts/setup: {e}"));
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        read(&folder.path().join(name))
    };
    let found = vec![
        clip("a.mp4", "-c:v libx264 -preset ultrafast -g 5"),
        clip("a.h264", "-c:v libx264 -preset ultrafast -g 5"),
        clip("a.ts", "-c:v libx264 -preset ultrafast -g 5"),
        clip("a.mkv", "-c:v libx265 -preset ultrafast -x265-params log-level=none"),
        clip("a.avi", "-c:v mjpeg"),
        clip("b.avi", "-c:v mpeg4"),
    ];
    kept.push(folder);
    found
}
