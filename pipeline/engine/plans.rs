//! The configuration in force while a site runs, and the way to another: files that somebody edits, and saves of the API.
//! A text is checked whole before any of it counts; a bad one is refused with its place, and the last good one stays.

mod comings;
mod error;
mod looking;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use tokio::sync::broadcast;

pub use error::EditError;

use super::cameras::Cameras;
use super::figures::kinds;
use super::hub::LiveHub;
use super::latest::Latest;
use super::models::Loaded;
use super::next_site::NextSite;
use crate::config::plan::{Camera, CameraDiff, Detect, Site};
use crate::config::{Checked, ConfigError, Fault, SiteEdit, SiteFiles, read_text, write_text};
use crate::detect::DetectError;
use crate::dispatch::Roster;
use crate::telemetry::{Metrics, Part};
use crate::types::Kind;

/// Edits that a slow listener may lag behind before it loses the oldest.
const EDITS: usize = 64;

/// The configuration in force. Edits take turns.
pub struct LivePlans {
    hub: Arc<LiveHub>,
    metrics: Arc<Metrics>,
    held: Mutex<Held>,
    /// In force, for whoever may not wait while a model is loaded.
    site: Mutex<Arc<Site>>,
    edits: broadcast::Sender<HandEdit>,
    /// Ids of the grids in force.
    grids: Arc<Latest<Vec<String>>>,
    /// Kinds of the rules in force.
    kinds: Arc<Latest<Vec<Kind>>>,
    /// Who takes other sinks, and the ways to who takes the rest; nobody before dispatch is built.
    takers: OnceLock<(Roster, [Arc<NextSite>; 2])>,
    /// The cameras at work, and their detectors; nobody before they have begun.
    cameras: OnceLock<Arc<Cameras>>,
}

struct Held {
    files: SiteFiles,
    /// In the order of the site's cameras.
    seen: Vec<Seen>,
    /// The site file as it was looked at last.
    site_text: Option<String>,
    site_faults: Vec<Fault>,
    /// Its keys that are in force only after a restart.
    site_restart: Vec<&'static str>,
    /// What was refused is to be looked at again, for something else has changed.
    site_stale: bool,
    /// Camera files that came since and have no camera: they are refused, or came before the cameras had begun.
    strangers: BTreeMap<PathBuf, Seen>,
    counted: Counted,
}

/// Edits that are counted once others see what came of them: who waits for the count finds it.
#[derive(Default)]
struct Counted {
    applied: u64,
    refused: u64,
}

/// What is known of one camera's file.
#[derive(Default)]
struct Seen {
    /// As it was looked at last; `None`: it could not be read.
    text: Option<Arc<str>>,
    /// Of that text; it is not in force then.
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
    /// Its `[detect]` is in force only after a restart: it was given before the models of this one were there.
    restart: bool,
    /// Since when the file is missing.
    missing: Option<Instant>,
    /// It was refused and is to be looked at again, for something else has changed.
    stale: bool,
}

/// One camera's file as it is on disk.
#[derive(Clone, Debug)]
pub struct CameraText {
    /// Where it is.
    pub path: PathBuf,
    /// The whole file.
    pub text: Arc<str>,
    /// Why it is not in force, if it is not.
    pub faults: Vec<Fault>,
    /// What has no effect.
    pub warnings: Vec<Fault>,
    /// Its `[detect]` is in force only after a restart: it was given before the models of this one were there.
    pub restart: bool,
}

/// Somebody edited a camera's file by hand, and it is in force.
#[derive(Clone, Debug)]
pub struct HandEdit {
    /// Camera id.
    pub camera: String,
    /// The whole file.
    pub text: Arc<str>,
}

impl LivePlans {
    /// With the files as they were read at the start.
    pub fn new(files: SiteFiles, hub: Arc<LiveHub>, metrics: Arc<Metrics>) -> Arc<Self> {
        let seen = files.cameras().iter().map(|camera| Seen::good(Arc::clone(&camera.text), Vec::new(), false));
        let grids = files.site.grids.iter().map(|grid| grid.id.clone()).collect();
        let held = Held {
            seen: seen.collect(),
            site_text: read_text(files.file()).ok(),
            site_faults: Vec::new(),
            site_restart: Vec::new(),
            site_stale: false,
            strangers: BTreeMap::new(),
            counted: Counted::default(),
            files,
        };
        let (edits, _) = broadcast::channel(EDITS);
        let site = Mutex::new(Arc::new(held.files.site.clone()));
        let kinds = Arc::new(Latest::new(kinds(&held.files.site)));
        let grids = Arc::new(Latest::new(grids));
        Arc::new(Self {
            hub,
            metrics,
            held: Mutex::new(held),
            site,
            edits,
            grids,
            kinds,
            takers: OnceLock::new(),
            cameras: OnceLock::new(),
        })
    }

    /// From now on an edited site file is taken: sinks by the roster, where alerts go and the site's own rules by whoever
    /// follows `next`.
    pub fn follow_site(&self, roster: Roster, next: [Arc<NextSite>; 2]) {
        // Once; a second dispatcher would have to share the first one's outboxes.
        self.takers.get_or_init(|| (roster, next));
    }

    /// From now on cameras come and go, and may be looked at with other detectors.
    pub fn change_cameras(&self, cameras: Arc<Cameras>) {
        self.cameras.get_or_init(|| cameras);
    }

    /// Ids of the grids in force.
    pub fn grids(&self) -> Arc<Latest<Vec<String>>> {
        Arc::clone(&self.grids)
    }

    /// Kinds of the rules in force, each once.
    pub fn kinds(&self) -> Arc<Latest<Vec<Kind>>> {
        Arc::clone(&self.kinds)
    }

    /// The site in force; never waits for an edit.
    pub fn site(&self) -> Arc<Site> {
        Arc::clone(&self.site.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Edits by hand from now on.
    pub fn edits(&self) -> broadcast::Receiver<HandEdit> {
        self.edits.subscribe()
    }

    /// Where the files are: the cameras' and the site's own.
    pub fn folders(&self) -> [PathBuf; 2] {
        let held = self.lock();
        let own = held.files.file().parent().filter(|folder| !folder.as_os_str().is_empty());
        [held.files.folder().to_owned(), own.unwrap_or(Path::new(".")).to_owned()]
    }

    /// The plan of a camera in force; `None`: there is no such camera.
    pub fn plan(&self, camera: &str) -> Option<Arc<Camera>> {
        let held = self.lock();
        Some(Arc::clone(&held.files.site.cameras[held.files.index(camera)?]))
    }

    /// Faults of files that are on disk but not in force.
    pub fn faults(&self) -> Vec<Fault> {
        self.lock().faults()
    }

    /// What is on disk and in force only after a restart, in words.
    pub fn restarts(&self) -> Vec<String> {
        self.lock().restarts()
    }

    /// The text in force of every camera, with its id.
    pub fn texts(&self) -> Vec<(String, Arc<str>)> {
        let held = self.lock();
        let cameras = held.files.site.cameras.iter().zip(held.files.cameras());
        cameras.map(|(camera, file)| (camera.id.clone(), Arc::clone(&file.text))).collect()
    }

    /// Every fault and warning of all files of the site as they are on disk.
    pub fn check_site(&self) -> (Vec<Fault>, Vec<Fault>) {
        let file = self.lock().files.file().to_owned();
        match SiteFiles::load(&file) {
            Ok(checked) => (Vec::new(), checked.warnings),
            Err(error) => (error.faults, Vec::new()),
        }
    }

    /// A camera's file as it is on disk now.
    pub fn read(&self, camera: &str) -> Result<CameraText, EditError> {
        let mut held = self.lock();
        let index = held.index(camera)?;
        self.look_at(&mut held, index);
        self.show(&mut held);
        held.camera_text(held.index(camera)?)
    }

    /// What would come of another text for a camera's file; nothing is changed.
    pub fn check(&self, camera: &str, text: &str) -> Result<Checked<Camera>, EditError> {
        let held = self.lock();
        let index = held.index(camera)?;
        Ok(held.files.check(index, text)?)
    }

    /// Writes another text into a camera's file, which must still be `base`, and puts it in force. `record` notes it down
    /// once it is on disk; where that fails the file gets its old text back.
    pub fn save(
        &self,
        camera: &str,
        base: &str,
        text: &str,
        record: impl FnOnce() -> Result<(), String>,
    ) -> Result<CameraText, EditError> {
        let mut held = self.lock();
        let index = held.index(camera)?;
        let path = held.files.cameras()[index].path.clone();
        if read_text(&path).map_err(EditError::Unreadable)? != base {
            return Err(EditError::Stale);
        }
        let checked = held.files.check(index, text)?;
        let loaded = self.load(&held, index, &checked.plan)?;
        let write =
            |text| write_text(&path, text).map_err(|source| EditError::Unwritable { path: path.clone(), source });
        write(text)?;
        if let Err(reason) = record() {
            write(base)?;
            return Err(EditError::Unrecorded(reason));
        }
        self.put(&mut held, index, text.into(), checked, loaded);
        held.look_again();
        self.show(&mut held);
        held.camera_text(index)
    }

    /// Lets others see what is in force, and the health of the process say what is not.
    fn show(&self, held: &mut Held) {
        self.kinds.set(kinds(&held.files.site));
        *self.site.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(held.files.site.clone());
        self.metrics.health.note(Part::Configuration, held.faults().iter().map(Fault::to_string).collect());
        self.metrics.health.note_restarts(held.restarts());
        let Counted { applied, refused } = std::mem::take(&mut held.counted);
        self.metrics.reloads_applied.inc_by(applied);
        self.metrics.reloads_refused.inc_by(refused);
    }

    /// Puts a checked site file in force, except for what needs a restart. A sink that cannot be built refuses all of it.
    fn put_site(&self, held: &mut Held, edit: SiteEdit) -> Result<(), ConfigError> {
        let file = held.files.file().to_owned();
        let restart = edit.diff.restart.clone();
        let (Some((roster, next)), false) = (self.takers.get(), edit.diff.whole) else {
            let keys = restart.join(", ");
            held.site_restart = restart;
            tracing::warn!(file = %file.display(), keys, "a changed site file: in force after a restart");
            return Ok(());
        };
        let started = edit.diff.started.iter().map(|i| &edit.site.sinks[*i]);
        let started = roster
            .prepare(started, &self.metrics)
            .map_err(|error| ConfigError { faults: vec![Fault::unreadable(&file, error.to_string())] })?;
        let (sinks, gone) = (started.len(), edit.diff.gone.clone());
        let removed = gone.len();
        // First where alerts go, then who takes them there: what comes in between waits on disk for a sink that is new, and is
        // kept as a dead letter of one that is gone.
        held.files.put_site(edit);
        let site = &held.files.site;
        next.iter().for_each(|next| next.give(Arc::new(site.clone())));
        roster.change(started, gone, &site.sinks);
        self.grids.set(site.grids.iter().map(|grid| grid.id.clone()).collect());
        let (rules, routes) = (site.rules.len(), site.routes.len());
        tracing::info!(file = %file.display(), sinks, removed, routes, rules, "a changed site file is in force");
        held.site_restart = restart;
        if !held.site_restart.is_empty() {
            tracing::warn!(keys = held.site_restart.join(", "), "of the site file these are in force after a restart");
        }
        Ok(())
    }

    /// Loads what a camera is to be looked at with, if that is something else than now. Others go on meanwhile.
    fn load(&self, held: &Held, index: usize, camera: &Camera) -> Result<Option<Loaded>, ConfigError> {
        let same = held.files.site.cameras[index].detect == camera.detect;
        if same { Ok(None) } else { self.load_for(&held.files.cameras()[index].path, &camera.detect) }
    }

    fn load_for(&self, path: &Path, detect: &Detect) -> Result<Option<Loaded>, ConfigError> {
        let Some(cameras) = self.cameras.get() else { return Ok(None) };
        let refused =
            |error: DetectError| ConfigError { faults: vec![Fault::unreadable(path, format!("detect: {error}"))] };
        cameras.load(detect).map(Some).map_err(refused)
    }

    /// Puts a checked text in force, except for what needs a restart.
    fn put(&self, held: &mut Held, index: usize, text: Arc<str>, checked: Checked<Camera>, loaded: Option<Loaded>) {
        let running = Arc::clone(&held.files.site.cameras[index]);
        let Some(hub) = self.hub.camera(&running.id) else { return };
        // Nobody can load anything before the models of the start are there.
        let mut detect = Detect { gate: checked.plan.detect.gate, ..running.detect.clone() };
        if let (Some(loaded), Some(cameras)) = (loaded, self.cameras.get()) {
            detect.clone_from(&checked.plan.detect);
            hub.start_score.set(Some(loaded.start_score));
            cameras.install(&running.id, loaded, detect.priority);
        }
        let restart = detect != checked.plan.detect;
        let camera = Arc::new(Camera { detect, ..checked.plan });
        hub.plan.set(Arc::clone(&camera));
        if CameraDiff::between(&running, &camera).captures_otherwise() {
            // That camera's alone, and by the plan that was given just now.
            hub.end_capture();
        }
        held.counted.applied += 1;
        let file = held.files.cameras()[index].path.display().to_string();
        tracing::info!(camera = camera.id, file, restart, "a changed file is in force");
        held.files.put(index, &text, camera);
        held.seen[index] = Seen::good(text, checked.warnings, restart);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn good(text: Arc<str>, warnings: Vec<Fault>, restart: bool) -> Self {
        Self { text: Some(text), warnings, restart, ..Self::default() }
    }
}

impl Held {
    fn index(&self, camera: &str) -> Result<usize, EditError> {
        self.files.index(camera).ok_or_else(|| EditError::Unknown(camera.to_owned()))
    }

    fn faults(&self) -> Vec<Fault> {
        let cameras = self.seen.iter().chain(self.strangers.values());
        cameras.flat_map(|seen| &seen.faults).chain(&self.site_faults).cloned().collect()
    }

    fn restarts(&self) -> Vec<String> {
        let cameras = self.files.cameras().iter().zip(&self.seen).filter(|(_, seen)| seen.restart);
        let mut waiting: Vec<String> = cameras.map(|(file, _)| format!("{}: detect", file.path.display())).collect();
        let strangers = self.strangers.iter().filter(|(_, seen)| seen.faults.is_empty());
        waiting.extend(strangers.map(|(path, _)| format!("{}: a new camera", path.display())));
        let site = self.site_restart.iter().map(|key| format!("{}: {key}", self.files.file().display()));
        waiting.extend(site);
        waiting
    }

    fn camera_text(&self, index: usize) -> Result<CameraText, EditError> {
        let Seen { text, faults, warnings, restart, .. } = &self.seen[index];
        let Some(text) = text.clone() else {
            return Err(EditError::Unreadable(ConfigError { faults: faults.clone() }));
        };
        let path = self.files.cameras()[index].path.clone();
        Ok(CameraText { path, text, faults: faults.clone(), warnings: warnings.clone(), restart: *restart })
    }

    /// What was refused is looked at again: it may be good beside what is in force now.
    fn look_again(&mut self) {
        let seen = self.seen.iter_mut().chain(self.strangers.values_mut());
        seen.for_each(|seen| seen.stale |= !seen.faults.is_empty());
        self.site_stale |= !self.site_faults.is_empty();
    }
}

fn refused(faults: &[Fault]) {
    for fault in faults {
        tracing::error!(%fault, "an edited file is refused; the last good one stays in force");
    }
}

#[cfg(test)]
mod tests;
