//! One camera for ever: opens it, reads it, opens it again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::backoff::Backoff;
use super::clock::{Clock, Stop};
use super::pace::Pace;
use super::source::{Damage, Opener, Source, StreamInfo};
use super::timeline::{Feed, Follows, TimeFault, Timeline};
use super::utc::UtcMap;
use super::{Rate, Retry, SourceError};
use crate::types::{Frame, Size, Span};

/// First and longest wait before a camera is opened again.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// A connection that lasted this long was a good one: the next loss begins with the shortest wait.
const GOOD: Duration = Duration::from_secs(10);

/// What happened to a camera. Given out on the capture thread: handle it quickly.
#[derive(Clone, Debug, PartialEq)]
pub enum CaptureEvent<'a> {
    /// An attempt to connect begins.
    Connecting,
    /// The first picture of a connection was decoded.
    Connected {
        /// What the stream says about itself.
        info: &'a StreamInfo,
        /// A connection came before it.
        again: bool,
    },
    /// No connection, or no more.
    Lost {
        /// Why; [`SourceError::reason`] is the metric label.
        error: &'a SourceError,
        /// It had given pictures.
        connected: bool,
        /// Until the next attempt; `None`: there is none.
        retry_in: Option<Duration>,
    },
    /// A picture was decoded.
    Decoded {
        /// Time that decoding took.
        took: Duration,
        /// It is analysed, not left out by the rate.
        selected: bool,
    },
    /// Something did not decode since the last picture.
    Damaged(Damage),
    /// A time stamp was repaired.
    Repaired(TimeFault),
    /// The picture changed its size in mid-stream.
    Resized {
        /// Before.
        from: Size,
        /// Now.
        to: Size,
    },
    /// A file began again.
    Looped,
    /// Playing a file fell behind real time and started anew.
    FellBehind,
}

/// Who is told what happened to a camera.
pub trait Observer {
    /// Called for every event in order.
    fn on(&mut self, event: &CaptureEvent<'_>);
}

impl<F: FnMut(&CaptureEvent<'_>)> Observer for F {
    fn on(&mut self, event: &CaptureEvent<'_>) {
        self(event);
    }
}

/// What a supervisor is built from.
#[derive(Clone, Debug, Default)]
pub struct SupervisorOptions {
    /// Spreads the waits of different cameras.
    pub camera: String,
    /// Analysed pictures a second, at most.
    pub rate: Option<f64>,
    /// Shifts which pictures are analysed against those of other cameras: a share of the time between two.
    pub phase: f64,
    /// Overrides time stamps: picture k is at k/fps.
    pub fps: Option<f64>,
    /// A file begins again at its end.
    pub repeat: bool,
}

/// Keeps one camera open. Files are played in real time.
pub struct Supervisor<O> {
    opener: O,
    clock: Arc<dyn Clock>,
    stop: Stop,
    options: SupervisorOptions,
    epoch: Instant,
    timeline: Option<Timeline>,
    utc: UtcMap,
    rate: Rate,
    pace: Pace,
    size: Option<Size>,
    connections: u64,
}

/// How one connection ended.
struct Ended {
    error: SourceError,
    /// When its first picture came.
    since: Option<Instant>,
}

impl<O: Opener> Supervisor<O> {
    /// Opens nothing yet.
    pub fn new(opener: O, clock: Arc<dyn Clock>, stop: Stop, options: SupervisorOptions) -> Self {
        let epoch = clock.now();
        Self {
            opener,
            clock,
            stop,
            epoch,
            timeline: None,
            utc: UtcMap::new(),
            rate: Rate::new(options.rate).with_phase(options.phase),
            pace: Pace::new(),
            size: None,
            connections: 0,
            options,
        }
    }

    /// Another source from the next [`Self::run`] on, ended by another flag. The time line goes on: later by the time that
    /// passed, as over a reconnect.
    pub fn exchange(&mut self, opener: O, stop: Stop, options: SupervisorOptions) {
        (self.opener, self.stop) = (opener, stop);
        self.rate = Rate::new(options.rate).with_phase(options.phase);
        self.options = options;
        self.follow(Follows::Reconnect);
    }

    /// Hands every selected frame to `sink` until the stop flag is set ([`SourceError::Stopped`]) or a file that does
    /// not repeat is over ([`SourceError::End`]); that error is what comes back. Everything else is tried again.
    ///
    /// Neither `sink` nor `observer` may block for longer than a picture lasts.
    pub fn run(&mut self, sink: &mut dyn FnMut(Frame), observer: &mut dyn Observer) -> SourceError {
        let mut backoff = Backoff::new(WAITS.0, WAITS.1, &self.options.camera);
        loop {
            let Ended { error, since } = self.run_once(sink, observer);
            if matches!(error, SourceError::End { .. }) && self.options.repeat && since.is_some() {
                observer.on(&CaptureEvent::Looped);
                self.follow(Follows::Loop);
                continue;
            }
            if since.is_some_and(|since| self.clock.now().saturating_duration_since(since) >= GOOD) {
                backoff.reset();
            }
            let retry_in = match error.retry() {
                _ if self.stop.is_set() => None,
                Retry::Never => None,
                Retry::Soon => Some(backoff.wait()),
                Retry::Late => Some(backoff.longest()),
            };
            if error != SourceError::Stopped {
                observer.on(&CaptureEvent::Lost { error: &error, connected: since.is_some(), retry_in });
            }
            match retry_in {
                Some(wait) if !self.clock.sleep(wait, &self.stop) => self.follow(Follows::Reconnect),
                Some(_) => return SourceError::Stopped,
                None => return error,
            }
        }
    }

    /// One connection from its opening to its end.
    fn run_once(&mut self, sink: &mut dyn FnMut(Frame), observer: &mut dyn Observer) -> Ended {
        let mut since = None;
        observer.on(&CaptureEvent::Connecting);
        let error = match self.opener.open(&self.stop) {
            Ok(mut source) => loop {
                if let Err(error) = self.step(source.as_mut(), &mut since, sink, observer) {
                    break error;
                }
            },
            Err(error) => error,
        };
        Ended { error, since }
    }

    /// One picture.
    fn step(
        &mut self,
        source: &mut dyn Source,
        since: &mut Option<Instant>,
        sink: &mut dyn FnMut(Frame),
        observer: &mut dyn Observer,
    ) -> Result<(), SourceError> {
        if self.stop.is_set() {
            return Err(SourceError::Stopped);
        }
        let before = source.damage();
        let decoded = source.next();
        let after = source.damage();
        if after != before {
            observer.on(&CaptureEvent::Damaged(Damage {
                packets: after.packets - before.packets,
                pictures: after.pictures - before.pictures,
            }));
        }
        let decoded = decoded?;
        let live = source.info().live;
        let feed = if live { Feed::Live } else { Feed::Recorded };
        let timeline = self.timeline.get_or_insert_with(|| Timeline::new(feed, self.options.fps));
        if since.is_none() {
            *since = Some(self.clock.now());
            timeline.feed_by(feed, self.options.fps);
            timeline.announce(source.info().fps);
            observer.on(&CaptureEvent::Connected { info: source.info(), again: self.connections > 0 });
            self.connections += 1;
        }
        let index = timeline.count();
        let (time, fault) = timeline.stamp(decoded.pts, span(decoded.arrived, self.epoch));
        if let Some(fault) = fault {
            observer.on(&CaptureEvent::Repaired(fault));
        }
        let size = decoded.picture.size();
        if let Some(from) = self.size.replace(size).filter(|from| *from != size) {
            observer.on(&CaptureEvent::Resized { from, to: size });
        }
        let arrived = match live {
            true => decoded.arrived,
            false => {
                let restarts = self.pace.restarts();
                let due = self.pace.wait(time, self.clock.as_ref(), &self.stop).ok_or(SourceError::Stopped)?;
                if self.pace.restarts() > restarts {
                    observer.on(&CaptureEvent::FellBehind);
                }
                due
            }
        };
        let age = self.clock.now().saturating_duration_since(arrived);
        let host = self.clock.utc();
        let utc = self.utc.map(time, host.checked_sub(age).unwrap_or(host));
        let selected = self.rate.takes(time);
        observer.on(&CaptureEvent::Decoded { took: decoded.took, selected });
        if selected {
            sink(Frame { index, time, utc, arrived, picture: decoded.picture });
        }
        Ok(())
    }

    fn follow(&mut self, how: Follows) {
        if let Some(timeline) = &mut self.timeline {
            timeline.follow(how);
        }
        if how == Follows::Reconnect {
            self.utc.renew();
            // What a file missed while it could not be read is not made up for.
            self.pace = Pace::new();
        }
    }
}

fn span(at: Instant, epoch: Instant) -> Span {
    match at.checked_duration_since(epoch) {
        Some(after) => Span::from_nanos(i64::try_from(after.as_nanos()).unwrap_or(i64::MAX)),
        None => Span::ZERO - Span::from_nanos(i64::try_from((epoch - at).as_nanos()).unwrap_or(i64::MAX)),
    }
}

#[cfg(test)]
mod tests;
