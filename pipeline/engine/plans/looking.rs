//! Looks at the files of a site: what somebody has edited is taken, or refused with its place.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Counted, HandEdit, Held, LivePlans, Seen, refused};
use crate::config::{ConfigError, camera_files, read_text};

/// A file that is missing no longer than this is being replaced: some editors take away the old one before they write the
/// new one. Its camera stays.
const REPLACED: Duration = Duration::from_secs(2);
/// What was refused may be good once something else was taken, and so on: no more often than this at one look.
const MOST_ROUNDS: usize = 4;

impl LivePlans {
    /// Looks at all files at this time and takes what has changed. Whether somebody should look again soon: a file is missing,
    /// and may come back.
    pub fn look(&self, now: Instant) -> bool {
        let mut held = self.lock();
        for _ in 0..MOST_ROUNDS {
            let cameras = self.look_at_cameras(&mut held, now);
            let site = self.look_at_site(&mut held);
            if !(cameras || site) {
                break;
            }
            held.look_again();
        }
        if let Some(cameras) = self.cameras.get() {
            cameras.settle();
        }
        self.show(&mut held);
        held.seen.iter().any(|seen| seen.missing.is_some() && seen.faults.is_empty())
    }

    /// Cameras that were edited, came or went; whether any of it was taken.
    fn look_at_cameras(&self, held: &mut Held, now: Instant) -> bool {
        let found = camera_files(held.files.folder());
        let mut taken = false;
        let mut index = 0;
        while index < held.seen.len() {
            let cameras = held.seen.len();
            // Where nothing can be seen of the whole folder its cameras have not gone: it is not mounted, or not readable.
            let is_missing = found.is_ok() && is_missing(&held.files.cameras()[index].path);
            taken |= match (is_missing, self.cameras.get()) {
                (true, Some(_)) => self.look_at_missing(held, index, now),
                _ => self.look_at(held, index),
            };
            index += usize::from(held.seen.len() == cameras);
        }
        // In the order of their names, which is that of the cameras.
        for path in found.unwrap_or_default() {
            if !held.files.cameras().iter().any(|camera| camera.path == path) {
                taken |= self.look_at_stranger(held, path);
            }
        }
        let known: Vec<PathBuf> = held.files.cameras().iter().map(|camera| camera.path.clone()).collect();
        let strangers = std::mem::take(&mut held.strangers);
        let left = strangers.into_iter().filter(|(path, _)| !known.contains(path) && !is_missing(path));
        held.strangers = left.collect::<BTreeMap<_, _>>();
        taken
    }

    /// One camera's file; whether something else in it was taken.
    pub(super) fn look_at(&self, held: &mut Held, index: usize) -> bool {
        let path = held.files.cameras()[index].path.clone();
        let read = read_text(&path);
        let text: Option<Arc<str>> = read.as_deref().ok().map(Arc::from);
        held.seen[index].missing = None;
        if !held.seen[index].is_news(text.as_ref()) {
            return false;
        }
        let checked = read.and_then(|text| match self.cameras.get() {
            Some(_) => held.files.check_successor(index, &text),
            None => held.files.check(index, &text),
        });
        let id = held.files.site.cameras[index].id.clone();
        let taken = checked.and_then(|checked| {
            let text = text.clone().unwrap_or_default();
            if checked.plan.id == id {
                let loaded = self.load(held, index, &checked.plan)?;
                self.put(held, index, text, checked, loaded);
                Ok(id)
            } else {
                self.replace(held, index, text, checked)
            }
        });
        match taken {
            Ok(camera) => {
                self.tell(camera, text);
                true
            }
            Err(error) => {
                // One that was to come in the place of another and could not has no camera.
                match held.files.cameras().get(index) {
                    Some(file) if file.path == path => held.seen[index].refuse(&mut held.counted, text, error),
                    _ => held.strangers.entry(path).or_default().refuse(&mut held.counted, text, error),
                }
                false
            }
        }
    }

    /// A file that no camera has: one comes, or its file has another name now. Whether it was taken.
    fn look_at_stranger(&self, held: &mut Held, path: PathBuf) -> bool {
        let read = read_text(&path);
        let text: Option<Arc<str>> = read.as_deref().ok().map(Arc::from);
        if held.strangers.get(&path).is_some_and(|seen| !seen.is_news(text.as_ref())) {
            return false;
        }
        if self.cameras.get().is_none() {
            tracing::warn!(file = %path.display(), "a new camera file: in force after a restart");
            held.strangers.insert(path, Seen { text, ..Seen::default() });
            return false;
        }
        let taken = read.and_then(|text| {
            let (checked, other) = held.files.check_new(&path, &text)?;
            match other {
                Some(index) if is_missing(&held.files.cameras()[index].path) => {
                    let old = held.files.cameras()[index].path.display().to_string();
                    tracing::info!(camera = checked.plan.id, old, new = %path.display(), "a camera's file has another name");
                    held.files.rename(index, path.clone());
                    self.look_at(held, index);
                    Ok(None)
                }
                Some(index) => Err(held.files.is_taken(index, &path, &text)),
                None => {
                    let loaded = self.load_for(&path, &checked.plan.detect)?;
                    let camera = self.start(held, path.clone(), text.as_str().into(), (checked, loaded))?;
                    held.counted.applied += 1;
                    Ok(Some(camera))
                }
            }
        });
        match taken {
            Ok(camera) => {
                held.strangers.remove(&path);
                if let Some(camera) = camera {
                    self.tell(camera, text);
                }
                true
            }
            Err(error) => {
                held.strangers.entry(path).or_default().refuse(&mut held.counted, text, error);
                false
            }
        }
    }

    /// The file of a camera is missing: after a while that camera goes, if the rest of the site can do without it. Whether it
    /// went.
    fn look_at_missing(&self, held: &mut Held, index: usize, now: Instant) -> bool {
        let seen = &mut held.seen[index];
        if seen.missing.is_none() && !seen.faults.is_empty() {
            // Whatever was wrong with it is no matter any more.
            (seen.text, seen.faults) = (None, Vec::new());
        }
        let since = *seen.missing.get_or_insert(now);
        if now.saturating_duration_since(since) < REPLACED || !seen.is_news(None) {
            return false;
        }
        match held.files.check_gone(index) {
            Ok(()) => {
                self.stop(held, index);
                held.counted.applied += 1;
                true
            }
            Err(error) => {
                held.seen[index].refuse(&mut held.counted, None, error);
                false
            }
        }
    }

    /// Takes rules, sinks, routes and grids of a changed site file; whether it did.
    fn look_at_site(&self, held: &mut Held) -> bool {
        let read = read_text(held.files.file());
        let text = read.as_ref().ok().cloned();
        let stale = std::mem::take(&mut held.site_stale);
        if !stale && text == held.site_text && (text.is_some() || !held.site_faults.is_empty()) {
            return false;
        }
        held.site_text = text;
        let checked = read.and_then(|text| held.files.check_site(&text));
        match checked.and_then(|edit| self.put_site(held, edit.plan)) {
            Ok(()) => {
                held.site_faults.clear();
                held.counted.applied += 1;
                true
            }
            Err(error) => {
                if !stale || error.faults != held.site_faults {
                    held.counted.refused += 1;
                    refused(&error.faults);
                }
                held.site_faults = error.faults;
                false
            }
        }
    }

    /// Tells who keeps the history.
    fn tell(&self, camera: String, text: Option<Arc<str>>) {
        // Nobody listening is no fault.
        self.edits.send(HandEdit { camera, text: text.unwrap_or_default() }).ok();
    }
}

impl Seen {
    /// Whether a text is to be looked at: another one than before, or one that was refused beside something else.
    fn is_news(&self, text: Option<&Arc<str>>) -> bool {
        self.stale || text != self.text.as_ref() || (text.is_none() && self.faults.is_empty())
    }

    /// Notes that a text is refused; says and counts so, unless it was the same before.
    fn refuse(&mut self, counted: &mut Counted, text: Option<Arc<str>>, error: ConfigError) {
        let known = std::mem::take(&mut self.stale) && self.text == text && self.faults == error.faults;
        if !known {
            counted.refused += 1;
            refused(&error.faults);
        }
        *self = Self { text, faults: error.faults, missing: self.missing, ..Self::default() };
    }
}

/// Whether there is nothing at this place; not whether it can be read.
fn is_missing(path: &Path) -> bool {
    matches!(fs::metadata(path), Err(error) if error.kind() == ErrorKind::NotFound)
}
