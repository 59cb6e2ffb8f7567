//! Real brokers of the tests' own: each on a free port of loopback, with a configuration and a folder of its own.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::jetstream;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, PublishOptions, QoS};
use rustix::process::{Pid, Signal, kill_process};

/// Long enough for a busy machine.
const LONG: Duration = Duration::from_secs(20);

/// A server that can be killed and started again; killed when dropped.
pub struct Daemon {
    words: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
    pub address: SocketAddr,
}

/// Nobody listens there a moment before.
pub fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Daemon {
    /// Starts a server by these words that will listen there; returns once it does.
    pub fn new(words: Vec<String>, log: PathBuf, address: SocketAddr) -> Self {
        let mut daemon = Self { words, log, child: None, address };
        daemon.start();
        daemon
    }

    /// Starts it; returns once it listens.
    pub fn start(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(&self.log).unwrap();
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).stdout(Stdio::null()).stderr(log);
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{}: {e}; scripts/setup installs it", self.words[0]));
        let deadline = Instant::now() + LONG;
        while TcpStream::connect(self.address).is_err() {
            let ended = child.try_wait().unwrap();
            let log = || std::fs::read_to_string(&self.log).unwrap_or_default();
            assert!(ended.is_none() && Instant::now() < deadline, "{:?} {ended:?}\n{}", self.words, log());
            std::thread::sleep(Duration::from_millis(5));
        }
        self.child = Some(child);
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A mosquitto in `folder` that keeps what its clients have not got yet; `more` are lines of its configuration.
pub fn mosquitto(folder: &Path, more: &str) -> Daemon {
    let address = free_port();
    let mut text = format!("listener {} 127.0.0.1\nuser root\nlog_dest stderr\n", address.port());
    text.push_str("max_queued_messages 0\nmax_inflight_messages 0\n");
    writeln!(text, "persistence true\npersistence_location {}/", folder.display()).unwrap();
    text.push_str(if more.is_empty() { "allow_anonymous true\n" } else { more });
    let config = folder.join("mosquitto.conf");
    std::fs::write(&config, text).unwrap();
    let words = ["/usr/sbin/mosquitto", "-c", config.to_str().unwrap()].map(str::to_owned);
    Daemon::new(words.to_vec(), folder.join("mosquitto.log"), address)
}

/// Makes a mosquitto write down who has subscribed to what, so that it knows after it was killed.
pub fn remember(mosquitto: &Daemon, folder: &Path) {
    let store = folder.join("mosquitto.db");
    mosquitto.signal(Signal::USR1);
    let deadline = Instant::now() + LONG;
    while !store.exists() {
        assert!(Instant::now() < deadline, "{} is not written", store.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The first packet of a stream, with its first byte and without its length.
fn packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte).ok()?;
    let first = byte[0];
    let (mut length, mut shift) = (0, 0);
    loop {
        stream.read_exact(&mut byte).ok()?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((first, body))
}

/// A broker below MQTT that lets everybody in and acknowledges the messages for which `takes` holds. Its threads end
/// with the process.
pub fn acknowledging(takes: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> SocketAddr {
    let takes = Arc::new(takes);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let takes = takes.clone();
            std::thread::spawn(move || {
                while let Some((first, body)) = packet(&mut stream) {
                    // CONNECT; PUBLISH at QoS 1, whose number is behind its topic.
                    let answer = match first >> 4 {
                        1 => vec![0x20, 2, 0, 0],
                        3 if takes(&body) => {
                            let at = number(&body);
                            vec![0x40, 2, body[at], body[at + 1]]
                        }
                        _ => continue,
                    };
                    // A client may have gone away meanwhile.
                    stream.write_all(&answer).ok();
                }
            });
        }
    });
    address
}

/// Where the number of a PUBLISH at QoS 1 stands, behind its topic.
fn number(body: &[u8]) -> usize {
    2 + usize::from(u16::from_be_bytes([body[0], body[1]]))
}

/// What a PUBLISH at QoS 1 holds.
pub fn payload(body: &[u8]) -> &[u8] {
    &body[number(body) + 2..]
}

/// A nats-server with JetStream and its store in `folder`; `more` are lines of its configuration.
pub fn nats(folder: &Path, more: &str) -> Daemon {
    let address = free_port();
    let text = format!("listen: \"{address}\"\njetstream {{ store_dir: {:?} }}\n{more}\n", folder.display());
    let config = folder.join("nats.conf");
    std::fs::write(&config, text).unwrap();
    let log = folder.join("nats.log");
    let words = ["/usr/sbin/nats-server", "-c", config.to_str().unwrap(), "-l", log.to_str().unwrap()];
    Daemon::new(words.map(str::to_owned).to_vec(), log, address)
}

/// For a stream that takes messages of any length.
pub const UNLIMITED: i32 = -1;

/// A stream of such a server.
pub struct Stream(jetstream::stream::Stream);

/// A message that a stream keeps.
#[derive(Clone, Debug)]
pub struct Stored {
    pub subject: String,
    /// `Nats-Msg-Id`.
    pub key: String,
    pub payload: Vec<u8>,
}

impl Stream {
    /// Makes one, or finds or changes it, that takes these subjects and messages of at most so many bytes.
    pub async fn make(server: SocketAddr, name: &str, subjects: &str, longest: i32) -> Self {
        let context = jetstream::new(async_nats::connect(format!("nats://{server}")).await.unwrap());
        let config = jetstream::stream::Config {
            name: name.into(),
            subjects: vec![subjects.into()],
            max_message_size: longest,
            ..Default::default()
        };
        context.create_or_update_stream(config).await.unwrap();
        Self(context.get_stream(name).await.unwrap())
    }

    /// Everything it keeps, in order.
    pub async fn stored(&self) -> Vec<Stored> {
        let last = self.0.get_info().await.unwrap().state.last_sequence;
        let mut all = Vec::new();
        for sequence in 1..=last {
            let message = self.0.get_raw_message(sequence).await.unwrap();
            let key = message.headers.get("Nats-Msg-Id").unwrap().to_string();
            all.push(Stored { subject: message.subject.to_string(), key, payload: message.payload.to_vec() });
        }
        all
    }

    /// Idempotency keys of all it keeps.
    pub async fn keys(&self) -> Vec<String> {
        self.stored().await.into_iter().map(|stored| stored.key).collect()
    }
}

/// What was published on a topic.
#[derive(Clone, Debug)]
pub struct Published {
    pub topic: String,
    pub payload: Vec<u8>,
    pub retained: bool,
}

impl Published {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.payload).unwrap()
    }
}

/// Publishes one message at QoS 1; it is acknowledged on return.
pub async fn publish(broker: SocketAddr, topic: &str, payload: &[u8]) {
    let options = MqttOptions::new("publisher", ("127.0.0.1", broker.port()));
    let (client, mut events) = AsyncClient::builder(options).capacity(10).build();
    client.publish(topic, payload.to_vec(), PublishOptions::at_least_once()).await.unwrap();
    while !matches!(events.poll().await.unwrap(), Event::Incoming(Packet::PubAck(_))) {}
}

/// A subscriber that connects again whenever the broker is back, and is missed meanwhile.
pub struct Subscriber {
    got: Arc<Mutex<Vec<Published>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Subscriber {
    /// Subscribed when it returns.
    pub async fn to(broker: SocketAddr, filter: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut options = MqttOptions::new(name, ("127.0.0.1", broker.port()));
        options.set_clean_session(false).set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut events) = AsyncClient::builder(options).capacity(10).build();
        client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        while !matches!(events.poll().await.unwrap(), Event::Incoming(Packet::SubAck(_))) {}
        let got: Arc<Mutex<Vec<Published>>> = Arc::default();
        let store = Arc::clone(&got);
        let task = tokio::spawn(async move {
            // It ends with the last client.
            let _client = client;
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::Publish(p))) => store.lock().unwrap().push(Published {
                        topic: String::from_utf8(p.topic.to_vec()).unwrap(),
                        payload: p.payload.to_vec(),
                        retained: p.retain,
                    }),
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        });
        Self { got, task }
    }

    /// Everything so far, in the order of arrival.
    pub fn got(&self) -> Vec<Published> {
        self.got.lock().unwrap().clone()
    }

    /// Ids of the CloudEvents so far.
    pub fn keys(&self) -> Vec<String> {
        self.got().iter().map(|p| p.json()["id"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.task.abort();
    }
}
