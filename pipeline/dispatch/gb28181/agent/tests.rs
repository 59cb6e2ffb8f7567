use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::config::plan::{Acknowledge, Encoding, SipTransport};
use crate::dispatch::gb28181::manscdp::{self, Body};
use crate::types::{Span, State};

fn plan() -> Gb28181 {
    Gb28181 {
        server: "127.0.0.1:5060".into(),
        transport: SipTransport::Udp,
        local: None,
        server_id: "34020000002000000001".into(),
        domain: "3402000000".into(),
        device_id: "34020000001320000001".into(),
        username: "34020000001320000001".into(),
        password: None,
        channels: BTreeMap::new(),
        encoding: Encoding::Gb18030,
        states: vec![State::Started],
        acknowledge: Acknowledge::Response,
        keepalive: Span::from_secs(60),
        expires: Span::from_secs(3600),
        timeout: Span::from_secs(15),
        time_zone: TimeZone::UTC,
    }
}

fn credentials() -> Option<Credentials> {
    Some(Credentials { user: "34020000001320000001".into(), password: "12345678".into() })
}

/// An agent with a clock that the test moves.
struct Stage {
    agent: Agent,
    now: Instant,
    /// Sent and not yet looked at.
    sent: VecDeque<Message>,
}

impl Stage {
    fn new(plan: Gb28181) -> Self {
        let now = Instant::now();
        Self { agent: Agent::new(plan, credentials(), "r".into(), now), now, sent: VecDeque::new() }
    }

    fn registered(plan: Gb28181) -> Self {
        let mut stage = Self::new(plan);
        stage.connect();
        let register = stage.sent("REGISTER");
        stage.answer(&register, 200, &[]);
        stage
    }

    fn connect(&mut self) {
        self.agent.connected(([127, 0, 0, 1], 5080).into(), self.now);
    }

    fn look(&mut self) {
        while let Some(bytes) = self.agent.outgoing() {
            self.sent.push_back(Message::read(&bytes).unwrap());
        }
    }

    /// The next message that was sent; it must be of this method.
    fn sent(&mut self, method: &str) -> Message {
        self.look();
        let message = self.sent.pop_front().unwrap_or_else(|| panic!("no {method} was sent"));
        assert_eq!(message.method(), Some(method), "{message:?}");
        message
    }

    /// A datagram from the platform, if it is SIP at all.
    fn hear(&mut self, datagram: &[u8]) {
        if let Ok(message) = Message::read(datagram) {
            self.agent.heard(&message, self.now);
        }
    }

    fn silent(&mut self) {
        self.look();
        assert!(self.sent.is_empty(), "{:?}", self.sent);
    }

    fn answer(&mut self, request: &Message, code: u16, fields: &[(&str, &str)]) {
        let answer = Message::answer(request, code, "reason", "p");
        let answer = fields.iter().fold(answer, |answer, (name, value)| answer.with(name, value));
        self.hear(&answer.to_bytes());
    }

    /// The platform's `Response`.
    fn respond(&mut self, serial: u32, result: &str) {
        let body = format!(
            "<?xml version=\"1.0\"?><Response><CmdType>Alarm</CmdType><SN>{serial}</SN><DeviceID>1</DeviceID>\
             <Result>{result}</Result></Response>"
        );
        let request = Message::request("MESSAGE", "sip:34020000001320000001@3402000000")
            .with("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKp")
            .with("From", "<sip:p@3402000000>;tag=1")
            .with("To", "<sip:d@3402000000>")
            .with("Call-ID", "p")
            .with("CSeq", "1 MESSAGE")
            .with_body(manscdp::CONTENT_TYPE, body.into_bytes());
        self.hear(&request.to_bytes());
    }

    fn submit(&mut self, serial: u32) {
        let key = format!("{serial:032x}.0");
        self.agent.submit(Alarm { serial, key, body: b"<Notify/>".to_vec() }, self.now);
    }

    fn outcome(&mut self) -> Option<(u32, Result<(), String>)> {
        self.agent.outcome().map(|(serial, outcome)| (serial, outcome.map_err(|e| e.to_string())))
    }

    /// Moves the clock to what is due within `time`, piece by piece.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.agent.next().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.agent.tick(self.now);
        }
        self.now = end;
        self.agent.tick(end);
    }
}

fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

#[test]
fn it_registers_with_a_digest_and_the_response_acknowledges() {
    let mut stage = Stage::new(plan());
    stage.submit(7);
    stage.silent();
    stage.connect();
    let register = stage.sent("REGISTER");
    assert_eq!(register.field("Expires"), Some("3600"));
    assert_eq!(register.field("Contact"), Some("<sip:34020000001320000001@127.0.0.1:5080>"));
    stage.answer(&register, 100, &[]);
    stage.answer(&register, 401, &[("WWW-Authenticate", "Digest realm=\"3402000000\", nonce=\"n1\", qop=\"auth\"")]);
    let proven = stage.sent("REGISTER");
    assert!(proven.field("Authorization").unwrap().contains("nonce=\"n1\""));
    assert_eq!(proven.field("Call-ID"), register.field("Call-ID"));
    assert_eq!(proven.sequence().unwrap().0, register.sequence().unwrap().0 + 1);
    assert_ne!(proven.branch(), register.branch());
    stage.silent();
    stage.answer(&proven, 200, &[("Expires", "3600")]);
    let alarm = stage.sent("MESSAGE");
    assert_eq!(alarm.field("Call-ID"), Some("00000000000000000000000000000007.0@34020000001320000001"));
    assert_eq!(alarm.body, b"<Notify/>");
    stage.answer(&alarm, 200, &[]);
    assert_eq!(stage.outcome(), None, "200 is only half of it");
    stage.respond(8, "OK");
    assert_eq!(stage.outcome(), None, "the number of another one");
    stage.respond(7, "OK");
    assert_eq!(stage.outcome(), Some((7, Ok(()))));
    stage.look();
    assert!(stage.sent.iter().all(|m| m.code() == Some(200)), "each Response is answered: {:?}", stage.sent);
}

#[test]
fn a_wrong_password_is_said_and_tried_again_later() {
    let mut stage = Stage::new(plan());
    stage.connect();
    stage.submit(1);
    let challenge = [("WWW-Authenticate", "Digest realm=\"x\", nonce=\"n\"")];
    for _ in 0..2 {
        let register = stage.sent("REGISTER");
        stage.answer(&register, 401, &challenge);
    }
    let (serial, outcome) = stage.outcome().unwrap();
    assert_eq!(serial, 1);
    assert!(outcome.unwrap_err().contains("does not accept the user name or the password"));
    stage.submit(2);
    assert!(stage.outcome().unwrap().1.is_err(), "at once");
    stage.silent();
    stage.pass(seconds(3));
    stage.sent("REGISTER");
}

#[test]
fn a_stale_nonce_is_answered_again() {
    let mut stage = Stage::new(plan());
    stage.connect();
    let register = stage.sent("REGISTER");
    stage.answer(&register, 401, &[("WWW-Authenticate", "Digest realm=\"x\", nonce=\"old\"")]);
    let register = stage.sent("REGISTER");
    stage.answer(&register, 401, &[("WWW-Authenticate", "Digest realm=\"x\", nonce=\"new\", stale=TRUE")]);
    let register = stage.sent("REGISTER");
    assert!(register.field("Authorization").unwrap().contains("nonce=\"new\""));
    assert_eq!(register.fields("Authorization").count(), 1);
}

#[test]
fn a_registration_is_renewed_before_it_expires_and_asked_for_as_long_as_it_must_be() {
    let mut stage = Stage::new(plan());
    stage.connect();
    let register = stage.sent("REGISTER");
    stage.answer(&register, 423, &[("Min-Expires", "7200")]);
    let register = stage.sent("REGISTER");
    assert_eq!(register.field("Expires"), Some("7200"));
    stage.answer(&register, 200, &[("Contact", "<sip:d@127.0.0.1>;expires=100")]);
    stage.pass(seconds(49));
    stage.silent();
    stage.pass(seconds(1));
    let renewal = stage.sent("REGISTER");
    stage.submit(1);
    stage.sent("MESSAGE");
    stage.answer(&renewal, 200, &[("Expires", "100")]);
    stage.silent();
}

#[test]
fn keep_alives_go_out_and_missing_three_registers_anew() {
    let mut stage = Stage::registered(plan());
    stage.pass(seconds(60));
    let alive = stage.sent("MESSAGE");
    assert!(String::from_utf8_lossy(&alive.body).contains("<CmdType>Keepalive</CmdType>"));
    stage.answer(&alive, 200, &[]);
    stage.pass(seconds(3 * 60 + 20));
    stage.look();
    let methods: Vec<_> = stage.sent.iter().filter_map(|m| m.method()).collect();
    let register = methods.iter().position(|m| *m == "REGISTER").expect("it registers anew");
    assert!(register > 3, "{methods:?}");
    stage.sent.clear();
    let mut forgotten = Stage::registered(plan());
    forgotten.pass(seconds(60));
    let alive = forgotten.sent("MESSAGE");
    forgotten.answer(&alive, 403, &[]);
    forgotten.sent("REGISTER");
}

#[test]
fn what_was_lost_is_repeated_unchanged_until_nobody_answers() {
    let mut stage = Stage::registered(plan());
    stage.submit(1);
    let first = stage.sent("MESSAGE");
    stage.pass(Duration::from_millis(1600));
    assert_eq!((stage.sent("MESSAGE"), stage.sent("MESSAGE")), (first.clone(), first.clone()));
    stage.silent();
    stage.pass(seconds(14));
    let (_, outcome) = stage.outcome().unwrap();
    assert_eq!(outcome, Err("the platform does not answer".into()));
    stage.look();
    assert_eq!(stage.sent.back().and_then(|m| m.method()), Some("REGISTER"), "it may have forgotten this device");
    stage.answer(&first, 200, &[]);
    assert_eq!(stage.outcome(), None, "once is enough");
}

#[test]
fn a_late_response_acknowledges_the_next_attempt() {
    let mut stage = Stage::registered(plan());
    stage.submit(1);
    let alarm = stage.sent("MESSAGE");
    stage.answer(&alarm, 200, &[]);
    stage.pass(seconds(16));
    let (_, outcome) = stage.outcome().unwrap();
    assert!(outcome.unwrap_err().contains("no Response"));
    stage.respond(1, "OK");
    stage.respond(2, "OK");
    assert_eq!(stage.outcome(), None);
    stage.look();
    stage.sent.clear();
    stage.submit(1);
    assert_eq!(stage.outcome(), Some((1, Ok(()))));
    stage.silent();
    // What was never sent cannot have been acknowledged.
    stage.submit(2);
    assert_eq!(stage.outcome(), None);
    stage.sent("MESSAGE");
}

#[test]
fn the_answer_to_an_alarm_decides() {
    let says = |code: u16, fields: &[(&str, &str)]| {
        let mut stage = Stage::registered(plan());
        stage.submit(1);
        let alarm = stage.sent("MESSAGE");
        stage.answer(&alarm, code, fields);
        stage.look();
        let register = stage.sent.iter().any(|m| m.method() == Some("REGISTER"));
        (stage.agent.outcome().map(|(_, outcome)| outcome.unwrap_err()), register)
    };
    let later = |code: u16, wish| Some(SinkError::Later { reason: format!("{code} reason"), wish });
    assert_eq!(says(500, &[]), (later(500, None), false));
    assert_eq!(says(503, &[("Retry-After", "120 (busy)")]), (later(503, Some(seconds(120))), false));
    assert_eq!(says(403, &[]), (later(403, None), true));
    assert_eq!(says(410, &[]), (Some(SinkError::Gone { reason: "410 reason".into() }), false));
    assert_eq!(says(200, &[]), (None, false));
    let (refused, register) = says(401, &[]);
    assert!(register && refused.unwrap().to_string().contains("without a challenge"));
    // A challenge to the alarm itself is answered.
    let (waits, register) = says(407, &[("Proxy-Authenticate", "Digest nonce=\"n\"")]);
    assert!(waits.is_none() && !register);
    let mut stage = Stage::registered(plan());
    stage.submit(1);
    stage.respond(1, "ERROR");
    assert_eq!(stage.outcome(), Some((1, Err("the platform's Response has the result `ERROR`".into()))));
    let mut stage = Stage::registered(Gb28181 { acknowledge: Acknowledge::Accepted, ..plan() });
    stage.submit(1);
    let alarm = stage.sent("MESSAGE");
    stage.answer(&alarm, 202, &[]);
    assert_eq!(stage.outcome(), Some((1, Ok(()))));
}

#[test]
fn alarms_wait_for_the_next_way_but_not_for_one_that_cannot_be_opened() {
    let mut stage = Stage::registered(plan());
    stage.submit(1);
    let first = stage.sent("MESSAGE");
    stage.agent.disconnected();
    stage.submit(2);
    stage.connect();
    let register = stage.sent("REGISTER");
    stage.answer(&register, 200, &[]);
    let again = stage.sent("MESSAGE");
    assert_eq!(again.field("Call-ID"), first.field("Call-ID"));
    stage.sent("MESSAGE");
    stage.agent.unreachable("10.0.0.2:5060: no route");
    for serial in [1, 2] {
        assert_eq!(stage.outcome(), Some((serial, Err("10.0.0.2:5060: no route".into()))));
    }
    stage.submit(3);
    assert_eq!(stage.outcome(), Some((3, Err("10.0.0.2:5060: no route".into()))));
}

#[test]
fn questions_are_answered_and_commands_refused() {
    let channels = BTreeMap::from([("forecourt".to_owned(), "34020000001310000001".to_owned())]);
    let ask = |text: &str| {
        let mut stage = Stage::registered(Gb28181 { channels: channels.clone(), ..plan() });
        let request = Message::request("MESSAGE", "sip:d@3402000000")
            .with("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKq")
            .with("To", "<sip:d@3402000000>")
            .with("CSeq", "9 MESSAGE")
            .with_body(manscdp::CONTENT_TYPE, text.as_bytes().to_vec());
        stage.hear(&request.to_bytes());
        stage.look();
        assert_eq!(stage.sent.pop_front().unwrap().code(), Some(200));
        let answers = stage.sent.iter().map(|m| Body::read(&m.body).unwrap());
        answers.map(|b| (b.serial().unwrap(), b.field("Result").unwrap_or("-").to_owned())).collect::<Vec<_>>()
    };
    let query = |root: &str, command: &str, more: &str| {
        ask(&format!("<{root}><CmdType>{command}</CmdType><SN>5</SN><DeviceID>1</DeviceID>{more}</{root}>"))
    };
    assert_eq!(query("Query", "Catalog", ""), [(5, "-".to_owned())]);
    assert_eq!(query("Query", "DeviceInfo", ""), [(5, "OK".to_owned())]);
    assert_eq!(query("Query", "DeviceStatus", ""), [(5, "OK".to_owned())]);
    assert_eq!(query("Control", "DeviceControl", "<GuardCmd>SetGuard</GuardCmd>"), [(5, "OK".to_owned())]);
    assert_eq!(query("Control", "DeviceControl", "<GuardCmd>ResetGuard</GuardCmd>"), [(5, "ERROR".to_owned())]);
    assert_eq!(query("Control", "DeviceControl", "<TeleBoot>Boot</TeleBoot>"), [(5, "ERROR".to_owned())]);
    assert_eq!(query("Query", "RecordInfo", ""), []);
}

/// What can happen to an agent.
#[derive(Clone, Debug)]
enum Act {
    Connect,
    Disconnect,
    Unreachable,
    Submit(u32),
    /// The oldest request that was sent gets this code.
    Answer(u16),
    /// It gets lost.
    Lose,
    Respond(u32, bool),
    Pass(u64),
    Garbage(Vec<u8>),
    /// A good message with some bytes exchanged.
    Damaged(u16, Vec<(usize, u8)>),
}

fn act() -> impl Strategy<Value = Act> {
    let codes = proptest::sample::select(&[100_u16, 200, 200, 200, 302, 400, 401, 403, 410, 423, 486, 500, 503]);
    let damage = proptest::collection::vec((0..400_usize, any::<u8>()), 1..6);
    prop_oneof![
        2 => Just(Act::Connect),
        1 => Just(Act::Disconnect),
        1 => Just(Act::Unreachable),
        6 => (0..20_u32).prop_map(Act::Submit),
        8 => codes.clone().prop_map(Act::Answer),
        2 => Just(Act::Lose),
        4 => (0..20_u32, any::<bool>()).prop_map(|(serial, ok)| Act::Respond(serial, ok)),
        4 => (0..90_000_u64).prop_map(Act::Pass),
        1 => proptest::collection::vec(any::<u8>(), 0..80).prop_map(Act::Garbage),
        2 => (codes, damage).prop_map(|(code, damage)| Act::Damaged(code, damage)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the platform does, each alarm that was taken has one outcome, and nothing piles up.
    #[test]
    fn every_alarm_has_one_outcome(acts in proptest::collection::vec(act(), 0..80)) {
        let mut stage = Stage::new(plan());
        let mut waiting: BTreeMap<u32, ()> = BTreeMap::new();
        for act in acts {
            stage.look();
            match act {
                Act::Connect => stage.connect(),
                Act::Disconnect => stage.agent.disconnected(),
                Act::Unreachable => stage.agent.unreachable("no"),
                // The outbox gives an alarm out once at a time.
                Act::Submit(serial) => if waiting.insert(serial, ()).is_none() {
                    stage.submit(serial);
                },
                Act::Answer(code) => if let Some(request) = stage.sent.pop_front().filter(|m| m.code().is_none()) {
                    let challenge = [("WWW-Authenticate", "Digest realm=\"x\", nonce=\"n\"")];
                    stage.answer(&request, code, if code == 401 { &challenge } else { &[] });
                },
                Act::Lose => drop(stage.sent.pop_front()),
                Act::Respond(serial, ok) => stage.respond(serial, if ok { "OK" } else { "ERROR" }),
                Act::Pass(ms) => stage.pass(Duration::from_millis(ms)),
                Act::Garbage(bytes) => stage.hear(&bytes),
                Act::Damaged(code, damage) => if let Some(request) = stage.sent.front().filter(|m| m.code().is_none()) {
                    let mut bytes = Message::answer(request, code, "reason", "p").to_bytes();
                    for (at, byte) in damage {
                        if let Some(place) = bytes.get_mut(at) {
                            *place = byte;
                        }
                    }
                    stage.hear(&bytes);
                },
            }
            while let Some((serial, _)) = stage.outcome() {
                prop_assert!(waiting.remove(&serial).is_some(), "an outcome nobody waits for: {}", serial);
            }
            prop_assert!(stage.agent.alarms.len() <= 20 && stage.agent.open.len() <= 20 + MOST_OPEN + 2);
            prop_assert!(stage.agent.late.len() <= LATE);
        }
        stage.pass(seconds(20));
        while let Some((serial, _)) = stage.outcome() {
            prop_assert!(waiting.remove(&serial).is_some());
        }
        prop_assert!(waiting.is_empty(), "no outcome for {:?}", waiting);
    }
}
