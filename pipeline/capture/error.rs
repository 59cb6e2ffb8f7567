//! Why there is no next picture.

use std::time::Duration;

use crate::types::Size;

/// Why there is no next picture. `at` is a location without credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The last picture of a file was given.
    #[error("end of the stream")]
    End {
        /// The file breaks off before the end that it announces.
        truncated: bool,
    },
    /// The stop flag is set.
    #[error("stopped")]
    Stopped,
    /// No such file or device.
    #[error("{at}: there is no such file")]
    NotFound {
        /// Location.
        at: String,
    },
    /// A directory, a pipe, a name that libav cannot take.
    #[error("{at}: {why}")]
    NotAFile {
        /// Location.
        at: String,
        /// What it is instead.
        why: String,
    },
    /// The file may not be read.
    #[error("{at}: permission denied")]
    Denied {
        /// Location.
        at: String,
    },
    /// There is no picture in it.
    #[error("{at}: no video can be decoded: {why}")]
    Undecodable {
        /// Location.
        at: String,
        /// In the library's words.
        why: String,
    },
    /// A picture that no camera's would be: the memory of one is refused before it is asked for.
    #[error(
        "{at}: a picture of {size} is too large: at most {} pixels are taken",
        crate::capture::picture::MOST_PIXELS
    )]
    TooLarge {
        /// Location.
        at: String,
        /// What the stream announces.
        size: Size,
    },
    /// Nobody answers, or the answer is no.
    #[error("{at}: cannot connect: {why}")]
    Refused {
        /// Location.
        at: String,
        /// In the library's words.
        why: String,
    },
    /// User or password is missing or wrong.
    #[error("{at}: user or password is missing or wrong (set LOOKOUT_CAMERA_<ID>_USER and _PASSWORD)")]
    Unauthorized {
        /// Location.
        at: String,
    },
    /// The first connection took too long.
    #[error("{at}: no connection within {} s", .after.as_secs_f64())]
    ConnectTimeout {
        /// Location.
        at: String,
        /// The time-out.
        after: Duration,
    },
    /// Connected, but no picture for too long.
    #[error("{at}: no picture for {} s", .after.as_secs_f64())]
    Stalled {
        /// Location.
        at: String,
        /// The time-out.
        after: Duration,
    },
    /// The connection broke.
    #[error("{at}: connection lost: {why}")]
    Lost {
        /// Location.
        at: String,
        /// In the library's words.
        why: String,
    },
    /// Nothing but packets that do not decode.
    #[error("{at}: {packets} packets in a row did not decode")]
    Garbled {
        /// Location.
        at: String,
        /// How many.
        packets: u32,
    },
}

/// When another attempt may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Never.
    Never,
    /// Soon: first the shortest wait, then longer ones.
    Soon,
    /// Only after the longest wait: somebody has to change something, and cameras lock out who guesses passwords.
    Late,
}

impl SourceError {
    /// Whether and when to try again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::End { .. } | Self::Stopped => Retry::Never,
            Self::NotFound { .. }
            | Self::NotAFile { .. }
            | Self::Denied { .. }
            | Self::Undecodable { .. }
            | Self::TooLarge { .. }
            | Self::Unauthorized { .. } => Retry::Late,
            Self::Refused { .. }
            | Self::ConnectTimeout { .. }
            | Self::Stalled { .. }
            | Self::Lost { .. }
            | Self::Garbled { .. } => Retry::Soon,
        }
    }

    /// One of [`Self::REASONS`], for a metric label.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::End { .. } => "ended",
            Self::Stopped => "stopped",
            Self::NotFound { .. } | Self::NotAFile { .. } | Self::Denied { .. } => "unreadable",
            Self::Undecodable { .. } => "undecodable",
            Self::TooLarge { .. } => "too_large",
            Self::Refused { .. } => "refused",
            Self::Unauthorized { .. } => "unauthorized",
            Self::ConnectTimeout { .. } => "connect_timeout",
            Self::Stalled { .. } => "stalled",
            Self::Lost { .. } => "lost",
            Self::Garbled { .. } => "garbled",
        }
    }

    /// Every reason for which a camera can be opened again.
    pub const REASONS: [&'static str; 9] = [
        "unreadable",
        "undecodable",
        "too_large",
        "refused",
        "unauthorized",
        "connect_timeout",
        "stalled",
        "lost",
        "garbled",
    ];
}
