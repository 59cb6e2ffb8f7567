//! A decoded picture with its times. The pixels stay where the decoder left them until somebody converts them.

use std::sync::Arc;
use std::time::Instant;

use thiserror::Error;

use super::{MediaTime, Size};

/// One decoded picture of one camera.
#[derive(Clone)]
pub struct Frame {
    /// Index of the decoded picture in its stream, from 0, counting also those that are not analysed.
    pub index: u64,
    /// Presentation time since the first picture, repaired; never runs backwards.
    pub time: MediaTime,
    /// `time` mapped to UTC.
    pub utc: jiff::Timestamp,
    /// When the demuxer handed over the packet (a file played live: when it was due). For frame age alone.
    pub arrived: Instant,
    /// The pixels.
    pub picture: Arc<dyn Picture>,
}

/// Pixel layouts that stages ask for; interleaved, 8 bits a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Blue, green, red.
    Bgr24,
    /// Red, green, blue.
    Rgb24,
    /// Luma, full range.
    Gray8,
}

/// What to convert a picture into: exactly `size`, the aspect ratio is the caller's care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Size of the result.
    pub size: Size,
    /// Layout of the result.
    pub format: PixelFormat,
}

/// Decoded pixels, converted on demand.
pub trait Picture: Send + Sync {
    /// Size as displayed, pixels.
    fn size(&self) -> Size;

    /// Scales and converts into `out`, which is resized to exactly `width * height * channels` bytes, rows packed.
    /// `out` keeps its allocation between calls.
    fn convert(&self, target: Target, out: &mut Vec<u8>) -> Result<(), PictureError>;
}

/// A picture that cannot be converted. Never worth a retry: the next picture may do.
#[derive(Debug, Error)]
pub enum PictureError {
    /// The scaler refused the format or the size.
    #[error("cannot convert a {from} picture to {to}: {reason}")]
    Convert {
        /// Size of the picture.
        from: Size,
        /// Wanted size.
        to: Size,
        /// In the library's words.
        reason: String,
    },
}

impl PixelFormat {
    /// Bytes a pixel.
    pub const fn channels(self) -> usize {
        match self {
            Self::Bgr24 | Self::Rgb24 => 3,
            Self::Gray8 => 1,
        }
    }
}

impl Target {
    /// Bytes of the result.
    pub const fn len(self) -> usize {
        self.size.area() * self.format.channels()
    }

    /// Whether nothing is wanted.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}
