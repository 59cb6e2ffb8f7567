//! Brokers: real ones, and one that acknowledges when it is told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use lookout::config::plan::{Mqtt, Sink};
use lookout::types::Span;
use serde_json::Value;
use tempfile::TempDir;

use super::{Leaves, Peer, Refuses};
use crate::sample::until;
use crate::support::broker::{
    Daemon, Stream, Subscriber, UNLIMITED, acknowledging, mosquitto, nats, payload, publish, remember,
};

/// A mosquitto with a subscriber that never forgets.
pub struct Mosquitto {
    daemon: Daemon,
    subscriber: Subscriber,
    _folder: TempDir,
}

impl Mosquitto {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let daemon = mosquitto(folder.path(), "");
        let subscriber = crate::mqtt::events(daemon.address).await;
        remember(&daemon, folder.path());
        Self { daemon, subscriber, _folder: folder }
    }
}

impl Peer for Mosquitto {
    fn sink(&self) -> Sink {
        crate::mqtt::sink(crate::mqtt::plan(self.daemon.address))
    }

    /// What was acknowledged may still be on its way to the subscriber: behind it comes what is published now.
    async fn keys(&mut self) -> Vec<String> {
        publish(self.daemon.address, "weibei/onvif-ej/end", b"{\"id\":\"end\"}").await;
        until("the last message is there", || self.subscriber.keys().last().is_some_and(|key| key == "end")).await;
        let mut keys = self.subscriber.keys();
        keys.pop();
        keys
    }
}

impl Leaves for Mosquitto {
    async fn leave(&mut self) {
        self.daemon.kill();
    }

    async fn come_back(&mut self) {
        self.daemon.start();
    }
}

/// A broker of MQTT that takes messages, but acknowledges them only if it does not refuse.
pub struct Hesitant {
    plan: Mqtt,
    refuses: Arc<AtomicBool>,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Hesitant {
    pub async fn start() -> Self {
        let (refuses, taken): (Arc<AtomicBool>, Arc<Mutex<Vec<String>>>) = Default::default();
        let (is_refusing, note) = (refuses.clone(), taken.clone());
        let address = acknowledging(move |body| {
            if is_refusing.load(Ordering::SeqCst) {
                return false;
            }
            // What says that the site is online is no event.
            if let Ok(envelope) = serde_json::from_slice::<Value>(payload(body)) {
                note.lock().unwrap().push(envelope["id"].as_str().unwrap().to_owned());
            }
            true
        });
        let plan = Mqtt { timeout: Span::from_millis(300), ..crate::mqtt::plan(address) };
        Self { plan, refuses, taken }
    }
}

impl Peer for Hesitant {
    fn sink(&self) -> Sink {
        crate::mqtt::sink(self.plan.clone())
    }

    async fn keys(&mut self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

impl Refuses for Hesitant {
    async fn refuse(&mut self, refuse: bool) {
        self.refuses.store(refuse, Ordering::SeqCst);
    }
}

/// A nats-server with a stream.
pub struct JetStream {
    daemon: Daemon,
    _folder: TempDir,
}

impl JetStream {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let daemon = nats(folder.path(), "");
        Stream::make(daemon.address, "ALERTS", "lookout.>", UNLIMITED).await;
        Self { daemon, _folder: folder }
    }
}

impl Peer for JetStream {
    fn sink(&self) -> Sink {
        crate::nats::sink(crate::nats::plan(self.daemon.address))
    }

    async fn keys(&mut self) -> Vec<String> {
        Stream::make(self.daemon.address, "ALERTS", "lookout.>", UNLIMITED).await.keys().await
    }
}

impl Refuses for JetStream {
    /// By a limit that no event keeps.
    async fn refuse(&mut self, refuse: bool) {
        let longest = if refuse { 10 } else { UNLIMITED };
        Stream::make(self.daemon.address, "ALERTS", "lookout.>", longest).await;
    }
}

impl Leaves for JetStream {
    async fn leave(&mut self) {
        self.daemon.kill();
    }

    async fn come_back(&mut self) {
        self.daemon.start();
    }
}
