//! Files that are there whole or not at all: written beside, then renamed.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// A file being written. Dropped without [`Output::finish`], nothing is left and what was there before stays.
pub struct Output {
    target: PathBuf,
    beside: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Output {
    /// Begins `target`; missing folders are made.
    pub fn create(target: &Path) -> anyhow::Result<Self> {
        if target.is_dir() {
            return Err(super::Invalid(format!("{} is a folder, not a file", target.display())).into());
        }
        if let Some(dir) = target.parent().filter(|d| !d.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
        }
        let beside = beside(target);
        let file = File::create(&beside).with_context(|| format!("cannot write {}", target.display()))?;
        Ok(Self { target: target.to_owned(), beside, file: Some(BufWriter::new(file)) })
    }

    /// Where the file is until it is finished: for writers that open a path themselves.
    pub fn path(&self) -> &Path {
        &self.beside
    }

    /// Puts the file in its place.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let failed = || format!("cannot write {}", self.target.display());
        if let Some(mut file) = self.file.take() {
            file.flush().with_context(failed)?;
            file.get_ref().sync_all().with_context(failed)?;
        }
        std::fs::rename(&self.beside, &self.target).with_context(failed)
    }
}

/// The name under which a file is written before it is renamed: the same folder, so the rename is atomic.
pub fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // After `finish` it is gone already.
        let _gone = std::fs::remove_file(&self.beside);
    }
}
