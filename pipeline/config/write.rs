//! Files that are replaced whole.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::path::Path;

/// Puts a text in the place of a file: whoever reads it, also after a power cut, sees the old one or the new one. Its
/// permissions stay, and a link goes on leading to it.
pub fn write_text(file: &Path, text: &str) -> io::Result<()> {
    let file = file.canonicalize()?;
    let permissions = fs::metadata(&file)?.permissions();
    write_beside(&file, text, Some(permissions))
}

/// Makes a file that is not there yet: whoever reads it sees all of its text or nothing. One that is there stays.
pub fn create_text(file: &Path, text: &str) -> io::Result<()> {
    if fs::symlink_metadata(file).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    write_beside(file, text, None)
}

/// Writes beside the file, then takes its place.
fn write_beside(file: &Path, text: &str, permissions: Option<Permissions>) -> io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = file.with_file_name(name);
    let write = || {
        let mut out = File::create(&beside)?;
        out.write_all(text.as_bytes())?;
        permissions.map_or(Ok(()), |permissions| out.set_permissions(permissions))?;
        out.sync_all()?;
        fs::rename(&beside, file)?;
        file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    let written = write();
    if written.is_err() {
        // The half of a text is nobody's; it may not even be there.
        fs::remove_file(&beside).ok();
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_stays_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.toml"), folder.path().join("b.toml"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        write_text(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside");
        assert!(write_text(&folder.path().join("none.toml"), "x").is_err());
        create_text(&folder.path().join("c.toml"), "first").unwrap();
        assert_eq!(create_text(&link, "x").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(create_text(&folder.path().join("none/c.toml"), "x").is_err());
        assert_eq!(fs::read_to_string(folder.path().join("c.toml")).unwrap(), "first");
        fs::remove_file(folder.path().join("c.toml")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside");
        // A folder is in the way: the file stays.
        fs::create_dir(folder.path().join("a.toml.new")).unwrap();
        assert!(write_text(&file, "newer").is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    }
}
