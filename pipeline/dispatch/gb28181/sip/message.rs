//! SIP messages (RFC 3261, section 7), as far as a device of GB/T 28181 speaks it. Reading is bounded and never panics.

/// Longest message, head and body.
pub const LONGEST: usize = 64 * 1024;
/// Most header fields of a message.
const MOST_FIELDS: usize = 128;

/// Short names of header fields (RFC 3261, 7.3.3) and their long ones.
const COMPACT: [(&str, &str); 10] = [
    ("v", "Via"),
    ("f", "From"),
    ("t", "To"),
    ("i", "Call-ID"),
    ("m", "Contact"),
    ("c", "Content-Type"),
    ("l", "Content-Length"),
    ("e", "Content-Encoding"),
    ("k", "Supported"),
    ("s", "Subject"),
];

/// A request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// First line.
    pub start: Start,
    /// Names and values in the order of the message; long names.
    fields: Vec<(String, String)>,
    /// What follows the empty line.
    pub body: Vec<u8>,
}

/// First line of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Somebody wants something.
    Request {
        /// Such as `MESSAGE`.
        method: String,
        /// Whom it is for.
        uri: String,
    },
    /// The answer.
    Status {
        /// 100 to 699.
        code: u16,
        /// For people.
        reason: String,
    },
}

/// Bytes that are no SIP. The same bytes never become better: no retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SipError {
    /// The first line is neither a request nor a status.
    #[error("not the first line of a SIP message")]
    Start,
    /// A line without a name.
    #[error("a header field without a name or a colon")]
    Field,
    /// More than is read.
    #[error("a SIP message of more than {LONGEST} bytes or {MOST_FIELDS} fields")]
    TooLong,
    /// Not a number.
    #[error("a Content-Length that is no number")]
    Length,
    /// Of a datagram: ends before its head or its body does.
    #[error("a SIP message that breaks off")]
    Short,
}

impl SipError {
    /// Whether the same bytes may be read later.
    pub const fn retry(self) -> bool {
        false
    }
}

impl Message {
    /// A request without fields.
    pub fn request(method: &str, uri: &str) -> Self {
        let start = Start::Request { method: method.to_owned(), uri: uri.to_owned() };
        Self { start, fields: Vec::new(), body: Vec::new() }
    }

    /// The answer to `request`: its way back and its names are copied (RFC 3261, 8.2.6); `tag` marks the receiver.
    pub fn answer(request: &Self, code: u16, reason: &str, tag: &str) -> Self {
        let start = Start::Status { code, reason: reason.to_owned() };
        let mut answer = Self { start, fields: Vec::new(), body: Vec::new() };
        for (name, value) in &request.fields {
            match name.as_str() {
                "To" if param(value, "tag").is_none() => answer.push("To", &format!("{value};tag={tag}")),
                "Via" | "From" | "To" | "Call-ID" | "CSeq" => answer.push(name, value),
                _ => {}
            }
        }
        answer
    }

    /// With one more field.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.push(name, value);
        self
    }

    /// With a body of a kind.
    pub fn with_body(self, kind: &str, body: Vec<u8>) -> Self {
        Self { body, ..self.with("Content-Type", kind) }
    }

    /// Puts a field in the place of those of the same name.
    pub fn replace(&mut self, name: &str, value: &str) {
        self.fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.push(name, value);
    }

    fn push(&mut self, name: &str, value: &str) {
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    /// The first field of this long name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All fields of this long name.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The method of a request.
    pub fn method(&self) -> Option<&str> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Status { .. } => None,
        }
    }

    /// The code of a response.
    pub const fn code(&self) -> Option<u16> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Status { code, .. } => Some(*code),
        }
    }

    /// Number and method of `CSeq`.
    pub fn sequence(&self) -> Option<(u32, &str)> {
        let (number, method) = self.field("CSeq")?.split_once(char::is_whitespace)?;
        Some((number.parse().ok()?, method.trim()))
    }

    /// `branch` of the topmost `Via`: names the transaction.
    pub fn branch(&self) -> Option<&str> {
        param(self.field("Via")?.split(',').next()?, "branch")
    }

    /// The message as it is sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = String::with_capacity(512);
        match &self.start {
            Start::Request { method, uri } => line(&mut head, &[method, " ", uri, " SIP/2.0"]),
            Start::Status { code, reason } => line(&mut head, &["SIP/2.0 ", &code.to_string(), " ", reason]),
        }
        for (name, value) in self.fields.iter().filter(|(name, _)| name != "Content-Length") {
            line(&mut head, &[name, ": ", value]);
        }
        line(&mut head, &["Content-Length: ", &self.body.len().to_string()]);
        line(&mut head, &[]);
        [head.as_bytes(), &self.body].concat()
    }

    /// Reads a datagram: one whole message.
    pub fn read(datagram: &[u8]) -> Result<Self, SipError> {
        let Some(head) = head(datagram)? else { return Err(SipError::Short) };
        let (mut message, length) = parse_head(&datagram[head.start..head.end])?;
        let rest = &datagram[head.body..];
        let body = rest.get(..length.unwrap_or(rest.len())).ok_or(SipError::Short)?;
        message.body = body.to_vec();
        Ok(message)
    }
}

/// Messages out of a stream of bytes.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
}

impl Framer {
    /// Takes what the stream gave.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message; `None` until more comes. After an error the stream is out of step and worth nothing.
    pub fn message(&mut self) -> Result<Option<Message>, SipError> {
        let Some(head) = head(&self.buffer)? else { return Ok(None) };
        let (mut message, length) = parse_head(&self.buffer[head.start..head.end])?;
        let end = head.body + length.unwrap_or(0);
        let Some(body) = self.buffer.get(head.body..end) else { return Ok(None) };
        message.body = body.to_vec();
        self.buffer.drain(..end);
        Ok(Some(message))
    }
}

/// Where a head and the body behind it lie.
struct Head {
    start: usize,
    end: usize,
    body: usize,
}

/// The first head, behind the empty lines with which a peer keeps a way open; `None` when it is not there as a whole.
fn head(bytes: &[u8]) -> Result<Option<Head>, SipError> {
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
    let ends = |end: &[u8]| bytes[start..].windows(end.len()).position(|w| w == end).map(|at| (start + at, end.len()));
    let first = [ends(b"\r\n\r\n"), ends(b"\n\n")].into_iter().flatten().min();
    match first {
        Some((end, _)) if end - start > LONGEST => Err(SipError::TooLong),
        Some((end, gap)) => Ok(Some(Head { start, end, body: end + gap })),
        None if bytes.len() - start > LONGEST => Err(SipError::TooLong),
        None => Ok(None),
    }
}

/// A message without its body, and the body's length if it says one.
fn parse_head(head: &[u8]) -> Result<(Message, Option<usize>), SipError> {
    // Some platforms write names in GBK: what is no UTF-8 is of no use here.
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let mut message = Message { start: start(lines.next().unwrap_or(""))?, fields: Vec::new(), body: Vec::new() };
    for line in lines {
        let line = line.replace(char::is_control, " ");
        if line.starts_with(' ') {
            // A long field goes on.
            let (_, value) = message.fields.last_mut().ok_or(SipError::Field)?;
            *value = format!("{value} {line}").split_whitespace().collect::<Vec<_>>().join(" ");
            continue;
        }
        let (name, value) = line.split_once(':').ok_or(SipError::Field)?;
        let name = name.trim_end();
        if name.is_empty() || name.contains(' ') {
            return Err(SipError::Field);
        }
        if message.fields.len() == MOST_FIELDS {
            return Err(SipError::TooLong);
        }
        message.push(long_name(name), value.trim());
    }
    let length = match message.field("Content-Length") {
        Some(text) => Some(text.parse::<usize>().map_err(|_| SipError::Length)?),
        None => None,
    };
    if length.is_some_and(|length| length > LONGEST) {
        return Err(SipError::TooLong);
    }
    Ok((message, length))
}

fn start(line: &str) -> Result<Start, SipError> {
    let line = line.replace(char::is_control, " ");
    if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
        let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let code = code.parse().ok().filter(|code| (100..700).contains(code)).ok_or(SipError::Start)?;
        return Ok(Start::Status { code, reason: reason.trim().to_owned() });
    }
    let mut words = line.split(' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(method), Some(uri), Some("SIP/2.0"), None) if !method.is_empty() && !uri.is_empty() => {
            Ok(Start::Request { method: method.to_owned(), uri: uri.to_owned() })
        }
        _ => Err(SipError::Start),
    }
}

/// The spelling of the standard for names that this program asks for, so that answers copy them as such.
fn long_name(name: &str) -> &str {
    const KNOWN: [&str; 6] = ["Via", "From", "To", "Call-ID", "CSeq", "Content-Length"];
    let compact = COMPACT.iter().find(|(short, _)| short.eq_ignore_ascii_case(name)).map(|(_, long)| *long);
    compact.or_else(|| KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(name))).unwrap_or(name)
}

/// A parameter behind the first `;` of a field; empty when it has no value.
pub fn param<'a>(field: &'a str, name: &str) -> Option<&'a str> {
    // What stands within `<>` belongs to the address.
    let behind = field.rsplit_once('>').map_or(field, |(_, behind)| behind);
    behind.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

fn line(head: &mut String, parts: &[&str]) {
    for part in parts {
        // A line end within a value would begin another field.
        head.extend(part.chars().map(|c| if c.is_control() { ' ' } else { c }));
    }
    head.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REGISTER: &[u8] = b"REGISTER sip:34020000002000000001@3402000000 SIP/2.0\r\n\
        v: SIP/2.0/UDP 10.0.0.8:5060;rport;branch=z9hG4bKab1\r\nFrom: <sip:34@3402>;tag=x\r\n\
        to : \"a;tag=b\" <sip:34@3402;tag=none>\r\nCall-ID: c1\r\nCSEQ: 7  REGISTER\r\nSubject: one\r\n  two\r\nl: 3\r\n\r\nabc";

    #[test]
    fn a_message_is_read() {
        let message = Message::read(REGISTER).unwrap();
        assert_eq!(message.method(), Some("REGISTER"));
        assert_eq!(message.branch(), Some("z9hG4bKab1"));
        assert_eq!(message.sequence(), Some((7, "REGISTER")));
        assert_eq!(message.field("subject"), Some("one two"));
        assert_eq!(message.body, b"abc");
        let via = message.field("Via").unwrap();
        assert_eq!((param(via, "rport"), param(via, "received")), (Some(""), None));
        let answer = Message::answer(&message, 200, "OK", "mine");
        assert_eq!(answer.field("To"), Some("\"a;tag=b\" <sip:34@3402;tag=none>;tag=mine"));
        assert_eq!(answer.code(), Some(200));
        assert_eq!(Message::read(&answer.to_bytes()).unwrap().sequence(), Some((7, "REGISTER")));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let read = |text: &str| Message::read(text.as_bytes()).unwrap_err();
        assert_eq!(read("hello\r\n\r\n"), SipError::Start);
        assert_eq!(read("SIP/2.0 99 low\r\n\r\n"), SipError::Start);
        assert_eq!(read("SIP/2.0 200 OK\r\nno colon\r\n\r\n"), SipError::Field);
        assert_eq!(read("SIP/2.0 200 OK\r\nContent-Length: -1\r\n\r\n"), SipError::Length);
        assert_eq!(read("SIP/2.0 200 OK\r\nContent-Length: 99999\r\n\r\n"), SipError::TooLong);
        assert_eq!(read("SIP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nabc"), SipError::Short);
        assert_eq!(read("SIP/2.0 200 OK\r\nVia: x"), SipError::Short);
        assert_eq!(read(&format!("SIP/2.0 200 OK\r\n{}\r\n", "A: b\r\n".repeat(200))), SipError::TooLong);
    }

    #[test]
    fn a_stream_is_cut_into_messages_wherever_it_breaks() {
        let stream = [b"\r\n\r\n".as_slice(), REGISTER, b"\r\n\r\n", REGISTER].concat();
        for size in 1..stream.len() {
            let (mut framer, mut found) = (Framer::default(), 0);
            for part in stream.chunks(size) {
                framer.push(part);
                while let Some(message) = framer.message().unwrap() {
                    assert_eq!(message, Message::read(REGISTER).unwrap());
                    found += 1;
                }
            }
            assert_eq!(found, 2, "in pieces of {size}");
        }
        let mut framer = Framer::default();
        framer.push(&vec![b'x'; LONGEST + 1]);
        assert_eq!(framer.message(), Err(SipError::TooLong), "the buffer cannot grow for ever");
    }

    /// Field-like text: the pieces that readers stumble over.
    fn nasty() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("\r\n".to_owned()),
            Just("\n".to_owned()),
            Just(" ".to_owned()),
            Just(":".to_owned()),
            Just(";tag=".to_owned()),
            Just("Content-Length: 4".to_owned()),
            Just("SIP/2.0 ".to_owned()),
            Just("Via: SIP/2.0/UDP a;branch=".to_owned()),
            Just("\"<>".to_owned()),
            "\\PC{0,8}",
        ];
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn garbage_is_an_error_or_a_message_that_reads_the_same_again(text in nasty(), bytes: Vec<u8>) {
            for input in [text.as_bytes(), &bytes, &[b"SIP/2.0 200 OK\r\n", text.as_bytes(), b"\r\n\r\n"].concat()] {
                let mut framer = Framer::default();
                framer.push(input);
                while let Ok(Some(_)) = framer.message() {}
                if let Ok(message) = Message::read(input) {
                    let mut again = Message::read(&message.to_bytes()).unwrap();
                    again.fields.retain(|(name, _)| name != "Content-Length");
                    let mut expected = message.clone();
                    expected.fields.retain(|(name, _)| name != "Content-Length");
                    prop_assert_eq!(again, expected);
                    message.branch();
                    message.sequence();
                    Message::answer(&message, 200, "OK", "t");
                }
            }
        }
    }
}
