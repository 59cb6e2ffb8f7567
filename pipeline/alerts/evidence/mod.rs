//! Evidence: a still and a clip of each alert, made of redacted pictures alone.
//!
//! | file | what is there |
//! |---|---|
//! | `keeper` | one camera's last pictures, and what alerts want of them |
//! | [`store`] | files by alert: written whole or not at all, quota, retention, a record of what was deleted |
//! | [`link`] | addresses that expire |
//!
//! An alert never waits for its evidence: it is announced first, and an `evidence` event says when a file is ready.

mod keeper;
pub mod link;
pub mod store;

use std::sync::Arc;

pub use keeper::Keeper;

use super::overlay::Annotated;
use super::video::{Effort, VideoError, VideoWriter};
use crate::types::{AlertId, MediaTime, Size};

/// A redacted picture as JPEG.
#[derive(Clone, Debug)]
pub struct Shot {
    /// Its presentation time.
    pub time: MediaTime,
    /// The same in UTC.
    pub utc: jiff::Timestamp,
    /// Size in pixels.
    pub size: Size,
    /// The file.
    pub jpeg: Arc<[u8]>,
}

/// What is to be written for an alert.
#[derive(Debug)]
pub struct Job {
    /// The alert.
    pub alert: AlertId,
    /// UTC day on which it started: its folder.
    pub day: jiff::civil::Date,
    /// What to write.
    pub make: Make,
}

/// A file of evidence.
#[derive(Debug)]
pub enum Make {
    /// The still of this name; `None`: its picture never came.
    Still(&'static str, Option<Shot>),
    /// The pictures of the clip, oldest first; empty: none came.
    Clip(Vec<Shot>),
}

/// Folder of all files in the data directory.
pub const FOLDER: &str = "evidence";
/// Name of the first still's file.
pub const STILL: &str = "start.jpg";
/// Name of the clip's file.
pub const CLIP: &str = "clip.mp4";

/// A clip that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// One of its own pictures cannot be read back.
    #[error("a kept picture cannot be decoded: {0}")]
    Picture(#[from] image::ImageError),
    /// Encoder or file.
    #[error(transparent)]
    Video(#[from] VideoError),
}

/// Encodes pictures as an MP4 at `path` that begins with the first one. Pictures of another size than the last one are
/// left out: the camera changed its format meanwhile. `pause` is called before the work for each of them.
pub fn encode_clip(shots: &[Shot], path: &std::path::Path, mut pause: impl FnMut()) -> Result<(), ClipError> {
    let (Some(first), Some(last)) = (shots.first(), shots.last()) else { return Ok(()) };
    let size = last.size;
    let mut video = VideoWriter::create(path, size, Effort::Light)?;
    for shot in shots.iter().filter(|s| s.size == size) {
        pause();
        let picture = image::load_from_memory_with_format(&shot.jpeg, image::ImageFormat::Jpeg)?;
        let mut bgr = picture.into_rgb8().into_raw();
        bgr.chunks_exact_mut(3).for_each(|pixel| pixel.swap(0, 2));
        let time = MediaTime::ZERO + (shot.time - first.time);
        video.push(&Annotated { bgr: &bgr, size, time })?;
    }
    Ok(video.finish()?)
}
