//! A small RTSP camera (RFC 2326; H.264 over RTP as in RFC 6184, HEVC as in RFC 7798, interleaved in the TCP connection)
//! that misbehaves on request.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How the camera behaves.
#[derive(Clone, Default)]
pub struct Behaviour {
    /// `user:password`, asked for with Basic authentication.
    pub credentials: Option<&'static str>,
    /// Accepts connections but never answers.
    pub mute: bool,
    /// Says nothing more after so many pictures, the connection stays open.
    pub stall_after: Option<usize>,
    /// Cuts the connection after so many pictures.
    pub hang_up_after: Option<usize>,
    /// Time between two pictures on the wire; the time stamps say 40 ms, or `step`.
    pub pause: Duration,
    /// Time between two pictures by their time stamps, in 90,000ths of a second; 0: 3,600.
    pub step: u32,
    /// From these pictures on time stamps are so many 90,000ths of a second later than they should be.
    pub jumps: Vec<(usize, i64)>,
    /// One packet of so many is damaged.
    pub damage_every: Option<usize>,
}

/// A running camera; stops when dropped.
pub struct Camera {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    sessions: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

/// Serves the pictures of one file (Annex B) over and over; HEVC if its name ends so.
struct Stream {
    hevc: bool,
    /// NAL units of each picture.
    pictures: Vec<Vec<Vec<u8>>>,
    sdp: String,
}

impl Camera {
    /// Listens on a free port.
    pub fn start(file: &Path, behaviour: Behaviour) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), file, behaviour)
    }

    /// Listens where another camera listened.
    pub fn start_at(address: SocketAddr, file: &Path, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let stream = Arc::new(Stream::read(file));
        let (stop, connections, sessions) = (Arc::<AtomicBool>::default(), Arc::default(), Arc::default());
        let thread = {
            let (stop, connections, sessions) = (Arc::clone(&stop), Arc::clone(&connections), Arc::clone(&sessions));
            std::thread::spawn(move || accept(&listener, &stream, &behaviour, &stop, &connections, &sessions))
        };
        Self { address, stop, connections, sessions, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("rtsp://{}/stream1", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often somebody asked it to play.
    pub fn sessions(&self) -> usize {
        self.sessions.load(Ordering::SeqCst)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for connection in self.connections.lock().unwrap().drain(..) {
            let _gone = connection.shutdown(Shutdown::Both);
        }
        // Wakes `accept`.
        let _woken = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn accept(
    listener: &TcpListener,
    stream: &Arc<Stream>,
    behaviour: &Behaviour,
    stop: &Arc<AtomicBool>,
    connections: &Arc<Mutex<Vec<TcpStream>>>,
    sessions: &Arc<AtomicUsize>,
) {
    let mut threads = Vec::new();
    while let Ok((connection, _)) = listener.accept() {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        connections.lock().unwrap().push(connection.try_clone().unwrap());
        let (stream, behaviour) = (Arc::clone(stream), behaviour.clone());
        let (stop, sessions) = (Arc::clone(stop), Arc::clone(sessions));
        threads.push(std::thread::spawn(move || {
            // A client that goes away is an error here and nothing more.
            let _gone = converse(&connection, &stream, &behaviour, &stop, &sessions);
            let _gone = connection.shutdown(Shutdown::Both);
        }));
    }
    for connection in connections.lock().unwrap().drain(..) {
        let _gone = connection.shutdown(Shutdown::Both);
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

fn converse(
    mut connection: &TcpStream,
    stream: &Stream,
    behaviour: &Behaviour,
    stop: &AtomicBool,
    sessions: &AtomicUsize,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection.try_clone()?);
    loop {
        let mut request = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line.trim().is_empty() {
                break;
            }
            request.push(line.trim().to_owned());
        }
        if behaviour.mute {
            continue;
        }
        let header = |name: &str| {
            request.iter().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let method = request.first().and_then(|line| line.split(' ').next()).unwrap_or("").to_owned();
        let wanted = behaviour.credentials.map(|c| format!("Basic {}", base64(c.as_bytes())));
        let known = wanted.is_none() || header("Authorization") == wanted;
        let (status, more, body) = match method.as_str() {
            _ if !known => ("401 Unauthorized", "WWW-Authenticate: Basic realm=\"camera\"\r\n", ""),
            "DESCRIBE" => ("200 OK", "Content-Type: application/sdp\r\n", stream.sdp.as_str()),
            "SETUP" => ("200 OK", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", ""),
            _ => ("200 OK", "", ""),
        };
        let cseq = header("CSeq").unwrap_or_default();
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        write!(connection, "RTSP/1.0 {status}\r\nCSeq: {cseq}\r\nSession: 7\r\n{more}{length}\r\n{body}")?;
        if method == "PLAY" && known {
            sessions.fetch_add(1, Ordering::SeqCst);
            return play(connection, stream, behaviour, stop);
        }
    }
}

fn play(mut connection: &TcpStream, stream: &Stream, behaviour: &Behaviour, stop: &AtomicBool) -> std::io::Result<()> {
    let (mut sequence, mut packets) = (0_u16, 0_usize);
    for (k, picture) in stream.pictures.iter().cycle().enumerate() {
        if stop.load(Ordering::SeqCst) || behaviour.hang_up_after == Some(k) {
            return Ok(());
        }
        while behaviour.stall_after == Some(k) && !stop.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let step = if behaviour.step == 0 { 3_600 } else { behaviour.step };
        let jump: i64 = behaviour.jumps.iter().filter(|(from, _)| *from <= k).map(|(_, ticks)| ticks).sum();
        let time = 1_000_000_u32.wrapping_add((k as u32).wrapping_mul(step)).wrapping_add(jump as u32);
        for (n, nal) in picture.iter().enumerate() {
            for (mut payload, last) in packetize(nal, stream.hevc) {
                packets += 1;
                // Behind the headers, so that it is taken for a picture. The first ones say what the stream is.
                if behaviour.damage_every.is_some_and(|every| packets > 20 && packets.is_multiple_of(every)) {
                    payload.iter_mut().skip(8).step_by(3).for_each(|byte| *byte ^= 0x5a);
                }
                let marker = u8::from(last && n + 1 == picture.len()) << 7;
                let mut packet = vec![0x80, 96 | marker];
                packet.extend(sequence.to_be_bytes());
                packet.extend(time.to_be_bytes());
                packet.extend([0, 0, 0, 9]);
                packet.extend(payload);
                sequence = sequence.wrapping_add(1);
                let mut framed = vec![b'$', 0];
                framed.extend((packet.len() as u16).to_be_bytes());
                framed.extend(packet);
                connection.write_all(&framed)?;
            }
        }
        std::thread::sleep(behaviour.pause);
    }
    Ok(())
}

/// One packet for a small NAL unit, fragments (FU-A, FU) for a large one; whether each is the unit's last.
fn packetize(nal: &[u8], hevc: bool) -> Vec<(Vec<u8>, bool)> {
    const ROOM: usize = 1_200;
    if nal.len() <= ROOM {
        return vec![(nal.to_vec(), true)];
    }
    // The unit's header goes into that of each fragment.
    let header = if hevc { 2 } else { 1 };
    let chunks: Vec<&[u8]> = nal[header..].chunks(ROOM).collect();
    let fragment = |(n, chunk): (usize, &&[u8])| {
        let (first, last) = (n == 0, n + 1 == chunks.len());
        let ends = u8::from(first) << 7 | u8::from(last) << 6;
        let mut payload = match hevc {
            true => vec![nal[0] & 0x81 | 49 << 1, nal[1], ends | nal[0] >> 1 & 0x3f],
            false => vec![nal[0] & 0xe0 | 28, ends | nal[0] & 0x1f],
        };
        payload.extend(*chunk);
        (payload, last)
    };
    chunks.iter().enumerate().map(fragment).collect()
}

impl Stream {
    fn read(file: &Path) -> Self {
        let bytes = std::fs::read(file).unwrap();
        let starts: Vec<usize> = (0..bytes.len() - 3).filter(|&i| bytes[i..i + 3] == [0, 0, 1]).collect();
        let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
        let nals = starts.iter().zip(ends).map(|(&from, to)| {
            let nal = &bytes[from + 3..to];
            let zeros = nal.iter().rev().take_while(|&&byte| byte == 0).count();
            nal[..nal.len() - zeros].to_vec()
        });
        let (mut pictures, mut picture) = (Vec::new(), Vec::new());
        let hevc = file.extension().is_some_and(|ending| ending == "hevc");
        let (mut vps, mut sps, mut pps) = (Vec::new(), Vec::new(), Vec::new());
        for nal in nals {
            let kind = if hevc { nal[0] >> 1 & 0x3f } else { nal[0] & 0x1f };
            match (hevc, kind) {
                // What is announced is what the stream begins with.
                (true, 32) if vps.is_empty() => vps.clone_from(&nal),
                (false, 7) | (true, 33) if sps.is_empty() => sps.clone_from(&nal),
                (false, 8) | (true, 34) if pps.is_empty() => pps.clone_from(&nal),
                _ => {}
            }
            picture.push(nal);
            // The clips have one slice a picture.
            if if hevc { kind < 32 } else { kind == 1 || kind == 5 } {
                pictures.push(std::mem::take(&mut picture));
            }
        }
        let [vps, sps, pps] = [vps, sps, pps].map(|set| base64(&set));
        let (name, sets) = match hevc {
            true => ("H265", format!("sprop-vps={vps};sprop-sps={sps};sprop-pps={pps}")),
            false => ("H264", format!("packetization-mode=1;sprop-parameter-sets={sps},{pps}")),
        };
        let sdp = format!(
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 {name}/90000\r\n\
             a=fmtp:96 {sets}\r\na=control:track1\r\n"
        );
        Self { hevc, pictures, sdp }
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, &byte| word << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for n in 0..4 {
            let digit = ALPHABET[(word >> (18 - 6 * n)) as usize & 63];
            text.push(if n <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
