//! RTSP, HTTP and files by libavformat and libavcodec.

mod ending;
mod opening;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ffmpeg_next::codec::Id;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::util::error::EAGAIN;
use ffmpeg_next::{Error, Packet, Rational, decoder, frame, media};

use super::SourceError;
use super::address::{self, Credentials};
use super::clock::Stop;
use super::picture::VideoPicture;
use super::source::{Damage, Decoded, Source, StreamInfo};
use super::watchdog::Watchdog;
use crate::config::plan::Transport;
use crate::types::Span;

/// Packets in a row that a live stream may waste before it is opened again: ten seconds at 30 a second, longer than
/// any camera's wait for a key picture.
const GARBLED: u32 = 300;
/// Failures in a row after which a file's demuxer is taken to stand still.
const STUCK: u32 = 100_000;
/// Video packets of another stream in a row after which that stream is taken (a transport stream changed its program).
const FOREIGN: u32 = 25;

/// How to open a stream.
#[derive(Clone, Copy, Debug)]
pub struct LibavOptions {
    /// Slice threads of the decoder. Frame threads are never used: each adds a picture of delay (measured).
    pub threads: usize,
    /// How long opening may take.
    pub connect_timeout: Duration,
    /// How long to wait for a picture.
    pub stall_timeout: Duration,
    /// RTSP over TCP or UDP.
    pub transport: Transport,
}

impl Default for LibavOptions {
    fn default() -> Self {
        Self {
            threads: 1,
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(10),
            transport: Transport::Tcp,
        }
    }
}

/// An opened stream and its decoder.
pub struct LibavSource {
    // Before `input`: a decoder is closed before the stream that feeds it.
    decoder: decoder::Video,
    input: Input,
    watchdog: Watchdog,
    options: LibavOptions,
    /// Without credentials.
    at: String,
    info: StreamInfo,
    /// The container's time stamps mean something.
    timed: bool,
    stream: usize,
    time_base: Rational,
    /// Takes over once the present decoder has given its last picture.
    successor: Option<(decoder::Video, Rational)>,
    packet: Packet,
    arrivals: Arrivals,
    took: Duration,
    draining: bool,
    ending: ending::Ending,
    damage: Damage,
    wasted: u32,
    foreign: u32,
}

impl LibavSource {
    /// Opens rtsp, rtsps, http or https.
    pub fn open_network(
        url: &str,
        credentials: &Credentials,
        options: &LibavOptions,
        stop: &Stop,
    ) -> Result<Self, SourceError> {
        Self::open(address::network(url, credentials, options.transport)?, None, options, stop)
    }

    /// Opens a file; the time-outs hold for files too (a network mount may hang).
    pub fn open_file(path: &Path, options: &LibavOptions, stop: &Stop) -> Result<Self, SourceError> {
        Self::open(address::file(path)?, Some(path), options, stop)
    }

    /// Reads packets until the decoder has a picture.
    fn decode(&mut self) -> Result<frame::Video, SourceError> {
        let mut frame = frame::Video::empty();
        loop {
            if self.watchdog.stopped() {
                return Err(SourceError::Stopped);
            }
            let began = Instant::now();
            let received = self.decoder.receive_frame(&mut frame);
            self.took += began.elapsed();
            match received {
                Ok(()) => return Ok(frame),
                Err(Error::Eof) => match self.successor.take() {
                    Some((decoder, time_base)) => {
                        self.info.codec = decoder.id().name().to_owned();
                        (self.decoder, self.time_base) = (decoder, time_base);
                    }
                    None => return Err(SourceError::End { truncated: self.ending.truncated() }),
                },
                Err(Error::Other { errno: EAGAIN }) => {}
                Err(_) => self.waste()?,
            }
            if self.draining {
                // A decoder that wants more after the end has no more to give.
                return Err(SourceError::End { truncated: self.ending.truncated() });
            }
            self.feed()?;
        }
    }

    /// Gives the decoder the next packet of the stream, or tells it that there is none.
    fn feed(&mut self) -> Result<(), SourceError> {
        // Reading into a used packet would leak what it holds: av_read_frame does not free it.
        self.packet = Packet::empty();
        match self.packet.read(&mut self.input) {
            Ok(()) if self.packet.stream() == self.stream => {
                self.foreign = 0;
                self.send()
            }
            Ok(()) => self.follow_stream(),
            Err(_) if self.watchdog.stopped() => Err(SourceError::Stopped),
            Err(_) if self.watchdog.was_late() => {
                Err(SourceError::Stalled { at: self.at.clone(), after: self.options.stall_timeout })
            }
            // A demuxer finds its way again after either.
            Err(Error::InvalidData | Error::Other { errno: EAGAIN }) => {
                self.ending.demuxer_failed();
                if self.wasted >= STUCK {
                    self.ending.ended(false);
                    self.drain();
                }
                self.waste()
            }
            Err(error) if self.info.live => {
                let why = if error == Error::Eof { "the other side ended it".to_owned() } else { error.to_string() };
                Err(SourceError::Lost { at: self.at.clone(), why })
            }
            Err(error) => {
                self.ending.ended(error == Error::Eof);
                self.drain();
                Ok(())
            }
        }
    }

    fn send(&mut self) -> Result<(), SourceError> {
        let arrived = Instant::now();
        self.ending.packet(&self.packet);
        self.arrivals.push(self.packet.pts(), arrived);
        let sent = self.decoder.send_packet(&self.packet);
        self.took += arrived.elapsed();
        match sent {
            Ok(()) => Ok(()),
            Err(_) => self.waste(),
        }
    }

    fn drain(&mut self) {
        self.draining = true;
        // A decoder that cannot be drained has nothing left; `receive_frame` says so next.
        self.decoder.send_eof().unwrap_or_default();
    }

    /// Counts what gave no picture. A file goes on to its end, which is near; a camera is given up some time.
    fn waste(&mut self) -> Result<(), SourceError> {
        self.damage.packets += 1;
        self.wasted += 1;
        if self.info.live && self.wasted >= GARBLED {
            return Err(SourceError::Garbled { at: self.at.clone(), packets: self.wasted });
        }
        Ok(())
    }

    /// A packet of another stream: taken over when it is video and ours has fallen silent.
    fn follow_stream(&mut self) -> Result<(), SourceError> {
        let index = self.packet.stream();
        let Some(stream) = self.input.stream(index) else { return Ok(()) };
        let parameters = stream.parameters();
        if parameters.medium() != media::Type::Video || parameters.id() == Id::None {
            return Ok(());
        }
        self.foreign += 1;
        if self.foreign < FOREIGN {
            return Ok(());
        }
        // Under the same number libav itself notices no change of codec: a camera then stalls and is opened again.
        let (time_base, codec) = (stream.time_base(), parameters.id());
        let decoder = opening::decoder(parameters, time_base, self.options.threads)
            .map_err(|refused| refused.at(self.at.clone(), codec))?;
        self.foreign = 0;
        self.stream = index;
        self.successor = Some((decoder, time_base));
        self.decoder.send_eof().unwrap_or_default();
        Ok(())
    }

    fn span(&self, ticks: i64) -> Span {
        let nanos = i128::from(ticks) * i128::from(self.time_base.numerator()) * 1_000_000_000
            / i128::from(self.time_base.denominator().max(1));
        // Far outside of what any clock shows: garbage, which the time line repairs.
        Span::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX / 4).clamp(i64::MIN / 4, i64::MAX / 4))
    }
}

impl Source for LibavSource {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Decoded, SourceError> {
        self.watchdog.arm(self.options.stall_timeout);
        loop {
            let frame = self.decode()?;
            if frame.is_corrupt() || frame.has_decode_errors() {
                self.damage.pictures += 1;
            }
            let pts = if self.timed { frame.timestamp().map(|ticks| self.span(ticks)) } else { None };
            let arrived = self.arrivals.of(frame.pts());
            let Some(picture) = VideoPicture::new(frame) else {
                self.waste()?;
                continue;
            };
            self.wasted = 0;
            let took = std::mem::take(&mut self.took);
            return Ok(Decoded { pts, arrived, took, picture: Arc::new(picture) });
        }
    }

    fn damage(&self) -> Damage {
        self.damage
    }
}

/// When the last packets arrived: pictures that were sent out of order leave the decoder later than their packet came.
struct Arrivals {
    ring: [(Option<i64>, Option<Instant>); 32],
    next: usize,
}

impl Arrivals {
    fn new() -> Self {
        Self { ring: [(None, None); 32], next: 0 }
    }

    fn push(&mut self, pts: Option<i64>, at: Instant) {
        self.ring[self.next] = (pts, Some(at));
        self.next = (self.next + 1) % self.ring.len();
    }

    /// Of the packet with this time stamp, else of the last one.
    fn of(&self, pts: Option<i64>) -> Instant {
        let known = pts.and_then(|_| self.ring.iter().find(|(key, _)| *key == pts)).and_then(|(_, at)| *at);
        let last = self.ring[(self.next + self.ring.len() - 1) % self.ring.len()].1;
        known.or(last).unwrap_or_else(Instant::now)
    }
}
