//! Whether a file ended where it should.

use std::path::Path;

use ffmpeg_next::Packet;
use ffmpeg_next::format::context::Input;

use super::super::source::StreamInfo;

/// Sizes of a transport stream's packets: plain, with arrival time (Blu-ray, some recorders), with error correction.
const TS_PACKETS: [u64; 3] = [188, 192, 204];

/// What a file announces and what came of it.
#[derive(Debug)]
pub(super) struct Ending {
    /// Pictures that the container announces.
    announced: Option<u64>,
    /// Announced end less first time stamp, in seconds.
    duration: Option<f64>,
    tick: f64,
    /// The file's size is not a whole number of packets.
    odd_size: bool,
    packets: u64,
    first: Option<i64>,
    last: Option<i64>,
    last_corrupt: bool,
    /// The demuxer complained and no packet came after it.
    failing: bool,
    broke: bool,
}

impl Ending {
    pub(super) fn new(input: &Input, index: usize, info: &StreamInfo, path: Option<&Path>) -> Self {
        let name = input.format().name().to_owned();
        let is = |wanted: &str| name.split(',').any(|part| part == wanted);
        let stream = input.stream(index);
        let announced =
            stream.as_ref().and_then(|s| u64::try_from(s.frames()).ok()).filter(|&n| n > 0 && (is("mov") || is("avi")));
        let length = path.and_then(|path| std::fs::metadata(path).ok()).map_or(0, |metadata| metadata.len());
        Self {
            announced,
            // Elsewhere libav guesses the duration from the file's size.
            duration: info.duration.map(|span| span.secs_f64()).filter(|_| is("matroska")),
            tick: stream.map_or(0.0, |s| f64::from(s.time_base().numerator()) / f64::from(s.time_base().denominator())),
            odd_size: is("mpegts") && length > 0 && TS_PACKETS.iter().all(|size| length % size != 0),
            packets: 0,
            first: None,
            last: None,
            last_corrupt: false,
            failing: false,
            broke: false,
        }
    }

    pub(super) fn packet(&mut self, packet: &Packet) {
        self.packets += 1;
        self.failing = false;
        self.last_corrupt = packet.is_corrupt();
        if let Some(at) = packet.pts().or(packet.dts()) {
            self.first = Some(self.first.map_or(at, |first| first.min(at)));
            self.last = Some(self.last.map_or(at, |last| last.max(at)));
        }
    }

    pub(super) fn demuxer_failed(&mut self) {
        self.failing = true;
    }

    /// `cleanly`: the demuxer saw the end of the file, not an error.
    pub(super) fn ended(&mut self, cleanly: bool) {
        self.broke = !cleanly;
    }

    /// Whether the file breaks off before the end that it announces.
    pub(super) fn truncated(&self) -> bool {
        let too_few = self.announced.is_some_and(|announced| self.packets < announced);
        let too_short = match (self.duration, self.first, self.last) {
            (Some(duration), Some(first), Some(last)) => {
                let seen = (last - first) as f64 * self.tick;
                let interval = seen / (self.packets.max(2) - 1) as f64;
                seen + interval.max(0.1) * 3.0 < duration
            }
            _ => false,
        };
        self.broke || self.failing || self.last_corrupt || self.odd_size || too_few || too_short
    }
}
