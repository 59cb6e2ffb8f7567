//! What the platform asks the agent.

use std::time::Instant;

use super::{Agent, MOST_OPEN, Purpose, Step};
use crate::dispatch::SinkError;
use crate::dispatch::gb28181::inquiry;
use crate::dispatch::gb28181::manscdp::Body;
use crate::dispatch::gb28181::sip::Message;

impl Agent {
    pub(super) fn asked(&mut self, request: &Message, method: &str, now: Instant) {
        let (code, reason) = match method {
            "MESSAGE" | "OPTIONS" => (200, "OK"),
            // Nothing answers an ACK.
            "ACK" => return,
            _ => (405, "Method Not Allowed"),
        };
        let tag = format!("{}r", self.run);
        let mut answer = Message::answer(request, code, reason, &tag);
        if code == 405 || method == "OPTIONS" {
            answer = answer.with("Allow", "MESSAGE, OPTIONS");
        }
        self.out.push_back(answer.to_bytes());
        if method != "MESSAGE" {
            return;
        }
        let Some(body) = Body::read(&request.body) else { return };
        match (body.root.as_str(), body.field("CmdType")) {
            ("Response", Some("Alarm")) => self.acknowledged(&body),
            ("Query" | "Control", Some(_)) => {
                for answer in inquiry::answers(&body, &self.plan) {
                    if self.open.len() >= MOST_OPEN + self.alarms.len() {
                        break;
                    }
                    self.message(Purpose::Answer, None, answer, now);
                }
            }
            _ => {}
        }
    }

    pub(super) fn acknowledged(&mut self, response: &Body) {
        let Some(serial) = response.serial() else { return };
        let is_ok = response.field("Result").is_some_and(|result| result.eq_ignore_ascii_case("ok"));
        if let Some(late) = self.late.iter_mut().find(|l| l.serial == serial) {
            late.acknowledged |= is_ok;
        }
        let sent = self.alarms.iter().any(|p| p.alarm.serial == serial && p.step != Step::Waits);
        if !sent {
            return;
        }
        let said = response.field("Result").unwrap_or("nothing");
        let refusal = || SinkError::later(format!("the platform's Response has the result `{said}`"));
        self.finish(serial, if is_ok { Ok(()) } else { Err(refusal()) });
    }
}
