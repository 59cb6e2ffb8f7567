//! What can go wrong with the journal, and whether to try again.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the journal did not take or give something.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process appends to the same directory.
    #[error("{data}: another lookout is running on this data directory", data = data.display())]
    InUse {
        /// The directory.
        data: PathBuf,
    },
    /// There is none.
    #[error("{path}: there is no journal yet; `lookout run` makes it", path = path.display())]
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
    /// Written by a newer version.
    #[error("{path}: the journal has format {found}, this version knows {known}", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its `user_version`.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Written by an older version; readers change nothing.
    #[error(
        "{path}: the journal has format {found}, this version knows {known}; `lookout run` brings it up to date",
        path = path.display()
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Its `user_version`.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The disk is full.
    #[error("the disk that holds the journal is full")]
    Full,
    /// The disk is read-only.
    #[error("the journal cannot be written: its disk or file is read-only")]
    ReadOnly,
    /// Another process holds the write lock for long.
    #[error("the journal is locked by another process")]
    Busy,
    /// The file is damaged.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    /// A file operation failed.
    #[error("{path}: {reason}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// In the system's words.
        reason: String,
    },
    /// An event that is not JSON.
    #[error("an event of the journal cannot be read: {0}")]
    Event(#[from] serde_json::Error),
    /// The system gives no random numbers for a token.
    #[error("the system gives no random numbers")]
    Random,
    /// Anything else that SQLite says.
    #[error("journal: {0}")]
    Sqlite(rusqlite::Error),
}

impl JournalError {
    /// Whether the same call may succeed later without anybody changing the program or the file: a disk can be freed or
    /// mounted again, a lock is given back.
    pub fn retry(&self) -> bool {
        match self {
            Self::Full | Self::ReadOnly | Self::Busy | Self::File { .. } | Self::Random => true,
            Self::Sqlite(e) => matches!(
                e.sqlite_error_code(),
                Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::OutOfMemory)
            ),
            Self::InUse { .. }
            | Self::Missing { .. }
            | Self::Newer { .. }
            | Self::Older { .. }
            | Self::Damaged(_)
            | Self::Event(_) => false,
        }
    }

    pub(super) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::File { path: path.to_owned(), reason: error.to_string() }
    }
}

impl From<rusqlite::Error> for JournalError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Sqlite(error),
        }
    }
}
