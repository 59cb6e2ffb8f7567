//! What somebody wants a camera's file to be.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::api::Problem;
use crate::config::edit::{MergeError, merge};

/// Longest reason, characters.
const LONGEST_REASON: usize = 500;

/// One of both.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = CameraDraft)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Draft {
    /// The whole file.
    pub toml: Option<String>,
    /// Tables to be put into the file: what is not named stays, what is null goes; comments stay.
    #[schema(value_type = Option<std::collections::BTreeMap<String, serde_json::Value>>)]
    pub camera: Option<Map<String, Value>>,
}

/// The same with a reason.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = CameraSave)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Saved {
    /// The whole file.
    pub toml: Option<String>,
    /// Tables to be put into the file: what is not named stays, what is null goes; comments stay.
    #[schema(value_type = Option<std::collections::BTreeMap<String, serde_json::Value>>)]
    pub camera: Option<Map<String, Value>>,
    /// Why, for the history.
    pub reason: String,
}

impl Draft {
    /// The file as it would be.
    pub(super) fn text(self, base: &str) -> Result<String, Problem> {
        let wrong = |why: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why);
        match (self.toml, self.camera) {
            (Some(toml), None) => Ok(toml),
            (None, Some(camera)) => merge(base, &camera).map_err(|error| match error {
                MergeError::Text(_) => Problem::new(StatusCode::CONFLICT, error.to_string()),
                MergeError::Value { .. } => wrong(error.to_string()),
            }),
            _ => Err(wrong("either `toml`, the whole file, or `camera`, tables to be put into it".into())),
        }
    }
}

/// A reason that says something.
pub(in crate::api) fn reason(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_REASON {
        let why = format!("reason: 1 to {LONGEST_REASON} characters");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why));
    }
    Ok(text.to_owned())
}
