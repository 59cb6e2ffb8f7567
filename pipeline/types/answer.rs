//! What dispatch answers to an alert; the same words in API, sinks and console.

use serde::{Deserialize, Serialize};

/// Longest detail of an answer, characters.
pub const LONGEST_DETAIL: usize = 200;
/// Reason of a false alarm that makes its spot quiet.
pub const NOT_A_PERSON: &str = "not_a_person";
/// The words, in the order of [`Answer::index`].
pub const ANSWERS: [&str; 4] = ["accepted", "assigned", "resolved", "false_alarm"];

/// An answer, as JSON `{"status": "assigned", "unit": "squad 3"}`. Unknown keys and keys of another answer are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "status", rename_all = "snake_case", try_from = "Written")]
pub enum Answer {
    /// Somebody has seen it.
    Accepted,
    /// A unit is on its way.
    Assigned {
        /// Which.
        unit: String,
    },
    /// It is dealt with.
    Resolved {
        /// How.
        outcome: String,
    },
    /// Nothing of the kind happened.
    FalseAlarm {
        /// What it was instead, such as [`NOT_A_PERSON`].
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

impl Answer {
    /// From a word and its detail.
    pub fn new(status: &str, detail: Option<String>) -> Result<Self, String> {
        let mut written = Written { status: status.to_owned(), ..Written::default() };
        match status {
            "assigned" => written.unit = detail,
            "resolved" => written.outcome = detail,
            _ => written.reason = detail,
        }
        written.try_into()
    }

    /// Index of its word in [`ANSWERS`].
    pub const fn index(&self) -> usize {
        match self {
            Self::Accepted => 0,
            Self::Assigned { .. } => 1,
            Self::Resolved { .. } => 2,
            Self::FalseAlarm { .. } => 3,
        }
    }

    /// Its word.
    pub const fn word(&self) -> &'static str {
        ANSWERS[self.index()]
    }

    /// Unit, outcome or reason.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Accepted => None,
            Self::Assigned { unit } => Some(unit),
            Self::Resolved { outcome } => Some(outcome),
            Self::FalseAlarm { reason } => reason.as_deref(),
        }
    }

    /// Whether the subject was no person at all.
    pub fn is_not_a_person(&self) -> bool {
        matches!(self, Self::FalseAlarm { reason: Some(reason) } if reason == NOT_A_PERSON)
    }
}

/// An answer as it comes from outside.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    status: String,
    unit: Option<String>,
    outcome: Option<String>,
    reason: Option<String>,
}

impl TryFrom<Written> for Answer {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { status, unit, outcome, reason } = written;
        let needed = |name: &str, value: &Option<String>| {
            detail(name, value.as_deref())?.ok_or_else(|| format!("`{status}` needs `{name}`"))
        };
        let (own, answer) = match status.as_str() {
            "accepted" => ("", Self::Accepted),
            "assigned" => ("unit", Self::Assigned { unit: needed("unit", &unit)? }),
            "resolved" => ("outcome", Self::Resolved { outcome: needed("outcome", &outcome)? }),
            "false_alarm" => ("reason", Self::FalseAlarm { reason: detail("reason", reason.as_deref())? }),
            other => return Err(format!("`{other}` is not one of {}", ANSWERS.join(", "))),
        };
        for (name, value) in [("unit", &unit), ("outcome", &outcome), ("reason", &reason)] {
            if name != own && value.is_some() {
                return Err(format!("`{name}` does not belong to `{status}`"));
            }
        }
        Ok(answer)
    }
}

fn detail(name: &str, value: Option<&str>) -> Result<Option<String>, String> {
    let Some(value) = value.map(str::trim) else { return Ok(None) };
    if value.is_empty() || value.chars().count() > LONGEST_DETAIL || value.contains(char::is_control) {
        return Err(format!("`{name}` is not a line of 1 to {LONGEST_DETAIL} characters"));
    }
    Ok(Some(value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Answer, String> {
        serde_json::from_str(text).map_err(|e| e.to_string())
    }

    #[test]
    fn answers_are_written_as_they_are_read() {
        for text in [
            r#"{"status":"accepted"}"#,
            r#"{"status":"assigned","unit":"市中三队"}"#,
            r#"{"status":"resolved","outcome":"dispersed"}"#,
            r#"{"status":"false_alarm"}"#,
            r#"{"status":"false_alarm","reason":"not_a_person"}"#,
        ] {
            let answer = read(text).unwrap();
            assert_eq!(serde_json::to_string(&answer).unwrap(), text);
            assert_eq!(Answer::new(answer.word(), answer.detail().map(str::to_owned)), Ok(answer.clone()));
            assert_eq!(answer.is_not_a_person(), text.contains(NOT_A_PERSON));
        }
    }

    #[test]
    fn what_is_no_answer_says_what_would_be() {
        let long = format!(r#"{{"status":"assigned","unit":"{}"}}"#, "x".repeat(201));
        for (text, word) in [
            (r#"{"status":"ok"}"#, "`ok` is not one of accepted, assigned, resolved, false_alarm"),
            (r#"{"status":"assigned"}"#, "`assigned` needs `unit`"),
            (r#"{"status":"resolved","outcome":" "}"#, "not a line of 1 to 200 characters"),
            (r#"{"status":"accepted","unit":"3"}"#, "`unit` does not belong to `accepted`"),
            (r#"{"status":"accepted","colour":"red"}"#, "unknown field `colour`"),
            (r#"{"unit":"3"}"#, "missing field `status`"),
            (r#"{"status":"assigned","unit":"a\nb"}"#, "not a line"),
            (&long, "not a line"),
            ("[]", "invalid"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
