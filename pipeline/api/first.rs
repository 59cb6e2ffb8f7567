//! The first admin: there is no default password, and nobody can log in before somebody who owns the data has seen one.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::password::{generate, hash};
use super::store::audit::{self, Entry};
use super::store::user::{self, NewUser};
use super::store::{Store, StoreError};
use crate::config::plan::Role;

/// Name of the first admin.
pub(super) const NAME: &str = "admin";
/// File of the first password in the data directory; only its owner can read it.
const FILE: &str = "admin-password";

/// How the first admin gets in.
#[derive(Debug, PartialEq, Eq)]
pub enum First {
    /// Somebody has logged in before.
    Known,
    /// With this password, to be shown and kept nowhere.
    Password(String),
    /// With the password in this file.
    InFile(PathBuf),
}

/// Makes the first admin when there are no users. Until that one has chosen a password, each start that can show one
/// makes another, because the last one may not have been seen. `shown`: whoever starts sees what is printed.
pub fn first_admin(store: &Store, data: &Path, shown: bool) -> Result<First, StoreError> {
    let users = store.read(user::list)?;
    let path = data.join(FILE);
    let is_untouched = |u: &user::User| u.name == NAME && u.must_change && u.password_at == u.created_at;
    match users.as_slice() {
        [] => {}
        [admin] if is_untouched(admin) && admin.last_login.is_none() => {
            if !shown && path.exists() {
                return Ok(First::InFile(path));
            }
        }
        _ => return Ok(First::Known),
    }
    let password = generate()?;
    // The file first: a user whose password nobody has would lock everybody out.
    if !shown {
        write(&path, &password).map_err(|e| StoreError::File { path: path.clone(), reason: e.to_string() })?;
    }
    let new = NewUser { name: NAME.into(), role: Role::Admin, hash: hash(&password)?, must_change: true };
    store.write(|tx| {
        let now = jiff::Timestamp::now();
        tx.execute("DELETE FROM user WHERE name = ?1", [NAME])?;
        user::add(tx, &new, now)?;
        audit::insert(tx, &Entry::new("command", "user.add").to(NAME), now)
    })?;
    if shown {
        forget(data);
        return Ok(First::Password(password));
    }
    Ok(First::InFile(path))
}

/// Removes the file of the first password: it is good no more.
pub(super) fn forget(data: &Path) {
    let path = data.join(FILE);
    if let Err(error) = std::fs::remove_file(&path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "the file of the first password cannot be removed");
    }
}

/// Never to be read by others, not even for a moment.
fn write(path: &Path, password: &str) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{password}")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_password_is_in_a_file_for_its_owner_alone_or_shown() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(first_admin(&store, folder.path(), false).unwrap(), First::InFile(path.clone()));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let written = std::fs::read_to_string(&path).unwrap();
        let kept = store.read(|c| user::hash(c, NAME)).unwrap();
        assert_eq!(first_admin(&store, folder.path(), false).unwrap(), First::InFile(path.clone()));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), written, "it is still good");
        assert_eq!(store.read(|c| user::hash(c, NAME)).unwrap(), kept);
        let First::Password(shown) = first_admin(&store, folder.path(), true).unwrap() else { panic!("not shown") };
        assert!(shown != written.trim() && !path.exists());
        store.write(|tx| user::logged_in(tx, NAME, jiff::Timestamp::now())).unwrap();
        assert_eq!(first_admin(&store, folder.path(), true).unwrap(), First::Known);
        let user = store.read(|c| user::find(c, NAME)).unwrap().unwrap();
        assert!(user.must_change && user.role == Role::Admin);
    }
}
