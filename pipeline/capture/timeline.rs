//! Presentation time to media time: what is missing, backwards, jumping or wrapping is repaired and counted.

use crate::types::{MediaTime, Span};

/// A step that is never taken for a jump.
const SMALL: Span = Span::from_secs(1);
/// A file's gap up to here is believed once a second picture confirms it; a longer one is closed.
const GAP: Span = Span::from_secs(10);
/// Bounds of the learned picture interval.
const INTERVAL: (i64, i64) = (1_000_000, 60_000_000_000);
/// Where the interval is not known: 25 pictures a second.
const DEFAULT_INTERVAL: i64 = 40_000_000;
/// Periods of time stamp counters: 33 and 32 bits at 90 kHz (MPEG-TS, RTP), 32 bits of milliseconds (FLV).
const WRAPS: [i64; 3] = [95_443_717_688_889, 47_721_858_844_444, 4_294_967_296_000_000];

/// Where the time stamps come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// A file: time stamps are the only clock.
    Recorded,
    /// A camera: the host's clock says whether a jump is real.
    Live,
}

/// How a connection follows on the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// A file that begins again: one picture interval later.
    Loop,
    /// A camera that was opened again: later by the time that passed.
    Reconnect,
}

/// What was wrong with a time stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFault {
    /// There was none.
    Missing,
    /// Not after the one before.
    Backwards,
    /// Too far after the one before.
    Jumped,
    /// The counter began again at zero.
    Wrapped,
}

/// Repaired time stamps by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    /// [`TimeFault::Missing`].
    pub missing: u64,
    /// [`TimeFault::Backwards`].
    pub backwards: u64,
    /// [`TimeFault::Jumped`].
    pub jumped: u64,
    /// [`TimeFault::Wrapped`].
    pub wrapped: u64,
}

/// Gives every picture of a camera its media time; strictly growing, the first picture at zero.
///
/// A time stamp that fits what came before is believed. One that does not is replaced by an estimate and kept as a
/// candidate: if the next one follows from the candidate, the clock was really set and the time line goes on from the
/// estimate; if it fits what came before, it was a slip, and truth is restored. So a single wrong time stamp spoils one
/// picture.
#[derive(Clone, Debug)]
pub struct Timeline {
    feed: Feed,
    fps: Option<f64>,
    /// Pictures stamped so far.
    count: u64,
    /// Learned nanoseconds a picture.
    interval: i64,
    start: Option<Follows>,
    /// Media time less time stamp, once a time stamp is believed.
    offset: Option<Span>,
    anchor: Anchor,
    candidate: Option<Candidate>,
    last: Option<Last>,
    /// With `fps`: the picture and the time from which is counted.
    base: (u64, MediaTime),
    repairs: Repairs,
}

/// The last believed picture.
#[derive(Clone, Copy, Debug, Default)]
struct Anchor {
    raw: Span,
    time: MediaTime,
    arrived: Span,
    /// Pictures since.
    since: i64,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    raw: Span,
    time: MediaTime,
    arrived: Span,
    gap: Span,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    time: MediaTime,
    arrived: Span,
}

impl Timeline {
    /// `fps`: overrides all time stamps, picture k is at k/fps.
    pub fn new(feed: Feed, fps: Option<f64>) -> Self {
        Self {
            feed,
            fps: sane(fps),
            count: 0,
            interval: DEFAULT_INTERVAL,
            start: None,
            offset: None,
            anchor: Anchor::default(),
            candidate: None,
            last: None,
            base: (0, MediaTime::ZERO),
            repairs: Repairs::default(),
        }
    }

    /// Where the time stamps of a connection come from, as in [`Self::new`]; before its first picture.
    pub fn feed_by(&mut self, feed: Feed, fps: Option<f64>) {
        (self.feed, self.fps) = (feed, sane(fps));
    }

    /// Picture rate that the stream announces.
    pub fn announce(&mut self, fps: Option<f64>) {
        if let Some(fps) = sane(fps) {
            self.interval = ((1e9 / fps) as i64).clamp(INTERVAL.0, INTERVAL.1);
        }
    }

    /// The next picture is the first of a new connection.
    pub fn follow(&mut self, how: Follows) {
        if self.last.is_some() {
            self.start = Some(how);
        }
    }

    /// Media time of the next picture with time stamp `pts` (of the stream's own clock). `arrived`: the host's
    /// monotonic clock, from any origin.
    pub fn stamp(&mut self, pts: Option<Span>, arrived: Span) -> (MediaTime, Option<TimeFault>) {
        let (time, fault) = match self.fps {
            Some(fps) => (self.counted(fps, arrived), None),
            None => self.repaired(pts, arrived),
        };
        let time = self.last.map_or(time, |last| time.max(last.time + self.step()));
        self.last = Some(Last { time, arrived });
        self.count += 1;
        match fault {
            Some(TimeFault::Missing) => self.repairs.missing += 1,
            Some(TimeFault::Backwards) => self.repairs.backwards += 1,
            Some(TimeFault::Jumped) => self.repairs.jumped += 1,
            Some(TimeFault::Wrapped) => self.repairs.wrapped += 1,
            None => {}
        }
        (time, fault)
    }

    /// Counts since the beginning.
    pub fn repairs(&self) -> Repairs {
        self.repairs
    }

    /// Pictures stamped so far: the index of the next one.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn counted(&mut self, fps: f64, arrived: Span) -> MediaTime {
        if let (Some(Follows::Reconnect), Some(last)) = (self.start.take(), self.last) {
            let passed = (arrived - last.arrived).max(Span::from_secs_f64(1.0 / fps));
            self.base = (self.count, last.time + passed);
        }
        let (first, base) = self.base;
        base + (MediaTime::of_frame(self.count - first, fps) - MediaTime::ZERO)
    }

    fn repaired(&mut self, pts: Option<Span>, arrived: Span) -> (MediaTime, Option<TimeFault>) {
        if self.start.is_some() || self.last.is_none() {
            let time = match (self.start.take(), self.last) {
                (Some(Follows::Reconnect), Some(last)) => last.time + (arrived - last.arrived).max(self.step()),
                (_, Some(last)) => last.time + Span::from_nanos(self.interval),
                (_, None) => MediaTime::ZERO,
            };
            self.offset = None;
            self.candidate = None;
            self.anchor = Anchor { raw: Span::ZERO, time, arrived, since: 0 };
            if let Some(raw) = pts {
                self.believe(raw, time - (MediaTime::ZERO + raw), arrived);
            }
            // The first picture is where it is, with a time stamp or without: RTSP's first one never has one.
            return (time, None);
        }
        self.anchor.since += 1;
        let Some(raw) = pts else { return (self.estimate(arrived), Some(TimeFault::Missing)) };
        let Some(offset) = self.offset else {
            // The first pictures of a connection come in a burst, out of libav's probing: arrival says too little.
            let regular = self.anchor.time + Span::from_nanos(self.interval.saturating_mul(self.anchor.since.min(8)));
            let estimate = self.estimate(arrived).max(regular);
            return (self.believe(raw, estimate - (MediaTime::ZERO + raw), arrived), None);
        };
        self.placed(raw, offset, arrived)
    }

    fn placed(&mut self, raw: Span, offset: Span, arrived: Span) -> (MediaTime, Option<TimeFault>) {
        let step = raw - self.anchor.raw;
        let passed = arrived - self.anchor.arrived;
        if self.plausible(step, passed, self.anchor.since) {
            return (self.believe(raw, offset, arrived), None);
        }
        for wrap in WRAPS.map(Span::from_nanos) {
            if self.plausible(step + wrap, passed, self.anchor.since) {
                return (self.believe(raw, offset + wrap, arrived), Some(TimeFault::Wrapped));
            }
        }
        if let Some(candidate) = self.candidate {
            let step = raw - candidate.raw;
            let gap = self.feed == Feed::Recorded && candidate.gap > Span::ZERO && candidate.gap <= GAP;
            // Pictures that are regularly far apart confirm each other too.
            let regular = gap && step > Span::ZERO && step.nanos() <= 2 * candidate.gap.nanos();
            if regular || self.plausible(step, arrived - candidate.arrived, 1) {
                if regular && 2 * step.nanos() >= candidate.gap.nanos() {
                    self.interval = step.nanos().min(INTERVAL.1);
                }
                let offset = if gap { offset } else { candidate.time - (MediaTime::ZERO + candidate.raw) };
                return (self.believe(raw, offset, arrived), None);
            }
        }
        let estimate = self.estimate(arrived);
        let time = self.last.map_or(estimate, |last| estimate.max(last.time + self.step()));
        self.candidate = Some(Candidate { raw, time, arrived, gap: step });
        let fault = if step > Span::ZERO { TimeFault::Jumped } else { TimeFault::Backwards };
        (time, Some(fault))
    }

    /// Whether time stamps may lie `step` apart when the host saw `passed` and `pictures` lie between them.
    fn plausible(&self, step: Span, passed: Span, pictures: i64) -> bool {
        if step <= Span::ZERO {
            return false;
        }
        match self.feed {
            Feed::Recorded => {
                let regular = self.interval.saturating_mul(pictures + 9);
                step.nanos() <= regular.max(SMALL.nanos() + self.interval.saturating_mul(pictures))
            }
            Feed::Live => step <= SMALL || (step - passed).nanos().abs() <= SMALL.nanos() + passed.nanos().max(0) / 8,
        }
    }

    fn believe(&mut self, raw: Span, offset: Span, arrived: Span) -> MediaTime {
        if self.offset == Some(offset) && self.anchor.since > 0 {
            let seen = (raw - self.anchor.raw).nanos() / self.anchor.since;
            if seen > 0 {
                // A gap is not a slow camera: the interval at most doubles, and by an eighth of that.
                let seen = seen.min(self.interval * 2).clamp(INTERVAL.0, INTERVAL.1);
                self.interval += (seen - self.interval) / 8;
            }
        }
        let time = MediaTime::ZERO + raw + offset;
        self.offset = Some(offset);
        self.candidate = None;
        self.anchor = Anchor { raw, time, arrived, since: 0 };
        time
    }

    /// Where a picture without a believed time stamp belongs: from the last believed one on, so that errors do not add
    /// up.
    fn estimate(&self, arrived: Span) -> MediaTime {
        match self.feed {
            Feed::Recorded => {
                self.anchor.time + Span::from_nanos(self.interval.saturating_mul(self.anchor.since.max(1)))
            }
            Feed::Live => self.anchor.time + (arrived - self.anchor.arrived).max(Span::ZERO),
        }
    }

    /// The least step forward.
    fn step(&self) -> Span {
        Span::from_nanos((self.interval / 8).max(1_000))
    }
}

fn sane(fps: Option<f64>) -> Option<f64> {
    fps.filter(|fps| fps.is_finite() && *fps > 0.0)
}

impl TimeFault {
    /// The word in logs and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Backwards => "backwards",
            Self::Jumped => "jumped",
            Self::Wrapped => "wrapped",
        }
    }
}

impl Repairs {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.missing + self.backwards + self.jumped + self.wrapped
    }
}

#[cfg(test)]
mod tests;
