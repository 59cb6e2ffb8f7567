//! Cameras that come and go while a site runs: by files, and by saves of the API.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{CameraText, EditError, Held, LivePlans, Seen};
use crate::config::plan::Camera;
use crate::config::{Checked, ConfigError, Fault, create_text, read_text};
use crate::engine::models::Loaded;

impl LivePlans {
    /// What would come of a text for a camera that there is not yet; nothing is changed.
    pub fn check_new(&self, camera: &str, text: &str) -> Result<Checked<Camera>, EditError> {
        let held = self.lock();
        Ok(held.check_comer(&file_of(&held, camera), camera, text)?)
    }

    /// Writes the file of a new camera, `<id>.toml`, and lets it come. `record` notes it down once it is on disk; where that
    /// fails there is no such file.
    pub fn create(
        &self,
        camera: &str,
        text: &str,
        record: impl FnOnce() -> Result<(), String>,
    ) -> Result<CameraText, EditError> {
        let mut held = self.lock();
        let path = file_of(&held, camera);
        if held.files.index(camera).is_some() {
            return Err(EditError::Exists(camera.to_owned()));
        }
        // From here on the id is that of the text, which is one.
        let checked = held.check_comer(&path, camera, text)?;
        if fs::symlink_metadata(&path).is_ok() {
            return Err(EditError::Exists(camera.to_owned()));
        }
        if self.cameras.get().is_none() {
            return Err(EditError::NotYet);
        }
        let loaded = self.load_for(&path, &checked.plan.detect)?;
        create_text(&path, text).map_err(|source| EditError::Unwritable { path: path.clone(), source })?;
        let undo = |error: EditError| match fs::remove_file(&path) {
            Ok(()) => error,
            Err(source) => EditError::Unwritable { path: path.clone(), source },
        };
        record().map_err(|reason| undo(EditError::Unrecorded(reason)))?;
        self.start(&mut held, path.clone(), text.into(), (checked, loaded)).map_err(|error| undo(error.into()))?;
        held.counted.applied += 1;
        held.look_again();
        self.show(&mut held);
        held.camera_text(held.index(camera)?)
    }

    /// Takes a camera's file away, which must still be `base`, and lets the camera go. `record` notes it down once the file is
    /// gone; where that fails it is back.
    pub fn remove(
        &self,
        camera: &str,
        base: &str,
        record: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), EditError> {
        let mut held = self.lock();
        let index = held.index(camera)?;
        let path = held.files.cameras()[index].path.clone();
        if read_text(&path).map_err(EditError::Unreadable)? != base {
            return Err(EditError::Stale);
        }
        held.files.check_gone(index)?;
        if self.cameras.get().is_none() {
            return Err(EditError::NotYet);
        }
        // Where no camera file is looked for.
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".gone");
        let aside = path.with_file_name(name);
        let unwritable = |source| EditError::Unwritable { path: path.clone(), source };
        fs::rename(&path, &aside).map_err(unwritable)?;
        if let Err(reason) = record() {
            fs::rename(&aside, &path).map_err(unwritable)?;
            return Err(EditError::Unrecorded(reason));
        }
        if let Err(error) = fs::remove_file(&aside) {
            tracing::warn!(file = %aside.display(), %error, "the file of a camera that is gone is left");
        }
        self.stop(&mut held, index);
        if let Some(cameras) = self.cameras.get() {
            cameras.settle();
        }
        held.counted.applied += 1;
        held.look_again();
        self.show(&mut held);
        Ok(())
    }

    /// A checked camera comes, with its detector; gives its id. Errors: it cannot be watched; then nothing has changed.
    pub(super) fn start(
        &self,
        held: &mut Held,
        path: PathBuf,
        text: Arc<str>,
        (checked, loaded): (Checked<Camera>, Option<Loaded>),
    ) -> Result<String, ConfigError> {
        let refused =
            |reason: String| ConfigError { faults: vec![Fault::unreadable(&path, format!("cannot begin: {reason}"))] };
        let (Some(cameras), Some(loaded)) = (self.cameras.get(), loaded) else {
            return Err(refused("the cameras have not begun yet".to_owned()));
        };
        let (camera, file) = (Arc::new(checked.plan), path.display().to_string());
        let index = held.files.insert(path.clone(), Arc::clone(&text), Arc::clone(&camera));
        let hub = self.hub.enter(index, &camera);
        if let Err(error) = cameras.come(&camera, &hub, loaded) {
            self.hub.leave(&camera.id);
            held.files.remove(index);
            return Err(refused(error.to_string()));
        }
        held.seen.insert(index, Seen::good(text, checked.warnings, false));
        held.strangers.remove(&path);
        tracing::info!(camera = camera.id, file, "a camera has come");
        self.give_on(held);
        Ok(camera.id.clone())
    }

    /// A camera goes.
    pub(super) fn stop(&self, held: &mut Held, index: usize) {
        let file = held.files.cameras()[index].path.display().to_string();
        let camera = Arc::clone(&held.files.site.cameras[index]);
        held.files.remove(index);
        held.seen.remove(index);
        self.hub.leave(&camera.id);
        if let Some(cameras) = self.cameras.get() {
            cameras.go(&camera.id);
        }
        tracing::info!(camera = camera.id, file, "a camera has gone");
        self.give_on(held);
    }

    /// One goes and another comes in its place.
    pub(super) fn replace(
        &self,
        held: &mut Held,
        index: usize,
        text: Arc<str>,
        checked: Checked<Camera>,
    ) -> Result<String, ConfigError> {
        let path = held.files.cameras()[index].path.clone();
        // Before anything changes: there is no way back after that.
        let loaded = self.load_for(&path, &checked.plan.detect)?;
        self.stop(held, index);
        let id = self.start(held, path, text, (checked, loaded))?;
        held.counted.applied += 1;
        Ok(id)
    }

    /// Where alerts go knows the cameras too.
    fn give_on(&self, held: &Held) {
        if let Some((_, next)) = self.takers.get() {
            let site = Arc::new(held.files.site.clone());
            next.iter().for_each(|next| next.give(Arc::clone(&site)));
        }
    }
}

impl Held {
    /// The text of a camera that there is not yet, which must have this id.
    fn check_comer(&self, path: &Path, camera: &str, text: &str) -> Result<Checked<Camera>, ConfigError> {
        let (checked, other) = self.files.check_new(path, text)?;
        match other {
            _ if checked.plan.id != camera => {
                let message = format!("id: `{}` is not `{camera}`, by which it is saved", checked.plan.id);
                Err(ConfigError { faults: vec![Fault::unreadable(path, message)] })
            }
            Some(index) => Err(self.files.is_taken(index, path, text)),
            None => Ok(checked),
        }
    }
}

/// Where the file of a new camera belongs.
fn file_of(held: &Held, camera: &str) -> PathBuf {
    held.files.folder().join(format!("{camera}.toml"))
}
