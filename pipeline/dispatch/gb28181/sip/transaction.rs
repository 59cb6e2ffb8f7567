//! Client transactions of requests other than INVITE (RFC 3261, 17.1.2): what is repeated, how often, until when.

use std::time::{Duration, Instant};

use super::Message;

/// Estimate of a round trip; first pause before a request is repeated.
pub const T1: Duration = Duration::from_millis(500);
/// Longest pause.
const T2: Duration = Duration::from_secs(4);
/// Timer F: nobody answers any more.
pub const LONGEST: Duration = Duration::from_secs(32);

/// A request under way.
#[derive(Debug)]
pub struct Transaction {
    /// What was asked.
    pub request: Message,
    /// When to repeat it and the pause after that; never on a transport that repeats by itself.
    again: Option<(Instant, Duration)>,
    ends: Instant,
    proceeding: bool,
}

/// What time brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing yet.
    Nothing,
    /// Send the request once more.
    Repeat,
    /// Give it up.
    TimedOut,
}

impl Transaction {
    /// Of a request that is sent now; given up after `patience`, at the latest after [`LONGEST`].
    pub fn new(request: Message, reliable: bool, patience: Duration, now: Instant) -> Self {
        let again = (!reliable).then(|| (now + T1, T1));
        Self { request, again, ends: now + patience.min(LONGEST), proceeding: false }
    }

    /// Whether this is an answer to it: the branch and the method are the same (17.1.3).
    pub fn matches(&self, response: &Message) -> bool {
        let same_branch = self.request.branch().is_some_and(|branch| response.branch() == Some(branch));
        same_branch && self.request.method() == response.sequence().map(|(_, method)| method)
    }

    /// The peer works on it (1xx): it is repeated less often.
    pub fn proceed(&mut self) {
        self.proceeding = true;
    }

    /// When to look again.
    pub fn next(&self) -> Instant {
        self.again.map_or(self.ends, |(at, _)| at.min(self.ends))
    }

    /// What is due.
    pub fn due(&mut self, now: Instant) -> Due {
        if now >= self.ends {
            return Due::TimedOut;
        }
        match &mut self.again {
            Some((at, pause)) if *at <= now => {
                *pause = if self.proceeding { T2 } else { (*pause * 2).min(T2) };
                *at = now + *pause;
                Due::Repeat
            }
            _ => Due::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Message {
        Message::request("MESSAGE", "sip:a@b").with("Via", "SIP/2.0/UDP x;branch=z9hG4bK1").with("CSeq", "1 MESSAGE")
    }

    /// Seconds at which a request is repeated, and the one at which it is given up.
    fn timeline(transaction: &mut Transaction, start: Instant) -> (Vec<f64>, f64) {
        let mut repeats = Vec::new();
        loop {
            let now = transaction.next();
            let seconds = (now - start).as_secs_f64();
            match transaction.due(now) {
                Due::Repeat => repeats.push(seconds),
                Due::TimedOut => return (repeats, seconds),
                Due::Nothing => panic!("looked too early at {seconds}"),
            }
        }
    }

    #[test]
    fn a_datagram_is_repeated_as_the_standard_says() {
        let start = Instant::now();
        let mut lost = Transaction::new(request(), false, LONGEST, start);
        let (repeats, end) = timeline(&mut lost, start);
        assert_eq!(repeats, [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]);
        assert_eq!(end, 32.0);
        let mut slow = Transaction::new(request(), false, LONGEST, start);
        slow.proceed();
        assert_eq!(timeline(&mut slow, start).0, [0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]);
        let mut stream = Transaction::new(request(), true, Duration::from_secs(5), start);
        assert_eq!(timeline(&mut stream, start), (vec![], 5.0));
    }

    #[test]
    fn an_answer_belongs_by_branch_and_method() {
        let transaction = Transaction::new(request(), false, LONGEST, Instant::now());
        let answer = Message::answer(&request(), 200, "OK", "t");
        assert!(transaction.matches(&answer));
        let mut other = answer.clone();
        other.replace("CSeq", "1 REGISTER");
        assert!(!transaction.matches(&other));
        let mut other = answer;
        other.replace("Via", "SIP/2.0/UDP x;branch=z9hG4bK2");
        assert!(!transaction.matches(&other));
        let nameless = Message::read(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x\r\nCSeq: 1 MESSAGE\r\n\r\n").unwrap();
        assert!(!transaction.matches(&nameless));
    }
}
