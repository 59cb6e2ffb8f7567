//! `lookout alerts list|show|dead|redeliver|test`: what the journal knows, for people and, with `--json`, for programs.

mod test;

use std::fmt::Write;
use std::path::PathBuf;

use clap::Subcommand;

use lookout::alerts::journal::{AlertFilter, AlertRow, AnswerRow, Errands, Reader, RouteRow, Story};
use lookout::config::load_site;
use lookout::config::plan::Site;
use lookout::types::{AlertId, Event, Kind, Severity};

use super::common::{Invalid, print, warn};

/// Alerts in the journal: a list, the whole story of one, dead letters sent again.
///
/// Example: lookout alerts list --camera forecourt --min-severity severe --open
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(subcommand)]
    command: AlertsCommand,
    /// Site file; its data directory holds the journal
    #[arg(long, global = true, value_name = "FILE", default_value = "configs/site.toml")]
    config: PathBuf,
    /// One JSON object a line
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum AlertsCommand {
    /// List alerts, newest first
    #[command(after_help = "Example: lookout alerts list --camera forecourt --min-severity severe --open")]
    List(ListArgs),
    /// Show one alert with its events and what became of each delivery
    #[command(after_help = "Example: lookout alerts show 3f2a91")]
    Show {
        /// The alert's id, or as much of its beginning as names one
        id: String,
    },
    /// List deliveries that were given up
    #[command(after_help = "Example: lookout alerts dead --sink platform")]
    Dead {
        /// Of one sink
        #[arg(long)]
        sink: Option<String>,
    },
    /// Deliver again what was given up, of one alert or all
    #[command(after_help = "Example: lookout alerts redeliver --all-dead")]
    Redeliver {
        /// The alert's id, or as much of its beginning as names one
        #[arg(required_unless_present = "all_dead", conflicts_with = "all_dead")]
        id: Option<String>,
        /// All that was given up
        #[arg(long)]
        all_dead: bool,
    },
    /// Send a marked test alert through the whole path and report each hop
    #[command(after_help = "Example: lookout alerts test --route severe")]
    Test(test::TestArgs),
}

#[derive(clap::Args)]
struct ListArgs {
    /// Of one camera
    #[arg(long)]
    camera: Option<String>,
    /// Of one zone
    #[arg(long)]
    zone: Option<String>,
    /// Of one grid
    #[arg(long)]
    grid: Option<String>,
    /// Of one rule
    #[arg(long)]
    rule: Option<String>,
    /// Of one kind, such as crowd or loitering
    #[arg(long)]
    kind: Option<Kind>,
    /// At least minor, moderate, severe or extreme
    #[arg(long)]
    min_severity: Option<Severity>,
    /// Only those that have not ended
    #[arg(long)]
    open: bool,
    /// Only those that must be answered and are not
    #[arg(long)]
    unanswered: bool,
    /// Started at or after this time
    #[arg(long, value_name = "RFC3339")]
    since: Option<jiff::Timestamp>,
    /// Started before this time
    #[arg(long, value_name = "RFC3339")]
    until: Option<jiff::Timestamp>,
    /// At most so many, up to 1000
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

/// Prints what the journal of the site knows; times are in the site's time zone.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let site = load_site(&args.config)?;
    warn(&site.warnings);
    if let AlertsCommand::Test(wanted) = &args.command {
        return test::run(wanted, args.json, &site.plan);
    }
    let reader = Reader::open(&site.plan.data)?;
    // Written at once: a reader that goes away in between (`| head`) is not an error.
    let mut out = String::new();
    match &args.command {
        AlertsCommand::List(wanted) => list(wanted, args.json, &reader, &site.plan, &mut out)?,
        AlertsCommand::Show { id } => show(id, args.json, &reader, &site.plan, &mut out)?,
        AlertsCommand::Dead { sink } => dead(sink.as_deref(), args.json, &reader, &site.plan, &mut out)?,
        AlertsCommand::Redeliver { id, .. } => {
            let alert = id.as_deref().map(|id| named(id, &reader)).transpose()?;
            let revived = Errands::open(&site.plan.data)?.redeliver(alert)?;
            if let (0, Some(id)) = (revived, id) {
                return Err(Invalid(format!("nothing of alert `{id}` was given up")).into());
            }
            writeln!(out, "{revived} to be delivered again; a run takes them up within seconds")?;
        }
        // It was run above: it needs no journal yet.
        AlertsCommand::Test(_) => {}
    }
    // No alert is no line, not an empty one.
    if out.is_empty() { Ok(()) } else { print(out.trim_end_matches('\n')) }
}

fn list(args: &ListArgs, json: bool, reader: &Reader, site: &Site, out: &mut String) -> anyhow::Result<()> {
    let filter = AlertFilter {
        camera: args.camera.clone(),
        zone: args.zone.clone(),
        grid: args.grid.clone(),
        rule: args.rule.clone(),
        kind: args.kind,
        min_severity: args.min_severity,
        open: args.open,
        unanswered: args.unanswered,
        since: args.since,
        until: args.until,
        after: None,
        limit: usize::from(args.limit),
    };
    let alerts = reader.list(&filter)?;
    if json {
        for alert in &alerts {
            writeln!(out, "{}", serde_json::to_string(alert)?)?;
        }
        return Ok(());
    }
    if alerts.is_empty() {
        writeln!(out, "no alerts")?;
        return Ok(());
    }
    writeln!(
        out,
        "{:8}  {:19}  {:8}  {:8}  {:11}  {:16}  what",
        "alert", "started", "lasted", "severity", "answer", "camera"
    )?;
    for alert in &alerts {
        let AlertRow { alert: id, started_at, ended_at, last, answer } = alert;
        let lasted = ended_at.map_or_else(|| "open".to_owned(), |end| seconds(*started_at, end));
        let severity = last.severity.map(Severity::word).unwrap_or_default();
        let answer = answer.as_ref().map_or("-", |row| row.answer.word());
        let id = &id.to_string()[..8];
        let started = local(*started_at, site);
        let camera = last.camera.as_deref().unwrap_or("-");
        writeln!(out, "{id}  {started}  {lasted:8}  {severity:8}  {answer:11}  {camera:16}  {}", last.text.en)?;
    }
    Ok(())
}

fn dead(sink: Option<&str>, json: bool, reader: &Reader, site: &Site, out: &mut String) -> anyhow::Result<()> {
    let rows = reader.dead_letters(sink)?;
    if json {
        for row in &rows {
            writeln!(out, "{}", serde_json::to_string(row)?)?;
        }
        return Ok(());
    }
    if rows.is_empty() {
        writeln!(out, "nothing was given up")?;
        return Ok(());
    }
    writeln!(out, "{:8}  {:>4}  {:16}  {:19}  {:>8}  why", "alert", "seq", "sink", "given up", "attempts")?;
    for row in &rows {
        let id = &row.alert.to_string()[..8];
        let when = row.settled_at.map(|at| local(at, site)).unwrap_or_default();
        let why = row.error.as_deref().unwrap_or_default();
        writeln!(out, "{id}  {:4}  {:16}  {when:19}  {:8}  {why}", row.seq, row.sink, row.attempts)?;
    }
    Ok(())
}

/// The alert whose id begins so.
fn named(id: &str, reader: &Reader) -> anyhow::Result<AlertId> {
    let is_hex = !id.is_empty() && id.len() <= 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    let found: Vec<AlertId> = if is_hex { reader.find(id)? } else { Vec::new() };
    match found.as_slice() {
        [] => Err(Invalid(format!("there is no alert `{id}`; `lookout alerts list` shows those there are")).into()),
        [id] => Ok(*id),
        _ => Err(Invalid(format!("several alerts begin with `{id}`; write more of the id")).into()),
    }
}

fn show(id: &str, json: bool, reader: &Reader, site: &Site, out: &mut String) -> anyhow::Result<()> {
    let id = named(id, reader)?;
    let gone = || Invalid(format!("there is no alert `{id}`"));
    let story = reader.show(id)?.ok_or_else(gone)?;
    if json {
        writeln!(out, "{}", serde_json::to_string(&story)?)?;
        return Ok(());
    }
    tell(&story, site, out)
}

fn tell(story: &Story, site: &Site, out: &mut String) -> anyhow::Result<()> {
    writeln!(out, "alert {}", story.alert)?;
    if let Some(last) = story.events.last() {
        writeln!(out, "  {}\n  {}", last.text.zh, last.text.en)?;
        let zone = last.zone_name.as_deref().or(last.line.as_deref()).unwrap_or("-");
        writeln!(
            out,
            "  camera {} ({}), {zone}, rule {}",
            last.camera.as_deref().unwrap_or("-"),
            last.camera_name.as_deref().unwrap_or("the whole site"),
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
        let answer = row.answer.as_ref().map(|answer| format!("told the answer {answer}"));
        let notes: Vec<String> = [answer, when, next, row.error.clone()].into_iter().flatten().collect();
        writeln!(out, "{:4}  {:16}  {:9}  {:8}  {}", row.seq, row.sink, row.outcome, row.attempts, notes.join("; "))?;
    }
    if !story.routes.is_empty() {
        writeln!(out, "\n{:16}  {:19}  {:9}  answer wanted by", "route", "announced", "state")?;
    }
    for RouteRow { route, announced_at, deadline, state } in &story.routes {
        let until = deadline.map_or_else(|| "-".to_owned(), |at| local(at, site));
        let state = if deadline.is_some() || *state == "answered" { state } else { "-" };
        writeln!(out, "{route:16}  {}  {state:9}  {until}", local(*announced_at, site))?;
    }
    if !story.answers.is_empty() {
        writeln!(out, "\n{:19}  {:16}  answer", "answered", "by")?;
    }
    for AnswerRow { at, answer, by, .. } in &story.answers {
        let detail = answer.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        writeln!(out, "{}  {by:16}  {}{detail}", local(*at, site), answer.word())?;
    }
    Ok(())
}

fn local(at: jiff::Timestamp, site: &Site) -> String {
    site.time_zone.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn seconds(from: jiff::Timestamp, to: jiff::Timestamp) -> String {
    format!("{:.1} s", to.duration_since(from).as_secs_f64())
}
