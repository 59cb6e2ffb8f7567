//! The configuration in force while a site runs, and the way to another: files that somebody edits, and saves of the API.
//! A text is checked whole before any of it counts; a bad one is refused with its place, and the last good one stays.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::broadcast;

use super::hub::LiveHub;
use super::latest::Latest;
use super::models::{Loaded, Models};
use super::next_site::NextSite;
use crate::config::plan::{Camera, CameraDiff, Detect, Site};
use crate::config::{Checked, ConfigError, Fault, SiteEdit, SiteFiles, camera_files, read_text, write_text};
use crate::detect::DetectError;
use crate::dispatch::Roster;
use crate::telemetry::{Metrics, Part};

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
    /// Who takes other sinks and routes; nobody before dispatch is built.
    takers: OnceLock<(Roster, Arc<NextSite>)>,
    /// Who exchanges detectors; nobody before they are loaded.
    models: OnceLock<Models>,
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
    /// Camera files that came since.
    strangers: BTreeSet<PathBuf>,
}

/// What is known of one camera's file.
struct Seen {
    /// As it was looked at last; `None`: it could not be read.
    text: Option<Arc<str>>,
    /// Of that text; it is not in force then.
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
    /// Its `[detect]` is in force only after a restart: it was given before the models of this one were there.
    restart: bool,
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

/// An edit that was not taken: the file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// No camera has this id.
    #[error("there is no camera `{0}`")]
    Unknown(String),
    /// The file is another than the one that was edited. Read it and try again.
    #[error("the file has changed meanwhile")]
    Stale,
    /// The new text is wrong. Not worth a retry.
    #[error(transparent)]
    Refused(#[from] ConfigError),
    /// The file cannot be read. A retry may help.
    #[error("{0}")]
    Unreadable(ConfigError),
    /// The file cannot be written. A retry may help.
    #[error("{}: cannot be written: {source}", path.display())]
    Unwritable {
        /// Where.
        path: PathBuf,
        /// In the system's words.
        source: std::io::Error,
    },
    /// It could not be noted down. A retry may help.
    #[error("the edit cannot be noted down: {0}")]
    Unrecorded(String),
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
            strangers: BTreeSet::new(),
            files,
        };
        let (edits, _) = broadcast::channel(EDITS);
        let site = Mutex::new(Arc::new(held.files.site.clone()));
        let grids = Arc::new(Latest::new(grids));
        Arc::new(Self {
            hub,
            metrics,
            held: Mutex::new(held),
            site,
            edits,
            grids,
            takers: OnceLock::new(),
            models: OnceLock::new(),
        })
    }

    /// From now on an edited site file is taken: sinks by the roster, where alerts go by whoever follows `next`.
    pub fn follow_site(&self, roster: Roster, next: Arc<NextSite>) {
        // Once; a second dispatcher would have to share the first one's outboxes.
        self.takers.get_or_init(|| (roster, next));
    }

    /// From now on cameras may be looked at with other detectors.
    pub fn exchange_models(&self, models: Models) {
        self.models.get_or_init(|| models);
    }

    /// Ids of the grids in force.
    pub fn grids(&self) -> Arc<Latest<Vec<String>>> {
        Arc::clone(&self.grids)
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
        self.show(&held);
        held.camera_text(index)
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
        self.show(&held);
        held.camera_text(index)
    }

    /// Looks at all files and takes what has changed.
    pub fn look(&self) {
        let mut held = self.lock();
        for index in 0..held.seen.len() {
            self.look_at(&mut held, index);
        }
        if self.look_at_site(&mut held) {
            // What was refused because of the site file may be good now.
            for index in 0..held.seen.len() {
                if !held.seen[index].faults.is_empty() {
                    held.seen[index].text = None;
                    held.seen[index].faults.clear();
                    self.look_at(&mut held, index);
                }
            }
        }
        held.look_for_strangers();
        self.show(&held);
    }

    /// Lets others see what is in force, and the health of the process say what is not.
    fn show(&self, held: &Held) {
        *self.site.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(held.files.site.clone());
        self.metrics.health.note(Part::Configuration, held.faults().iter().map(Fault::to_string).collect());
        self.metrics.health.note_restarts(held.restarts());
    }

    /// Takes sinks, routes and grids of a changed site file; whether it did.
    fn look_at_site(&self, held: &mut Held) -> bool {
        let read = read_text(held.files.file());
        let text = read.as_ref().ok().cloned();
        if text == held.site_text && (text.is_some() || !held.site_faults.is_empty()) {
            return false;
        }
        held.site_text = text;
        let checked = read.and_then(|text| held.files.check_site(&text));
        match checked.and_then(|edit| self.put_site(held, edit.plan)) {
            Ok(()) => {
                held.site_faults.clear();
                self.metrics.reloads_applied.inc();
                true
            }
            Err(error) => {
                self.metrics.reloads_refused.inc();
                refused(&error.faults);
                held.site_faults = error.faults;
                false
            }
        }
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
        next.give(Arc::new(site.clone()));
        roster.change(started, gone, &site.sinks);
        self.grids.set(site.grids.iter().map(|grid| grid.id.clone()).collect());
        tracing::info!(file = %file.display(), sinks, removed, routes = site.routes.len(), "a changed site file is in force");
        held.site_restart = restart;
        if !held.site_restart.is_empty() {
            tracing::warn!(keys = held.site_restart.join(", "), "of the site file these are in force after a restart");
        }
        Ok(())
    }

    fn look_at(&self, held: &mut Held, index: usize) {
        let read = read_text(&held.files.cameras()[index].path);
        let text: Option<Arc<str>> = read.as_deref().ok().map(Arc::from);
        if text == held.seen[index].text && (text.is_some() || !held.seen[index].faults.is_empty()) {
            return;
        }
        let checked = read.and_then(|text| held.files.check(index, &text));
        match checked.and_then(|checked| Ok((self.load(held, index, &checked.plan)?, checked))) {
            Ok((loaded, checked)) => {
                let text = text.unwrap_or_default();
                self.put(held, index, Arc::clone(&text), checked, loaded);
                let camera = held.files.site.cameras[index].id.clone();
                // Nobody listening is no fault.
                self.edits.send(HandEdit { camera, text }).ok();
            }
            Err(error) => {
                self.metrics.reloads_refused.inc();
                refused(&error.faults);
                held.seen[index] = Seen { text, faults: error.faults, warnings: Vec::new(), restart: false };
            }
        }
    }

    /// Loads what a camera is to be looked at with, if that is something else than now. Others go on meanwhile.
    fn load(&self, held: &Held, index: usize, camera: &Camera) -> Result<Option<Loaded>, ConfigError> {
        let Some(models) = self.models.get() else { return Ok(None) };
        if held.files.site.cameras[index].detect == camera.detect {
            return Ok(None);
        }
        let refused = |error: DetectError| {
            let fault = Fault::unreadable(&held.files.cameras()[index].path, format!("detect: {error}"));
            ConfigError { faults: vec![fault] }
        };
        models.load(&camera.detect).map(Some).map_err(refused)
    }

    /// Puts a checked text in force, except for what needs a restart.
    fn put(&self, held: &mut Held, index: usize, text: Arc<str>, checked: Checked<Camera>, loaded: Option<Loaded>) {
        let running = Arc::clone(&held.files.site.cameras[index]);
        let hub = &self.hub.cameras[index];
        // Nobody can load anything before the models of the start are there.
        let mut detect = Detect { gate: checked.plan.detect.gate, ..running.detect.clone() };
        if let (Some(loaded), Some(models)) = (loaded, self.models.get()) {
            detect.clone_from(&checked.plan.detect);
            hub.start_score.set(Some(loaded.start_score));
            models.install(index, loaded, detect.priority);
        }
        let restart = detect != checked.plan.detect;
        let camera = Arc::new(Camera { detect, ..checked.plan });
        hub.plan.set(Arc::clone(&camera));
        if CameraDiff::between(&running, &camera).captures_otherwise() {
            // That camera's alone, and by the plan that was given just now.
            hub.end_capture();
        }
        self.metrics.reloads_applied.inc();
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
        Self { text: Some(text), faults: Vec::new(), warnings, restart }
    }
}

impl Held {
    fn index(&self, camera: &str) -> Result<usize, EditError> {
        self.files.index(camera).ok_or_else(|| EditError::Unknown(camera.to_owned()))
    }

    fn faults(&self) -> Vec<Fault> {
        self.seen.iter().flat_map(|seen| &seen.faults).chain(&self.site_faults).cloned().collect()
    }

    fn restarts(&self) -> Vec<String> {
        let cameras = self.files.cameras().iter().zip(&self.seen).filter(|(_, seen)| seen.restart);
        let mut waiting: Vec<String> = cameras.map(|(file, _)| format!("{}: detect", file.path.display())).collect();
        waiting.extend(self.strangers.iter().map(|path| format!("{}: a new camera", path.display())));
        let site = self.site_restart.iter().map(|key| format!("{}: {key}", self.files.file().display()));
        waiting.extend(site);
        waiting
    }

    fn camera_text(&self, index: usize) -> Result<CameraText, EditError> {
        let Seen { text, faults, warnings, restart } = &self.seen[index];
        let Some(text) = text.clone() else {
            return Err(EditError::Unreadable(ConfigError { faults: faults.clone() }));
        };
        let path = self.files.cameras()[index].path.clone();
        Ok(CameraText { path, text, faults: faults.clone(), warnings: warnings.clone(), restart: *restart })
    }

    /// Files of other cameras are taken by the next run: said once.
    fn look_for_strangers(&mut self) {
        let files = camera_files(self.files.folder()).unwrap_or_default();
        let known: BTreeSet<&Path> = self.files.cameras().iter().map(|camera| camera.path.as_path()).collect();
        let strangers: BTreeSet<PathBuf> = files.into_iter().filter(|file| !known.contains(file.as_path())).collect();
        for file in strangers.difference(&self.strangers) {
            tracing::warn!(file = %file.display(), "a new camera file: in force after a restart");
        }
        self.strangers = strangers;
    }
}

fn refused(faults: &[Fault]) {
    for fault in faults {
        tracing::error!(%fault, "an edited file is refused; the last good one stays in force");
    }
}

#[cfg(test)]
mod tests;
