//! Where the models and the ONNX Runtime library are found, and the library loaded once a process.
//!
//! Both are looked for beside the executable, then under `$LOOKOUT_HOME`, then under the working directory. The library
//! is `runtime/libonnxruntime.so*` or `libonnxruntime.so*`, the newest version in a folder; `ORT_DYLIB_PATH` wins.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ort::LoadDynamicError;
use ort::environment::Environment;
use ort::logging::LogLevel;

use super::DetectError;

/// Name of the environment variable that names a library; ONNX Runtime's own bindings use it too.
pub const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";
/// Name of the environment variable with an installation's folder.
pub const HOME_VARIABLE: &str = "LOOKOUT_HOME";

const LIBRARY: &str = "libonnxruntime.so";

/// Folders in which an installation may be, in the order of search.
pub fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Some(beside) = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned())) {
        places.push(beside);
    }
    if let Some(home) = std::env::var_os(HOME_VARIABLE).filter(|home| !home.is_empty()) {
        places.push(home.into());
    }
    if let Ok(working) = std::env::current_dir() {
        places.push(working);
    }
    places.dedup();
    places
}

/// The first `models/` folder with a catalog.
pub fn models_dir() -> Result<PathBuf, DetectError> {
    let dirs: Vec<_> = places().into_iter().map(|place| place.join("models")).collect();
    dirs.iter()
        .find(|dir| dir.join(super::catalog::FILE).is_file())
        .cloned()
        .ok_or_else(|| DetectError::NoCatalog { looked: list(dirs.iter().map(|dir| dir.join(super::catalog::FILE))) })
}

/// The library that `environment` would load.
pub fn library() -> Result<PathBuf, DetectError> {
    if let Some(named) = std::env::var_os(LIBRARY_VARIABLE).filter(|named| !named.is_empty()) {
        return Ok(named.into());
    }
    library_in(&places())
}

fn library_in(places: &[PathBuf]) -> Result<PathBuf, DetectError> {
    let dirs: Vec<_> = places.iter().flat_map(|place| [place.join("runtime"), place.clone()]).collect();
    dirs.iter()
        .find_map(|dir| newest(dir))
        .ok_or_else(|| DetectError::NoRuntime { looked: list(dirs.iter().map(|dir| dir.join(format!("{LIBRARY}*")))) })
}

/// The library with the highest version in a folder; one without a version counts as the lowest.
fn newest(dir: &Path) -> Option<PathBuf> {
    let version = |path: &Path| -> Option<Vec<u32>> {
        let suffix = path.file_name()?.to_str()?.strip_prefix(LIBRARY)?;
        let parts = suffix.split('.').skip(1).map(|part| part.parse().ok());
        (suffix.is_empty() || suffix.starts_with('.')).then(|| parts.collect::<Option<Vec<u32>>>())?
    };
    let files = std::fs::read_dir(dir).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    files
        .filter_map(|path| Some((version(&path)?, path)))
        .filter(|(_, path)| path.is_file())
        .max()
        .map(|(_, path)| path)
}

fn list(paths: impl Iterator<Item = PathBuf>) -> String {
    paths.map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// ONNX Runtime, loaded at the first call from [`library`]; later calls share it.
pub fn environment() -> Result<Environment, DetectError> {
    // One environment a process is all that ort allows. A failed attempt leaves nothing behind and may be repeated.
    static LOADED: Mutex<Option<Environment>> = Mutex::new(None);
    let mut loaded = LOADED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(environment) = &*loaded {
        return Ok(environment.clone());
    }
    let path = library()?;
    let bad = |reason: String| DetectError::BadRuntime { path: path.clone(), reason };
    let builder = ort::init_from(&path).map_err(|error| bad(load_reason(error)))?;
    let environment =
        builder.with_name("lookout").with_telemetry(false).build().map_err(|error| bad(one_line(error.message())))?;
    environment.set_log_level(LogLevel::Warning);
    tracing::info!(library = %path.display(), "ONNX Runtime loaded");
    Ok(loaded.insert(environment).clone())
}

fn load_reason(error: LoadDynamicError) -> String {
    match error {
        LoadDynamicError::Dlopen { error, .. } => one_line(&error.to_string()),
        LoadDynamicError::MissingApi { .. } => "it is another library".to_owned(),
        LoadDynamicError::InvalidVersionString => "it does not tell its version".to_owned(),
        LoadDynamicError::BadVersion { version_str, .. } => {
            format!("its version is {version_str}, too old; 1.{} or newer is needed", ort::MINOR_VERSION)
        }
    }
}

/// ONNX Runtime's messages may go over several lines; ours are sentences.
pub(super) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_library_of_the_first_place_wins() {
        let [first, second] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let places = [first.path().to_owned(), second.path().to_owned()];
        let missing = library_in(&places).unwrap_err().to_string();
        assert!(missing.contains("scripts/setup-runtime"), "{missing}");

        let touch = |path: PathBuf| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            path
        };
        let elsewhere = touch(second.path().join("runtime/libonnxruntime.so.1.99.0"));
        assert_eq!(library_in(&places).unwrap(), elsewhere);
        touch(first.path().join("libonnxruntime.so"));
        touch(first.path().join("libonnxruntime.so.1.9.1"));
        touch(first.path().join("libonnxruntime.so.1.32.0.part"));
        touch(first.path().join("libonnxruntime_providers_shared.so"));
        let ten = touch(first.path().join("libonnxruntime.so.1.10.0"));
        assert_eq!(library_in(&places).unwrap(), ten);
    }
}
