//! Opening a stream: options, time-outs, and errors in words.

use std::path::Path;
use std::sync::OnceLock;

use ffmpeg_next::codec::{self, Id, threading};
use ffmpeg_next::format::context::Input;
use ffmpeg_next::util::error::{ECONNREFUSED, EHOSTUNREACH, EINVAL, ENETUNREACH, ETIMEDOUT};
use ffmpeg_next::util::log;
use ffmpeg_next::{Dictionary, Error, Packet, Rational, decoder, format, media};

use super::super::SourceError;
use super::super::address::Address;
use super::super::clock::Stop;
use super::super::picture::{MOST_PIXELS, is_sane};
use super::super::source::{Damage, StreamInfo};
use super::super::watchdog::Watchdog;
use super::ending::Ending;
use super::{Arrivals, LibavOptions, LibavSource};
use crate::types::{Size, Span};

/// Containers without a clock of their own: libav would make one up out of 25 pictures a second.
const UNTIMED: [&str; 6] = ["mpjpeg", "mjpeg", "h264", "hevc", "m4v", "jpeg_pipe"];
/// Containers that know how long they are.
const ENDING: [&str; 4] = ["mov", "matroska", "avi", "asf"];

impl LibavSource {
    pub(super) fn open(
        address: Address,
        path: Option<&Path>,
        options: &LibavOptions,
        stop: &Stop,
    ) -> Result<Self, SourceError> {
        init();
        let Address { url, shown: at, options: dictionary } = address;
        let watchdog = Watchdog::new(stop);
        watchdog.arm(options.connect_timeout);
        let asked = watchdog.clone();
        let opened = format::input_with_interrupt_and_dictionary(&url, move || asked.interrupts(), dictionary);
        let input = opened.map_err(|error| match error {
            _ if stop.is_set() => SourceError::Stopped,
            _ if watchdog.was_late() => SourceError::ConnectTimeout { at: at.clone(), after: options.connect_timeout },
            error => explain(error, at.clone(), path.is_some()),
        })?;
        let (index, parameters, time_base) = match input.streams().best(media::Type::Video) {
            Some(stream) => (stream.index(), stream.parameters(), stream.time_base()),
            None => return Err(SourceError::Undecodable { at, why: "it holds no video".into() }),
        };
        let codec = parameters.id();
        let decoder =
            decoder(parameters, time_base, options.threads).map_err(|refused| refused.at(at.clone(), codec))?;
        let name = input.format().name().to_owned();
        let is_one_of = |names: &[&str]| name.split(',').any(|part| names.contains(&part));
        let live = path.is_none() && !(is_one_of(&ENDING) && input.duration() > 0);
        let info = info(&input, index, &decoder, codec, live);
        let ending = Ending::new(&input, index, &info, path);
        Ok(Self {
            decoder,
            input,
            watchdog,
            options: *options,
            at,
            info,
            timed: !(live && is_one_of(&UNTIMED)),
            stream: index,
            time_base,
            successor: None,
            packet: Packet::empty(),
            arrivals: Arrivals::new(),
            took: std::time::Duration::ZERO,
            draining: false,
            ending,
            damage: Damage::default(),
            wasted: 0,
            foreign: 0,
        })
    }
}

/// There is no decoder.
pub(super) enum Refused {
    Codec(Error),
    TooLarge(Size),
}

impl Refused {
    pub(super) fn at(self, at: String, codec: Id) -> SourceError {
        match self {
            Self::Codec(error) => SourceError::Undecodable { at, why: format!("{}: {error}", codec.name()) },
            Self::TooLarge(size) => SourceError::TooLarge { at, size },
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Codec(error)
    }
}

/// A decoder with slice threads alone, for pictures that are not absurdly large: what its stream says later, it refuses before it
/// asks for the memory.
pub(super) fn decoder(
    parameters: codec::Parameters,
    time_base: Rational,
    threads: usize,
) -> Result<decoder::Video, Refused> {
    // Under the limit a size beyond it reads as none, so that it is read without; no picture is made for that.
    let announced = codec::Context::from_parameters(parameters.clone())?.decoder().video()?;
    let size = Size::new(announced.width(), announced.height());
    if !is_sane(size) {
        return Err(Refused::TooLarge(size));
    }
    let mut context = codec::Context::from_parameters(parameters)?;
    context.set_threading(threading::Config {
        kind: threading::Type::Slice,
        count: threads.max(1),
        ..threading::Config::default()
    });
    let mut decoder = context.decoder();
    decoder.set_packet_time_base(time_base);
    let codec = decoder.codec().or_else(|| codec::decoder::find(decoder.id())).ok_or(Error::DecoderNotFound)?;
    let mut limits = Dictionary::new();
    limits.set("max_pixels", &MOST_PIXELS.to_string());
    Ok(decoder.open_as_with(codec, limits)?.video()?)
}

/// Once a process. libav's own log is silenced: it writes URLs with passwords to stderr.
fn init() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        log::set_level(log::Level::Quiet);
        // Registers error texts alone since FFmpeg 5 and cannot fail.
        ffmpeg_next::init().unwrap_or_default();
        format::network::init();
    });
}

fn explain(error: Error, at: String, file: bool) -> SourceError {
    match error {
        Error::HttpUnauthorized | Error::HttpForbidden => SourceError::Unauthorized { at },
        Error::InvalidData if file => {
            SourceError::Undecodable { at, why: "this is not a video file, or it breaks off in its header".into() }
        }
        // What libav answers for a container that is not on the list.
        Error::Other { errno: EINVAL } if file => {
            SourceError::Undecodable { at, why: "this kind of container is not allowed".into() }
        }
        Error::Other { errno: ECONNREFUSED | EHOSTUNREACH | ENETUNREACH | ETIMEDOUT } => {
            SourceError::Refused { at, why: error.to_string() }
        }
        error if file => SourceError::Undecodable { at, why: error.to_string() },
        error => SourceError::Refused { at, why: error.to_string() },
    }
}

fn info(input: &Input, index: usize, decoder: &decoder::Video, codec: Id, live: bool) -> StreamInfo {
    let stream = input.stream(index);
    let positive = |rate: Rational| {
        let value = f64::from(rate.numerator()) / f64::from(rate.denominator());
        (value.is_finite() && (0.001..=1000.0).contains(&value)).then_some(value)
    };
    let fps = stream.as_ref().and_then(|s| positive(s.avg_frame_rate()).or_else(|| positive(s.rate())));
    let duration = (!live && input.duration() > 0).then(|| Span::from_nanos(input.duration().saturating_mul(1_000)));
    let counted = stream.as_ref().and_then(|s| u64::try_from(s.frames()).ok()).filter(|&frames| frames > 0);
    let estimated = || Some((duration?.secs_f64() * fps?).round() as u64);
    let created = [Some(input.metadata()), stream.as_ref().map(|s| s.metadata())]
        .into_iter()
        .flatten()
        .find_map(|metadata| metadata.get("creation_time")?.parse().ok());
    let aspect = decoder.aspect_ratio();
    StreamInfo {
        size: Size::new(decoder.width(), decoder.height()),
        codec: codec.name().to_owned(),
        fps,
        frames: if live { None } else { counted.or_else(estimated) },
        duration,
        created,
        sample_aspect: positive(aspect).filter(|value| (value - 1.0).abs() > 1e-6),
        live,
    }
}
