//! Receivers by HTTP and SIP, a file and the log.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use axum::response::IntoResponse;
use lookout::config::plan::{Gb28181, Mode, Sink, SinkKind, SipTransport, Webhook};
use lookout::types::{Event, Span, State};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tracing::subscriber::DefaultGuard;

use super::{Leaves, Peer, Refuses};
use crate::sample::{Got, House, Receiver, event, file, item, quick, until, webhook};
use crate::support::cap::Element;
use crate::support::sip::{Alarm, Conduct, Platform};

/// A receiver of HTTP requests, on threads of its own so that it can go away with all its connections.
pub struct Hook {
    address: SocketAddr,
    sink: Sink,
    key: fn(&Got) -> String,
    threads: Option<Runtime>,
    refuses: Arc<AtomicBool>,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Hook {
    pub async fn structured() -> Self {
        Self::start(
            |address| webhook("hook", address, Span::from_secs(5)),
            |got| {
                let body: Value = serde_json::from_slice(&got.body).unwrap();
                assert_eq!(body["id"], got.header("webhook-id"));
                body["id"].as_str().unwrap().to_owned()
            },
        )
        .await
    }

    pub async fn binary() -> Self {
        let binary = |address| {
            let SinkKind::Webhook(plan) = webhook("hook", address, Span::from_secs(5)).kind else { unreachable!() };
            Sink { id: "hook".into(), kind: SinkKind::Webhook(Webhook { mode: Mode::Binary, ..plan }) }
        };
        Self::start(binary, |got| {
            assert_eq!(got.header("ce-id"), got.header("webhook-id"));
            got.header("ce-id")
        })
        .await
    }

    pub async fn cap() -> Self {
        let cap = |address| crate::cap::sink(crate::cap::plan(format!("http://{address}/cap")));
        Self::start(cap, |got| Element::read(&got.body).unwrap().value("identifier").to_owned()).await
    }

    async fn start(sink: fn(SocketAddr) -> Sink, key: fn(&Got) -> String) -> Self {
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (refuses, taken) = Default::default();
        let mut hook = Self { address, sink: sink(address), key, threads: None, refuses, taken };
        hook.come_back().await;
        hook
    }
}

impl Peer for Hook {
    fn sink(&self) -> Sink {
        self.sink.clone()
    }

    async fn keys(&mut self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

impl Refuses for Hook {
    async fn refuse(&mut self, refuse: bool) {
        self.refuses.store(refuse, Ordering::SeqCst);
    }
}

impl Leaves for Hook {
    async fn leave(&mut self) {
        self.threads.take().unwrap().shutdown_background();
    }

    async fn come_back(&mut self) {
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (address, key, refuses, taken) = (self.address, self.key, self.refuses.clone(), self.taken.clone());
        let receiver = Receiver::start_at(address, move |_, got| {
            if refuses.load(Ordering::SeqCst) {
                return StatusCode::UNPROCESSABLE_ENTITY.into_response();
            }
            taken.lock().unwrap().push(key(got));
            StatusCode::NO_CONTENT.into_response()
        });
        threads.spawn(receiver).await.unwrap();
        self.threads = Some(threads);
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        // A runtime may not be dropped within another one.
        self.threads.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

/// A platform of GB/T 28181.
pub struct Gb {
    platform: Platform,
    transport: SipTransport,
}

impl Gb {
    pub async fn udp() -> Self {
        Self { platform: Platform::udp(Conduct::default()).await, transport: SipTransport::Udp }
    }

    pub async fn tcp() -> Self {
        Self { platform: Platform::tcp(Conduct::default()).await, transport: SipTransport::Tcp }
    }
}

impl Peer for Gb {
    fn sink(&self) -> Sink {
        let SinkKind::Gb28181(plan) = crate::gb28181::tells_all(&self.platform).kind else { unreachable!() };
        let plan = Gb28181 { timeout: Span::from_millis(500), transport: self.transport, ..plan };
        crate::gb28181::sink(plan)
    }

    async fn keys(&mut self) -> Vec<String> {
        assert_eq!(self.platform.faults(), [""; 0]);
        self.platform.alarms().iter().map(Alarm::key).collect()
    }
}

impl Refuses for Gb {
    async fn refuse(&mut self, refuse: bool) {
        self.platform.set(|conduct| conduct.result = Some(if refuse { "ERROR" } else { "OK" }));
    }
}

impl Leaves for Gb {
    async fn leave(&mut self) {
        self.platform.set(|conduct| conduct.down = true);
        self.platform.restart();
    }

    async fn come_back(&mut self) {
        self.platform.set(|conduct| conduct.down = false);
    }
}

/// A file of JSON lines; while it is away a folder is in its place.
pub struct Lines {
    folder: TempDir,
}

impl Lines {
    pub async fn start() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("alerts.jsonl")
    }

    fn aside(&self) -> PathBuf {
        self.folder.path().join("aside")
    }
}

impl Peer for Lines {
    fn sink(&self) -> Sink {
        file("file", self.path())
    }

    async fn keys(&mut self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path()).unwrap();
        text.lines().map(|line| serde_json::from_str::<Event>(line).unwrap().key().unwrap()).collect()
    }
}

impl Leaves for Lines {
    async fn leave(&mut self) {
        std::fs::rename(self.path(), self.aside()).unwrap();
        std::fs::create_dir(self.path()).unwrap();
    }

    async fn come_back(&mut self) {
        std::fs::remove_dir(self.path()).unwrap();
        std::fs::rename(self.aside(), self.path()).unwrap();
    }
}

/// The log, as a collector of JSON lines sees it.
pub struct LogLines {
    log: &'static Mutex<Vec<u8>>,
    _heard: DefaultGuard,
}

impl LogLines {
    /// Hears what this thread logs until it is dropped.
    pub async fn start() -> Self {
        // Kept for as long as the process: threads that saw the subscriber may outlive this.
        let log: &'static Mutex<Vec<u8>> = Box::leak(Box::default());
        let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(log).finish();
        Self { log, _heard: tracing::subscriber::set_default(subscriber) }
    }

    /// The lines of the sink.
    pub fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.log.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["sink"] == "log" && line["key"].is_string()).collect()
    }
}

#[tokio::test]
async fn a_log_line_holds_the_whole_event_and_reads_like_a_sentence() {
    let data = tempfile::tempdir().unwrap();
    let log = LogLines::start().await;
    let mut house = House::start(data.path(), &[log.sink()], quick());
    house.append(&[item(0, 0, State::Started, &["log"])]);
    until("it is there", || log.lines().len() == 1).await;
    let (line, sent) = (log.lines().remove(0), event(0, 0, State::Started));
    assert_eq!(serde_json::from_str::<Event>(line["event"].as_str().unwrap()).unwrap(), sent);
    assert_eq!(line["message"], format!("{} {}", sent.text.zh, sent.text.en));
    assert_eq!((&line["level"], &line["state"]), (&"INFO".into(), &"started".into()));
    house.stop().await;
}

impl Peer for LogLines {
    fn sink(&self) -> Sink {
        Sink { id: "log".into(), kind: SinkKind::Log }
    }

    async fn keys(&mut self) -> Vec<String> {
        self.lines().iter().map(|line| line["key"].as_str().unwrap().to_owned()).collect()
    }
}
