//! `lookout models fetch`: writes beside, checks, renames.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::ProgressBar;
use sha2::{Digest, Sha256};

use super::ModelsError;
use lookout::detect::Entry;

/// Larger files are refused: no detector that runs in time is near this.
const MOST_BYTES: u64 = 4 << 30;

pub(super) fn run(entry: &Entry, out: &mut dyn Write) -> Result<(), ModelsError> {
    if entry.verify().is_ok() {
        return Ok(writeln!(out, "{} is here and whole", entry.path.display())?);
    }
    let url = entry.url.as_deref().ok_or_else(|| ModelsError::NoAddress(entry.id.clone()))?;
    let part = Part::beside(&entry.path);
    let found = download(url, &part.0)?;
    if found != entry.sha256 {
        return Err(ModelsError::OtherFile { url: url.to_owned(), found, wanted: entry.sha256.clone() });
    }
    std::fs::rename(&part.0, &entry.path).map_err(|source| ModelsError::Write { path: entry.path.clone(), source })?;
    Ok(writeln!(out, "{} fetched", entry.path.display())?)
}

/// A file that is removed unless it was renamed.
struct Part(PathBuf);

impl Part {
    fn beside(path: &Path) -> Self {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        Self(path.with_file_name(name))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.0.exists()
            && let Err(error) = std::fs::remove_file(&self.0)
        {
            tracing::warn!(path = %self.0.display(), %error, "cannot remove a partial download");
        }
    }
}

/// Returns the SHA-256 of what was written.
fn download(url: &str, to: &Path) -> Result<String, ModelsError> {
    let broken = |error: &dyn std::fmt::Display| ModelsError::Fetch { url: url.to_owned(), reason: error.to_string() };
    let unwritable = |source| ModelsError::Write { path: to.to_owned(), source };
    // Fails only where a provider is installed already.
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(15))
            .read_timeout(Duration::from_secs(60))
            .build()
            .map_err(|error| broken(&error))?;
        let response = client.get(url).send().await.and_then(reqwest::Response::error_for_status);
        let mut response = response.map_err(|error| broken(&causes(&error)))?;
        let bar = ProgressBar::new(response.content_length().unwrap_or(0));
        let mut file = File::create(to).map_err(unwritable)?;
        let (mut hash, mut length) = (Sha256::new(), 0);
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(&causes(&error)))? {
            length += chunk.len() as u64;
            if length > MOST_BYTES {
                return Err(broken(&"it is larger than 4 GiB"));
            }
            hash.update(&chunk);
            file.write_all(&chunk).map_err(unwritable)?;
            bar.set_position(length);
        }
        file.sync_all().map_err(unwritable)?;
        bar.finish_and_clear();
        Ok(hex::encode(hash.finalize()))
    })
}

/// An error with what caused it: reqwest's own text leaves out the reason.
fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;

    use super::*;
    use lookout::detect::Catalog;

    /// A catalog with one model that is not there, and a server that gives `body` once.
    fn setting(body: &'static str, status: &'static str, sha256: &str) -> (tempfile::TempDir, Entry) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
                .unwrap();
        });
        let dir = tempfile::tempdir().unwrap();
        let shipped = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/models/catalog.toml")).unwrap();
        let line = |key: &str, value: &str| {
            let old = shipped.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
            (old.to_owned(), format!("{key} = \"{value}\""))
        };
        let mut text = format!("{shipped}\nurl = \"http://{address}/model\"\n");
        for (old, new) in [line("sha256", sha256), line("file", "m.onnx")] {
            text = text.replace(&old, &new);
        }
        std::fs::write(dir.path().join("catalog.toml"), text).unwrap();
        let entry = Catalog::load(dir.path()).unwrap().default_entry().clone();
        (dir, entry)
    }

    fn files(dir: &tempfile::TempDir) -> Vec<String> {
        let names = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_right_file_is_put_in_place_once() {
        let (dir, entry) = setting("abc", "200 OK", ABC);
        run(&entry, &mut Vec::new()).unwrap();
        assert_eq!(files(&dir), ["catalog.toml", "m.onnx"]);
        assert_eq!(std::fs::read_to_string(&entry.path).unwrap(), "abc");
        // The server answers only once: a second fetch asks nobody.
        run(&entry, &mut Vec::new()).unwrap();
    }

    #[test]
    fn another_file_or_an_error_leaves_nothing() {
        let (dir, entry) = setting("abd", "200 OK", ABC);
        let error = run(&entry, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, ModelsError::OtherFile { .. }), "{error}");
        assert_eq!(files(&dir), ["catalog.toml"]);

        let (dir, entry) = setting("", "404 Not Found", ABC);
        let error = run(&entry, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, ModelsError::Fetch { .. }) && error.to_string().contains("404"), "{error}");
        assert_eq!(files(&dir), ["catalog.toml"]);
    }
}
