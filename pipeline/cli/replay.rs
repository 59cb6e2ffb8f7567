//! `lookout replay`: tracks in, events out.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use indicatif::ProgressBar;
use lookout::engine::replay::{Replay, Row};
use lookout::types::{Size, mot};

use super::common::{CameraArgs, parse_fps, read_mot};
use super::output::Output;

/// Run the rules of a camera file over tracks (MOT format) and write the events.
///
/// Every row is a confirmed person and identities are trusted, unless --inherit. Touches no journal, sink or network.
///
/// Example: lookout replay --tracks gt.txt --fps 7 --size 768x576 --camera forecourt.toml --out events.jsonl
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// MOT file: frame,id,left,top,width,height,score,...
    #[arg(long, value_name = "FILE")]
    tracks: PathBuf,
    /// Frames a second: frame f is at (f-1)/fps
    #[arg(long, value_name = "F", value_parser = parse_fps)]
    fps: f64,
    /// Size of the picture that boxes are in
    #[arg(long, value_name = "WxH")]
    size: Size,
    #[command(flatten)]
    camera: CameraArgs,
    /// Where the events go, JSON lines
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Let a person whose identity changes keep the dwell, as in a live run
    #[arg(long)]
    inherit: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let incidents = args.camera.load()?;
    let rows = read_mot(&args.tracks)?;
    let rows: Vec<Row> = mot::people(&rows)
        .map(|r| Row { frame: r.frame, id: u64::try_from(r.id).unwrap_or(0), bbox: r.bbox, score: r.score })
        .collect();
    let start = args.camera.start.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let bar = ProgressBar::new(rows.last().map_or(0, |r| r.frame));
    let replay = Replay { incidents, fps: args.fps, size: args.size, start, inherit: args.inherit };
    let mut out = Output::create(&args.out)?;
    for event in replay.run(&rows, |frame| bar.set_position(frame)) {
        serde_json::to_writer(&mut out, &event).with_context(|| format!("cannot write {}", args.out.display()))?;
        out.write_all(b"\n").with_context(|| format!("cannot write {}", args.out.display()))?;
    }
    bar.finish_and_clear();
    out.finish()
}
