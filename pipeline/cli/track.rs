//! `lookout track`: MOT detections in, MOT tracks out.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use lookout::track::{SortTracker, Tracker, TrackerConfig};
use lookout::types::{Detection, MediaTime, Observation, Size, mot};

use super::common::{parse_fps, read_mot};
use super::output::Output;

/// Follow people through the detections of a MOT file and write their tracks (MOT format).
///
/// Example: lookout track --detections det.txt --fps 7 --size 768x576 --out tracks.txt
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// MOT file of detections; column 7 is the score, 0 to 1
    #[arg(long, value_name = "FILE")]
    detections: PathBuf,
    /// Frames a second: frame f is at (f-1)/F
    #[arg(long, value_name = "F", value_parser = parse_fps)]
    fps: f64,
    /// Size of the picture that boxes are in
    #[arg(long, value_name = "WxH")]
    size: Size,
    /// Where the tracks go
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The least score that starts a track; weaker detections from 0.1 up only continue one
    #[arg(long, value_name = "S", default_value_t = 0.4, value_parser = parse_score)]
    score: f32,
}

fn parse_score(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(score) if (0.1..=1.0).contains(&score) => Ok(score),
        _ => Err(format!("`{text}` is not a number from 0.1 to 1")),
    }
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let rows = read_mot(&args.detections)?;
    let mut out = Output::create(&args.out)?;
    let text = follow(&rows, args.fps, args.size, args.score);
    out.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", args.out.display()))?;
    out.finish()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_frame_number_takes_no_time() {
        let rows = "1,-1,10,20,30,80,0.9\n9007199254740992,-1,10,20,30,80,0.9\n";
        let rows = mot::read(rows.as_bytes()).unwrap();
        assert_eq!(follow(&rows, 10.0, Size::new(640, 480), 0.4), "");
    }
}
