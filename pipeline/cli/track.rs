//! `lookout track`: MOT detections in, MOT tracks out.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Parser;

use super::Invalid;
use crate::track::{SortTracker, Tracker, TrackerConfig};
use crate::types::mot::{self, MotError};
use crate::types::{Detection, MediaTime, Observation, Size};

/// Follow people through the detections of a MOT file.
#[derive(Debug, Parser)]
#[command(after_help = "Example:\n  lookout track --detections det.txt --fps 7 --size 768x576 --out tracks.txt")]
pub struct Args {
    /// MOT file of detections; column 7 is the score, 0 to 1.
    #[arg(long, value_name = "FILE")]
    pub detections: PathBuf,
    /// Pictures a second: frame f is at (f-1)/F seconds.
    #[arg(long, value_name = "F")]
    pub fps: f64,
    /// Size of the pictures, pixels.
    #[arg(long, value_name = "WxH")]
    pub size: Size,
    /// Where to write the tracks.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The least score that starts a track; weaker detections from 0.1 up only continue one.
    #[arg(long, value_name = "S", default_value_t = 0.4)]
    pub score: f32,
}

/// Reads, follows, writes.
///
/// # Errors
/// [`Invalid`] for arguments or a MOT file that are wrong; anything else is a file that cannot be read or written.
pub fn run(args: &Args) -> anyhow::Result<()> {
    if !(args.fps.is_finite() && args.fps > 0.0 && args.fps <= 1000.0) {
        return Err(Invalid(format!("--fps {}: not above 0 and at most 1000", args.fps)).into());
    }
    if !(0.1..=1.0).contains(&args.score) {
        return Err(Invalid(format!("--score {}: not within 0.1 to 1", args.score)).into());
    }
    let name = args.detections.display();
    let file = File::open(&args.detections).with_context(|| format!("cannot open {name}"))?;
    let mut rows = match mot::read(BufReader::new(file)) {
        Ok(rows) => rows,
        Err(fault @ MotError::Row { .. }) => return Err(Invalid(format!("{name}: {fault}")).into()),
        Err(fault) => return Err(anyhow::Error::new(fault).context(format!("cannot read {name}"))),
    };
    if rows.is_empty() {
        tracing::warn!("{name} has no rows: no people");
    }
    mot::sort(&mut rows);
    let text = follow(&rows, args.fps, args.size, args.score);
    replace(&args.out, text.as_bytes()).with_context(|| format!("cannot write {}", args.out.display()))
}

/// Every frame from the first to the last with rows is one picture, also those without; only a stretch in which nobody
/// is followed any more is jumped over, as nothing can happen in it.
fn follow(rows: &[mot::MotRow], fps: f64, size: Size, score: f32) -> String {
    let mut tracker = SortTracker::new(TrackerConfig { start_score: score });
    let mut text = String::new();
    let mut seen: Vec<Detection> = Vec::new();
    let mut rest = rows;
    let mut frame = rest.first().map_or(1, |row| row.frame);
    while let Some(next) = rest.first() {
        let here = rest.iter().take_while(|row| row.frame == frame).count();
        seen.clear();
        seen.extend(rest[..here].iter().map(mot::MotRow::detection));
        rest = &rest[here..];
        let time = MediaTime::of_frame(frame - 1, fps);
        let tracks = tracker.update(&Observation { time, size, detections: &seen, motion: None });
        for track in tracks.iter().filter(|track| track.counts()) {
            mot::write_row(&mut text, frame, track.id.0, &track.bbox, track.score);
        }
        frame = if tracks.is_empty() && here == 0 { next.frame } else { frame + 1 };
    }
    text
}

/// Writes beside, then renames: a reader finds the old file or the whole new one.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let written = File::create(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // The first error is the one to tell; what is left beside may not even exist.
        std::fs::remove_file(&beside).ok();
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(folder: &Path, detections: &str) -> Args {
        std::fs::write(folder.join("det.txt"), detections).unwrap();
        Args {
            detections: folder.join("det.txt"),
            fps: 10.0,
            size: Size::new(640, 480),
            out: folder.join("tracks.txt"),
            score: 0.4,
        }
    }

    #[test]
    fn a_walk_becomes_one_track() {
        let folder = tempfile::tempdir().unwrap();
        let walk: String = (1..=30).rev().map(|f| format!("{f},-1,{},100,30,80,0.9\n", 100 + 3 * f)).collect();
        let args = args(folder.path(), &walk);
        run(&args).unwrap();
        let text = std::fs::read_to_string(&args.out).unwrap();
        let rows = mot::read(text.as_bytes()).unwrap();
        assert!(rows.len() >= 25, "{text}");
        assert!(rows.iter().all(|row| row.id == rows[0].id));
        assert!(!folder.path().join("tracks.txt.part").exists());
    }

    #[test]
    fn no_detections_are_no_tracks() {
        let folder = tempfile::tempdir().unwrap();
        let args = args(folder.path(), "");
        run(&args).unwrap();
        assert_eq!(std::fs::read_to_string(&args.out).unwrap(), "");
    }

    #[test]
    fn wrong_input_is_named_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let wrong = args(folder.path(), "1,-1,1,2,3,4,0.9\n2,-1,1,2,-3,4,0.9\n");
        let fault = run(&wrong).unwrap_err();
        assert!(fault.downcast_ref::<Invalid>().is_some_and(|f| f.0.ends_with("line 2: width is -3, not positive")));
        assert!(!wrong.out.exists());
        let fault = run(&Args { fps: 0.0, ..wrong }).unwrap_err();
        assert!(fault.downcast_ref::<Invalid>().is_some());
        let missing = Args { detections: folder.path().join("none"), ..args(folder.path(), "") };
        assert!(run(&missing).unwrap_err().downcast_ref::<Invalid>().is_none());
    }

    #[test]
    fn a_far_frame_number_takes_no_time() {
        let rows = "1,-1,10,20,30,80,0.9\n9007199254740992,-1,10,20,30,80,0.9\n";
        let rows = mot::read(rows.as_bytes()).unwrap();
        assert_eq!(follow(&rows, 10.0, Size::new(640, 480), 0.4), "");
    }
}
