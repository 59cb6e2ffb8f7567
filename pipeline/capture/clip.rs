//! One file from its first picture to its last, as fast as it decodes.

use std::path::Path;
use std::time::Duration;

use super::clock::Stop;
use super::libav::LibavOptions;
use super::source::{Damage, Decoded, Source, StreamInfo, open_file};
use super::timeline::{Feed, Repairs, Timeline};
use super::{Rate, SourceError};
use crate::types::{Frame, Span};

/// A file may take this long for a picture before it is given up: a network mount that hangs, not a slow disk.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a file is read.
#[derive(Clone, Debug, Default)]
pub struct ClipOptions {
    /// Puts picture k at k/fps.
    pub fps: Option<f64>,
    /// Analysed pictures a second, at most; `None`: every picture.
    pub rate: Option<f64>,
    /// UTC of the first picture; `None`: the container's creation time, else 1970-01-01T00:00:00Z.
    pub start: Option<jiff::Timestamp>,
}

/// A file being read. One thread decodes, so CPU seconds are counted and results do not depend on cores.
pub struct Clip {
    source: Box<dyn Source>,
    timeline: Timeline,
    rate: Rate,
    start: jiff::Timestamp,
    first: Option<Decoded>,
    truncated: bool,
    decoding: Duration,
    last: Option<Span>,
}

impl Clip {
    /// Opens `path` and decodes its first picture. Errors when there is none: missing, not a file, not readable, or
    /// nothing in it that decodes.
    pub fn open(path: &Path, options: &ClipOptions, stop: &Stop) -> Result<Self, SourceError> {
        let libav =
            LibavOptions { connect_timeout: PATIENCE, stall_timeout: PATIENCE, threads: 1, ..LibavOptions::default() };
        let mut source = open_file(path, &libav, stop)?;
        let first = source.next().map_err(|error| match error {
            SourceError::End { .. } => {
                SourceError::Undecodable { at: path.display().to_string(), why: "not one picture in it decodes".into() }
            }
            other => other,
        })?;
        let mut timeline = Timeline::new(Feed::Recorded, options.fps);
        timeline.announce(source.info().fps);
        let start = options.start.or(source.info().created).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Ok(Self {
            source,
            timeline,
            rate: Rate::new(options.rate),
            start,
            first: Some(first),
            truncated: false,
            decoding: Duration::ZERO,
            last: None,
        })
    }

    /// The next picture that is analysed, in order; `None` after the last one. [`Frame::index`] counts those left out
    /// too. Errors only when stopped or when reading hangs.
    #[allow(clippy::should_implement_trait)] // A fallible end is no iterator's.
    pub fn next(&mut self) -> Result<Option<Frame>, SourceError> {
        loop {
            let decoded = match self.first.take().map_or_else(|| self.source.next(), Ok) {
                Ok(decoded) => decoded,
                Err(SourceError::End { truncated }) => {
                    self.truncated = truncated;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            self.decoding += decoded.took;
            let index = self.timeline.count();
            let (time, _) = self.timeline.stamp(decoded.pts, Span::ZERO);
            self.last = Some(time - crate::types::MediaTime::ZERO);
            if self.rate.takes(time) {
                let utc = time.utc(self.start);
                return Ok(Some(Frame { index, time, utc, arrived: decoded.arrived, picture: decoded.picture }));
            }
        }
    }

    /// What the file says about itself; `frames` serves a progress bar.
    pub fn info(&self) -> &StreamInfo {
        self.source.info()
    }

    /// UTC of the first picture.
    pub fn start(&self) -> jiff::Timestamp {
        self.start
    }

    /// Pictures decoded so far, also those left out.
    pub fn pictures(&self) -> u64 {
        self.timeline.count()
    }

    /// Media time of the last picture so far.
    pub fn duration(&self) -> Span {
        self.last.unwrap_or(Span::ZERO)
    }

    /// After the end: the file breaks off before the end that it announces.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// Repaired time stamps.
    pub fn repairs(&self) -> Repairs {
        self.timeline.repairs()
    }

    /// What did not decode.
    pub fn damage(&self) -> Damage {
        self.source.damage()
    }

    /// Wall time spent in the decoder.
    pub fn decoding(&self) -> Duration {
        self.decoding
    }
}
