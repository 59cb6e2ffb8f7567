//! Where answers of dispatch are taken, whichever way they come: journalled, then counted.

use std::sync::{Mutex, PoisonError};

use super::Bell;
use crate::alerts::journal::{Answers, By, Journal, JournalError, Recorded};
use crate::telemetry::{AnswerMetrics, Metrics, Refusal};
use crate::types::answer::ANSWERS;
use crate::types::{AlertId, Answer};

/// Takes answers; shared by the API and the workers of all sinks.
pub struct Desk {
    answers: Mutex<Answers>,
    metrics: AnswerMetrics,
    bell: Bell,
}

/// What a receiver said about an alert in its answer to a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The alert that was delivered.
    pub alert: AlertId,
    /// Its answer, or what is wrong with it.
    pub answer: Result<Answer, String>,
}

impl Desk {
    /// `told` are the sinks that are told of false alarms; `bell` wakes them.
    pub(super) fn open(
        journal: &Journal,
        metrics: &Metrics,
        told: Vec<String>,
        bell: Bell,
    ) -> Result<Self, JournalError> {
        let answers = journal.answers()?.telling(told);
        Ok(Self { answers: Mutex::new(answers), metrics: metrics.answers(), bell })
    }

    /// Other sinks are told of false alarms from now on.
    pub(super) fn tell(&self, told: Vec<String>) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).tell(told);
    }

    /// Writes an answer; blocking. After `Ok` it is on disk, or refused and counted.
    pub fn take(&self, alert: AlertId, answer: &Answer, by: &By) -> Result<Recorded, JournalError> {
        let recorded = self.answers.lock().unwrap_or_else(PoisonError::into_inner).record(alert, answer, by)?;
        match &recorded {
            Recorded::Taken(taken) if !taken.repeated => {
                tracing::info!(%alert, answer = answer.word(), by = by.who, "answered");
                taken.routes.iter().for_each(|route| self.metrics.taken(route, answer.index()));
                if matches!(answer, Answer::FalseAlarm { .. }) {
                    self.bell.ring();
                }
            }
            Recorded::Taken(_) => {}
            Recorded::Unknown => self.refused(Refusal::Unknown),
            Recorded::TooMany => self.refused(Refusal::TooMany),
        }
        Ok(recorded)
    }

    /// Ends a quiet spot; blocking. `false` when there is none of this number in force.
    pub fn release(&self, spot: i64, who: &str) -> Result<bool, JournalError> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).release(spot, who)
    }

    /// Counts an answer that was not taken.
    pub fn refused(&self, why: Refusal) {
        self.metrics.refused(why);
    }
}

/// The answer in the body of a receiver's answer to a delivery. Many receivers say `{"status": "ok"}` or nothing: whatever
/// does not use one of the four words is no answer.
pub fn parse(body: &[u8]) -> Option<Result<Answer, String>> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let is_answer = value.get("status")?.as_str().is_some_and(|status| ANSWERS.contains(&status));
    is_answer.then(|| serde_json::from_value(value).map_err(|e| e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_four_words_are_answers() {
        for text in ["", "ok", "[]", "{}", "null", r#"{"status":"ok"}"#, r#"{"status":200}"#, r#"{"status":"accepted""#]
        {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse(br#"{"status":"accepted"}"#), Some(Ok(Answer::Accepted)));
        assert!(parse(br#"{"status":"assigned"}"#).unwrap().unwrap_err().contains("needs `unit`"));
    }
}
