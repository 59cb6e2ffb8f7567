//! Clips made by the ffmpeg command at test time.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A folder of clips that goes when the test ends.
pub struct Clips(TempDir);

impl Clips {
    pub fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs ffmpeg in the folder. Fails the test when there is no such command.
    pub fn ffmpeg(&self, arguments: &str) {
        let output = Command::new("ffmpeg")
            .args(["-nostdin", "-loglevel", "error", "-y"])
            .args(arguments.split_whitespace())
            .current_dir(self.0.path())
            .output()
            .expect("the command `ffmpeg` is missing: run scripts/setup");
        assert!(output.status.success(), "ffmpeg {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A moving test pattern: `size`, pictures a second, pictures, further options before the file name.
    pub fn pattern(&self, name: &str, size: &str, fps: u32, pictures: u32, options: &str) -> PathBuf {
        self.ffmpeg(&format!("-f lavfi -i testsrc2=size={size}:rate={fps} -frames:v {pictures} {options} {name}"));
        self.path(name)
    }

    /// People walking: the first pictures of the demo's clip, encoded by `options`.
    pub fn walkers(&self, name: &str, pictures: u32, options: &str) -> PathBuf {
        self.walkers_by(name, "", &format!("-frames:v {pictures} {options}"))
    }

    /// The same by options before and behind the input's name.
    pub fn walkers_by(&self, name: &str, before: &str, behind: &str) -> PathBuf {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("media/vtest.avi");
        assert!(source.exists(), "media/vtest.avi is needed: run scripts/setup");
        // Linked, since arguments are split at blanks and the checkout's path may have some.
        let link = self.path("vtest.avi");
        if !link.exists() {
            std::os::unix::fs::symlink(source, link).unwrap();
        }
        self.ffmpeg(&format!("{before} -i vtest.avi {behind} {name}"));
        self.path(name)
    }

    /// A colour all over, encoded by `options`.
    pub fn colour(&self, name: &str, colour: &str, size: &str, options: &str) -> PathBuf {
        self.ffmpeg(&format!("-f lavfi -i color=c={colour}:size={size}:rate=10 -frames:v 5 {options} {name}"));
        self.path(name)
    }

    /// Joins files byte by byte.
    pub fn join(&self, name: &str, parts: &[&Path]) -> PathBuf {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| std::fs::read(part).unwrap()).collect();
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// The first `share` of a file.
    pub fn cut(&self, name: &str, from: &Path, share: f64) -> PathBuf {
        let bytes = std::fs::read(from).unwrap();
        std::fs::write(self.path(name), &bytes[..(bytes.len() as f64 * share) as usize]).unwrap();
        self.path(name)
    }
}
