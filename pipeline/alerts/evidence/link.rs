//! Addresses of evidence that expire: receivers get a link, not the bytes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::{CLIP, Still};
use crate::types::{AlertId, Event, Links, MediaState, Span};

/// Name of the key's file in the data directory; only its owner can read it.
pub const KEY_FILE: &str = "evidence.key";

/// Signs and checks links with a key that never leaves the data directory.
#[derive(Clone)]
pub struct Linker {
    key: hmac::Key,
    base: Option<String>,
    good_for: Span,
}

/// A link that opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Of another key, alert, name or time.
    #[error("the link's signature is wrong")]
    Wrong,
    /// Once it was good.
    #[error("the link has expired; the alert's newest event carries no newer one, ask the operator")]
    Expired,
}

impl Linker {
    /// Reads the key or makes one. `base` is the address of this server as receivers reach it; without one there are no
    /// links.
    pub fn open(data: &Path, base: Option<&str>, good_for: Span) -> io::Result<Self> {
        let base = base.map(|b| b.trim_end_matches('/').to_owned());
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key(&data.join(KEY_FILE))?);
        Ok(Self { key, base, good_for })
    }

    /// Address of this server as receivers reach it.
    pub fn base(&self) -> Option<&str> {
        self.base.as_deref()
    }

    /// Puts the addresses of the files that are ready into an event that is about to leave: of stills, the newest.
    pub fn attach(&self, event: &mut Event, now: jiff::Timestamp) {
        let Some(alert) = event.alert else { return };
        let link = |state: MediaState, name: &str| {
            if state == MediaState::Ready { self.link(alert, name, now) } else { None }
        };
        let still = event.evidence.escalated.map_or(Still::Start, Still::Escalated);
        let (picture, clip) = (link(event.evidence.picture, still.name()), link(event.evidence.clip, CLIP));
        event.links = (picture.is_some() || clip.is_some()).then_some(Links { picture, clip });
    }

    /// The address of a file, good from `now` on for as long as the configuration says.
    pub fn link(&self, alert: AlertId, name: &str, now: jiff::Timestamp) -> Option<String> {
        let expires = now.as_second().saturating_add(self.good_for.nanos() / 1_000_000_000);
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, message(alert, name, expires).as_bytes()));
        let base = self.base.as_ref()?;
        Some(format!("{base}/api/v1/alerts/{alert}/evidence/{name}?expires={expires}&signature={signature}"))
    }

    /// Whether a link's parts are as this server made them, and still good at `now`.
    pub fn check(
        &self,
        alert: AlertId,
        name: &str,
        expires: i64,
        signature: &str,
        now: jiff::Timestamp,
    ) -> Result<(), LinkError> {
        let given = URL_SAFE_NO_PAD.decode(signature).map_err(|_| LinkError::Wrong)?;
        hmac::verify(&self.key, message(alert, name, expires).as_bytes(), &given).map_err(|_| LinkError::Wrong)?;
        if now.as_second() > expires { Err(LinkError::Expired) } else { Ok(()) }
    }
}

fn message(alert: AlertId, name: &str, expires: i64) -> String {
    // A line feed is in none of the parts.
    format!("{alert}\n{name}\n{expires}")
}

fn key(path: &Path) -> io::Result<[u8; 32]> {
    match fs::read(path) {
        Ok(bytes) => {
            let wrong = || io::Error::new(io::ErrorKind::InvalidData, "not 32 bytes; delete it to make a new key");
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
            bytes.try_into().map_err(|_| wrong())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut key = [0; 32];
            SystemRandom::new().fill(&mut key).map_err(|_| io::Error::other("the system gives no random numbers"))?;
            let part = path.with_extension("part");
            fs::remove_file(&part).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
            let mut file = File::options().write(true).create_new(true).mode(0o600).open(&part)?;
            file.write_all(&key)?;
            file.sync_all()?;
            fs::rename(&part, path)?;
            Ok(key)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(link: &str) -> (i64, String) {
        let query = link.split_once("?expires=").unwrap().1;
        let (expires, signature) = query.split_once("&signature=").unwrap();
        (expires.parse().unwrap(), signature.to_owned())
    }

    #[test]
    fn a_link_opens_its_file_until_it_expires() {
        let dir = tempfile::tempdir().unwrap();
        let linker = Linker::open(dir.path(), Some("https://lookout.example/"), Span::from_secs(60)).unwrap();
        let now: jiff::Timestamp = "2026-11-24T03:00:00Z".parse().unwrap();
        let later = now.checked_add(jiff::SignedDuration::from_secs(61)).unwrap();
        let alert = AlertId([3; 16]);
        let link = linker.link(alert, "start.jpg", now).unwrap();
        assert!(
            link.starts_with(&format!("https://lookout.example/api/v1/alerts/{alert}/evidence/start.jpg?")),
            "{link}"
        );
        let (expires, signature) = parts(&link);
        assert_eq!(linker.check(alert, "start.jpg", expires, &signature, now), Ok(()));
        assert_eq!(linker.check(alert, "start.jpg", expires, &signature, later), Err(LinkError::Expired));
        for (alert, name, expires, signature) in [
            (AlertId([4; 16]), "start.jpg", expires, signature.as_str()),
            (alert, "clip.mp4", expires, &signature),
            (alert, "start.jpg", expires + 1, &signature),
            (alert, "start.jpg", expires, "AAAA"),
            (alert, "start.jpg", expires, "not base64!"),
        ] {
            assert_eq!(linker.check(alert, name, expires, signature, now), Err(LinkError::Wrong));
        }
        // The key stays, readable for its owner alone; another directory has another one.
        let again = Linker::open(dir.path(), None, Span::from_secs(60)).unwrap();
        assert_eq!(again.check(alert, "start.jpg", expires, &signature, now), Ok(()));
        assert_eq!(again.link(alert, "start.jpg", now), None);
        assert_eq!(fs::metadata(dir.path().join(KEY_FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        let other = tempfile::tempdir().unwrap();
        let other = Linker::open(other.path(), None, Span::from_secs(60)).unwrap();
        assert_eq!(other.check(alert, "start.jpg", expires, &signature, now), Err(LinkError::Wrong));
    }
}
