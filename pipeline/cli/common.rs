//! What several commands share.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use jiff::tz::TimeZone;
use lookout::alerts::IncidentConfig;
use lookout::config::plan::Camera;
use lookout::config::{Fault, load_camera};
use lookout::types::Span;

/// The arguments are wrong: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

/// Site id of commands that know a camera file alone; part of alert ids.
const NO_SITE: &str = "local";
/// As `[source] outage` where a camera file has no source.
const OUTAGE: Span = Span::from_secs(10);

/// A camera file with the times that its rules need.
#[derive(clap::Args)]
pub struct CameraArgs {
    /// Camera file: zones, lines, rules, detection
    #[arg(long, value_name = "FILE")]
    pub camera: PathBuf,
    /// UTC of the first picture
    #[arg(long, value_name = "RFC3339")]
    pub start: Option<jiff::Timestamp>,
    /// Time zone of schedules, such as Asia/Shanghai
    #[arg(long, value_name = "TZ", default_value = "UTC")]
    pub time_zone: String,
}

impl CameraArgs {
    /// Reads the camera file; warnings go to stderr.
    pub fn load(&self) -> anyhow::Result<IncidentConfig> {
        let zone = TimeZone::get(&self.time_zone)
            .map_err(|_| Invalid(format!("--time-zone: `{}` is not an IANA time zone", self.time_zone)))?;
        let checked = load_camera(&self.camera, &zone)?;
        warn(&checked.warnings);
        let camera: Arc<Camera> = Arc::new(checked.plan);
        let outage = camera.source.as_ref().map_or(OUTAGE, |s| s.outage);
        Ok(IncidentConfig { site: NO_SITE.into(), camera, outage })
    }
}

/// Prints warnings to stderr, one a line.
pub fn warn(warnings: &[Fault]) {
    for warning in warnings {
        say(&format!("warning: {warning}"));
    }
}

/// A line on stderr; a closed stderr is nobody's loss.
pub fn say(line: &str) {
    let _closed = writeln!(std::io::stderr(), "{line}");
}

/// A line on stdout. A reader that went away (`| head`) is not an error.
pub fn print(line: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("cannot write to stdout"),
        _ => Ok(()),
    }
}

/// Pictures a second as an argument.
pub fn parse_fps(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(fps) if fps > 0.0 && fps <= 1000.0 => Ok(fps),
        _ => Err(format!("`{text}` is not a number above 0 and at most 1000")),
    }
}

/// Reads a MOT file; a fault names the file and line.
pub fn read_mot(path: &Path) -> anyhow::Result<Vec<lookout::types::mot::MotRow>> {
    use lookout::types::mot;
    /// Frames of a file at most: at 30 a second more than a month. A larger number is a slip.
    const LAST_FRAME: u64 = 100_000_000;
    let file = std::fs::File::open(path).map_err(|e| Invalid(format!("{}: cannot be read: {e}", path.display())))?;
    let rows = mot::read(std::io::BufReader::new(file));
    let mut rows = rows.map_err(|e| Invalid(format!("{}: {e}", path.display())))?;
    if rows.is_empty() {
        say(&format!("warning: {}: no rows, so no people", path.display()));
    }
    mot::sort(&mut rows);
    if let Some(last) = rows.last().filter(|r| r.frame > LAST_FRAME) {
        return Err(
            Invalid(format!("{}: frame {} is out of range; at most {LAST_FRAME}", path.display(), last.frame)).into()
        );
    }
    Ok(rows)
}
