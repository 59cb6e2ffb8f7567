//! Reads files. A file is taken whole or refused with all its faults.

use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use toml::de::DeTable;

use super::camera::{self, Surroundings};
use super::fault::{Checked, ConfigError, Fault, Report};
use super::plan::{Camera, Site};
use super::raw::CameraRaw;
use super::schema::{error_span, report_unknown_keys};
use super::site_files::SiteFiles;

/// Longest configuration file: more is not a configuration.
const LONGEST_FILE: u64 = 1 << 20;

/// Reads a camera file on its own, as `analyze` and `replay` do: its source may be anywhere, any grid is known.
pub fn load_camera(file: &Path, time_zone: &TimeZone) -> Result<Checked<Camera>, ConfigError> {
    let text = read_text(file)?;
    camera_text(file, &text, &Surroundings { time_zone, media_dirs: None, grids: None })
}

/// Reads a camera from text; `file` only names it in faults.
pub fn camera_text(file: &Path, text: &str, around: &Surroundings<'_>) -> Result<Checked<Camera>, ConfigError> {
    let mut report = Report::new(file, text);
    match parse::<CameraRaw>(text, "camera", &mut report) {
        Some(raw) => {
            let plan = camera::build(raw, &mut report, around);
            report.finish(plan)
        }
        None => {
            report.finish(()).and_then(|_| Err(ConfigError { faults: vec![Fault::unreadable(file, "not readable")] }))
        }
    }
}

/// Reads a site with all cameras in its folder; the faults of all files come together.
pub fn load_site(file: &Path) -> Result<Checked<Site>, ConfigError> {
    SiteFiles::load(file).map(|Checked { plan, warnings }| Checked { plan: plan.site, warnings })
}

/// Whether a file describes a site rather than a camera; for `check`, which takes both.
pub fn looks_like_site(file: &Path) -> Result<bool, ConfigError> {
    let text = read_text(file)?;
    let (table, _) = DeTable::parse_recoverable(&text);
    let has = |names: &[&str]| names.iter().any(|name| table.get_ref().contains_key(*name));
    let camera = has(&["source", "detect", "zone", "line", "mask", "ground", "health", "name", "place"]);
    let site = has(&[
        "cameras",
        "sink",
        "route",
        "time_zone",
        "listen",
        "data",
        "media_dirs",
        "public_url",
        "tls",
        "behind_proxy",
        "metrics_from",
        "privacy",
        "inference",
        "evidence",
        "journal",
        "trails",
    ]);
    Ok(site || !camera)
}

/// A file's tables, if nothing but their values can be wrong.
pub(super) fn parse<T: DeserializeOwned>(text: &str, definition: &str, report: &mut Report<'_>) -> Option<T> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        for error in &errors {
            report.fault(&error_span(error), "", error.message().trim().replace('\n', " "));
        }
        return None;
    }
    report_unknown_keys(table.get_ref(), definition, report);
    match toml::from_str(text) {
        Ok(raw) => Some(raw),
        Err(error) => {
            report.fault(&error_span(&error), "", error.message().trim().replace('\n', " "));
            None
        }
    }
}

/// The text of a file, unless it is no configuration at all.
pub fn read_text(file: &Path) -> Result<String, ConfigError> {
    let refuse = |message: String| ConfigError { faults: vec![Fault::unreadable(file, message)] };
    let size = std::fs::metadata(file).map_err(|e| refuse(format!("cannot be read: {e}")))?;
    if size.is_dir() {
        return Err(refuse("is a folder, not a file".into()));
    }
    if size.len() > LONGEST_FILE {
        return Err(refuse(format!("is {} bytes long; a configuration has at most {LONGEST_FILE}", size.len())));
    }
    let bytes = std::fs::read(file).map_err(|e| refuse(format!("cannot be read: {e}")))?;
    String::from_utf8(bytes).map_err(|_| refuse("is not UTF-8 text".into()))
}

/// Where a key stands at the top of a text; its beginning where it is not there.
pub(super) fn key_span(text: &str, key: &str) -> Range<usize> {
    let (table, _) = DeTable::parse_recoverable(text);
    table.get_ref().get_key_value(key).map_or(0..0, |(key, _)| key.span())
}

/// The camera files of a folder, by name.
pub fn camera_files(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(dir).map_err(|e| format!("folder `{}` cannot be read: {e}", dir.display()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml") && path.is_file())
        .collect();
    files.sort();
    if files.is_empty() { Err(format!("folder `{}` has no camera file (*.toml)", dir.display())) } else { Ok(files) }
}
