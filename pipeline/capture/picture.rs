//! A decoded picture that stays in the decoder's buffer until somebody asks for pixels.

use std::cell::RefCell;

use ffmpeg_next::format::Pixel;
use ffmpeg_next::software::scaling::{Context, Flags};
use ffmpeg_next::{color, frame};

use crate::types::{Picture, PictureError, PixelFormat, Size, Target};

/// Scalers that a thread keeps; the least recently used one goes first.
const SCALERS: usize = 16;

/// Averages over the source pixels of each target pixel when shrinking, bilinear when enlarging.
///
/// Measured against the cheapest (`FAST_BILINEAR`, two taps whatever the scale), `BILINEAR` and `BICUBIC`: average
/// precision (IoU 0.5) of NanoDet-g INT8 on every fifth picture of S2L1 (768x576) is .912 against .909, .913, .914 at
/// 640x480 and .908 against .899, .905, .909 at 416x320; on a 1080p shop clip at 640x352 its detections agree with those
/// after bicubic scaling by .987 against .950 and .981. From 1080p to 640x352 it takes 0.76 ms against 0.53 and 1.02, to
/// 416x224 0.55 ms against 0.29 and 1.07 (benches/stages/capture.rs); inference takes 25 ms.
const SCALING: Flags = Flags::AREA;

/// The most pixels that a picture may have: the largest frame of H.264 (MaxFS of levels 6 to 6.2, table A-1) and of HEVC
/// (MaxLumaPs of the same levels, table A.8), such as 8192x4320. At 8 bits 4:2:0 that is 53 MB a picture, and a decoder holds some.
pub const MOST_PIXELS: usize = 35_651_584;
/// The longest side at that frame size by the same tables: the root of eight times as many.
const LONGEST_SIDE: u32 = 16_888;

/// Whether a picture of this size is one that a camera may send.
pub(super) fn is_sane(size: Size) -> bool {
    size.width.max(size.height) <= LONGEST_SIDE && size.area() <= MOST_PIXELS
}

/// A decoder's picture. Holding it holds one buffer of the decoder's pool (3 MB at 1080p).
pub struct VideoPicture {
    frame: frame::Video,
    size: Size,
}

impl VideoPicture {
    /// Takes the decoder's frame; `None` if it holds no pixels.
    pub(super) fn new(mut frame: frame::Video) -> Option<Self> {
        let size = Size::new(frame.width(), frame.height());
        if frame.planes() == 0 || size.area() == 0 || !is_sane(size) {
            return None;
        }
        // swscale takes the range from the pixel format alone; decoders of newer codecs tell it beside the format.
        if frame.color_range() == color::Range::JPEG {
            match frame.format() {
                Pixel::YUV420P => frame.set_format(Pixel::YUVJ420P),
                Pixel::YUV422P => frame.set_format(Pixel::YUVJ422P),
                Pixel::YUV444P => frame.set_format(Pixel::YUVJ444P),
                Pixel::YUV440P => frame.set_format(Pixel::YUVJ440P),
                _ => {}
            }
        }
        Some(Self { frame, size })
    }

    /// A picture of one luma, for tests and benches.
    pub fn grey(size: Size, luma: u8) -> Self {
        let mut frame = frame::Video::new(Pixel::GRAY8, size.width, size.height);
        frame.data_mut(0).fill(luma);
        Self { frame, size }
    }

    /// A picture of packed blue, green, red rows; `None` if their number does not fit the size.
    pub fn from_bgr(size: Size, bgr: &[u8]) -> Option<Self> {
        let row = size.width as usize * 3;
        if size.area() == 0 || !is_sane(size) || bgr.len() != row * size.height as usize {
            return None;
        }
        let mut frame = frame::Video::new(Pixel::BGR24, size.width, size.height);
        let stride = frame.stride(0);
        for (to, from) in frame.data_mut(0).chunks_mut(stride).zip(bgr.chunks(row)) {
            to[..row].copy_from_slice(from);
        }
        Some(Self { frame, size })
    }
}

impl Picture for VideoPicture {
    fn size(&self) -> Size {
        self.size
    }

    fn convert(&self, target: Target, out: &mut Vec<u8>) -> Result<(), PictureError> {
        CACHE.with_borrow_mut(|cache| cache.convert(self, target, out)).map_err(|reason| PictureError::Convert {
            from: self.size,
            to: target.size,
            reason,
        })
    }
}

thread_local! {
    // Of each thread its own: no lock is held while computing, and contexts never move between threads.
    static CACHE: RefCell<Cache> = const { RefCell::new(Cache { scalers: Vec::new() }) };
}

struct Cache {
    /// Most recently used last.
    scalers: Vec<Scaler>,
}

struct Scaler {
    from: (Pixel, Size),
    target: Target,
    context: Context,
    result: frame::Video,
}

impl Cache {
    fn convert(&mut self, picture: &VideoPicture, target: Target, out: &mut Vec<u8>) -> Result<(), String> {
        if target.is_empty() {
            return Err("the wanted size is empty".into());
        }
        let from = (picture.frame.format(), picture.size);
        let scaler = match self.scalers.iter().position(|s| s.from == from && s.target == target) {
            Some(at) => self.scalers.remove(at),
            None => Scaler::new(from, target)?,
        };
        if self.scalers.len() == SCALERS {
            self.scalers.remove(0);
        }
        self.scalers.push(scaler);
        match self.scalers.last_mut() {
            Some(scaler) => scaler.run(&picture.frame, out),
            None => Ok(()),
        }
    }
}

impl Scaler {
    fn new(from: (Pixel, Size), target: Target) -> Result<Self, String> {
        let (format, size) = from;
        let to = match target.format {
            PixelFormat::Bgr24 => Pixel::BGR24,
            PixelFormat::Rgb24 => Pixel::RGB24,
            PixelFormat::Gray8 => Pixel::GRAY8,
        };
        let context = Context::get(format, size.width, size.height, to, target.size.width, target.size.height, SCALING)
            .map_err(|_| format!("swscale does not take {format:?}"))?;
        let result = frame::Video::new(to, target.size.width, target.size.height);
        Ok(Self { from, target, context, result })
    }

    fn run(&mut self, frame: &frame::Video, out: &mut Vec<u8>) -> Result<(), String> {
        self.context.run(frame, &mut self.result).map_err(|error| error.to_string())?;
        let row = self.target.size.width as usize * self.target.format.channels();
        out.resize(self.target.len(), 0);
        let stride = self.result.stride(0);
        for (to, from) in out.chunks_exact_mut(row).zip(self.result.data(0).chunks(stride)) {
            to.copy_from_slice(&from[..row]);
        }
        Ok(())
    }
}
