//! What the agent asks the platform.

use std::net::SocketAddr;
use std::time::Instant;

use super::{Agent, Alarm, Open, Purpose, Registration, Step, duration};
use crate::config::plan::SipTransport;
use crate::dispatch::gb28181::manscdp;
use crate::dispatch::gb28181::sip::digest::Challenge;
use crate::dispatch::gb28181::sip::transaction::Transaction;
use crate::dispatch::gb28181::sip::{Message, Start};
use crate::dispatch::xml;

impl Agent {
    pub(super) fn register(&mut self, now: Instant) {
        self.registration = Registration::Asking;
        self.open.retain(|o| o.purpose != Purpose::Register);
        self.ask_to_register(now);
    }

    pub(super) fn ask_to_register(&mut self, now: Instant) {
        let Some(local) = self.local else { return };
        let (device, domain) = (&self.plan.device_id, &self.plan.domain);
        let (uri, to) = (self.server_uri(), format!("<sip:{device}@{domain}>"));
        let contact = format!("<sip:{device}@{local}>");
        let call = format!("{}-register@{device}", self.run);
        let expires = self.expires.as_secs().to_string();
        let request = self.request("REGISTER", &uri, &to, &call, local);
        let request = request.with("Contact", &contact).with("Expires", &expires);
        self.send(Purpose::Register, request, 0, now);
    }

    pub(super) fn keep_alive(&mut self, now: Instant) {
        self.keepalive = now + duration(self.plan.keepalive);
        if self.open.iter().any(|o| o.purpose == Purpose::Keepalive) {
            return;
        }
        self.serial = self.serial.wrapping_add(1);
        let device = &self.plan.device_id;
        let body = manscdp::write(self.plan.encoding, "Notify", "Keepalive", self.serial, device, |xml| {
            xml::text(xml, "Status", "OK")
        });
        match body {
            Ok(body) => self.message(Purpose::Keepalive, None, body, now),
            Err(error) => tracing::error!(%error, "a keep-alive cannot be written"),
        }
    }

    pub(super) fn send_waiting(&mut self, now: Instant) {
        if !matches!(self.registration, Registration::Registered { .. }) {
            return;
        }
        for i in 0..self.alarms.len() {
            if self.alarms[i].step == Step::Waits {
                self.alarms[i].step = Step::Sent;
                let Alarm { serial, key, body } = self.alarms[i].alarm.clone();
                self.message(Purpose::Alarm(serial), Some(&key), body, now);
            }
        }
    }

    pub(super) fn message(&mut self, purpose: Purpose, key: Option<&str>, body: Vec<u8>, now: Instant) {
        let Some(local) = self.local else { return };
        let device = &self.plan.device_id;
        let call = match key {
            Some(key) => format!("{key}@{device}"),
            None => format!("{}-{}@{device}", self.run, self.names),
        };
        let uri = self.server_uri();
        let request = self.request("MESSAGE", &uri, &format!("<{uri}>"), &call, local);
        self.send(purpose, request.with_body(manscdp::CONTENT_TYPE, body), 0, now);
    }

    pub(super) fn request(&mut self, method: &str, uri: &str, to: &str, call: &str, local: SocketAddr) -> Message {
        self.names += 1;
        let from = format!("<sip:{}@{}>;tag={}t{}", self.plan.device_id, self.plan.domain, self.run, self.names);
        Message::request(method, uri)
            .with("Via", &self.via(local))
            .with("From", &from)
            .with("To", to)
            .with("Call-ID", call)
            .with("CSeq", &self.next_sequence(method))
            .with("Max-Forwards", "70")
            .with("User-Agent", concat!("lookout/", env!("CARGO_PKG_VERSION")))
    }

    pub(super) fn via(&mut self, local: SocketAddr) -> String {
        self.names += 1;
        let transport = if self.reliable() { "TCP" } else { "UDP" };
        // The cookie says that the branch is unique (8.1.1.7).
        format!("SIP/2.0/{transport} {local};rport;branch=z9hG4bK{}b{}", self.run, self.names)
    }

    pub(super) fn next_sequence(&mut self, method: &str) -> String {
        // Below 2^31 (8.1.1.5).
        self.sequence = self.sequence % 0x7fff_fffe + 1;
        format!("{} {method}", self.sequence)
    }

    pub(super) fn send(&mut self, purpose: Purpose, request: Message, answered: u32, now: Instant) {
        self.out.push_back(request.to_bytes());
        let transaction = Transaction::new(request, self.reliable(), self.patience(), now);
        self.open.push(Open { purpose, transaction, answered });
    }

    /// Sends a request again with the answer to the server's challenge.
    pub(super) fn prove(&mut self, open: &Open, response: &Message, now: Instant) -> Result<(), String> {
        let credentials = self.credentials.clone().ok_or("the platform wants a password, and none is configured")?;
        let challenge = Challenge::read(response)?;
        if open.answered > 0 && (!challenge.stale || open.answered > 2) {
            return Err("the platform does not accept the user name or the password".into());
        }
        let mut request = open.transaction.request.clone();
        let (Some(local), Start::Request { method, uri }) = (self.local, request.start.clone()) else { return Ok(()) };
        self.names += 1;
        let cnonce = format!("{}c{}", self.run, self.names);
        let (name, value) = challenge.answer(&credentials, &method, &uri, 1, &cnonce);
        request.replace(name, &value);
        request.replace("Via", &self.via(local));
        request.replace("CSeq", &self.next_sequence(&method));
        self.send(open.purpose, request, open.answered + 1, now);
        Ok(())
    }

    pub(super) fn server_uri(&self) -> String {
        format!("sip:{}@{}", self.plan.server_id, self.plan.domain)
    }

    pub(super) fn reliable(&self) -> bool {
        self.plan.transport == SipTransport::Tcp
    }
}
