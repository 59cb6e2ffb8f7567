//! A site as its files have it. While it runs, one camera's file may be exchanged for another text: it is checked whole,
//! against the rest of the site as it is in force.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::camera::Surroundings;
use super::fault::{Checked, ConfigError, Fault, Report};
use super::load::{camera_files, camera_text, key_span, parse, read_text};
use super::plan::{Camera, Site, SiteDiff};
use super::raw::SiteRaw;
use super::route::Mention;
use super::site::{self, SiteParts};
use super::site_rule::GateMention;

/// A checked site, the files that it came from, and what its parts ask of each other.
#[derive(Clone, Debug)]
pub struct SiteFiles {
    /// In force.
    pub site: Site,
    file: PathBuf,
    folder: PathBuf,
    /// In the order of the site's cameras.
    cameras: Vec<CameraFile>,
    demands: Vec<Demand>,
    grids: BTreeSet<String>,
}

/// One camera's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraFile {
    /// Where it is.
    pub path: PathBuf,
    /// The text in force.
    pub text: Arc<str>,
}

/// What the site file asks of the cameras.
#[derive(Clone, Debug)]
struct Demand {
    wanted: Wanted,
    /// Place and field: `site.toml:12:9: route[0].zones`.
    by: String,
}

#[derive(Clone, Debug)]
enum Wanted {
    /// There is such a camera.
    Camera(String),
    /// Some camera has this zone.
    Zone(String),
    /// This camera has this line.
    Line { camera: String, line: String },
}

/// A checked text of the site's own file.
#[derive(Clone, Debug)]
pub struct SiteEdit {
    /// With the cameras in force.
    pub site: Site,
    /// Against what is in force.
    pub diff: SiteDiff,
    demands: Vec<Demand>,
}

impl SiteFiles {
    /// Reads a site with all cameras in its folder; the faults of all files come together.
    pub fn load(file: &Path) -> Result<Checked<Self>, ConfigError> {
        let text = read_text(file)?;
        let mut report = Report::new(file, &text);
        let Some(raw) = parse::<SiteRaw>(&text, "site", &mut report) else {
            return Err(unread(file, report));
        };
        let SiteParts { site, cameras: folder, cameras_at, mentions, gates } = site::build(raw, &mut report);
        let found = camera_files(&folder).unwrap_or_else(|message| {
            report.fault(&cameras_at, "cameras", message);
            Vec::new()
        });
        let grids = site.grids.iter().map(|grid| grid.id.clone()).collect();
        let mut files = Self { site, file: file.to_owned(), folder, cameras: Vec::new(), demands: Vec::new(), grids };
        let (mut faults, mut warnings) = (Vec::new(), Vec::new());
        let mut taken: BTreeMap<String, PathBuf> = BTreeMap::new();
        for path in found {
            match read_text(&path).and_then(|text| Ok((files.parse(&path, &text)?, text))) {
                Ok((checked, text)) => {
                    warnings.extend(checked.warnings);
                    let camera = checked.plan;
                    if let Some(other) = taken.insert(camera.id.clone(), path.clone()) {
                        let message = format!("id: `{}` is already the camera of {}", camera.id, other.display());
                        faults.push(Fault::unreadable(&path, message));
                    }
                    files.site.cameras.push(Arc::new(camera));
                    files.cameras.push(CameraFile { path, text: text.into() });
                }
                Err(error) => faults.extend(error.faults),
            }
        }
        if faults.is_empty() {
            files.demands = files.demands_of(&mentions, &gates, &mut report);
        }
        merge(report.finish(files), faults, warnings)
    }

    /// What the site file asks of the cameras, each a fault where there is no such thing.
    fn demands_of(&self, mentions: &[Mention], gates: &[GateMention], report: &mut Report<'_>) -> Vec<Demand> {
        let mut demands = Vec::new();
        for gate in gates {
            gate.check(&self.site.cameras, report);
            let (camera, line) = gate.line();
            let wanted = Wanted::Line { camera: camera.to_owned(), line: line.to_owned() };
            demands.push(Demand { wanted, by: report.place(gate.span(), gate.path()) });
        }
        for mention in mentions {
            let id = mention.id.clone();
            let wanted = if mention.zone { Wanted::Zone(id) } else { Wanted::Camera(id) };
            if !self.gives(&wanted, None) {
                let what = if mention.zone { "zone" } else { "camera" };
                report.fault(&mention.at, mention.path.as_str(), format!("there is no {what} `{}`", mention.id));
            }
            demands.push(Demand { wanted, by: report.place(&mention.at, &mention.path) });
        }
        demands
    }

    /// Checks another text for the site's own file: as a file, and that the cameras in force have what it asks for and find
    /// in it what they ask for.
    pub fn check_site(&self, text: &str) -> Result<Checked<SiteEdit>, ConfigError> {
        let mut report = Report::new(&self.file, text);
        let Some(raw) = parse::<SiteRaw>(text, "site", &mut report) else { return Err(unread(&self.file, report)) };
        let SiteParts { mut site, cameras, mentions, gates, .. } = site::build(raw, &mut report);
        let demands = self.demands_of(&mentions, &gates, &mut report);
        for camera in &self.site.cameras {
            let zones = camera.zones.iter().filter_map(|zone| zone.grid.as_ref());
            for grid in camera.grid.iter().chain(zones) {
                if site.grids.iter().all(|known| known.id != *grid) {
                    let what = format!("grid `{grid}` is gone, but camera `{}` names it", camera.id);
                    report.fault(&key_span(text, "grid"), "grid", what);
                }
            }
        }
        site.cameras.clone_from(&self.site.cameras);
        let mut diff = SiteDiff::between(&self.site, &site);
        if cameras != self.folder {
            diff.restart.push("cameras");
        }
        report.finish(SiteEdit { site, demands, diff })
    }

    /// Takes rules, sinks, routes and grids of a checked text in force; the rest is as it was.
    pub fn put_site(&mut self, edit: SiteEdit) {
        let Site { rules, sinks, routes, grids, .. } = edit.site;
        self.grids = grids.iter().map(|grid| grid.id.clone()).collect();
        (self.site.sinks, self.site.routes, self.site.grids) = (sinks, routes, grids);
        self.site.rules = rules;
        self.demands = edit.demands;
    }

    /// The site's own file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The folder of the cameras' files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// In the order of the site's cameras.
    pub fn cameras(&self) -> &[CameraFile] {
        &self.cameras
    }

    /// Index of a camera.
    pub fn index(&self, id: &str) -> Option<usize> {
        self.site.cameras.iter().position(|camera| camera.id == id)
    }

    /// Checks another text for the file of the camera with this index: as a file, and that the rest of the site finds in
    /// it what it asks for. The camera keeps its id.
    pub fn check(&self, index: usize, text: &str) -> Result<Checked<Camera>, ConfigError> {
        let (camera, file) = (&self.site.cameras[index], &self.cameras[index]);
        let checked = self.parse(&file.path, text)?;
        let mut report = Report::new(&file.path, text);
        if checked.plan.id != camera.id {
            let message = format!("`{}` cannot become `{}`", camera.id, checked.plan.id);
            report.fault(&key_span(text, "id"), "id", message);
        }
        self.check_demands(index, &checked.plan, text, &mut report);
        report.finish(()).map(|_| checked)
    }

    /// The same, but it may be the text of a camera that comes in the place of this one.
    pub fn check_successor(&self, index: usize, text: &str) -> Result<Checked<Camera>, ConfigError> {
        let path = &self.cameras[index].path;
        let checked = self.parse(path, text)?;
        let mut report = Report::new(path, text);
        if let Some(other) = self.index(&checked.plan.id).filter(|other| *other != index) {
            self.taken(other, text, &mut report);
        }
        self.check_demands(index, &checked.plan, text, &mut report);
        report.finish(()).map(|_| checked)
    }

    /// Checks the text of a file that no camera has, with the index of the camera that has the same id, if one has.
    pub fn check_new(&self, path: &Path, text: &str) -> Result<(Checked<Camera>, Option<usize>), ConfigError> {
        let checked = self.parse(path, text)?;
        let other = self.index(&checked.plan.id);
        Ok((checked, other))
    }

    /// Why a text cannot be that of a new camera: its id is that of the camera with this index.
    pub fn is_taken(&self, other: usize, path: &Path, text: &str) -> ConfigError {
        let mut report = Report::new(path, text);
        self.taken(other, text, &mut report);
        refusal(path, report)
    }

    /// Whether the rest of the site can do without the camera with this index.
    pub fn check_gone(&self, index: usize) -> Result<(), ConfigError> {
        let (camera, path) = (&self.site.cameras[index], &self.cameras[index].path);
        let missed = self.demands.iter().filter(|demand| !self.gives(&demand.wanted, Some((index, None))));
        let told = |Demand { wanted, by }: &Demand| {
            let what = format!("camera `{}` cannot go: {by} names {wanted}", camera.id);
            Fault::unreadable(path, what)
        };
        let mut faults: Vec<Fault> = missed.map(told).collect();
        if self.cameras.len() == 1 {
            faults.push(Fault::unreadable(path, format!("camera `{}` cannot go: it is the only one", camera.id)));
        }
        if faults.is_empty() { Ok(()) } else { Err(ConfigError { faults }) }
    }

    fn check_demands(&self, index: usize, plan: &Camera, text: &str, report: &mut Report<'_>) {
        for Demand { wanted, by } in &self.demands {
            if !self.gives(wanted, Some((index, Some(plan)))) {
                let key = wanted.key();
                report.fault(&key_span(text, key), key, format!("{wanted} is gone, but {by} names it"));
            }
        }
    }

    fn taken(&self, other: usize, text: &str, report: &mut Report<'_>) {
        let (id, path) = (&self.site.cameras[other].id, &self.cameras[other].path);
        report.fault(&key_span(text, "id"), "id", format!("`{id}` is already the camera of {}", path.display()));
    }

    /// Takes a camera more; gives its index, which is by the name of its file.
    pub fn insert(&mut self, path: PathBuf, text: Arc<str>, camera: Arc<Camera>) -> usize {
        let index = self.cameras.iter().position(|other| other.path > path).unwrap_or(self.cameras.len());
        self.site.cameras.insert(index, camera);
        self.cameras.insert(index, CameraFile { path, text });
        index
    }

    /// A camera is gone.
    pub fn remove(&mut self, index: usize) {
        self.site.cameras.remove(index);
        self.cameras.remove(index);
    }

    /// The file of a camera has another name.
    pub fn rename(&mut self, index: usize, path: PathBuf) {
        self.cameras[index].path = path;
    }

    /// Takes a checked text in force.
    pub fn put(&mut self, index: usize, text: &str, camera: Arc<Camera>) {
        self.site.cameras[index] = camera;
        self.cameras[index].text = text.into();
    }

    fn parse(&self, path: &Path, text: &str) -> Result<Checked<Camera>, ConfigError> {
        let Site { time_zone, media_dirs, .. } = &self.site;
        let around = Surroundings { time_zone, media_dirs: Some(media_dirs), grids: Some(&self.grids) };
        let checked = camera_text(path, text, &around)?;
        if checked.plan.source.is_none() {
            let fault = Fault::unreadable(path, "source: missing: where pictures come from");
            return Err(ConfigError { faults: vec![fault] });
        }
        Ok(checked)
    }

    /// Whether the cameras have what is asked of them; one of them may be another than in force, or gone.
    fn gives(&self, wanted: &Wanted, other: Option<(usize, Option<&Camera>)>) -> bool {
        let camera = |(i, own): (usize, &'_ Arc<Camera>)| match other {
            Some((index, other)) if index == i => other.is_some_and(|other| has(other, wanted)),
            _ => has(own, wanted),
        };
        self.site.cameras.iter().enumerate().any(camera)
    }
}

impl Wanted {
    /// Where it stands in a camera's file.
    fn key(&self) -> &'static str {
        match self {
            Self::Camera(_) => "id",
            Self::Zone(_) => "zone",
            Self::Line { .. } => "line",
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Camera(id) => write!(f, "camera `{id}`"),
            Self::Zone(id) => write!(f, "zone `{id}`"),
            Self::Line { line, .. } => write!(f, "line `{line}`"),
        }
    }
}

/// Why a text is no site file at all.
fn unread(file: &Path, report: Report<'_>) -> ConfigError {
    refusal(file, report)
}

fn refusal(file: &Path, report: Report<'_>) -> ConfigError {
    match report.finish(()) {
        Err(error) => error,
        Ok(_) => ConfigError { faults: vec![Fault::unreadable(file, "not readable")] },
    }
}

fn has(camera: &Camera, wanted: &Wanted) -> bool {
    match wanted {
        Wanted::Camera(id) => camera.id == *id,
        Wanted::Zone(id) => camera.zones.iter().any(|zone| zone.id == *id),
        Wanted::Line { camera: id, line } => camera.id == *id && camera.lines.iter().any(|l| l.id == *line),
    }
}

fn merge<T>(
    own: Result<Checked<T>, ConfigError>,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
) -> Result<Checked<T>, ConfigError> {
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

#[cfg(test)]
mod tests;
