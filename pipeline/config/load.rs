//! Reads files. A file is taken whole or refused with all its faults.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use toml::de::DeTable;

use super::camera::{self, Surroundings};
use super::fault::{Checked, ConfigError, Fault, Report};
use super::plan::{Camera, Site};
use super::raw::{CameraRaw, SiteRaw};
use super::schema::{error_span, report_unknown_keys};
use super::site;

/// Longest configuration file: more is not a configuration.
const LONGEST_FILE: u64 = 1 << 20;

/// Reads a camera file on its own, as `analyze` and `replay` do: its source may be anywhere, any grid is known.
pub fn load_camera(file: &Path, time_zone: &TimeZone) -> Result<Checked<Camera>, ConfigError> {
    let text = read(file)?;
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
    let text = read(file)?;
    let mut report = Report::new(file, &text);
    let Some(raw) = parse::<SiteRaw>(&text, "site", &mut report) else {
        return report
            .finish(())
            .and_then(|_| Err(ConfigError { faults: vec![Fault::unreadable(file, "not readable")] }));
    };
    let mut parts = site::build(raw, &mut report);
    let files = match camera_files(&parts.cameras) {
        Ok(files) => files,
        Err(message) => {
            report.fault(&parts.cameras_at, "cameras", message);
            Vec::new()
        }
    };
    let grids: BTreeSet<String> = parts.site.grids.iter().map(|g| g.id.clone()).collect();
    let around = Surroundings {
        time_zone: &parts.site.time_zone,
        media_dirs: Some(&parts.site.media_dirs),
        grids: Some(&grids),
    };
    let (mut faults, mut warnings) = (Vec::new(), Vec::new());
    let mut taken: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in &files {
        match read(path).and_then(|text| camera_text(path, &text, &around)) {
            Ok(checked) => {
                warnings.extend(checked.warnings);
                let camera = checked.plan;
                if let Some(other) = taken.insert(camera.id.clone(), path.clone()) {
                    let message = format!("id: `{}` is already the camera of {}", camera.id, other.display());
                    faults.push(Fault::unreadable(path, message));
                }
                if camera.source.is_none() {
                    faults.push(Fault::unreadable(path, "source: missing: where pictures come from"));
                }
                parts.site.cameras.push(Arc::new(camera));
            }
            Err(error) => faults.extend(error.faults),
        }
    }
    if faults.is_empty() {
        for gate in &parts.gates {
            gate.check(&parts.site.cameras, &mut report);
        }
        for m in &parts.mentions {
            let known = if m.zone {
                parts.site.cameras.iter().any(|c| c.zones.iter().any(|z| z.id == m.id))
            } else {
                taken.contains_key(&m.id)
            };
            if !known {
                let what = if m.zone { "zone" } else { "camera" };
                report.fault(&m.at, m.path.as_str(), format!("there is no {what} `{}`", m.id));
            }
        }
    }
    merge(report.finish(parts.site), faults, warnings)
}

fn merge(
    own: Result<Checked<Site>, ConfigError>,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
) -> Result<Checked<Site>, ConfigError> {
    match own {
        Ok(mut checked) if faults.is_empty() => {
            checked.warnings.extend(warnings);
            Ok(checked)
        }
        Ok(_) => Err(ConfigError { faults }),
        Err(mut error) => {
            error.faults.extend(faults);
            Err(error)
        }
    }
}

/// Whether a file describes a site rather than a camera; for `check`, which takes both.
pub fn looks_like_site(file: &Path) -> Result<bool, ConfigError> {
    let text = read(file)?;
    let (table, _) = DeTable::parse_recoverable(&text);
    let has = |names: &[&str]| names.iter().any(|name| table.get_ref().contains_key(*name));
    let camera = has(&["source", "detect", "zone", "line", "mask", "ground", "name", "place"]);
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
    ]);
    Ok(site || !camera)
}

fn parse<T: DeserializeOwned>(text: &str, definition: &str, report: &mut Report<'_>) -> Option<T> {
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

fn read(file: &Path) -> Result<String, ConfigError> {
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

fn camera_files(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(dir).map_err(|e| format!("folder `{}` cannot be read: {e}", dir.display()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml") && path.is_file())
        .collect();
    files.sort();
    if files.is_empty() { Err(format!("folder `{}` has no camera file (*.toml)", dir.display())) } else { Ok(files) }
}
