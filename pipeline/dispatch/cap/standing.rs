//! Which messages of an alert stand. One that dispatch has called a false alarm is cancelled; what it does afterwards is
//! told only once it becomes worse than it was then, as a new alert.

use crate::alerts::journal::Before;
use crate::types::Event;

/// The events, of those that the receiver has got, whose messages stand or were cancelled by the alert's own end; those
/// before a false alarm do not.
pub fn standing(before: &Before) -> &[Event] {
    let first = match &before.answered {
        None => Some(0),
        Some(then) => before.events.iter().position(|event| is_worse(event, then)),
    };
    first.and_then(|first| before.events.get(first..)).unwrap_or_default()
}

/// Whether an event is told to a receiver that has got these before.
pub fn is_told(event: &Event, before: &Before) -> bool {
    let cancelled = before.answered.as_deref().filter(|_| standing(before).is_empty());
    cancelled.is_none_or(|then| is_worse(event, then))
}

fn is_worse(event: &Event, then: &Event) -> bool {
    event.reason.is_none() && event.severity > then.severity
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::journal::sample_event;
    use crate::types::{AlertId, EndReason, Severity, State};

    fn event(seq: u32, severity: Severity) -> Event {
        Event { severity: Some(severity), ..sample_event(AlertId([1; 16]), seq, State::Updated) }
    }

    #[test]
    fn after_a_false_alarm_only_what_is_worse_is_told() {
        let (same, worse) = (event(2, Severity::Moderate), event(3, Severity::Severe));
        let over = Event { reason: Some(EndReason::Cleared), ..event(4, Severity::Severe) };
        let fresh = Before { answered: None, events: vec![event(0, Severity::Moderate)] };
        assert!(is_told(&same, &fresh) && standing(&fresh).len() == 1);
        let then = Some(Box::new(event(1, Severity::Moderate)));
        let cancelled = Before { answered: then.clone(), events: vec![same.clone()] };
        assert_eq!(standing(&cancelled), []);
        assert_eq!([&same, &worse, &over].map(|event| is_told(event, &cancelled)), [false, true, false]);
        let again = Before { answered: then, events: vec![same.clone(), worse.clone()] };
        assert_eq!(standing(&again), std::slice::from_ref(&worse));
        assert!(is_told(&same, &again) && is_told(&over, &again));
    }
}
