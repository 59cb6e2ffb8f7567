//! A copy of a site's data that belongs together, taken while the site runs: databases as of one moment each, and
//! everything else beside them. To restore it is to put it where the data were.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// What a copy has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Databases, each found whole.
    pub databases: usize,
    /// Other files.
    pub files: usize,
    /// Bytes of all.
    pub bytes: u64,
}

/// A copy could not be made; nothing is left of it. A retry may help, but for [`Self::Taken`] and [`Self::Missing`].
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something is there already.
    #[error("{}: is there already; a copy is not written over anything", .0.display())]
    Taken(PathBuf),
    /// There is no data directory.
    #[error("{}: there are no data", .0.display())]
    Missing(PathBuf),
    /// Below the data themselves it would copy itself.
    #[error("{}: lies in the data themselves", .0.display())]
    Inside(PathBuf),
    /// The file system.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// In the system's words.
        source: io::Error,
    },
    /// A database could not be copied.
    #[error("{}: {source}", path.display())]
    Database {
        /// Which.
        path: PathBuf,
        /// In SQLite's words.
        source: rusqlite::Error,
    },
    /// The copy of a database is not whole.
    #[error("{}: the copy is damaged: {found}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What SQLite found.
        found: String,
    },
}

impl BackupError {
    /// Whether the same call may succeed later.
    pub const fn retry(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::Database { .. })
    }
}

/// How a file of SQLite begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Belong to a running process, or to a database that is copied by itself.
const LEFT_OUT: [&str; 6] = ["-wal", "-shm", "-journal", ".lock", ".part", ".new"];
/// Pictures and people's ways: large, and the journal does without.
const MEDIA: [&str; 2] = ["evidence", "trails"];
/// How long to wait for somebody who writes.
const BUSY: Duration = Duration::from_secs(10);

/// Copies the data of a site to a folder that is not there yet; with `media` also evidence and trails.
///
/// Databases come first: what they say is there was there, unless it was deleted for its age meanwhile.
pub fn backup(data: &Path, to: &Path, media: bool) -> Result<Copied, BackupError> {
    if !data.is_dir() {
        return Err(BackupError::Missing(data.to_owned()));
    }
    if fs::symlink_metadata(to).is_ok() {
        return Err(BackupError::Taken(to.to_owned()));
    }
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|e| failed(parent, e))?;
    let real = |path: &Path| fs::canonicalize(path).map_err(|e| failed(path, e));
    if real(parent)?.starts_with(real(data)?) {
        return Err(BackupError::Inside(to.to_owned()));
    }
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    if fs::symlink_metadata(&part).is_ok() {
        return Err(BackupError::Taken(part));
    }
    let done = copy_into(data, &part, media)
        .and_then(|copied| fs::rename(&part, to).map(|()| copied).map_err(|e| failed(to, e)));
    if done.is_err() {
        // What cannot be taken away has no name that anybody would restore.
        fs::remove_dir_all(&part).ok();
    }
    done
}

fn copy_into(data: &Path, part: &Path, media: bool) -> Result<Copied, BackupError> {
    let mut copied = Copied::default();
    let (mut databases, mut others) = (Vec::new(), Vec::new());
    find(data, Path::new(""), media, &mut databases, &mut others)?;
    fs::create_dir_all(part).map_err(|e| failed(part, e))?;
    same_mode(data, part)?;
    for name in databases {
        let (from, to) = (data.join(&name), part.join(&name));
        make_parent(data, part, &name)?;
        copy_database(&from, &to)?;
        same_mode(&from, &to)?;
        copied.databases += 1;
        copied.bytes += sync(&to)?;
    }
    for name in others {
        let (from, to) = (data.join(&name), part.join(&name));
        make_parent(data, part, &name)?;
        match fs::copy(&from, &to) {
            Ok(_) => {}
            // Deleted for its age since it was found.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !from.exists() => continue,
            Err(error) => return Err(failed(&from, error)),
        }
        copied.files += 1;
        copied.bytes += sync(&to)?;
    }
    Ok(copied)
}

/// Files below the data by their names there, in order.
fn find(
    data: &Path,
    below: &Path,
    media: bool,
    databases: &mut Vec<PathBuf>,
    others: &mut Vec<PathBuf>,
) -> Result<(), BackupError> {
    let folder = data.join(below);
    let mut entries = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|e| failed(&folder, e))? {
        entries.push(entry.map_err(|e| failed(&folder, e))?);
    }
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (name, path) = (below.join(entry.file_name()), entry.path());
        let kind = entry.file_type().map_err(|e| failed(&path, e))?;
        let text = entry.file_name().to_string_lossy().into_owned();
        if kind.is_dir() {
            if media || !(below.as_os_str().is_empty() && MEDIA.contains(&text.as_str())) {
                find(data, &name, media, databases, others)?;
            }
        } else if kind.is_file() && !LEFT_OUT.iter().any(|ending| text.ends_with(ending)) {
            if is_database(&path) { databases.push(name) } else { others.push(name) }
        }
    }
    Ok(())
}

fn is_database(path: &Path) -> bool {
    let mut head = [0; MAGIC.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == *MAGIC
}

/// As of one moment, whoever writes meanwhile; the copy is looked through.
fn copy_database(from: &Path, to: &Path) -> Result<(), BackupError> {
    let wrong = |path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::Database { path, source }
    };
    // Not made where there is none; a reader of a database with a write-ahead log writes its index.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags).map_err(wrong(from))?;
    source.busy_timeout(BUSY).map_err(wrong(from))?;
    source.execute("VACUUM INTO ?1", [to.to_string_lossy()]).map_err(wrong(from))?;
    let copy = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(wrong(to))?;
    let found: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(wrong(to))?;
    if found == "ok" { Ok(()) } else { Err(BackupError::Damaged { path: to.to_owned(), found }) }
}

fn make_parent(data: &Path, part: &Path, name: &Path) -> Result<(), BackupError> {
    let Some(parent) = name.parent().filter(|parent| !parent.as_os_str().is_empty()) else { return Ok(()) };
    let folder = part.join(parent);
    if !folder.exists() {
        fs::create_dir_all(&folder).map_err(|e| failed(&folder, e))?;
        same_mode(&data.join(parent), &folder)?;
    }
    Ok(())
}

fn same_mode(from: &Path, to: &Path) -> Result<(), BackupError> {
    let permissions = fs::metadata(from).map_err(|e| failed(from, e))?.permissions();
    fs::set_permissions(to, permissions).map_err(|e| failed(to, e))
}

/// Its length, once it is on disk.
fn sync(path: &Path) -> Result<u64, BackupError> {
    let file = File::open(path).map_err(|e| failed(path, e))?;
    file.sync_all().map_err(|e| failed(path, e))?;
    Ok(file.metadata().map_err(|e| failed(path, e))?.len())
}

fn failed(path: &Path, source: io::Error) -> BackupError {
    BackupError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn site() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir_all(data.join("evidence/2026-11-24")).unwrap();
        fs::create_dir_all(data.join("ground")).unwrap();
        let database = Connection::open(data.join("lookout.db")).unwrap();
        database.pragma_update(None, "journal_mode", "WAL").unwrap();
        database.execute_batch("CREATE TABLE a (b INTEGER) STRICT; PRAGMA user_version = 6;").unwrap();
        database.execute("INSERT INTO a VALUES (7)", []).unwrap();
        fs::set_permissions(data.join("lookout.db"), PermissionsExt::from_mode(0o600)).unwrap();
        for name in
            ["evidence.key", "lookout.lock", "ground/yard.json", "ground/yard.json.part", "evidence/2026-11-24/a"]
        {
            fs::write(data.join(name), name).unwrap();
        }
        folder
    }

    #[test]
    fn what_belongs_together_is_copied_and_nothing_else() {
        let site = site();
        let (data, to) = (site.path().join("data"), site.path().join("copies/monday"));
        // A transaction that is not over is not in it, one that is in the log alone is.
        let mut writer = Connection::open(data.join("lookout.db")).unwrap();
        writer.execute("INSERT INTO a VALUES (8)", []).unwrap();
        let open = writer.transaction().unwrap();
        open.execute("INSERT INTO a VALUES (9)", []).unwrap();
        let copied = backup(&data, &to, true).unwrap();
        assert_eq!((copied.databases, copied.files), (1, 3), "{copied:?}");
        let copy = Connection::open(to.join("lookout.db")).unwrap();
        let (sum, version): (i64, i64) = copy
            .query_row("SELECT sum(b), (SELECT user_version FROM pragma_user_version) FROM a", [], |r| {
                Ok((r.get(0)?, r.get(1)?))
            })
            .unwrap();
        assert_eq!((sum, version), (15, 6));
        assert_eq!(fs::metadata(to.join("lookout.db")).unwrap().permissions().mode() & 0o777, 0o600);
        for (name, there) in [("evidence.key", true), ("ground/yard.json", true), ("evidence/2026-11-24/a", true)]
            .into_iter()
            .chain(["lookout.lock", "ground/yard.json.part", "lookout.db-wal"].map(|name| (name, false)))
        {
            // The connection above may have made a log of its own.
            assert!(name.ends_with("-wal") || to.join(name).exists() == there, "{name}");
        }
    }

    #[test]
    fn without_media_it_is_small_and_nothing_is_written_over() {
        let site = site();
        let (data, to) = (site.path().join("data"), site.path().join("copy"));
        backup(&data, &to, false).unwrap();
        assert!(to.join("lookout.db").exists() && !to.join("evidence").exists() && to.join("evidence.key").exists());
        assert!(matches!(backup(&data, &to, false), Err(BackupError::Taken(_))));
        assert!(matches!(backup(&data, &data.join("copy"), false), Err(BackupError::Inside(_))));
        assert!(matches!(
            backup(&site.path().join("none"), &site.path().join("b"), true),
            Err(BackupError::Missing(_))
        ));
        assert!(!data.join("copy").exists() && !site.path().join("b").exists());
    }

    #[test]
    fn a_damaged_database_is_no_copy() {
        let site = site();
        let (data, to) = (site.path().join("data"), site.path().join("copy"));
        fs::write(data.join("numbers.sqlite"), [MAGIC.as_slice(), &[7; 4096]].concat()).unwrap();
        let error = backup(&data, &to, true).unwrap_err();
        assert!(matches!(&error, BackupError::Database { path, .. } if path.ends_with("numbers.sqlite")), "{error}");
        assert!(!to.exists() && !site.path().join("copy.part").exists());
    }
}
