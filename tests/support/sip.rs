//! A GB/T 28181 platform for tests: it registers devices, takes alarms and answers them, as well or as badly as it is
//! told to. It reads and writes SIP by itself, so that both sides must mean the same by it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use encoding_rs::GB18030;
use md5::{Digest, Md5};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{mpsc, watch};

pub const SERVER: &str = "34020000002000000001";
pub const DOMAIN: &str = "3402000000";
pub const DEVICE: &str = "34020000001320000001";

/// How the platform behaves; may be changed at any time.
#[derive(Clone)]
pub struct Conduct {
    /// Asked for by digest.
    pub password: Option<&'static str>,
    /// Takes nothing in and says nothing.
    pub down: bool,
    /// So many of the next requests get lost on their way here.
    pub lose_requests: usize,
    /// So many of the next answers get lost on their way back.
    pub lose_answers: usize,
    /// Seconds of a registration.
    pub granted: u32,
    /// Answer to an alarm, with a further field.
    pub code: (u16, &'static str),
    /// `Result` of the response to an alarm; none is sent without.
    pub result: Option<&'static str>,
    /// Before the response.
    pub delay: Duration,
}

impl Default for Conduct {
    fn default() -> Self {
        Self {
            password: None,
            down: false,
            lose_requests: 0,
            lose_answers: 0,
            granted: 3600,
            code: (200, ""),
            result: Some("OK"),
            delay: Duration::ZERO,
        }
    }
}

/// An alarm as it came.
#[derive(Clone, Debug)]
pub struct Alarm {
    pub call_id: String,
    pub body: String,
    pub bytes: Vec<u8>,
}

impl Alarm {
    /// The idempotency key.
    pub fn key(&self) -> String {
        self.call_id.split('@').next().unwrap().to_owned()
    }

    /// Text of an element.
    pub fn value(&self, name: &str) -> &str {
        value(&self.body, name)
    }
}

/// What the platform has seen.
#[derive(Default)]
struct Seen {
    known: bool,
    nonces: BTreeSet<String>,
    registrations: usize,
    keepalives: usize,
    /// Requests by branch: a repetition is the same request.
    branches: BTreeMap<String, usize>,
    alarms: Vec<Alarm>,
    /// Answers to the platform's own requests.
    answers: usize,
    /// Responses to its questions.
    responses: Vec<String>,
    faults: Vec<String>,
    count: usize,
    way: Option<mpsc::UnboundedSender<Vec<u8>>>,
}

/// A platform on loopback.
pub struct Platform {
    pub address: SocketAddr,
    /// Listens by TCP, not UDP.
    pub reliable: bool,
    pub conduct: Arc<Mutex<Conduct>>,
    seen: Arc<Mutex<Seen>>,
    restarts: watch::Sender<usize>,
}

/// What goes back, and when.
type Replies = Vec<(Duration, Vec<u8>)>;

impl Platform {
    pub async fn udp(conduct: Conduct) -> Self {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let platform = Self::new(socket.local_addr().unwrap(), false, conduct);
        let (conduct, seen) = (platform.conduct.clone(), platform.seen.clone());
        tokio::spawn(async move {
            let mut buffer = vec![0; 65_535];
            loop {
                // A device that has gone away is reported here as an error.
                let Ok((length, peer)) = socket.recv_from(&mut buffer).await else { continue };
                let (way, mut out) = mpsc::unbounded_channel::<Vec<u8>>();
                let socket = socket.clone();
                tokio::spawn(async move {
                    while let Some(bytes) = out.recv().await {
                        socket.send_to(&bytes, peer).await.ok();
                    }
                });
                take(&buffer[..length], &conduct, &seen, &way);
            }
        });
        platform
    }

    pub async fn tcp(conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let platform = Self::new(listener.local_addr().unwrap(), true, conduct);
        let (conduct, seen, restarts) =
            (platform.conduct.clone(), platform.seen.clone(), platform.restarts.subscribe());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, conduct.clone(), seen.clone(), restarts.clone()));
            }
        });
        platform
    }

    fn new(address: SocketAddr, reliable: bool, conduct: Conduct) -> Self {
        let conduct = Arc::new(Mutex::new(conduct));
        Self { address, reliable, conduct, seen: Arc::default(), restarts: watch::channel(0).0 }
    }

    pub fn set(&self, change: impl FnOnce(&mut Conduct)) {
        change(&mut self.conduct.lock().unwrap());
    }

    /// Forgets every registration and closes every connection.
    pub fn restart(&self) {
        let mut seen = self.seen.lock().unwrap();
        (seen.known, seen.way) = (false, None);
        seen.nonces.clear();
        drop(seen);
        self.restarts.send_modify(|count| *count += 1);
    }

    /// Alarms, repetitions of one request left out.
    pub fn alarms(&self) -> Vec<Alarm> {
        self.seen.lock().unwrap().alarms.clone()
    }

    pub fn registrations(&self) -> usize {
        self.seen.lock().unwrap().registrations
    }

    pub fn keepalives(&self) -> usize {
        self.seen.lock().unwrap().keepalives
    }

    /// Requests that came more than once.
    pub fn repeated(&self) -> usize {
        self.seen.lock().unwrap().branches.values().filter(|count| **count > 1).count()
    }

    pub fn answers(&self) -> usize {
        self.seen.lock().unwrap().answers
    }

    pub fn responses(&self) -> Vec<String> {
        self.seen.lock().unwrap().responses.clone()
    }

    /// What the device did that the standards forbid.
    pub fn faults(&self) -> Vec<String> {
        self.seen.lock().unwrap().faults.clone()
    }

    /// Sends something to the device.
    pub fn send(&self, bytes: &[u8]) {
        self.seen.lock().unwrap().way.as_ref().expect("a device is there").send(bytes.to_vec()).unwrap();
    }

    /// Asks the device something.
    pub fn ask(&self, body: &str) {
        let number = self.seen.lock().unwrap().next();
        self.send(&message(number, body.as_bytes()));
    }
}

async fn serve(
    mut stream: TcpStream,
    conduct: Arc<Mutex<Conduct>>,
    seen: Arc<Mutex<Seen>>,
    mut restarts: watch::Receiver<usize>,
) {
    restarts.mark_unchanged();
    let (way, mut out) = mpsc::unbounded_channel::<Vec<u8>>();
    let (mut buffer, mut part) = (Vec::new(), vec![0; 4096]);
    loop {
        tokio::select! {
            length = stream.read(&mut part) => match length {
                Ok(length) if length > 0 => buffer.extend_from_slice(&part[..length]),
                _ => return,
            },
            bytes = out.recv() => stream.write_all(&bytes.unwrap()).await.unwrap_or_default(),
            _ = restarts.changed() => return,
        }
        while let Some(end) = whole(&buffer) {
            take(&buffer[..end], &conduct, &seen, &way);
            buffer.drain(..end);
        }
    }
}

/// Length of the first message of a stream, once it is there.
fn whole(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
    let length: usize = text.lines().find_map(|l| l.strip_prefix("content-length:"))?.trim().parse().ok()?;
    (buffer.len() >= head + length).then_some(head + length)
}

fn take(bytes: &[u8], conduct: &Mutex<Conduct>, seen: &Mutex<Seen>, way: &mpsc::UnboundedSender<Vec<u8>>) {
    let replies = {
        let mut conduct = conduct.lock().unwrap();
        if conduct.down {
            return;
        }
        if conduct.lose_requests > 0 {
            conduct.lose_requests -= 1;
            return;
        }
        let mut seen = seen.lock().unwrap();
        seen.way = Some(way.clone());
        seen.take(bytes, &mut conduct)
    };
    for (delay, bytes) in replies {
        let way = way.clone();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            way.send(bytes).ok();
        });
    }
}

impl Seen {
    fn next(&mut self) -> usize {
        self.count += 1;
        self.count
    }

    fn take(&mut self, bytes: &[u8], conduct: &mut Conduct) -> Replies {
        let at = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("a whole head");
        let head = std::str::from_utf8(&bytes[..at]).unwrap();
        let body = &bytes[at + 4..];
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap();
        let fields: BTreeMap<String, &str> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value))
            .collect();
        if let Some(code) = first.strip_prefix("SIP/2.0 ") {
            if code.starts_with("200") {
                self.answers += 1;
            } else {
                self.faults.push(first.to_owned());
            }
            return Vec::new();
        }
        self.check(first, &fields, body);
        let branch = fields["via"].split("branch=").nth(1).unwrap().to_owned();
        let repetitions = self.branches.entry(branch).or_default();
        *repetitions += 1;
        let is_new = *repetitions == 1;
        let mut replies = match first.split(' ').next().unwrap() {
            "REGISTER" => self.register(first, &fields, is_new, conduct),
            "MESSAGE" if !self.known => vec![(Duration::ZERO, answer(403, "", &fields))],
            "MESSAGE" => self.message(&fields, body, is_new, conduct),
            other => panic!("{other} was not to be expected"),
        };
        if conduct.lose_answers > 0 {
            conduct.lose_answers -= 1;
            replies.remove(0);
        }
        replies
    }

    /// RFC 3261, 8.1.1: what every request has.
    fn check(&mut self, first: &str, fields: &BTreeMap<String, &str>, body: &[u8]) {
        for name in ["via", "from", "to", "call-id", "cseq", "max-forwards", "content-length"] {
            if !fields.contains_key(name) {
                self.faults.push(format!("{first} without {name}"));
            }
        }
        let good = fields["via"].contains("branch=z9hG4bK")
            && fields["via"].contains(";rport")
            && fields["from"].contains(&format!("<sip:{DEVICE}@{DOMAIN}>;tag="))
            && first.ends_with(&format!(" sip:{SERVER}@{DOMAIN} SIP/2.0"))
            && fields["content-length"] == body.len().to_string()
            && fields["cseq"].ends_with(first.split(' ').next().unwrap());
        if !good {
            self.faults.push(format!("{first} {fields:?}"));
        }
    }

    fn register(&mut self, first: &str, fields: &BTreeMap<String, &str>, is_new: bool, conduct: &Conduct) -> Replies {
        if let Some(password) = conduct.password {
            let proof = fields.get("authorization").filter(|proof| self.nonces.contains(&part(proof, "nonce")));
            match proof {
                Some(proof) if proves(proof, password, first) => {}
                Some(_) => return vec![(Duration::ZERO, answer(403, "", fields))],
                None => {
                    let nonce = format!("nonce{}", self.next());
                    self.nonces.insert(nonce.clone());
                    let ask = format!(
                        "WWW-Authenticate: Digest realm=\"{DOMAIN}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"\r\n"
                    );
                    return vec![(Duration::ZERO, answer(401, &ask, fields))];
                }
            }
        }
        self.known = true;
        self.registrations += usize::from(is_new);
        vec![(Duration::ZERO, answer(200, &format!("Expires: {}\r\n", conduct.granted), fields))]
    }

    fn message(&mut self, fields: &BTreeMap<String, &str>, bytes: &[u8], is_new: bool, conduct: &Conduct) -> Replies {
        if fields.get("content-type") != Some(&"Application/MANSCDP+xml") {
            self.faults.push(format!("{fields:?}"));
        }
        let is_gb = String::from_utf8_lossy(&bytes[..40]).contains("GB18030");
        let body =
            if is_gb { GB18030.decode(bytes).0.into_owned() } else { String::from_utf8(bytes.to_vec()).unwrap() };
        let ok = (Duration::ZERO, answer(200, "", fields));
        match value(&body, "CmdType") {
            "Keepalive" => {
                self.keepalives += usize::from(is_new);
                vec![ok]
            }
            "Alarm" => {
                let serial = value(&body, "SN").to_owned();
                if is_new {
                    let call_id = fields["call-id"].to_owned();
                    self.alarms.push(Alarm { call_id, bytes: bytes.to_vec(), body });
                }
                let (code, field) = conduct.code;
                let mut replies = vec![(Duration::ZERO, answer(code, field, fields))];
                if let Some(result) = conduct.result.filter(|_| is_new && code == 200) {
                    let text = format!(
                        "<?xml version=\"1.0\"?>\r\n<Response>\r\n<CmdType>Alarm</CmdType>\r\n<SN>{serial}</SN>\r\n\
                         <DeviceID>{DEVICE}</DeviceID>\r\n<Result>{result}</Result>\r\n</Response>\r\n"
                    );
                    let number = self.next();
                    replies.push((conduct.delay, message(number, text.as_bytes())));
                }
                replies
            }
            _ => {
                self.responses.push(body);
                vec![ok]
            }
        }
    }
}

fn answer(code: u16, more: &str, fields: &BTreeMap<String, &str>) -> Vec<u8> {
    let [via, from, to, call, cseq] = ["via", "from", "to", "call-id", "cseq"].map(|name| fields[name]);
    format!(
        "SIP/2.0 {code} Reason\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to};tag=platform\r\nCall-ID: {call}\r\n\
         CSeq: {cseq}\r\n{more}Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// A request of the platform's own.
fn message(number: usize, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "MESSAGE sip:{DEVICE}@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKplatform{number}\r\n\
         From: <sip:{SERVER}@{DOMAIN}>;tag=p{number}\r\nTo: <sip:{DEVICE}@{DOMAIN}>\r\nCall-ID: platform{number}\r\n\
         CSeq: {number} MESSAGE\r\nMax-Forwards: 70\r\nContent-Type: Application/MANSCDP+xml\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A parameter of an `Authorization`.
fn part(proof: &str, name: &str) -> String {
    let found = proof.trim_start_matches("Digest ").split(", ").find_map(|p| p.strip_prefix(&format!("{name}=")));
    found.unwrap_or_default().trim_matches('"').to_owned()
}

/// RFC 2617, 3.2.2, with qop.
fn proves(proof: &str, password: &str, first: &str) -> bool {
    let md5 = |text: String| hex::encode(Md5::digest(text));
    let [user, realm, nonce, uri, nc, cnonce, qop, response] =
        ["username", "realm", "nonce", "uri", "nc", "cnonce", "qop", "response"].map(|name| part(proof, name));
    let mut words = first.split(' ');
    let (method, asked) = (words.next().unwrap(), words.next().unwrap());
    let secret = md5(format!("{user}:{realm}:{password}"));
    let what = md5(format!("{method}:{uri}"));
    user == DEVICE && uri == asked && response == md5(format!("{secret}:{nonce}:{nc}:{cnonce}:{qop}:{what}"))
}

/// Text of the first element of a name.
fn value<'a>(body: &'a str, name: &str) -> &'a str {
    let inner = body.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    inner.map_or("", |(value, _)| value)
}
