//! `lookout alerts list|show`: what the journal knows, for people and, with `--json`, for programs.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::alerts::journal::{AlertFilter, AlertRow, JournalError, Reader, Story};
use crate::config::plan;
use crate::types::{AlertId, Event, Kind, Severity};

/// Alerts in the journal.
#[derive(Debug, Args)]
pub struct AlertsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: AlertsCommand,
    /// The site's file.
    #[arg(long, global = true, default_value = "configs/site.toml")]
    pub config: PathBuf,
}

/// What to do with alerts.
#[derive(Debug, Subcommand)]
pub enum AlertsCommand {
    /// Lists alerts, newest first.
    #[command(after_help = "Example: lookout alerts list --camera forecourt --min-severity severe --open")]
    List(ListArgs),
    /// Shows one alert with its events and what became of each delivery.
    #[command(after_help = "Example: lookout alerts show 3f2a")]
    Show(ShowArgs),
}

/// Which alerts.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Of one camera.
    #[arg(long)]
    pub camera: Option<String>,
    /// Of one zone.
    #[arg(long)]
    pub zone: Option<String>,
    /// Of one grid.
    #[arg(long)]
    pub grid: Option<String>,
    /// Of one rule.
    #[arg(long)]
    pub rule: Option<String>,
    /// Of one kind, such as crowd or loitering.
    #[arg(long)]
    pub kind: Option<Kind>,
    /// At least minor, moderate, severe or extreme.
    #[arg(long)]
    pub min_severity: Option<Severity>,
    /// Only those that have not ended.
    #[arg(long)]
    pub open: bool,
    /// Started at or after this time (RFC 3339).
    #[arg(long)]
    pub since: Option<jiff::Timestamp>,
    /// Started before this time (RFC 3339).
    #[arg(long)]
    pub until: Option<jiff::Timestamp>,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// Which alert.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The alert's id, or as much of its beginning as names one.
    pub id: String,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Why nothing was printed.
#[derive(Debug, thiserror::Error)]
pub enum AlertsError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// No alert has such an id.
    #[error("there is no alert `{0}`; `lookout alerts list` shows those there are")]
    Unknown(String),
    /// More than one has.
    #[error("several alerts begin with `{0}`; write more of the id")]
    Ambiguous(String),
    /// The output is closed.
    #[error(transparent)]
    Output(#[from] io::Error),
    /// Never for events out of the journal.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl AlertsError {
    /// Whether the arguments are at fault (exit code 2) rather than the journal (1).
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Unknown(_) | Self::Ambiguous(_))
    }
}

/// Runs the command on the journal of `site`; times are shown in its time zone.
pub fn run(command: &AlertsCommand, site: &plan::Site, out: &mut impl Write) -> Result<(), AlertsError> {
    let reader = Reader::open(&site.data)?;
    match command {
        AlertsCommand::List(args) => list(args, &reader, site, out),
        AlertsCommand::Show(args) => show(args, &reader, site, out),
    }
}

fn list(args: &ListArgs, reader: &Reader, site: &plan::Site, out: &mut impl Write) -> Result<(), AlertsError> {
    let filter = AlertFilter {
        camera: args.camera.clone(),
        zone: args.zone.clone(),
        grid: args.grid.clone(),
        rule: args.rule.clone(),
        kind: args.kind,
        min_severity: args.min_severity,
        open: args.open,
        since: args.since,
        until: args.until,
        after: None,
        limit: args.limit,
    };
    let alerts = reader.list(&filter)?;
    if args.json {
        for alert in &alerts {
            writeln!(out, "{}", serde_json::to_string(alert)?)?;
        }
        return Ok(());
    }
    if alerts.is_empty() {
        writeln!(out, "no alerts")?;
        return Ok(());
    }
    writeln!(out, "{:8}  {:19}  {:8}  {:8}  {:16}  what", "alert", "started", "lasted", "severity", "camera")?;
    for alert in &alerts {
        let AlertRow { alert: id, started_at, ended_at, last } = alert;
        let lasted = ended_at.map_or_else(|| "open".to_owned(), |end| seconds(*started_at, end));
        let severity = last.severity.map(Severity::word).unwrap_or_default();
        let id = &id.to_string()[..8];
        let started = local(*started_at, site);
        writeln!(out, "{id}  {started}  {lasted:8}  {severity:8}  {:16}  {}", last.camera, last.text.en)?;
    }
    Ok(())
}

fn show(args: &ShowArgs, reader: &Reader, site: &plan::Site, out: &mut impl Write) -> Result<(), AlertsError> {
    let unknown = || AlertsError::Unknown(args.id.clone());
    let is_hex = !args.id.is_empty() && args.id.len() <= 32 && args.id.bytes().all(|b| b.is_ascii_hexdigit());
    let found: Vec<AlertId> = if is_hex { reader.find(&args.id)? } else { Vec::new() };
    let id = match found.as_slice() {
        [] => return Err(unknown()),
        [id] => *id,
        _ => return Err(AlertsError::Ambiguous(args.id.clone())),
    };
    let story = reader.show(id)?.ok_or_else(unknown)?;
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&story)?)?;
        return Ok(());
    }
    print(&story, site, out)
}

fn print(story: &Story, site: &plan::Site, out: &mut impl Write) -> Result<(), AlertsError> {
    writeln!(out, "alert {}", story.alert)?;
    if let Some(last) = story.events.last() {
        writeln!(out, "  {}\n  {}", last.text.zh, last.text.en)?;
        let zone = last.zone_name.as_deref().or(last.line.as_deref()).unwrap_or("-");
        writeln!(
            out,
            "  camera {} ({}), {zone}, rule {}",
            last.camera,
            last.camera_name,
            last.rule.as_deref().unwrap_or("-")
        )?;
    }
    writeln!(out, "\n{:>4}  {:19}  {:9}  {:9}  value", "seq", "at", "state", "severity")?;
    for event in &story.events {
        let Event { seq, at, state, severity, value, peak, threshold, unit, reason, .. } = event;
        let severity = severity.map(Severity::word).unwrap_or_default();
        let reason = reason.map(|r| format!(", {r}")).unwrap_or_default();
        let at = local(*at, site);
        let state = state.word();
        writeln!(
            out,
            "{seq:4}  {at}  {state:9}  {severity:9}  {value} {unit} (peak {peak}, from {threshold}){reason}"
        )?;
    }
    if !story.deliveries.is_empty() {
        writeln!(out, "\n{:>4}  {:16}  {:9}  {:>8}  when or why", "seq", "sink", "outcome", "attempts")?;
    }
    for row in &story.deliveries {
        let when = row.settled_at.map(|at| local(at, site));
        let next = row.due_at.map(|at| format!("next attempt {}", local(at, site)));
        let notes: Vec<String> = [when, next, row.error.clone()].into_iter().flatten().collect();
        writeln!(out, "{:4}  {:16}  {:9}  {:8}  {}", row.seq, row.sink, row.outcome, row.attempts, notes.join("; "))?;
    }
    Ok(())
}

fn local(at: jiff::Timestamp, site: &plan::Site) -> String {
    site.time_zone.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn seconds(from: jiff::Timestamp, to: jiff::Timestamp) -> String {
    format!("{:.1} s", to.duration_since(from).as_secs_f64())
}
