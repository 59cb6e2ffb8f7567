//! Made-up events and receivers for the tests of dispatch and API.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use lookout::alerts::journal::{Appended, Journal, Reader};
use lookout::config::plan::{
    Access, Evidence, Inference, Mode, Provider, Retention, Secret, Sink, SinkKind, Site, Trails, Webhook,
};
use lookout::dispatch::{Backoff, Bell, Desk, Dispatcher};
use lookout::telemetry::Metrics;
use lookout::types::{AlertId, Event, Span, State as Phase};
use std::time::Duration;
use tokio::sync::watch;

/// The example of the design, filled in.
const EVENT: &str = r#"{"schema":1,"alert":"00000000000000000000000000000000","seq":0,"state":"started","at":"2026-11-24T03:00:12.400Z",
"media_time":132.4,"site":"weibei","grid":"shizhong-03","camera":"forecourt","camera_name":"Courthouse forecourt","zone":"steps",
"zone_name":"Entrance steps","line":null,"direction":null,"rule":"steps-loiter","kind":"loitering","severity":"moderate","value":120.0,
"threshold":120.0,"unit":"s","people":1,"peak":120.0,"saturated":false,"started_at":"2026-11-24T03:00:12.400Z",
"condition_since":"2026-11-24T02:58:12.400Z","condition_until":null,"where":[0.41,0.77],"box":[0.38,0.52,0.06,0.25],
"place":{"lat":34.8,"lon":117.3},"reason":null,"related":[],"evidence":{"picture":"pending","clip":"pending"},
"text":{"zh":"一人在入口台阶停留 120 秒","en":"One person has stayed on Entrance steps for 120 s"}}"#;

/// Alert number `n`.
pub fn alert(n: u32) -> AlertId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&n.to_be_bytes());
    AlertId(id)
}

/// Event `seq` of alert `n`.
pub fn event(n: u32, seq: u32, state: Phase) -> Event {
    let mut event: Event = serde_json::from_str(EVENT).unwrap();
    (event.alert, event.seq, event.state) = (Some(alert(n)), seq, state);
    event
}

/// The same for some sinks.
pub fn item(n: u32, seq: u32, state: Phase, sinks: &[&str]) -> Appended {
    Appended::new(event(n, seq, state), sinks.iter().map(|s| (*s).to_owned()).collect())
}

/// A site without cameras.
pub fn site(data: &Path, sinks: Vec<Sink>) -> Site {
    Site {
        id: "weibei".into(),
        time_zone: jiff::tz::TimeZone::UTC,
        data: data.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        public_url: None,
        media_dirs: Vec::new(),
        inference: Inference { providers: vec![Provider::Cpu], workers: 1, threads: 1, batch: 1 },
        cameras: Vec::new(),
        rules: Vec::new(),
        grids: Vec::new(),
        sinks,
        routes: Vec::new(),
        evidence: Evidence::DEFAULT,
        access: Access::default(),
        journal: Retention::DEFAULT,
        trails: Trails::DEFAULT,
    }
}

/// A webhook sink without a secret.
pub fn webhook(id: &str, address: SocketAddr, timeout: Span) -> Sink {
    signed(id, address, timeout, Vec::new())
}

/// A webhook sink that signs.
pub fn signed(id: &str, address: SocketAddr, timeout: Span, secrets: Vec<Secret>) -> Sink {
    let url = format!("http://{address}/in");
    let mode = Mode::Structured;
    let webhook = Webhook { url, mode, secrets, ca: None, allow_private: true, timeout, answers: false };
    Sink { id: id.into(), kind: SinkKind::Webhook(webhook) }
}

/// A file sink.
pub fn file(id: &str, path: PathBuf) -> Sink {
    Sink { id: id.into(), kind: SinkKind::File { path } }
}

/// Pauses of milliseconds: five attempts in all.
pub fn quick() -> Backoff {
    let ms = Duration::from_millis;
    Backoff { pauses: vec![ms(20); 4], first_rest: ms(20), longest_rest: ms(40) }
}

/// What a receiver got.
#[derive(Clone, Debug)]
pub struct Got {
    /// Headers of the request.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Got {
    /// `webhook-id`.
    pub fn key(&self) -> String {
        self.header("webhook-id")
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> String {
        self.headers[name].to_str().unwrap().to_owned()
    }
}

type Answer = Arc<dyn Fn(usize, &Got) -> Response + Send + Sync>;

/// A webhook receiver on loopback that answers as a closure says; its first argument counts requests from 0.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    /// Starts on a free port of the current runtime.
    pub async fn start(answer: impl Fn(usize, &Got) -> Response + Send + Sync + 'static) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), answer).await
    }

    /// The same at an address; one that was there a moment ago may still be leaving.
    pub async fn start_at(
        address: SocketAddr,
        answer: impl Fn(usize, &Got) -> Response + Send + Sync + 'static,
    ) -> Self {
        let got: Arc<Mutex<Vec<Got>>> = Arc::default();
        let answer: Answer = Arc::new(answer);
        let app = Router::new().fallback(take).with_state((got.clone(), answer));
        let listener = loop {
            match tokio::net::TcpListener::bind(address).await {
                Ok(listener) => break listener,
                Err(e) => assert_eq!(e.kind(), std::io::ErrorKind::AddrInUse, "{e}"),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, got }
    }

    /// Everything so far, in the order of arrival.
    pub fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// Keys so far.
    pub fn keys(&self) -> Vec<String> {
        self.got().iter().map(Got::key).collect()
    }
}

async fn take(
    State((got, answer)): State<(Arc<Mutex<Vec<Got>>>, Answer)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let item = Got { headers, body };
    let number = {
        let mut got = got.lock().unwrap();
        got.push(item.clone());
        got.len() - 1
    };
    answer(number, &item)
}

/// A journal with running workers.
pub struct House {
    /// The writer.
    pub journal: Journal,
    /// Wakes the workers.
    pub bell: Bell,
    /// What they count.
    pub metrics: Arc<Metrics>,
    /// Takes answers.
    pub desk: Arc<Desk>,
    data: PathBuf,
    stop: watch::Sender<bool>,
    run: tokio::task::JoinHandle<Result<(), String>>,
}

impl House {
    /// Starts all workers on the current runtime.
    pub fn start(data: &Path, sinks: &[Sink], backoff: Backoff) -> Self {
        let ids: Vec<String> = sinks.iter().map(|s| s.id.clone()).collect();
        let journal = Journal::open(data, &ids).unwrap();
        let metrics = Metrics::new().unwrap();
        let dispatcher = Dispatcher::new(sinks, &journal, &metrics).unwrap().with_backoff(backoff);
        let (bell, desk) = (dispatcher.bell(), dispatcher.desk());
        let (stop, stopped) = watch::channel(false);
        let run = tokio::spawn(dispatcher.run(stopped));
        Self { journal, bell, metrics, desk, data: data.to_owned(), stop, run }
    }

    /// Appends and wakes.
    pub fn append(&mut self, batch: &[Appended]) {
        self.journal.append(batch).unwrap();
        self.bell.ring();
    }

    /// Reads the journal.
    pub fn reader(&self) -> Reader {
        Reader::open(&self.data).unwrap()
    }

    /// Value of a series now.
    pub fn metric(&self, series: &str) -> f64 {
        let text = self.metrics.encode().unwrap();
        let line = text.lines().find(|l| l.starts_with(series)).unwrap_or_else(|| panic!("no {series} in\n{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Stops the workers and waits for them; gives the journal back.
    pub async fn stop(self) -> Journal {
        self.stop.send(true).unwrap();
        self.run.await.unwrap().unwrap();
        self.journal
    }
}

/// Waits until something is true; fails after a minute: a cluster of Kafka lets each attempt wait for a second.
pub async fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    for _ in 0..12_000 {
        if is_true() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited too long: {what}");
}
