//! Answers of dispatch: `POST /api/v1/alerts/{id}/status` with a bearer token.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{ApiState, Problem};
use crate::alerts::journal::{AnswerRow, By, Recorded, Token, Via};
use crate::telemetry::Refusal;
use crate::types::{AlertId, Answer};

/// Longest body of an answer, bytes.
pub(super) const LONGEST: usize = 16 * 1024;

/// What is said to an answer that was taken.
#[derive(Serialize)]
pub(super) struct Taken {
    alert: AlertId,
    #[serde(flatten)]
    answer: AnswerRow,
    /// The same answer was there already.
    repeated: bool,
    /// The quiet spot that it made, if it did.
    quiet: Option<i64>,
}

/// Takes an answer. Sent again it changes nothing and gets the same words.
pub(super) async fn answer(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Json<Answer>, JsonRejection>,
) -> Response {
    match take(&state, &id, &headers, body).await {
        Ok(taken) => Json(taken).into_response(),
        Err((problem, why)) => {
            if let Some(why) = why {
                state.0.desk.refused(why);
            }
            problem.into_response()
        }
    }
}

/// What is wrong, and what it is counted as unless the desk counts it.
type Refused = (Problem, Option<Refusal>);

async fn take(
    state: &ApiState,
    id: &str,
    headers: &HeaderMap,
    body: Result<Json<Answer>, JsonRejection>,
) -> Result<Taken, Refused> {
    let token = authorize(state, headers).await?;
    let alert: AlertId = id.parse().map_err(|e: String| (Problem::bad_request(e), Some(Refusal::Malformed)))?;
    let unknown = || Problem::missing(format!("there is no alert {alert}"));
    let reach = state.read(move |reader| reader.reach(alert)).await.map_err(|problem| (problem, None))?;
    let reach = reach.ok_or_else(|| (unknown(), Some(Refusal::Unknown)))?;
    if !token.answers(&reach) {
        let why = format!("token `{}` does not answer alerts of this grid and these sinks", token.name);
        return Err((Problem::new(StatusCode::FORBIDDEN, why), Some(Refusal::Forbidden)));
    }
    let Json(answer) = body.map_err(|e| (Problem::new(e.status(), e.body_text()), Some(Refusal::Malformed)))?;
    let desk = state.0.desk.clone();
    let by = By { via: Via::Token, who: token.name };
    let recorded = tokio::task::spawn_blocking(move || desk.take(alert, &answer, &by)).await;
    match recorded {
        Ok(Ok(Recorded::Taken(taken))) => {
            Ok(Taken { alert, answer: taken.row, repeated: taken.repeated, quiet: taken.spot })
        }
        // The desk has counted these.
        Ok(Ok(Recorded::Unknown)) => Err((unknown(), None)),
        Ok(Ok(Recorded::TooMany)) => {
            Err((Problem::new(StatusCode::CONFLICT, "the alert has as many answers as it may have"), None))
        }
        Ok(Err(error)) => {
            tracing::error!(%error, %alert, "an answer cannot be written");
            Err((Problem::unavailable("the answer cannot be written now; send it again"), None))
        }
        Err(_) => Err((Problem::unavailable("writing the answer broke off; send it again"), None)),
    }
}

/// The token that a request carries, if it is good.
pub(super) async fn authorize(state: &ApiState, headers: &HeaderMap) -> Result<Token, Refused> {
    let no = |detail: &str| (Problem::new(StatusCode::UNAUTHORIZED, detail), Some(Refusal::Unauthorized));
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let secret = given.and_then(|value| {
        let (scheme, secret) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim().to_owned())
    });
    let secret = secret.ok_or_else(|| no("this needs a token: `Authorization: Bearer ...`"))?;
    let token = state.read(move |reader| reader.token(&secret, jiff::Timestamp::now())).await;
    token.map_err(|problem| (problem, None))?.ok_or_else(|| no("the token is unknown, expired or withdrawn"))
}
