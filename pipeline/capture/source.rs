//! The face of every source.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::SourceError;
use super::address::Credentials;
use super::clock::Stop;
use super::libav::{LibavOptions, LibavSource};
use super::opencv::OpencvSource;
use crate::config::plan;
use crate::types::{Picture, Size, Span};

/// One connection to one stream; blocking, on a thread of its own. After an error it is dropped.
pub trait Source: Send {
    /// What the stream says about itself.
    fn info(&self) -> &StreamInfo;

    /// The next decoded picture in presentation order. A packet that the decoder refuses is counted and skipped.
    ///
    /// Errors: [`SourceError::End`] after the last picture of a file, [`SourceError::Stopped`] once the stop flag is
    /// set, [`SourceError::Stalled`] after the stall time-out.
    fn next(&mut self) -> Result<Decoded, SourceError>;

    /// Damage since the connection began.
    fn damage(&self) -> Damage;
}

/// A picture as it left the decoder, its time not yet repaired.
pub struct Decoded {
    /// Presentation time in the stream's own clock; `None` where the stream has none.
    pub pts: Option<Span>,
    /// When the demuxer handed over the packet.
    pub arrived: Instant,
    /// Time that decoding took, waiting for packets not counted.
    pub took: Duration,
    /// The pixels.
    pub picture: Arc<dyn Picture>,
}

/// What did not decode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Packets that gave no picture because decoder or demuxer refused them.
    pub packets: u64,
    /// Pictures that were delivered although parts of them were guessed.
    pub pictures: u64,
}

/// What a stream says about itself; all of it may be wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamInfo {
    /// Size of the picture; may change in mid-stream.
    pub size: Size,
    /// Name of the codec, such as `h264`.
    pub codec: String,
    /// Pictures a second.
    pub fps: Option<f64>,
    /// Pictures in the file, for a progress bar.
    pub frames: Option<u64>,
    /// Length of the file.
    pub duration: Option<Span>,
    /// When the recording began.
    pub created: Option<jiff::Timestamp>,
    /// Width over height of one pixel where it is not one. Pictures are handed on as stored: zones are fractions and
    /// do not care.
    pub sample_aspect: Option<f64>,
    /// Pictures come at the speed at which they are taken; else somebody has to pace them.
    pub live: bool,
}

/// Opens a camera again and again; replaced in tests.
pub trait Opener: Send {
    /// A new connection.
    fn open(&mut self, stop: &Stop) -> Result<Box<dyn Source>, SourceError>;
}

/// Opens what a camera's plan names.
pub struct CameraOpener {
    source: plan::Source,
    credentials: Credentials,
    threads: usize,
}

impl CameraOpener {
    /// For the camera `id`; credentials come from its environment variables. `threads`: slice threads of the decoder.
    pub fn new(id: &str, source: plan::Source, threads: usize) -> Self {
        Self { source, credentials: Credentials::from_env(id), threads: threads.max(1) }
    }

    /// With given credentials.
    pub fn with_credentials(source: plan::Source, credentials: Credentials, threads: usize) -> Self {
        Self { source, credentials, threads: threads.max(1) }
    }

    /// The stream that is opened: the smaller one if there is one.
    pub fn url(&self) -> &plan::SourceUrl {
        self.source.sub.as_ref().unwrap_or(&self.source.url)
    }
}

impl Opener for CameraOpener {
    fn open(&mut self, stop: &Stop) -> Result<Box<dyn Source>, SourceError> {
        let options = LibavOptions {
            threads: self.threads,
            connect_timeout: duration(self.source.connect_timeout),
            stall_timeout: duration(self.source.stall_timeout),
            transport: self.source.transport,
        };
        match self.url() {
            plan::SourceUrl::Network(url) => {
                Ok(Box::new(LibavSource::open_network(url, &self.credentials, &options, stop)?))
            }
            plan::SourceUrl::File(path) => open_file(path, &options, stop),
            plan::SourceUrl::Device(path) => Ok(Box::new(OpencvSource::open_device(path, stop)?)),
        }
    }
}

/// Opens a file by libav, or by OpenCV's own reader if libav finds nothing in it.
pub(super) fn open_file(
    path: &std::path::Path,
    options: &LibavOptions,
    stop: &Stop,
) -> Result<Box<dyn Source>, SourceError> {
    match LibavSource::open_file(path, options, stop) {
        Ok(source) => Ok(Box::new(source)),
        Err(refused @ SourceError::Undecodable { .. }) => match OpencvSource::open_file(path, stop) {
            Ok(source) => Ok(Box::new(source)),
            Err(_) => Err(refused),
        },
        Err(error) => Err(error),
    }
}

fn duration(span: Span) -> Duration {
    Duration::from_nanos(u64::try_from(span.nanos()).unwrap_or(0))
}
