//! Dead letters: events that a receiver never took. Listed, and sent again by hand.

use std::fmt::Write;

use lookout::alerts::journal::{Reader, Redelivered, redeliver};
use lookout::config::plan::Site;

use super::{find, local};
use crate::cli::common::Invalid;

/// Which dead letters to send again.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub struct Wanted {
    /// The alert's id, or as much of its beginning as names one
    id: Option<String>,
    /// Those of all alerts
    #[arg(long)]
    all_dead: bool,
}

/// Lists dead letters, oldest first, those of removed sinks too.
pub fn list(json: bool, reader: &Reader, site: &Site, out: &mut String) -> anyhow::Result<()> {
    let dead = reader.dead_letters(None)?;
    if json {
        for row in &dead {
            writeln!(out, "{}", serde_json::to_string(row)?)?;
        }
        return Ok(());
    }
    if dead.is_empty() {
        writeln!(out, "no dead letters")?;
        return Ok(());
    }
    writeln!(out, "{:8}  {:>4}  {:16}  {:19}  {:>8}  why", "alert", "seq", "sink", "given up", "attempts")?;
    for row in &dead {
        let given_up = row.settled_at.map(|at| local(at, site)).unwrap_or_default();
        let removed =
            if site.sinks.iter().any(|s| s.id == row.sink) { "" } else { " (the sink is configured no more)" };
        let why = row.error.as_deref().unwrap_or("-");
        let alert = &row.alert.to_string()[..8];
        writeln!(out, "{alert}  {:4}  {:16}  {given_up:19}  {:8}  {why}{removed}", row.seq, row.sink, row.attempts)?;
    }
    Ok(())
}

/// Puts dead letters back into the outbox.
pub fn send_again(wanted: &Wanted, json: bool, reader: &Reader, site: &Site, out: &mut String) -> anyhow::Result<()> {
    let alert = wanted.id.as_deref().map(|id| find(id, reader)).transpose()?;
    let sinks: Vec<String> = site.sinks.iter().map(|s| s.id.clone()).collect();
    let Redelivered { again, left } = redeliver(&site.data, alert, &sinks)?;
    if json {
        writeln!(out, "{}", serde_json::json!({ "again": again, "left": left }))?;
        return Ok(());
    }
    if again + left == 0 {
        return Err(
            Invalid("there is no such dead letter; `lookout alerts list --dead` shows those there are".into()).into()
        );
    }
    let rest = if left > 0 { format!("; {left} stay dead: their sinks are configured no more") } else { String::new() };
    writeln!(out, "{again} dead letters wait for delivery again{rest}")?;
    Ok(())
}
