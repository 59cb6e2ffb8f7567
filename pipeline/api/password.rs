//! Passwords: hashed slowly, beside the async threads, few at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use super::Problem;
use super::store::{StoreError, random};

/// Fewest characters of a password that somebody chooses.
const SHORTEST: usize = 12;
/// Most bytes: a longer one is no password.
const LONGEST: usize = 256;
/// Argon2id with OWASP's first choice (Password Storage Cheat Sheet): KiB of memory, passes, lanes.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Hashes at the same time: each takes 19 MiB and a core for some ten milliseconds.
const AT_ONCE: usize = 2;
/// Logins that wait for their turn, at most.
const MOST_WAITING: usize = 32;
/// Letters and digits that nobody takes for another one: 32, so that a byte's low five bits choose evenly.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Hashes and verifies passwords for the server.
pub(super) struct Hasher {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// Verified when there is no such user, so that the answer takes as long.
    nobody: String,
}

impl Hasher {
    pub(super) fn new() -> Result<Self, StoreError> {
        Ok(Self { turns: Arc::new(Semaphore::new(AT_ONCE)), waiting: AtomicUsize::new(0), nobody: hash(&generate()?)? })
    }

    /// Whether a password is the one that was hashed. Without a hash the answer is no, after the same work.
    pub(super) async fn verify(self: &Arc<Self>, password: String, hash: Option<String>) -> Result<bool, Problem> {
        let hasher = Arc::clone(self);
        self.work(move || {
            let is_right = verify(&password, hash.as_ref().unwrap_or(&hasher.nobody));
            is_right && hash.is_some()
        })
        .await
    }

    /// The hash of a password.
    pub(super) async fn hash(&self, password: String) -> Result<String, Problem> {
        self.work(move || hash(&password)).await?.map_err(|error| Problem::store(&error))
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let busy = || Problem::unavailable("too many logins at once; try again").retry_after(2);
        let more = |n: usize| (n < MOST_WAITING).then_some(n + 1);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).map_err(|_| busy())?;
        let place = Place(&self.waiting);
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| busy())?;
        drop(place);
        // The work goes on when the client has gone: its turn ends with the work.
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|_| busy())
    }
}

/// A place in the queue; given back also when the client goes away.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The hash of a password with a salt of its own, in PHC form; slow by intent.
pub fn hash(password: &str) -> Result<String, StoreError> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(|e| StoreError::Hash(e.to_string()))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password_with_salt(password.as_bytes(), &random::<16>()?);
    Ok(hash.map_err(|e| StoreError::Hash(e.to_string()))?.to_string())
}

/// Compared in constant time; the cost stands in the hash.
fn verify(password: &str, hash: &str) -> bool {
    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

/// A password of 100 random bits in four groups, easy to copy by hand.
pub fn generate() -> Result<String, StoreError> {
    let letters = random::<20>()?.map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    let groups: Vec<String> = letters.chunks(5).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}

/// Whether somebody may choose this password. Length is what counts; rules about characters make worse ones.
pub fn check(password: &str, name: &str) -> Result<(), String> {
    if password.chars().count() < SHORTEST {
        return Err(format!("a password has at least {SHORTEST} characters"));
    }
    if password.len() > LONGEST {
        return Err(format!("a password has at most {LONGEST} bytes"));
    }
    let mut distinct: Vec<char> = password.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 5 || password.to_lowercase().trim() == name.to_lowercase() {
        return Err("this password is too easy to guess".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_argon2id_salted_and_fits_its_password_alone() {
        let [one, two] = [hash("correct horse").unwrap(), hash("correct horse").unwrap()];
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && one != two, "{one}");
        assert!(verify("correct horse", &one) && verify("correct horse", &two));
        assert!(!verify("correct horsf", &one) && !verify("", &one) && !verify("correct horse", "no hash"));
    }

    #[test]
    fn generated_passwords_differ_and_may_be_chosen() {
        let [one, two] = [generate().unwrap(), generate().unwrap()];
        assert!(one != two && one.len() == 23 && check(&one, "admin").is_ok(), "{one}");
    }

    #[test]
    fn easy_passwords_are_refused() {
        for (password, word) in [
            ("", "at least 12"),
            ("short", "at least 12"),
            ("aaaaaaaaaaaaaaaa", "easy"),
            ("Administrator", "easy"),
            (&"长".repeat(100), "at most 256 bytes"),
        ] {
            let said = check(password, "administrator").unwrap_err();
            assert!(said.contains(word), "{password}: {said}");
        }
        assert_eq!(check("正确的马电池订书钉一二三", "admin"), Ok(()));
    }

    #[tokio::test]
    async fn too_many_at_once_are_sent_away() {
        let hasher = Arc::new(Hasher::new().unwrap());
        let right = hash("correct horse").unwrap();
        let verify = |password: &str, hash: Option<&String>| {
            let (hasher, password, hash) = (Arc::clone(&hasher), password.to_owned(), hash.cloned());
            async move { hasher.verify(password, hash).await }
        };
        assert!(verify("correct horse", Some(&right)).await.unwrap());
        assert!(!verify("correct horse", None).await.unwrap(), "nobody has this password");
        let turns = hasher.turns.acquire_many(2).await.unwrap();
        let mut waiting: Vec<_> = (0..MOST_WAITING).map(|_| tokio::spawn(verify("x", None))).collect();
        while hasher.waiting.load(Ordering::Relaxed) < MOST_WAITING {
            tokio::task::yield_now().await;
        }
        assert!(verify("x", None).await.is_err(), "no place");
        waiting.truncate(2);
        drop(turns);
        for one in waiting {
            assert!(!one.await.unwrap().unwrap());
        }
    }
}
