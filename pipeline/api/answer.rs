//! Answers of dispatch: `POST /api/v1/alerts/{id}/status`, by token or by whoever may answer.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::caller::{Caller, Right};
use super::{ApiState, Problem};
use crate::alerts::journal::{AnswerRow, By, Reach, Recorded, Via};
use crate::telemetry::Refusal;
use crate::types::{AlertId, Answer};

/// Longest body of an answer, bytes.
pub(super) const LONGEST: usize = 16 * 1024;

/// What is said to an answer that was taken.
#[derive(Serialize, utoipa::ToSchema)]
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
#[utoipa::path(
    post,
    path = "/api/v1/alerts/{id}/status",
    tag = "alerts",
    params(("id" = AlertId, Path, description = "alert id")),
    request_body = Answer,
    responses(
        (status = 200, description = "it is on disk", body = Taken),
        (status = 409, description = "too many answers", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn answer(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    caller: Result<Caller, Problem>,
    body: Result<Json<Answer>, JsonRejection>,
) -> Response {
    match take(&state, &id, caller, body).await {
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
    caller: Result<Caller, Problem>,
    body: Result<Json<Answer>, JsonRejection>,
) -> Result<Taken, Refused> {
    let caller = caller.map_err(|problem| (problem, Some(Refusal::Unauthorized)))?;
    let alert: AlertId = id.parse().map_err(|e: String| (Problem::bad_request(e), Some(Refusal::Malformed)))?;
    let unknown = || Problem::missing(format!("there is no alert {alert}"));
    let reach = state.read(move |reader| reader.reach(alert)).await.map_err(|problem| (problem, None))?;
    let reach = reach.ok_or_else(|| (unknown(), Some(Refusal::Unknown)))?;
    let by = may_answer(&caller, &reach).map_err(|problem| (problem, Some(Refusal::Forbidden)))?;
    let Json(answer) = body.map_err(|e| (Problem::new(e.status(), e.body_text()), Some(Refusal::Malformed)))?;
    let desk = state.0.desk.clone();
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

/// Under which name somebody answers such an alert: a token that names its grid or sink, or a user with the right.
pub(super) fn may_answer(caller: &Caller, reach: &Reach) -> Result<By, Problem> {
    let who = caller.name().to_owned();
    let Some(token) = caller.as_token() else {
        return caller.needs(Right::Answer).map(|()| By { via: Via::User, who });
    };
    if token.answers(reach) {
        return Ok(By { via: Via::Token, who });
    }
    let why = format!("token `{who}` does not answer alerts of this grid and these sinks");
    Err(Problem::new(StatusCode::FORBIDDEN, why))
}
