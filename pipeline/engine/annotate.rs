//! The annotated video of an analysis: every analysed picture at its media time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::analyze::Analysed;
use super::tally::Tally;
use crate::alerts::overlay::{Overlay, OverlayError, fitted};
use crate::alerts::video::{self, Effort, VideoError, VideoWriter};
use crate::config::plan::Camera;
use crate::types::Size;

/// A video that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AnnotateError {
    /// A picture could not be redacted, so none leaves.
    #[error("cannot redact a picture: {0}")]
    Overlay(#[from] OverlayError),
    /// The file.
    #[error(transparent)]
    Video(#[from] VideoError),
}

/// Draws and encodes the pictures of one analysis.
pub struct Annotator {
    overlay: Overlay,
    tally: Tally,
    path: PathBuf,
    /// With the size of the first picture; later ones are scaled to it.
    video: Option<(VideoWriter, Size)>,
}

impl Annotator {
    /// Will write an MP4 to `path`. Errors when libav has no encoder.
    pub fn new(camera: Arc<Camera>, path: &Path) -> Result<Self, AnnotateError> {
        video::h264()?;
        let tally = Tally::new(camera.clone());
        Ok(Self { overlay: Overlay::new(camera).with_clock(), tally, path: path.to_owned(), video: None })
    }

    /// Takes an analysed picture.
    pub fn picture(&mut self, seen: &Analysed<'_>) -> Result<(), AnnotateError> {
        self.tally.take(seen.measured, seen.events, seen.people, seen.size);
        let (video, size) = match &mut self.video {
            Some((video, size)) => (video, *size),
            none => {
                let size = fitted(seen.size);
                (&mut none.insert((VideoWriter::create(&self.path, size, Effort::Usual)?, size)).0, size)
            }
        };
        let seen = self.tally.seen(seen.frame, seen.detections, seen.tracks, seen.measured);
        if let Some(picture) = self.overlay.push(&seen, Some(size), self.tally.raised())? {
            video.push(&picture)?;
        }
        Ok(())
    }

    /// Writes the pictures still held and the end of the file.
    pub fn finish(mut self) -> Result<(), AnnotateError> {
        let Some((mut video, _)) = self.video else { return Ok(()) };
        while let Some(picture) = self.overlay.flush(self.tally.raised()) {
            video.push(&picture)?;
        }
        Ok(video.finish()?)
    }
}
