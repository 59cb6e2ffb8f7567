//! `lookout quiet list|release`: spots where something was answered to be no person.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Subcommand;
use lookout::alerts::journal::{Answers, Reader, Spot};
use lookout::config::load_site;

use super::common::{Invalid, print, warn};

/// Quiet spots: what was answered `false_alarm` with the reason `not_a_person` counts for no rule while it stays there.
///
/// Example: lookout quiet list
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(subcommand)]
    command: QuietCommand,
    /// Site file; its data directory holds the journal
    #[arg(long, global = true, value_name = "FILE", default_value = "configs/site.toml")]
    config: PathBuf,
}

#[derive(Subcommand)]
enum QuietCommand {
    /// List spots in force
    #[command(after_help = "Example: lookout quiet list --all --json")]
    List {
        /// Also those that were released
        #[arg(long)]
        all: bool,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Release a spot: its subject counts again
    #[command(after_help = "Example: lookout quiet release 3")]
    Release {
        /// Its number
        id: i64,
    },
}

/// Who released it, in the journal.
const WHO: &str = "command line";

pub fn run(args: &Args) -> anyhow::Result<()> {
    let site = load_site(&args.config)?;
    warn(&site.warnings);
    let site = site.plan;
    match args.command {
        QuietCommand::Release { id } => {
            if !Answers::open(&site.data)?.release(id, WHO)? {
                let what = format!("there is no quiet spot {id} in force; `lookout quiet list` shows them");
                return Err(Invalid(what).into());
            }
            print(&format!("spot {id} is released; a run takes it up within seconds"))
        }
        QuietCommand::List { all, json } => {
            let spots = Reader::open(&site.data)?.spots(all)?;
            let mut out = String::new();
            if json {
                for spot in &spots {
                    writeln!(out, "{}", serde_json::to_string(spot)?)?;
                }
            } else if spots.is_empty() {
                writeln!(out, "no quiet spots")?;
            } else {
                writeln!(out, "{:>4}  {:16}  {:27}  {:8}  {:10}  by", "spot", "camera", "box", "alert", "since")?;
                for Spot { id, camera, bbox: [x, y, w, h], alert, made_at, made_by, released_at, .. } in &spots {
                    let since = site.time_zone.to_datetime(*made_at).date();
                    let state = if released_at.is_some() { ", released" } else { "" };
                    let (place, alert) = (format!("[{x:.3}, {y:.3}, {w:.3}, {h:.3}]"), &alert.to_string()[..8]);
                    writeln!(out, "{id:4}  {camera:16}  {place:27}  {alert}  {since}  {made_by}{state}")?;
                }
            }
            if out.is_empty() { Ok(()) } else { print(out.trim_end_matches('\n')) }
        }
    }
}
