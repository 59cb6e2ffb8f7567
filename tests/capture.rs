//! Files of every kind and in every state of repair.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use lookout::capture::opencv::OpencvSource;
use lookout::capture::{Clip, ClipOptions, Source, SourceError, Stop};
use lookout::types::{Frame, MediaTime, PixelFormat, Size, Target};

use crate::support::clips::Clips;

const H264: &str = "-c:v libx264 -preset ultrafast -g 10 -pix_fmt yuv420p";

fn open(path: &Path) -> Result<Clip, SourceError> {
    Clip::open(path, &ClipOptions::default(), &Stop::new())
}

/// All frames of a clip, and the clip at its end.
fn read(path: &Path, options: &ClipOptions) -> (Vec<Frame>, Clip) {
    let mut clip = Clip::open(path, options, &Stop::new()).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = clip.next().unwrap() {
        assert!(frames.last().is_none_or(|last: &Frame| last.time < frame.time && last.index < frame.index));
        frames.push(frame);
    }
    (frames, clip)
}

fn all(path: &Path) -> (Vec<Frame>, Clip) {
    read(path, &ClipOptions::default())
}

fn seconds(frames: &[Frame]) -> Vec<f64> {
    frames.iter().map(|frame| frame.time.secs_f64()).collect()
}

/// The middle pixel after scaling to an odd size.
fn middle(frame: &Frame, format: PixelFormat) -> Vec<u8> {
    let target = Target { size: Size::new(51, 33), format };
    let mut pixels = Vec::new();
    frame.picture.convert(target, &mut pixels).unwrap();
    assert_eq!(pixels.len(), target.len());
    let at = (16 * 51 + 25) * format.channels();
    pixels[at..at + format.channels()].to_vec()
}

fn assert_close(seen: &[u8], wanted: &[u8], tolerance: u8) {
    assert_eq!(seen.len(), wanted.len());
    assert!(seen.iter().zip(wanted).all(|(a, b)| a.abs_diff(*b) <= tolerance), "{seen:?} is not {wanted:?}");
}

#[test]
fn every_picture_is_given_once_in_order_with_its_time() {
    let clips = Clips::new();
    for (name, options) in [
        ("b.mp4", "-c:v libx264 -preset medium -bf 3 -pix_fmt yuv420p"),
        ("hevc.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p"),
        ("a.mkv", H264),
        ("a.ts", H264),
        ("a.flv", H264),
        ("mjpeg.avi", "-c:v mjpeg -q:v 3 -pix_fmt yuvj420p"),
        ("mpeg4.avi", "-c:v mpeg4 -q:v 3"),
    ] {
        let path = clips.pattern(name, "320x240", 25, 40, options);
        let (frames, clip) = all(&path);
        assert_eq!(frames.len(), 40, "{name}");
        for (k, frame) in frames.iter().enumerate() {
            assert_eq!(frame.index, k as u64);
            assert!((frame.time.secs_f64() - k as f64 / 25.0).abs() < 0.0011, "{name} {k}: {}", frame.time);
            assert_eq!(frame.picture.size(), Size::new(320, 240));
        }
        assert!(!clip.truncated(), "{name}");
        assert_eq!((clip.repairs().total(), clip.damage().packets, clip.damage().pictures), (0, 0, 0), "{name}");
        assert!((clip.info().fps.unwrap() - 25.0).abs() < 0.01, "{name}");
        assert!(clip.info().frames.is_none_or(|n| n.abs_diff(40) <= 2), "{name}: {:?}", clip.info().frames);
    }
}

#[test]
fn colours_are_right_in_either_range_and_grey_stays_grey() {
    let clips = Clips::new();
    for (name, options) in [
        ("limited.mp4", "-c:v libx264 -pix_fmt yuv420p"),
        ("full.mp4", "-c:v libx264 -pix_fmt yuvj420p"),
        ("full.avi", "-c:v mjpeg -q:v 2 -pix_fmt yuvj422p"),
        ("full444.mkv", "-c:v libx265 -x265-params log-level=none -pix_fmt yuvj444p"),
        ("limited422.mkv", "-c:v libx264 -pix_fmt yuv422p"),
    ] {
        let (frames, _) = all(&clips.colour(name, "0xC04020", "160x120", options));
        assert_close(&middle(&frames[4], PixelFormat::Rgb24), &[0xc0, 0x40, 0x20], 4);
        assert_close(&middle(&frames[4], PixelFormat::Bgr24), &[0x20, 0x40, 0xc0], 4);
        // BT.601 luma of it, full range.
        assert_close(&middle(&frames[4], PixelFormat::Gray8), &[99], 3);
    }
    for (name, options) in [
        ("grey.mp4", "-c:v libx264 -pix_fmt gray"),
        ("grey.avi", "-c:v mjpeg -q:v 2 -pix_fmt gray"),
        ("grey.mkv", "-c:v libx265 -x265-params log-level=none -pix_fmt gray"),
        ("neutral.mp4", "-c:v libx264 -pix_fmt yuv420p"),
    ] {
        let options = if name == "grey.avi" { "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p -vf format=gray" } else { options };
        let (frames, _) = all(&clips.colour(name, "0xB0B0B0", "160x120", options));
        let pixel = middle(&frames[4], PixelFormat::Bgr24);
        assert_close(&pixel, &[0xb0; 3], 4);
    }
}

#[test]
fn odd_sizes_are_converted_to_odd_sizes() {
    let clips = Clips::new();
    let path = clips.pattern("odd.avi", "320x240", 10, 5, "-vf scale=321:241 -c:v mjpeg -q:v 2 -pix_fmt yuvj444p");
    let (frames, _) = all(&path);
    assert_eq!(frames[0].picture.size(), Size::new(321, 241));
    let mut pixels = Vec::new();
    for (width, height) in [(321, 241), (320, 240), (161, 121), (1, 1), (3, 241), (640, 479)] {
        for format in [PixelFormat::Bgr24, PixelFormat::Rgb24, PixelFormat::Gray8] {
            let target = Target { size: Size::new(width, height), format };
            frames[0].picture.convert(target, &mut pixels).unwrap();
            assert_eq!(pixels.len(), target.len());
        }
    }
    // Packed rows, nothing shifted: the picture at its own size, read back pixel by pixel, is the same in either order.
    let full = Target { size: Size::new(321, 241), format: PixelFormat::Rgb24 };
    frames[0].picture.convert(full, &mut pixels).unwrap();
    let mut channels = [vec![], vec![], vec![]];
    for pixel in pixels.chunks(3) {
        channels.iter_mut().zip(pixel).for_each(|(channel, &value)| channel.push(value));
    }
    let swapped = Target { format: PixelFormat::Bgr24, ..full };
    frames[0].picture.convert(swapped, &mut pixels).unwrap();
    for (n, pixel) in pixels.chunks(3).enumerate() {
        assert_eq!(pixel, [channels[2][n], channels[1][n], channels[0][n]]);
    }
    let nothing = Target { size: Size::new(0, 4), format: PixelFormat::Rgb24 };
    assert!(frames[0].picture.convert(nothing, &mut pixels).is_err());
}

#[test]
fn converted_pictures_match_what_ffmpeg_makes_of_them() {
    let clips = Clips::new();
    let path = clips.pattern("a.mp4", "640x360", 10, 3, "-c:v libx264 -qp 0 -pix_fmt yuv420p");
    clips.ffmpeg("-i a.mp4 -vf scale=320:180:flags=area -f rawvideo -pix_fmt rgb24 -frames:v 1 wanted.rgb");
    let wanted = std::fs::read(clips.path("wanted.rgb")).unwrap();
    let (frames, _) = all(&path);
    let mut seen = Vec::new();
    let target = Target { size: Size::new(320, 180), format: PixelFormat::Rgb24 };
    frames[0].picture.convert(target, &mut seen).unwrap();
    let difference: f64 = seen.iter().zip(&wanted).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    assert!(difference / (seen.len() as f64) < 4.0, "mean difference {}", difference / seen.len() as f64);
}

#[test]
fn a_change_of_size_in_mid_stream_is_followed() {
    let clips = Clips::new();
    let parts = [
        clips.pattern("1.h264", "320x240", 25, 20, H264),
        clips.pattern("2.h264", "640x360", 25, 20, H264),
        clips.pattern("3.h264", "160x120", 25, 20, H264),
    ];
    let path = clips.join("all.h264", &[&parts[0], &parts[1], &parts[2]]);
    let (frames, _) = all(&path);
    assert_eq!(frames.len(), 60);
    for (frame, size) in [(10, (320, 240)), (30, (640, 360)), (50, (160, 120))] {
        assert_eq!(frames[frame].picture.size(), Size::new(size.0, size.1));
        assert_eq!(middle(&frames[frame], PixelFormat::Rgb24).len(), 3);
    }
}

#[test]
fn a_change_of_codec_in_mid_stream_is_followed() {
    let clips = Clips::new();
    let hevc = "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=10 -pix_fmt yuv420p";
    // A new number for the new stream, and a new version of the tables that say so.
    let changed = format!("{hevc} -mpegts_start_pid 0x200 -tables_version 3");
    let parts = [clips.pattern("1.ts", "320x240", 25, 75, H264), clips.pattern("2.ts", "640x360", 25, 150, &changed)];
    let (frames, clip) = all(&clips.join("all.ts", &[&parts[0], &parts[1]]));
    // Lost: the last picture of the old stream, a second until the old stream is given up, and the wait for a key picture.
    assert!((74 + 110..=74 + 125).contains(&frames.len()), "{}", frames.len());
    assert_eq!(clip.info().codec, "hevc");
    assert_eq!(frames[73].picture.size(), Size::new(320, 240));
    assert_eq!(frames[74].picture.size(), Size::new(640, 360));
}

#[test]
fn damaged_packets_are_counted_and_skipped() {
    let clips = Clips::new();
    for (name, options) in [("a.ts", H264), ("a.avi", "-c:v mjpeg -q:v 5"), ("a.mkv", H264)] {
        let path = clips.pattern(name, "320x240", 25, 100, options);
        let mut bytes = std::fs::read(&path).unwrap();
        let (from, to) = (bytes.len() / 4, bytes.len() * 3 / 4);
        let mut state = 12_345_u32;
        for at in (from..to).step_by(701) {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes[at] ^= (state >> 24) as u8 | 1;
        }
        std::fs::write(&path, bytes).unwrap();
        let (frames, clip) = all(&path);
        assert!(frames.len() > 40, "{name}: {}", frames.len());
        let damage = clip.damage();
        assert!(damage.packets + damage.pictures > 0, "{name}: {damage:?}");
        for frame in &frames {
            middle(frame, PixelFormat::Bgr24);
        }
    }
}

#[test]
fn a_clip_that_breaks_off_gives_what_decoded() {
    let clips = Clips::new();
    for (name, options) in [
        ("a.mp4", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -movflags +faststart"),
        ("a.avi", "-c:v mjpeg -q:v 5"),
        ("a.mkv", H264),
        ("a.ts", H264),
    ] {
        let whole = clips.pattern(name, "320x240", 25, 100, options);
        let cut = clips.cut(&format!("cut-{name}"), &whole, 0.6003);
        let (frames, clip) = all(&cut);
        assert!((20..90).contains(&frames.len()), "{name}: {}", frames.len());
        assert!(clip.truncated(), "{name}");
        assert!(!all(&whole).1.truncated(), "{name}");
    }
    // Without its index at the end, an MP4 file cannot be read at all.
    let whole = clips.pattern("late.mp4", "320x240", 25, 100, H264);
    let error = open(&clips.cut("cut-late.mp4", &whole, 0.6)).err().unwrap();
    assert!(matches!(error, SourceError::Undecodable { .. }), "{error}");
}

#[test]
fn what_is_no_video_is_said_in_a_sentence() {
    let clips = Clips::new();
    let text = clips.path("text.mp4");
    std::fs::write(&text, "this is a shopping list\n".repeat(200)).unwrap();
    let empty = clips.path("empty.mp4");
    std::fs::write(&empty, "").unwrap();
    clips.ffmpeg("-f lavfi -i sine=d=1 sound.mp4");
    for (path, wanted) in [
        (text, "text.mp4: no video can be decoded: this is not a video file"),
        (empty, "empty.mp4: no video can be decoded: the file is empty"),
        (clips.path("sound.mp4"), "sound.mp4: no video can be decoded: it holds no video"),
        (clips.path("missing.mp4"), "missing.mp4: there is no such file"),
        (clips.path("."), "this is a directory"),
        (Path::new("/dev/null").to_owned(), "/dev/null: this is not a regular file"),
    ] {
        let error = open(&path).err().unwrap().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn a_file_reaches_nothing_but_itself() {
    let clips = Clips::new();
    clips.pattern("a.ts", "320x240", 25, 10, H264);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let header = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n";
    let playlists = [
        ("remote.m3u8", format!("{header}http://{address}/a.ts\n#EXT-X-ENDLIST\n")),
        ("local.m3u8", format!("{header}a.ts\n#EXT-X-ENDLIST\n")),
        ("list.ffconcat", "ffconcat version 1.0\nfile a.ts\n".to_owned()),
        ("named.mp4", format!("ffconcat version 1.0\nfile http://{address}/a.ts\n")),
        ("s.sdp", format!("v=0\nc=IN IP4 127.0.0.1\nm=video {} RTP/AVP 96\na=rtpmap:96 H264/90000\n", address.port())),
        ("t.txt", "plain text\n".repeat(100)),
    ];
    for (name, text) in playlists {
        std::fs::write(clips.path(name), text).unwrap();
        let error = open(&clips.path(name)).err().unwrap();
        assert!(matches!(error, SourceError::Undecodable { .. }), "{name}: {error}");
    }
    assert_eq!(listener.accept().err().unwrap().kind(), std::io::ErrorKind::WouldBlock);
    // A name that looks like an address is a name.
    let odd = clips.path("http:a.ts");
    std::fs::copy(clips.path("a.ts"), &odd).unwrap();
    assert_eq!(all(&odd).0.len(), 10);
}

#[test]
fn a_stream_without_time_stamps_runs_at_its_nominal_rate() {
    let clips = Clips::new();
    let path = clips.pattern("raw.h264", "320x240", 25, 30, H264);
    let (frames, clip) = all(&path);
    assert_eq!(seconds(&frames), (0..30).map(|k| MediaTime::of_frame(k, 25.0).secs_f64()).collect::<Vec<_>>());
    assert_eq!(clip.repairs().missing + clip.repairs().total(), 2 * clip.repairs().missing);
}

#[test]
fn a_jump_of_the_clock_leaves_no_hole() {
    let clips = Clips::new();
    let first = clips.pattern("1.ts", "320x240", 25, 50, &format!("{H264} -output_ts_offset 5000"));
    let second = clips.pattern("2.ts", "320x240", 25, 50, H264);
    for (name, parts) in [("back.ts", [&first, &second]), ("forth.ts", [&second, &first])] {
        let (frames, clip) = all(&clips.join(name, &[parts[0], parts[1]]));
        assert_eq!(frames.len(), 100, "{name}");
        for (k, time) in seconds(&frames).iter().enumerate() {
            assert!((time - k as f64 / 25.0).abs() < 0.05, "{name} {k}: {time}");
        }
        let repairs = clip.repairs();
        assert!((1..=2).contains(&repairs.total()), "{name}: {repairs:?}");
    }
}

#[test]
fn override_rate_and_start_are_obeyed() {
    let clips = Clips::new();
    let path =
        clips.pattern("a.mp4", "320x240", 10, 70, &format!("{H264} -metadata creation_time=2024-05-01T08:00:00Z"));
    let options = ClipOptions { fps: Some(7.0), rate: Some(3.5), start: None };
    let (frames, clip) = read(&path, &options);
    assert_eq!(frames.len(), 35);
    for (n, frame) in frames.iter().enumerate() {
        assert_eq!((frame.index, frame.time), (2 * n as u64, MediaTime::of_frame(2 * n as u64, 7.0)));
    }
    assert_eq!(frames[0].utc, "2024-05-01T08:00:00Z".parse().unwrap());
    assert_eq!(clip.pictures(), 70);
    let start = "2026-11-24T03:00:00Z".parse().unwrap();
    let (frames, _) = read(&path, &ClipOptions { start: Some(start), ..ClipOptions::default() });
    assert_eq!(frames[10].utc, "2026-11-24T03:00:01Z".parse().unwrap());
    let plain = clips.pattern("b.mp4", "320x240", 10, 5, H264);
    assert_eq!(all(&plain).0[0].utc, jiff::Timestamp::UNIX_EPOCH);
}

#[test]
fn a_frame_outlives_its_clip_and_is_converted_on_any_thread() {
    let clips = Clips::new();
    let (mut frames, clip) = all(&clips.colour("a.mp4", "0x4080C0", "160x120", "-c:v libx264 -pix_fmt yuv420p"));
    drop(clip);
    let frame = frames.remove(2);
    drop(frames);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let frame = frame.clone();
            std::thread::spawn(move || middle(&frame, PixelFormat::Rgb24))
        })
        .collect();
    for thread in threads {
        assert_close(&thread.join().unwrap(), &[0x40, 0x80, 0xc0], 4);
    }
}

#[test]
fn reading_twice_gives_the_same_pixels() {
    let clips = Clips::new();
    let path = clips.pattern("a.mp4", "640x360", 25, 20, H264);
    let pixels = || {
        let target = Target { size: Size::new(320, 192), format: PixelFormat::Bgr24 };
        let mut all_pixels = Vec::new();
        let mut pixels = Vec::new();
        for frame in all(&path).0 {
            frame.picture.convert(target, &mut pixels).unwrap();
            all_pixels.extend_from_slice(&pixels);
        }
        all_pixels
    };
    assert!(pixels() == pixels());
}

#[test]
fn opencv_reads_jpeg_avi_by_its_own_reader() {
    let clips = Clips::new();
    let path = clips.colour("a.avi", "0x4080C0", "160x120", "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p");
    let mut source = OpencvSource::open_file(&path, &Stop::new()).unwrap();
    assert_eq!((source.info().size, source.info().frames), (Size::new(160, 120), Some(5)));
    let mut pixels = Vec::new();
    for _ in 0..5 {
        let picture = source.next().unwrap().picture;
        picture.convert(Target { size: Size::new(1, 1), format: PixelFormat::Rgb24 }, &mut pixels).unwrap();
        assert_close(&pixels, &[0x40, 0x80, 0xc0], 5);
    }
    assert_eq!(source.next().err(), Some(SourceError::End { truncated: false }));
    let missing = OpencvSource::open_device(Path::new("/dev/video-none"), &Stop::new());
    assert!(matches!(missing.err(), Some(SourceError::NotFound { .. })));
}

#[test]
fn stop_ends_a_read() {
    let clips = Clips::new();
    let path = clips.pattern("a.mp4", "320x240", 25, 50, H264);
    let stop = Stop::new();
    let mut clip = Clip::open(&path, &ClipOptions::default(), &stop).unwrap();
    stop.set();
    let ended = std::iter::from_fn(|| clip.next().transpose()).find_map(Result::err);
    assert_eq!(ended, Some(SourceError::Stopped));
}

#[test]
fn a_stream_over_http_is_read_and_a_missing_one_refused() {
    use lookout::capture::address::Credentials;
    use lookout::capture::libav::{LibavOptions, LibavSource};

    let clips = Clips::new();
    let path = clips.pattern("a.ts", "320x240", 25, 20, H264);
    let body = std::fs::read(path).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        // Asked without a password, with it, and for something else.
        for connection in listener.incoming().take(3) {
            let mut connection = connection.unwrap();
            let mut request = vec![0; 4096];
            let length = connection.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let known = request.contains("Authorization: Basic YWRtaW46cEBzcw==");
            let (status, body): (_, &[u8]) = match request.starts_with("GET /live ") {
                true if known => ("200 OK", &body),
                true => ("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"camera\"", b""),
                false => ("404 Not Found", b""),
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            connection.write_all(head.as_bytes()).unwrap();
            connection.write_all(body).unwrap();
        }
    });
    let (stop, options) = (Stop::new(), LibavOptions::default());
    let credentials = Credentials::new("admin", "p@ss");
    let mut source =
        LibavSource::open_network(&format!("http://{address}/live"), &credentials, &options, &stop).unwrap();
    let mut pictures = 0;
    let error = loop {
        match source.next() {
            Ok(_) => pictures += 1,
            Err(error) => break error,
        }
    };
    // The last picture is never known to be whole before the next one begins.
    assert!((19..=20).contains(&pictures), "{pictures}");
    assert!(matches!(error, SourceError::Lost { .. }), "{error}");
    let refused = LibavSource::open_network(&format!("http://{address}/other?pwd=x"), &credentials, &options, &stop);
    let error = refused.err().unwrap();
    assert!(matches!(error, SourceError::Refused { .. }), "{error}");
    assert!(!error.to_string().contains("pwd"), "{error}");
    server.join().unwrap();
}
