//! What cameras have found out and a restart must not lose: one JSON file for each, in a folder.

use std::fs::File;
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Largest file: many times what a camera keeps.
const LARGEST: u64 = 4 << 20;

/// A file of the folder cannot be read or written. A retry may help: the disk may have been full.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct MemoryError {
    path: PathBuf,
    source: Error,
}

/// The folder.
#[derive(Clone, Debug)]
pub struct Memory {
    folder: PathBuf,
}

impl Memory {
    /// Nothing is made before something is kept.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What is kept of a camera; `None`: nothing. A file that is something else is an error: it is not overwritten
    /// silently.
    pub fn load<T: DeserializeOwned>(&self, camera: &str) -> Result<Option<T>, MemoryError> {
        let path = self.file(camera, "json");
        let failed = |source| MemoryError { path: path.clone(), source };
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
            Ok(data) if data.len() > LARGEST => {
                return Err(failed(Error::new(ErrorKind::InvalidData, "larger than any state")));
            }
            Ok(_) => {}
        }
        let text = std::fs::read(&path).map_err(failed)?;
        serde_json::from_slice(&text).map(Some).map_err(|error| failed(error.into()))
    }

    /// Keeps something of a camera: the whole file or, after a crash, the old one.
    pub fn save<T: Serialize>(&self, camera: &str, state: &T) -> Result<(), MemoryError> {
        let (path, beside) = (self.file(camera, "json"), self.file(camera, "json.part"));
        let write = || {
            std::fs::create_dir_all(&self.folder)?;
            let mut file = File::create(&beside)?;
            file.write_all(&serde_json::to_vec(state)?)?;
            file.sync_all()?;
            std::fs::rename(&beside, &path)
        };
        write().map_err(|source| MemoryError { path: path.clone(), source })
    }

    /// Leaves an empty file of a camera.
    pub fn mark(&self, camera: &str, what: &str) -> Result<(), MemoryError> {
        let path = self.file(camera, what);
        let made = std::fs::create_dir_all(&self.folder).and_then(|()| File::create(&path));
        made.map(|_| ()).map_err(|source| MemoryError { path, source })
    }

    /// Takes it away; whether it was there.
    pub fn unmark(&self, camera: &str, what: &str) -> Result<bool, MemoryError> {
        let path = self.file(camera, what);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(source) => Err(MemoryError { path, source }),
        }
    }

    /// Whether it is there.
    pub fn is_marked(&self, camera: &str, what: &str) -> bool {
        self.file(camera, what).exists()
    }

    /// Ids are checked by the plan: letters, digits, - and _.
    fn file(&self, camera: &str, ending: &str) -> PathBuf {
        Path::new(&self.folder).join(format!("{camera}.{ending}"))
    }
}
