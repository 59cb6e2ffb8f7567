//! Why an edit was not taken.

use std::path::PathBuf;

use crate::config::ConfigError;

/// An edit that was not taken: the file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// No camera has this id.
    #[error("there is no camera `{0}`")]
    Unknown(String),
    /// The file is another than the one that was edited. Read it and try again.
    #[error("the file has changed meanwhile")]
    Stale,
    /// The new text is wrong. Not worth a retry.
    #[error(transparent)]
    Refused(#[from] ConfigError),
    /// The file cannot be read. A retry may help.
    #[error("{0}")]
    Unreadable(ConfigError),
    /// The file cannot be written. A retry may help.
    #[error("{}: cannot be written: {source}", path.display())]
    Unwritable {
        /// Where.
        path: PathBuf,
        /// In the system's words.
        source: std::io::Error,
    },
    /// There is such a camera already, or a file of its name.
    #[error("there is a camera or a file `{0}` already")]
    Exists(String),
    /// Cameras neither come nor go before those of the start have begun. A retry helps.
    #[error("the cameras have not begun yet")]
    NotYet,
    /// It could not be noted down. A retry may help.
    #[error("the edit cannot be noted down: {0}")]
    Unrecorded(String),
}
