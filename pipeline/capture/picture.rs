//! A decoded picture that stays in the decoder's buffer until somebody asks for pixels.

use std::cell::RefCell;

use ffmpeg_next::format::Pixel;
use ffmpeg_next::software::scaling::{Context, Flags};
use ffmpeg_next::{color, frame};

use crate::types::{Picture, PictureError, PixelFormat, Size, Target};

/// Scalers that a thread keeps; the least recently used one goes first.
const SCALERS: usize = 16;

/// A decoder's picture. Holding it holds one buffer of the decoder's pool (3 MB at 1080p).
pub struct VideoPicture {
    frame: frame::Video,
    size: Size,
}

impl VideoPicture {
    /// Takes the decoder's frame; `None` if it holds no pixels.
    pub(super) fn new(mut frame: frame::Video) -> Option<Self> {
        let size = Size::new(frame.width(), frame.height());
        if frame.planes() == 0 || size.area() == 0 {
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
        if size.area() == 0 || bgr.len() != row * size.height as usize {
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
        let flags = algorithm(size, target.size);
        let context = Context::get(format, size.width, size.height, to, target.size.width, target.size.height, flags)
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

fn algorithm(_from: Size, _to: Size) -> Flags {
    Flags::FAST_BILINEAR
}
