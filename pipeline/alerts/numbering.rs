//! One authority over `seq` in a run.
//!
//! Most events of an alert come from its incident, which counts them itself. Some come from elsewhere: its evidence
//! became ready, nobody answered in time. They are put between the incident's events, whose numbers move up.

use std::collections::{BTreeMap, VecDeque};

use super::text;
use crate::types::{AlertId, Event, EvidenceState, MediaState, Overdue, Severity, State};

/// Alerts that have ended and may still get an addition from memory; older ones are looked up by the caller.
const KEPT: usize = 1_024;

/// What the recorder takes.
#[derive(Debug)]
pub enum Entry {
    /// Of an incident, or a count.
    Event(Box<Event>),
    /// About an alert, from elsewhere.
    Addition(Addition),
}

/// News about an alert that its incident does not know of.
#[derive(Clone, Debug, PartialEq)]
pub struct Addition {
    /// The alert.
    pub alert: AlertId,
    /// UTC time of the picture, or of what happened.
    pub at: jiff::Timestamp,
    /// What happened.
    pub news: News,
}

/// What can be added to an alert.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A file became ready or failed; `None` leaves the other one as it is.
    Evidence {
        /// The still.
        picture: Option<MediaState>,
        /// The clip.
        clip: Option<MediaState>,
        /// Severity to which the alert rose at the still that became ready, if it is not that of its start.
        escalated: Option<Severity>,
    },
    /// Nobody answered in time.
    Overdue(Overdue),
}

impl News {
    /// The clip became ready or failed.
    pub const fn clip(state: MediaState) -> Self {
        Self::Evidence { picture: None, clip: Some(state), escalated: None }
    }
}

/// Numbers the events of all alerts of a run. Open alerts are bounded by the incidents' own tables.
#[derive(Debug, Default)]
pub struct Numbering {
    known: BTreeMap<AlertId, Known>,
    ended: VecDeque<AlertId>,
}

#[derive(Debug)]
struct Known {
    last: Event,
    inserted: u32,
}

impl Numbering {
    /// Nothing was told yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives an incident's event its number and the state of its evidence: `evidence` for one that starts, the newest
    /// for the others.
    pub fn number(&mut self, event: &mut Event, evidence: EvidenceState) {
        let Some(alert) = event.alert else { return };
        let inserted = match (event.state, self.known.get(&alert)) {
            (State::Started, _) => {
                event.evidence = evidence;
                0
            }
            (_, Some(known)) => {
                event.seq += known.inserted;
                event.evidence = known.last.evidence;
                let mut related = known.last.related.clone();
                related.extend(event.related.iter().filter(|alert| !known.last.related.contains(alert)));
                event.related = related;
                known.inserted
            }
            // Told by an earlier run: the event was made from its last one.
            (_, None) => 0,
        };
        self.known.insert(alert, Known { last: event.clone(), inserted });
        if event.state == State::Ended {
            self.keep_ended(alert);
        }
    }

    /// Remembers an alert that has ended, and forgets the one that did so long ago.
    fn keep_ended(&mut self, alert: AlertId) {
        self.ended.push_back(alert);
        if self.ended.len() > KEPT
            && let Some(oldest) = self.ended.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// The event of an addition. `find` looks up the newest event of an alert that is not in memory. `None` when there
    /// is no such alert, or the addition says nothing new.
    pub fn add(&mut self, addition: &Addition, find: impl FnOnce(AlertId) -> Option<Event>) -> Option<Event> {
        let mut event = match self.known.get(&addition.alert) {
            Some(known) => known.last.clone(),
            None => find(addition.alert)?,
        };
        let was_overdue = event.overdue.take().is_some();
        match &addition.news {
            News::Evidence { picture, clip, escalated } => {
                let newest = EvidenceState {
                    picture: picture.unwrap_or(event.evidence.picture),
                    clip: clip.unwrap_or(event.evidence.clip),
                    escalated: event.evidence.escalated.max(*escalated),
                };
                if newest == event.evidence {
                    return None;
                }
                (event.state, event.evidence) = (State::Evidence, newest);
                if was_overdue {
                    event.text = text::sentence(&event, None);
                }
            }
            News::Overdue(overdue) => {
                (event.state, event.overdue) = (State::Overdue, Some(overdue.clone()));
                event.text = text::sentence(&event, None);
            }
        }
        event.seq += 1;
        event.at = addition.at;
        match self.known.get_mut(&addition.alert) {
            Some(known) => {
                known.inserted += 1;
                known.last = event.clone();
            }
            // One that is looked up has ended. The next addition may come before this one is on disk.
            None => {
                self.known.insert(addition.alert, Known { last: event.clone(), inserted: 0 });
                self.keep_ended(addition.alert);
            }
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::journal::sample_event;

    const PENDING: EvidenceState =
        EvidenceState { picture: MediaState::Pending, clip: MediaState::Pending, escalated: None };

    fn id(n: u16) -> AlertId {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        AlertId(id)
    }

    fn told(numbering: &mut Numbering, n: u16, seq: u32, state: State) -> Event {
        let mut event = sample_event(id(n), seq, state);
        numbering.number(&mut event, PENDING);
        event
    }

    fn picture(n: u16) -> Addition {
        let news = News::Evidence { picture: Some(MediaState::Ready), clip: None, escalated: None };
        Addition { alert: id(n), at: jiff::Timestamp::UNIX_EPOCH, news }
    }

    #[test]
    fn additions_stand_between_the_events_of_an_incident() {
        let mut numbering = Numbering::new();
        let started = told(&mut numbering, 1, 0, State::Started);
        assert_eq!((started.seq, started.evidence), (0, PENDING));
        let ready = numbering.add(&picture(1), |_| None).unwrap();
        assert_eq!((ready.seq, ready.state, ready.evidence.picture), (1, State::Evidence, MediaState::Ready));
        let updated = told(&mut numbering, 1, 1, State::Updated);
        assert_eq!((updated.seq, updated.evidence.picture), (2, MediaState::Ready));
        let clip = News::clip(MediaState::Failed);
        let failed = numbering.add(&Addition { news: clip, ..picture(1) }, |_| None).unwrap();
        assert_eq!(
            (failed.seq, failed.evidence),
            (3, EvidenceState { picture: MediaState::Ready, clip: MediaState::Failed, escalated: None })
        );
        assert_eq!(told(&mut numbering, 1, 2, State::Ended).seq, 4);
        assert!(numbering.add(&picture(1), |_| None).is_none(), "nothing new");
        let severe = News::Evidence { picture: Some(MediaState::Ready), clip: None, escalated: Some(Severity::Severe) };
        let severe = Addition { news: severe, ..picture(1) };
        let again = numbering.add(&severe, |_| None).unwrap();
        assert_eq!((again.seq, again.evidence.escalated), (5, Some(Severity::Severe)), "a still of its own is news");
        assert!(numbering.add(&severe, |_| None).is_none() && numbering.add(&picture(1), |_| None).is_none());
        assert_eq!(told(&mut numbering, 2, 0, State::Started).seq, 0);
    }

    #[test]
    fn what_an_alert_is_related_to_stays_with_it() {
        let mut numbering = Numbering::new();
        let mut started = sample_event(id(1), 0, State::Started);
        started.related = vec![id(7)];
        numbering.number(&mut started, PENDING);
        assert_eq!(numbering.add(&picture(1), |_| None).unwrap().related, [id(7)]);
        let mut updated = sample_event(id(1), 1, State::Updated);
        updated.related = vec![id(8), id(7)];
        numbering.number(&mut updated, PENDING);
        assert_eq!(updated.related, [id(7), id(8)]);
        assert_eq!(told(&mut numbering, 1, 2, State::Ended).related, [id(7), id(8)]);
    }

    #[test]
    fn an_overdue_alert_says_so_and_its_next_event_does_not() {
        let mut numbering = Numbering::new();
        told(&mut numbering, 1, 0, State::Started);
        let overdue = Overdue { route: "squad".into(), within_s: 90, escalated_to: Some("duty".into()) };
        let late = Addition { news: News::Overdue(overdue.clone()), ..picture(1) };
        let event = numbering.add(&late, |_| None).unwrap();
        assert_eq!((event.seq, event.state, event.overdue.as_ref()), (1, State::Overdue, Some(&overdue)));
        assert!(event.text.zh.contains("1分30秒内无人答复，已升级至“duty”"), "{}", event.text.zh);
        assert!(event.text.en.contains("No answer within 1 min 30 s, escalated to \"duty\""), "{}", event.text.en);
        let ready = numbering.add(&picture(1), |_| None).unwrap();
        assert_eq!((ready.seq, ready.overdue.clone()), (2, None));
        assert!(!ready.text.en.contains("No answer"), "{}", ready.text.en);
        assert_eq!(told(&mut numbering, 1, 1, State::Ended).seq, 3);
    }

    #[test]
    fn alerts_of_earlier_runs_are_looked_up_and_memory_is_bounded() {
        let mut numbering = Numbering::new();
        assert!(numbering.add(&picture(1), |_| None).is_none());
        let last = sample_event(id(1), 7, State::Ended);
        assert_eq!(numbering.add(&picture(1), |_| Some(last.clone())).unwrap().seq, 8);
        let clip = News::clip(MediaState::Ready);
        let second = numbering.add(&Addition { news: clip, ..picture(1) }, |_| Some(last.clone())).unwrap();
        assert_eq!(second.seq, 9, "also before the first is on disk");
        for n in 0..2_000 {
            told(&mut numbering, n, 0, State::Started);
            told(&mut numbering, n, 1, State::Ended);
        }
        assert_eq!((numbering.known.len(), numbering.ended.len()), (KEPT, KEPT));
    }
}
