//! Alarm notification of GB/T 28181: a device that registers with a platform and reports alerts by SIP.
//!
//! An alarm counts as delivered when the platform's `Response` with the same number says OK. The number is the row of
//! the outbox, so that an answer which comes late belongs to its alarm all the same.

mod agent;
pub mod alarm;
mod inquiry;
pub mod manscdp;
pub mod sip;
mod way;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, sleep_until};

use self::agent::{Agent, Alarm};
use self::sip::digest::Credentials;
use self::way::{Received, Way};
use super::{SinkError, secret};
use crate::alerts::journal::Delivery;
use crate::config::plan::Gb28181;

/// First pause after a way could not be opened; doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Reports alerts to one platform.
pub struct Gb28181Sink {
    id: String,
    plan: Gb28181,
    desk: mpsc::Sender<Request>,
    /// Until it runs.
    speaker: Mutex<Option<Box<Speaker>>>,
}

/// An alarm and who waits for its outcome.
struct Request {
    alarm: Alarm,
    done: oneshot::Sender<Result<(), SinkError>>,
}

/// Talks with the platform as long as the sink lives.
struct Speaker {
    plan: Gb28181,
    agent: Agent,
    desk: mpsc::Receiver<Request>,
    waiting: BTreeMap<u32, oneshot::Sender<Result<(), SinkError>>>,
}

impl Gb28181Sink {
    /// Alarms under way at once, of different alerts.
    pub const IN_FLIGHT: usize = 8;

    /// Reads the password; reaches nobody before it is started.
    pub fn new(id: String, plan: &Gb28181) -> Result<Self, String> {
        let password = plan.password.as_ref().map(secret::resolve).transpose()?;
        let credentials = password.map(|password| Credentials { user: plan.username.clone(), password });
        let mut run = [0; 8];
        SystemRandom::new().fill(&mut run).map_err(|_| "the system gives no random numbers")?;
        let agent = Agent::new(plan.clone(), credentials, hex::encode(run), Instant::now());
        let (desk, requests) = mpsc::channel(Self::IN_FLIGHT);
        let speaker = Speaker { plan: plan.clone(), agent, desk: requests, waiting: BTreeMap::new() };
        Ok(Self { id, plan: plan.clone(), desk, speaker: Mutex::new(Some(Box::new(speaker))) })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Begins to talk with the platform, on the current runtime; it ends with the sink.
    pub(super) fn start(&self) {
        let speaker = self.speaker.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(speaker) = speaker {
            tokio::spawn(speaker.run());
        }
    }

    pub(super) async fn deliver(&self, delivery: &Delivery) -> Result<(), SinkError> {
        let event = &delivery.event;
        let Some(key) = event.key().filter(|_| self.plan.states.contains(&event.state)) else { return Ok(()) };
        // Platforms keep the number as a signed one of 32 bits.
        let serial = u32::try_from(delivery.id & 0x7fff_ffff).unwrap_or(0);
        let body = alarm::notification(event, serial, &self.plan).map_err(|e| SinkError::later(e.to_string()))?;
        let (done, outcome) = oneshot::channel();
        let request = Request { alarm: Alarm { serial, key, body }, done };
        let gone = |_| SinkError::later("the talk with the platform has ended");
        self.desk.send(request).await.map_err(|e| gone(e.to_string()))?;
        outcome.await.map_err(|e| gone(e.to_string()))?
    }
}

impl Speaker {
    /// Keeps a way to the platform open until the desk closes behind the last delivery.
    async fn run(mut self) {
        let (mut failures, mut open) = (0, true);
        while open {
            match Way::open(&self.plan).await {
                Ok(way) => {
                    failures = 0;
                    open = self.talk(way).await;
                }
                Err(error) => {
                    failures += 1;
                    if failures == 1 {
                        tracing::warn!(server = self.plan.server, %error, "the platform cannot be reached");
                    }
                    self.agent.unreachable(&format!("{}: {error}", self.plan.server));
                    let pause = FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(10)).min(LONGEST_PAUSE);
                    open = self.rest(pause).await;
                }
            }
        }
    }

    /// Until the way breaks off (true) or nobody wants anything any more (false).
    async fn talk(&mut self, mut way: Way) -> bool {
        match way.local() {
            Ok(local) => self.agent.connected(local, Instant::now()),
            Err(error) => {
                self.agent.unreachable(&error.to_string());
                return true;
            }
        }
        loop {
            self.hand_out();
            while let Some(message) = self.agent.outgoing() {
                if let Err(error) = way.send(&message).await {
                    tracing::warn!(server = self.plan.server, %error, "the way to the platform broke off");
                    self.agent.disconnected();
                    return true;
                }
            }
            let next = self.agent.next();
            let timer = async {
                match next {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                request = self.desk.recv() => match request {
                    Some(request) => self.take(request),
                    None => return false,
                },
                received = way.receive() => match received {
                    Ok(Received::Message(message)) => self.agent.heard(&message, Instant::now()),
                    Ok(Received::Garbage(error)) => {
                        tracing::debug!(server = self.plan.server, %error, "a datagram is no SIP");
                    }
                    Err(error) => {
                        tracing::warn!(server = self.plan.server, %error, "the way to the platform broke off");
                        self.agent.disconnected();
                        return true;
                    }
                },
                () = timer => {}
            }
            self.agent.tick(Instant::now());
        }
    }

    /// Answers alarms while there is no way; false when nobody wants anything any more.
    async fn rest(&mut self, pause: Duration) -> bool {
        let end = sleep(pause);
        tokio::pin!(end);
        loop {
            self.hand_out();
            tokio::select! {
                request = self.desk.recv() => match request {
                    Some(request) => self.take(request),
                    None => return false,
                },
                () = &mut end => return true,
            }
        }
    }

    fn take(&mut self, request: Request) {
        self.waiting.insert(request.alarm.serial, request.done);
        self.agent.submit(request.alarm, Instant::now());
    }

    fn hand_out(&mut self) {
        while let Some((serial, outcome)) = self.agent.outcome() {
            if let Some(done) = self.waiting.remove(&serial) {
                // A delivery that was broken off at a stop waits no longer.
                done.send(outcome).ok();
            }
        }
    }
}
