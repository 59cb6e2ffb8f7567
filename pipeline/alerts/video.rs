//! Redacted pictures as an H.264 file that browsers play: what a clip of an alert is made of.
//!
//! Decoding is capture's; libav's encoder stands here, since what leaves as pictures is made in this stage and only
//! redacted pictures may come to it. One thread and no encoder version in the file: the same pictures give the same
//! bytes.

use std::path::Path;

use ffmpeg_next::format::{Pixel, context::Output};
use ffmpeg_next::software::scaling::{Context, Flags};
use ffmpeg_next::util::error::EAGAIN;
use ffmpeg_next::{Codec, Error, Packet, Rational, codec, color, dict, encoder, format, frame};

use super::overlay::Annotated;
use crate::types::{MediaTime, Size};

/// Ticks a second, as in RTP: what every container of video can say.
const TICKS: i32 = 90_000;
/// Pictures between key pictures: at 10 a second a player seeks within five seconds.
const KEY_EVERY: u32 = 50;
/// libx264 derives the level from this alone; times are those of the pictures.
const NOMINAL_RATE: i32 = 30;
/// Length of an only picture, ticks.
const ONE: i64 = TICKS as i64 / 10;

/// A video that cannot be written. Another try helps only where the disk has become free.
#[derive(Debug, thiserror::Error)]
pub enum VideoError {
    /// libav was built without it.
    #[error("this machine's libavcodec has no libx264 encoder; install one built with it (Debian's is)")]
    NoEncoder,
    /// libav opens files by names in UTF-8.
    #[error("cannot write a video to a path that is not UTF-8: {0}")]
    Path(String),
    /// The encoder or the muxer refused.
    #[error("cannot encode the video: {0}")]
    Encode(Error),
    /// The file.
    #[error("cannot write the video: {0}")]
    Write(Error),
    /// A picture of another size, or bytes that do not fit it.
    #[error("a picture of {found} ({len} bytes) does not fit a video of {size}")]
    Size {
        /// Of the picture.
        found: Size,
        /// Bytes of the picture.
        len: usize,
        /// Of the video.
        size: Size,
    },
}

/// The encoder, if libav has it.
pub fn h264() -> Result<Codec, VideoError> {
    encoder::find_by_name("libx264").ok_or(VideoError::NoEncoder)
}

/// How much work goes into a smaller file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// As is usual for files that are made once.
    Usual,
    /// Little for each picture, and all of it at once: beside pictures that are analysed.
    Light,
}

/// A video being written; complete only after [`VideoWriter::finish`].
pub struct VideoWriter {
    // Before `output`: an encoder is closed before its file.
    encoder: encoder::video::Encoder,
    output: Output,
    scaler: Context,
    size: Size,
    bgr: frame::Video,
    yuv: frame::Video,
    packet: Packet,
    /// Of the container, which chooses.
    time_base: Rational,
    last: Option<i64>,
    step: i64,
}

impl VideoWriter {
    /// Begins an MP4 at `path`; whatever is there is overwritten. `size` is even.
    pub fn create(path: &Path, size: Size, effort: Effort) -> Result<Self, VideoError> {
        let codec = h264()?;
        let name = path.to_str().ok_or_else(|| VideoError::Path(path.display().to_string()))?;
        // With the protocol before it: a colon in the path is no other protocol then.
        let mut output = format::output_as(&format!("file:{name}"), "mp4").map_err(VideoError::Write)?;
        let encoder = open(codec, size, effort).map_err(VideoError::Encode)?;
        let (width, height) = (size.width, size.height);
        let exact = Flags::BICUBIC | Flags::ACCURATE_RND | Flags::BITEXACT;
        let scaler = Context::get(Pixel::BGR24, width, height, Pixel::YUV420P, width, height, exact)
            .map_err(VideoError::Encode)?;
        let mut stream = output.add_stream(codec).map_err(VideoError::Encode)?;
        stream.set_parameters(&encoder);
        stream.set_time_base((1, TICKS));
        // The index goes to the front, so that a browser begins before it has the whole file.
        let options = dict!("movflags" => "+faststart", "fflags" => "+bitexact");
        output.write_header_with(options).map_err(VideoError::Write)?;
        let time_base = output.stream(0).map_or(Rational(1, TICKS), |stream| stream.time_base());
        Ok(Self {
            encoder,
            output,
            scaler,
            size,
            bgr: frame::Video::new(Pixel::BGR24, width, height),
            yuv: frame::Video::new(Pixel::YUV420P, width, height),
            packet: Packet::empty(),
            time_base,
            last: None,
            step: ONE,
        })
    }

    /// Appends a picture, shown from its time on.
    pub fn push(&mut self, picture: &Annotated<'_>) -> Result<(), VideoError> {
        let (size, row) = (self.size, self.size.width as usize * 3);
        if picture.size != size || picture.bgr.len() != size.area() * 3 {
            return Err(VideoError::Size { found: picture.size, len: picture.bgr.len(), size });
        }
        let stride = self.bgr.stride(0);
        for (to, from) in self.bgr.data_mut(0).chunks_mut(stride).zip(picture.bgr.chunks_exact(row)) {
            to[..row].copy_from_slice(from);
        }
        self.scaler.run(&self.bgr, &mut self.yuv).map_err(VideoError::Encode)?;
        let wanted = ticks(picture.time);
        // Two pictures closer than a tick still follow each other.
        let pts = self.last.map_or(wanted, |last| wanted.max(last + 1));
        self.step = self.last.map_or(ONE, |last| pts - last);
        self.last = Some(pts);
        self.yuv.set_pts(Some(pts));
        // All packets are taken after each picture, so the encoder holds no reference to it afterwards.
        self.encoder.send_frame(&self.yuv).map_err(VideoError::Encode)?;
        self.drain()
    }

    /// Writes what the encoder still holds, and the index.
    pub fn finish(mut self) -> Result<(), VideoError> {
        self.encoder.send_eof().map_err(VideoError::Encode)?;
        self.drain()?;
        self.output.write_trailer().map_err(VideoError::Write)
    }

    fn drain(&mut self) -> Result<(), VideoError> {
        loop {
            match self.encoder.receive_packet(&mut self.packet) {
                Ok(()) => {}
                Err(Error::Eof | Error::Other { errno: EAGAIN }) => return Ok(()),
                Err(error) => return Err(VideoError::Encode(error)),
            }
            self.packet.set_stream(0);
            // The container takes lengths from the times and this for the last picture alone.
            self.packet.set_duration(self.step);
            self.packet.rescale_ts((1, TICKS), self.time_base);
            self.packet.write_interleaved(&mut self.output).map_err(VideoError::Write)?;
        }
    }
}

fn open(codec: Codec, size: Size, effort: Effort) -> Result<encoder::video::Encoder, Error> {
    let mut context = codec::Context::new_with_codec(codec);
    context.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT);
    let mut video = context.encoder().video()?;
    video.set_width(size.width);
    video.set_height(size.height);
    video.set_format(Pixel::YUV420P);
    video.set_time_base((1, TICKS));
    video.set_frame_rate(Some((NOMINAL_RATE, 1)));
    video.set_gop(KEY_EVERY);
    // Without pictures out of order the first one is at its own time and players need no edit list.
    video.set_max_b_frames(0);
    // What swscale makes of BGR.
    video.set_colorspace(color::Space::SMPTE170M);
    video.set_color_range(color::Range::MPEG);
    video.set_color_primaries(color::Primaries::SMPTE170M);
    video.set_color_transfer_characteristic(color::TransferCharacteristic::SMPTE170M);
    let options = match effort {
        Effort::Usual => dict!("preset" => "veryfast", "crf" => "23", "threads" => "1"),
        Effort::Light => dict!("preset" => "superfast", "tune" => "zerolatency", "crf" => "25", "threads" => "1"),
    };
    video.open_as_with(codec, options)
}

/// Media time in ticks, rounded.
fn ticks(time: MediaTime) -> i64 {
    let scaled = i128::from(time.nanos()) * i128::from(TICKS) + 500_000_000;
    i64::try_from(scaled.div_euclid(1_000_000_000)).unwrap_or(i64::MAX)
}
