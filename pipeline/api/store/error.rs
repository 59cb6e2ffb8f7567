//! What can go wrong with the console's database, and whether to try again.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why the database did not take or give something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file operation failed.
    #[error("{path}: {reason}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// In the system's words.
        reason: String,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// A password could not be hashed.
    #[error("a password cannot be hashed: {0}")]
    Hash(String),
    /// Anything that SQLite says.
    #[error("the console's database: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl StoreError {
    /// Whether the same call may succeed later without anybody changing the program or the file.
    pub fn retry(&self) -> bool {
        match self {
            Self::File { .. } | Self::Random => true,
            Self::Hash(_) => false,
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                        | ErrorCode::DiskFull
                        | ErrorCode::ReadOnly
                        | ErrorCode::SystemIoFailure
                        | ErrorCode::CannotOpen
                        | ErrorCode::OutOfMemory
                )
            ),
        }
    }
}
