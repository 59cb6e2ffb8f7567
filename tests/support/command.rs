//! The real command, as a user starts it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `lookout` at the repository's root, without what the environment of the tests may say about it.
pub fn lookout() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lookout"));
    command.current_dir(root());
    for name in ["LOOKOUT_HOME", "ORT_DYLIB_PATH", "RUST_LOG"] {
        command.env_remove(name);
    }
    command
}

/// The same command where no file may grow beyond so many KiB, as on a disk that is full. It is a soft limit, and bash
/// keeps its signal from killing, so that a write fails instead.
pub fn cramped(command: &Command, kib: u32) -> Command {
    let mut bash = Command::new("bash");
    let script = format!("trap '' XFSZ; ulimit -S -f {kib}; exec \"$@\"");
    bash.args(["-c", &script, "bash"]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        bash.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bash.env(name, value),
            None => bash.env_remove(name),
        };
    }
    bash
}

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs to the end. A panic or a signal fails the test.
pub fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (out, err) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(!err.contains("panicked"), "{command:?}: {err}");
    let code = status.code().unwrap_or_else(|| panic!("{command:?}: {status}: {err}"));
    Ran { code, out, err }
}

impl Ran {
    /// It failed with this code, nothing on stdout and one sentence on stderr that has these words.
    #[track_caller]
    pub fn refused(&self, code: i32, words: &[&str]) {
        let Self { code: found, out, err } = self;
        assert_eq!((*found, out.as_str()), (code, ""), "{err}");
        let sentence = err.strip_prefix("error: ").and_then(|rest| rest.strip_suffix('\n'));
        assert!(sentence.is_some_and(|s| !s.contains('\n')), "not one sentence: {err}");
        for word in words {
            assert!(err.contains(word), "no `{word}` in {err}");
        }
    }

    /// It went well and had nothing to complain of.
    #[track_caller]
    pub fn went_well(&self) {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{}", self.out);
    }
}

/// A file with this text; folders are made.
pub fn write(path: &Path, text: &str) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    path.to_owned()
}

/// Names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}
