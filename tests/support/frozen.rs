//! A folder in which nothing can be written any more, not by root either: files that are open included.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Thaws when dropped, so that the folder can be deleted.
pub struct Frozen(PathBuf);

impl Frozen {
    /// Marks the folder and all that is in it as immutable; `Err` says why that binds nobody here.
    pub fn new(folder: &Path) -> Result<Self, String> {
        let probe = folder.with_extension("probe");
        let mut open = File::create(&probe).map_err(|e| e.to_string())?;
        let bound = mark('+', &probe).map(|()| open.write_all(b"x").is_err());
        mark('-', &probe).ok();
        std::fs::remove_file(&probe).ok();
        match bound? {
            true => mark('+', folder).map(|()| Self(folder.to_owned())),
            false => Err("this file system lets open files be written whatever their marks".into()),
        }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        mark('-', &self.0).ok();
    }
}

fn mark(sign: char, path: &Path) -> Result<(), String> {
    let chattr =
        Command::new("chattr").arg("-R").arg(format!("{sign}i")).arg(path).output().map_err(|e| e.to_string())?;
    match chattr.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&chattr.stderr).trim().to_owned()),
    }
}
