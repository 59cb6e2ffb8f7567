//! Camera to frame: libav source, OpenCV source, time line, freshest slot, supervisor.

use crate::types::Frame;

/// Gives pictures; blocking, on a thread of its own.
pub trait Source: Send {
    /// The next decoded picture. [`SourceError::End`] at the end of a file.
    fn next(&mut self) -> Result<Frame, SourceError>;
}

/// Why there is no next picture.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// End of the file.
    #[error("end of the stream")]
    End,
}
