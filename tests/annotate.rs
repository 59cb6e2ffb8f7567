//! `lookout analyze --annotate`, judged by the pixels of the video that it writes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lookout::capture::{Clip, ClipOptions, Stop};
use lookout::types::{MediaTime, PixelFormat, Rect, Size, Target};

use crate::support::clips::Clips;
use crate::support::detail::{Detail, boxes, inside};

/// Nothing is drawn but the boxes and the clock.
const BARE: &str = "id = \"c\"\nname = \"C\"\n";
/// Pixels around a drawn edge that it may have touched: two wide, and the encoder's smear.
const EDGE: f32 = 5.0;
/// Rows at the top that the clock takes.
const CLOCK: u32 = 22;
/// Analysed pictures before and after whose boxes cover a picture too.
const REACH: usize = 2;

fn analyze(video: &Path, camera: &Path, out: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lookout"))
        .arg("analyze")
        .arg(video)
        .arg("--camera")
        .arg(camera)
        .arg("--out")
        .arg(out)
        .args(more)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A few seconds of people walking.
fn people(clips: &Clips) -> PathBuf {
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("media/vtest.avi");
    assert!(clip.exists(), "media/vtest.avi is needed: run scripts/setup");
    clips.ffmpeg(&format!("-ss 30 -i {} -t 8 -c copy people.avi", clip.display()));
    clips.path("people.avi")
}

fn camera(clips: &Clips, text: &str) -> PathBuf {
    let path = clips.path("camera.toml");
    std::fs::write(&path, text).unwrap();
    path
}

struct Luma {
    time: MediaTime,
    index: u64,
    pixels: Vec<u8>,
}

/// All analysed pictures of a video as luma of one size.
fn luma(video: &Path, rate: Option<f64>, size: Size) -> Vec<Luma> {
    let mut clip = Clip::open(video, &ClipOptions { rate, ..ClipOptions::default() }, &Stop::new()).unwrap();
    let mut out = Vec::new();
    while let Some(frame) = clip.next().unwrap() {
        let mut pixels = Vec::new();
        frame.picture.convert(Target { size, format: PixelFormat::Gray8 }, &mut pixels).unwrap();
        out.push(Luma { time: frame.time, index: frame.index, pixels });
    }
    out
}

/// One property of the first video stream, as ffprobe tells it.
fn probe(video: &Path, entry: &str) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-count_frames", "-of", "csv=p=0", "-show_entries"])
        .arg(format!("stream={entry}"))
        .arg(video)
        .output()
        .expect("the command `ffprobe` is missing: run scripts/setup");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn on_edge(boxes: &[Rect], x: u32, y: u32) -> bool {
    boxes.iter().any(|b| inside(b, EDGE, x, y) && !inside(b, -EDGE, x, y))
}

#[test]
fn people_keep_no_detail_and_everything_else_keeps_it() {
    let clips = Clips::new();
    let (video, camera) = (people(&clips), camera(&clips, BARE));
    let out = clips.path("out");
    assert_done(&analyze(&video, &camera, &out, &["--annotate", "--rate", "3"]));
    let annotated = out.join("annotated.mp4");
    let size = Size::new(640, 480);
    assert_eq!(probe(&annotated, "codec_name,width,height,pix_fmt"), "h264,640,480,yuv420p");
    let (original, published) = (luma(&video, Some(3.0), size), luma(&annotated, None, size));
    assert_eq!(published.len(), original.len());
    assert!(original.len() >= 20, "{} pictures", original.len());
    assert_eq!(probe(&annotated, "nb_read_frames"), original.len().to_string());
    // The same pictures, encoded without redaction: the measure must tell the difference.
    clips.ffmpeg("-i people.avi -vf scale=640:480 -c:v libx264 -preset veryfast -crf 23 -bf 0 plain.mp4");
    let plain = luma(&clips.path("plain.mp4"), Some(3.0), size);
    assert_eq!(plain.len(), original.len());

    let tracks = std::fs::read_to_string(out.join("tracks.txt")).unwrap();
    let of = |k: usize| boxes(&tracks, original[k].index, Size::new(768, 576), size);
    let (mut covered, mut background, mut control) = (Detail::default(), Detail::default(), Detail::default());
    let mut people = 0;
    for k in 0..original.len() {
        let (a, b, c) = (&original[k], &published[k], &plain[k]);
        assert!((a.time - b.time).secs_f64().abs() < 0.001, "picture {k}: {} and {}", a.time, b.time);
        let drawn = of(k);
        let near: Vec<Rect> =
            (k.saturating_sub(REACH)..=k + REACH).filter(|n| *n < original.len()).flat_map(of).collect();
        for person in &near {
            let (mut own, mut plainly) = (Detail::default(), Detail::default());
            for y in CLOCK..size.height {
                for x in 0..size.width {
                    if inside(person, -1.0, x, y) && !on_edge(&drawn, x, y) {
                        own.add(&a.pixels, &b.pixels, size, x, y);
                        covered.add(&a.pixels, &b.pixels, size, x, y);
                        plainly.add(&a.pixels, &c.pixels, size, x, y);
                        control.add(&a.pixels, &c.pixels, size, x, y);
                    }
                }
            }
            // Who had detail to lose: a picture of another moment shows the bare road in some boxes.
            if own.pixels >= 200 && own.original > 20.0 * own.pixels as f64 {
                people += 1;
                let (left, bare) = (own.share(), plainly.share());
                assert!(left < 0.5 && bare > 0.8, "picture {k}: a person at {person:?} keeps {left:.2} of {bare:.2}");
            }
        }
        // What nobody ever comes near: the grass in front.
        for y in (360..470).step_by(3) {
            for x in (4..180).step_by(3) {
                background.add(&a.pixels, &b.pixels, size, x, y);
            }
        }
    }
    assert!(people > 100, "{people} boxes of people");
    let (covered, background, control) = (covered.share(), background.share(), control.share());
    println!("detail kept: people {covered:.3}, unredacted {control:.3}, background {background:.3}");
    assert!(covered < 0.05, "people keep {covered:.2}");
    assert!(control > 0.9, "the measure sees only {control:.2} of the people without redaction");
    assert!(background > 0.8, "the background keeps only {background:.2}");
}

#[test]
fn the_same_file_gives_the_same_bytes_and_the_video_changes_no_result() {
    let clips = Clips::new();
    let video = people(&clips);
    let junction = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/demo/junction.toml");
    let read = |out: &str, name: &str| std::fs::read(clips.path(out).join(name));
    for (out, more) in
        [("a", &["--annotate", "--rate", "2"][..]), ("b", &["--annotate", "--rate", "2"]), ("c", &["--rate", "2"])]
    {
        assert_done(&analyze(&video, &junction, &clips.path(out), more));
    }
    assert!(read("a", "annotated.mp4").unwrap() == read("b", "annotated.mp4").unwrap(), "two videos differ");
    assert!(read("c", "annotated.mp4").is_err());
    for name in ["events.jsonl", "tracks.txt"] {
        assert!(!read("a", name).unwrap().is_empty());
        assert!(read("a", name).unwrap() == read("c", name).unwrap(), "{name} differs");
    }
}

#[test]
fn odd_sizes_and_a_change_of_size_in_mid_stream_are_survived() {
    let clips = Clips::new();
    let camera = camera(&clips, BARE);
    let odd = clips.pattern("odd.mkv", "1001x563", 10, 4, "-c:v ffv1");
    let first = clips.pattern("first.ts", "320x240", 10, 6, "-c:v libx264 -preset ultrafast -g 3 -pix_fmt yuv420p");
    let second = clips.pattern("second.ts", "160x200", 10, 6, "-c:v libx264 -preset ultrafast -g 3 -pix_fmt yuv420p");
    let joined = clips.join("joined.ts", &[&first, &second]);
    for (video, size, pictures) in [(odd, "640,358", "4"), (joined, "320,240", "12")] {
        let out = clips.path("out");
        assert_done(&analyze(&video, &camera, &out, &["--annotate"]));
        let annotated = out.join("annotated.mp4");
        assert_eq!(probe(&annotated, "width,height"), size);
        assert_eq!(probe(&annotated, "nb_read_frames"), pictures, "{}", video.display());
    }
}

#[test]
fn a_full_disk_is_one_clear_error_and_leaves_what_was_there() {
    let clips = Clips::new();
    let (video, camera) = (clips.pattern("v.mkv", "640x480", 10, 40, "-c:v ffv1"), camera(&clips, BARE));
    let out = clips.path("out");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("annotated.mp4"), "yesterday's").unwrap();
    // Files may grow to 32 KiB; the signal is ignored, so writing fails as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$@\"";
    let output = Command::new("sh")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_lookout"), "analyze"])
        .arg(&video)
        .args(["--annotate", "--camera"])
        .arg(&camera)
        .arg("--out")
        .arg(&out)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("annotated.mp4") && stderr.contains("cannot write the video"), "{stderr}");
    assert_eq!(stderr.trim().lines().count(), 1, "{stderr}");
    let left: Vec<_> = std::fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["annotated.mp4"]);
    assert_eq!(std::fs::read(out.join("annotated.mp4")).unwrap(), b"yesterday's");
}
