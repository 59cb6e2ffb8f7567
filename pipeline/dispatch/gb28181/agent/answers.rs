//! What the platform's answers mean, and its silence.

use std::time::{Duration, Instant};

use super::{Agent, DAY, FIRST_PAUSE, LATE, LONGEST_PAUSE, Late, MISSED, Purpose, Registration, Step, duration};
use crate::config::plan::Acknowledge;
use crate::dispatch::SinkError;
use crate::dispatch::gb28181::sip::{Message, param};

impl Agent {
    pub(super) fn answered(&mut self, response: &Message, code: u16, reason: &str, now: Instant) {
        let Some(at) = self.open.iter().position(|o| o.transaction.matches(response)) else { return };
        if code < 200 {
            self.open[at].transaction.proceed();
            return;
        }
        let open = self.open.remove(at);
        let mut why = format!("{code} {reason}").trim().to_owned();
        if matches!(code, 401 | 407) {
            match self.prove(&open, response, now) {
                Ok(()) => return,
                Err(refusal) => why = format!("{why}: {refusal}"),
            }
        }
        let wish = response.field("Retry-After").and_then(seconds);
        match open.purpose {
            Purpose::Register => self.registered(response, code, &why, wish, now),
            Purpose::Keepalive if code < 300 => self.missed = 0,
            Purpose::Keepalive => {
                tracing::warn!(device = self.plan.device_id, %why, "the platform refuses a keep-alive");
                self.lost(now);
            }
            Purpose::Alarm(serial) => self.alarm_answered(serial, code, why, wish, now),
            Purpose::Answer => {}
        }
    }

    pub(super) fn registered(
        &mut self,
        response: &Message,
        code: u16,
        why: &str,
        wish: Option<Duration>,
        now: Instant,
    ) {
        match code {
            200..300 => {
                let granted = granted(response).unwrap_or(self.expires).min(DAY);
                if granted.is_zero() {
                    return self.refused("the platform registers for 0 s", wish, now);
                }
                // Early enough for some repeats, but not all the time.
                let renew = now + (granted / 2).max(granted.saturating_sub(Duration::from_secs(60)));
                if !matches!(self.registration, Registration::Registered { .. }) {
                    tracing::info!(device = self.plan.device_id, seconds = granted.as_secs(), "registered");
                    self.keepalive = now + duration(self.plan.keepalive);
                }
                self.registration = Registration::Registered { renew, until: now + granted };
                (self.failures, self.missed) = (0, 0);
                self.send_waiting(now);
            }
            423 => match response.field("Min-Expires").and_then(seconds) {
                Some(least) if least > self.expires && least <= DAY => {
                    self.expires = least;
                    self.ask_to_register(now);
                }
                _ => self.refused(&format!("registration refused: {why}"), wish, now),
            },
            _ => self.refused(&format!("registration refused: {why}"), wish, now),
        }
    }

    pub(super) fn refused(&mut self, why: &str, wish: Option<Duration>, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if self.failures == 1 {
            tracing::warn!(device = self.plan.device_id, why, "not registered");
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << (self.failures - 1).min(8)).min(LONGEST_PAUSE);
        let pause = wish.map_or(pause, |wish| wish.min(DAY).max(pause));
        self.registration = Registration::Refused { until: now + pause, why: why.to_owned(), wish };
        self.give_back(why, wish);
    }

    /// Alarms that are not on their way go back to the outbox.
    pub(super) fn give_back(&mut self, why: &str, wish: Option<Duration>) {
        let outcomes = &mut self.outcomes;
        self.alarms.retain(|p| {
            if p.step == Step::Waits {
                outcomes.push_back((p.alarm.serial, Err(SinkError::Later { reason: why.to_owned(), wish })));
            }
            p.step != Step::Waits
        });
    }

    /// The platform does not know this device any more, or is gone.
    pub(super) fn lost(&mut self, now: Instant) {
        if matches!(self.registration, Registration::Registered { .. }) {
            self.missed = 0;
            self.register(now);
        }
    }

    pub(super) fn silence(&mut self, purpose: Purpose, now: Instant) {
        match purpose {
            Purpose::Register => self.refused("the platform does not answer the registration", None, now),
            Purpose::Keepalive => {
                self.missed += 1;
                if self.missed >= MISSED {
                    tracing::warn!(device = self.plan.device_id, "the platform answers no keep-alive");
                    self.lost(now);
                }
            }
            Purpose::Alarm(serial) => {
                self.fail(serial, SinkError::later("the platform does not answer"));
                self.lost(now);
            }
            Purpose::Answer => {}
        }
    }

    pub(super) fn alarm_answered(&mut self, serial: u32, code: u16, why: String, wish: Option<Duration>, now: Instant) {
        match code {
            200..300 => match self.plan.acknowledge {
                Acknowledge::Accepted => self.finish(serial, Ok(())),
                Acknowledge::Response => {
                    if let Some(pending) = self.alarms.iter_mut().find(|p| p.alarm.serial == serial) {
                        pending.step = Step::Accepted;
                    }
                }
            },
            410 => self.finish(serial, Err(SinkError::Gone { reason: why })),
            _ => {
                self.fail(serial, SinkError::Later { reason: why, wish });
                // The codes with which platforms answer a device that they do not know.
                if matches!(code, 401 | 403 | 404 | 407 | 481) {
                    self.lost(now);
                }
            }
        }
    }

    /// The alarm has an outcome.
    pub(super) fn finish(&mut self, serial: u32, outcome: Result<(), SinkError>) {
        self.open.retain(|o| o.purpose != Purpose::Alarm(serial));
        let before = self.alarms.len();
        self.alarms.retain(|p| p.alarm.serial != serial);
        if self.alarms.len() < before {
            self.outcomes.push_back((serial, outcome));
        }
    }

    /// The alarm is given back, though the platform may have it.
    pub(super) fn fail(&mut self, serial: u32, error: SinkError) {
        self.finish(serial, Err(error));
        if self.late.len() == LATE {
            self.late.pop_front();
        }
        self.late.push_back(Late { serial, acknowledged: false });
    }

    pub(super) fn overdue(&mut self, serial: u32) {
        let step = self.alarms.iter().find(|p| p.alarm.serial == serial).map(|p| p.step);
        let seconds = self.patience().as_secs_f64();
        match step {
            Some(Step::Accepted) => {
                let why = format!(
                    "accepted with 200, but no Response with its number within {seconds} s \
                     (a platform that sends none: acknowledge = \"accepted\")"
                );
                self.fail(serial, SinkError::later(why));
            }
            Some(Step::Sent) => self.fail(serial, SinkError::later("the platform does not answer")),
            _ => self.finish(serial, Err(SinkError::later(format!("not registered within {seconds} s")))),
        }
    }
}

/// How long a registration holds: by the contact's own parameter or by `Expires`.
fn granted(response: &Message) -> Option<Duration> {
    let contact = response.field("Contact").and_then(|contact| param(contact, "expires"));
    contact.or_else(|| response.field("Expires")).and_then(seconds)
}

/// Seconds at the beginning of a field: `Retry-After` may have a comment behind them.
fn seconds(text: &str) -> Option<Duration> {
    let digits = text.trim().split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok().map(Duration::from_secs)
}
