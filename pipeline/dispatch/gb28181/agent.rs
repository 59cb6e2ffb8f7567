//! The device's side of the talk with a GB/T 28181 platform, without sockets and clocks of its own: it is told what
//! came in and what time it is, and says what to send and what became of each alarm.
//!
//! It registers (with a digest if asked), renews that before it expires, keeps it alive, sends alarms, and takes the
//! platform's `Response` with the same number as the acknowledgement. A platform that no longer knows the device, or
//! does not answer, is registered with anew.

mod answers;
mod inbound;
mod requests;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::sip::digest::Credentials;
use super::sip::transaction::{Due, Transaction};
use super::sip::{Message, Start};
use crate::config::plan::Gb28181;
use crate::dispatch::SinkError;

/// Numbers of alarms whose answer may still come after it was no longer waited for.
const LATE: usize = 256;
/// Requests of the agent's own under way at once, besides alarms.
const MOST_OPEN: usize = 16;
/// Keep-alives without an answer after which the platform counts as gone (GB/T 28181-2016, 9.6.1).
const MISSED: u32 = 3;
/// First pause after a refused registration; doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Longest `Retry-After`, `Min-Expires` and registration that is believed.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// An alarm to be sent.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// `SN` of the command; the answer has the same. Stays the same when the alarm is repeated.
    pub serial: u32,
    /// The idempotency key, which becomes the `Call-ID`.
    pub key: String,
    /// MANSCDP.
    pub body: Vec<u8>,
}

/// What became of the alarm with this number.
pub type Outcome = (u32, Result<(), SinkError>);

/// The talk.
pub struct Agent {
    plan: Gb28181,
    credentials: Option<Credentials>,
    /// Names of this run: no other run has the same.
    run: String,
    names: u64,
    sequence: u32,
    serial: u32,
    /// This end of the open way to the platform.
    local: Option<SocketAddr>,
    registration: Registration,
    failures: u32,
    expires: Duration,
    keepalive: Instant,
    missed: u32,
    open: Vec<Open>,
    alarms: Vec<Pending>,
    late: VecDeque<Late>,
    out: VecDeque<Vec<u8>>,
    outcomes: VecDeque<Outcome>,
}

#[derive(Debug)]
enum Registration {
    /// Under way, or about to be.
    Asking,
    /// In force.
    Registered { renew: Instant, until: Instant },
    /// Asked for again later.
    Refused { until: Instant, why: String, wish: Option<Duration> },
    /// There is no way to the platform.
    Unreachable { why: String },
}

/// Why a request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Register,
    Keepalive,
    Alarm(u32),
    Answer,
}

#[derive(Debug)]
struct Open {
    purpose: Purpose,
    transaction: Transaction,
    /// Answers to challenges so far.
    answered: u32,
}

#[derive(Debug)]
struct Pending {
    alarm: Alarm,
    deadline: Instant,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// For the registration.
    Waits,
    Sent,
    /// 200, but no `Response` yet.
    Accepted,
}

#[derive(Debug)]
struct Late {
    serial: u32,
    acknowledged: bool,
}

impl Agent {
    /// Knows nobody yet. `run` is a name that no other run has.
    pub fn new(plan: Gb28181, credentials: Option<Credentials>, run: String, now: Instant) -> Self {
        let expires = duration(plan.expires);
        Self {
            plan,
            credentials,
            run,
            names: 0,
            sequence: 0,
            serial: 0,
            local: None,
            registration: Registration::Asking,
            failures: 0,
            expires,
            keepalive: now,
            missed: 0,
            open: Vec::new(),
            alarms: Vec::new(),
            late: VecDeque::new(),
            out: VecDeque::new(),
            outcomes: VecDeque::new(),
        }
    }

    /// A way to the platform is open; what was sent on an older one and not accepted is sent again.
    pub fn connected(&mut self, local: SocketAddr, now: Instant) {
        self.close();
        self.local = Some(local);
        self.register(now);
    }

    /// The way broke off; alarms wait for the next.
    pub fn disconnected(&mut self) {
        self.close();
        self.local = None;
        self.registration = Registration::Asking;
    }

    /// No way can be opened: alarms are given back.
    pub fn unreachable(&mut self, why: &str) {
        self.disconnected();
        self.registration = Registration::Unreachable { why: why.to_owned() };
        self.give_back(why, None);
    }

    fn close(&mut self) {
        self.open.clear();
        self.out.clear();
        for pending in self.alarms.iter_mut().filter(|p| p.step == Step::Sent) {
            pending.step = Step::Waits;
        }
    }

    /// Takes an alarm; its outcome comes by [`Self::outcome`].
    pub fn submit(&mut self, alarm: Alarm, now: Instant) {
        let serial = alarm.serial;
        if let Some(at) = self.late.iter().position(|l| l.serial == serial)
            && self.late.remove(at).is_some_and(|l| l.acknowledged)
        {
            // The answer to an earlier attempt came while nobody waited.
            self.outcomes.push_back((serial, Ok(())));
            return;
        }
        match &self.registration {
            Registration::Refused { why, wish, .. } => {
                let error = SinkError::Later { reason: why.clone(), wish: *wish };
                self.outcomes.push_back((serial, Err(error)));
            }
            Registration::Unreachable { why } => {
                self.outcomes.push_back((serial, Err(SinkError::later(why.clone()))));
            }
            Registration::Asking | Registration::Registered { .. } => {
                self.alarms.retain(|p| p.alarm.serial != serial);
                self.alarms.push(Pending { alarm, deadline: now + self.patience(), step: Step::Waits });
                self.send_waiting(now);
            }
        }
    }

    /// Takes a message.
    pub fn heard(&mut self, message: &Message, now: Instant) {
        match &message.start {
            Start::Status { code, reason } => self.answered(message, *code, reason, now),
            Start::Request { method, .. } => self.asked(message, method, now),
        }
    }

    /// The next message to be sent.
    pub fn outgoing(&mut self) -> Option<Vec<u8>> {
        self.out.pop_front()
    }

    /// What became of an alarm.
    pub fn outcome(&mut self) -> Option<Outcome> {
        self.outcomes.pop_front()
    }

    /// When time itself will bring something.
    pub fn next(&self) -> Option<Instant> {
        let registration = match &self.registration {
            Registration::Registered { renew, .. } => {
                let asking = self.open.iter().any(|o| o.purpose == Purpose::Register);
                [(!asking).then_some(*renew), Some(self.keepalive)].into_iter().flatten().min()
            }
            Registration::Refused { until, .. } => Some(*until),
            Registration::Asking | Registration::Unreachable { .. } => None,
        };
        let open = self.open.iter().map(|o| o.transaction.next()).min();
        let alarms = self.alarms.iter().map(|p| p.deadline).min();
        [registration, open, alarms].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) {
        let mut silent = Vec::new();
        let out = &mut self.out;
        self.open.retain_mut(|open| match open.transaction.due(now) {
            Due::Nothing => true,
            Due::Repeat => {
                out.push_back(open.transaction.request.to_bytes());
                true
            }
            Due::TimedOut => {
                silent.push(open.purpose);
                false
            }
        });
        for purpose in silent {
            self.silence(purpose, now);
        }
        let expired: Vec<u32> = self.alarms.iter().filter(|p| p.deadline <= now).map(|p| p.alarm.serial).collect();
        for serial in expired {
            self.overdue(serial);
        }
        match &self.registration {
            Registration::Registered { until, .. } if *until <= now => self.lost(now),
            Registration::Registered { renew, .. } => {
                let renew = *renew <= now;
                if renew && !self.open.iter().any(|o| o.purpose == Purpose::Register) {
                    self.ask_to_register(now);
                }
                if self.keepalive <= now {
                    self.keep_alive(now);
                }
            }
            Registration::Refused { until, .. } if *until <= now => self.register(now),
            _ => {}
        }
    }

    fn patience(&self) -> Duration {
        duration(self.plan.timeout)
    }
}

fn duration(span: crate::types::Span) -> Duration {
    Duration::from_nanos(span.nanos().unsigned_abs())
}

#[cfg(test)]
mod tests;
