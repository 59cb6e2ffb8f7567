//! Quiet spots: listed, and released by whoever may answer the alert that made them.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::answer::may_answer;
use super::caller::Caller;
use super::{ApiState, Problem};
use crate::alerts::journal::Spot;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    all: bool,
}

/// Those in force; with `all=true` also those that were released.
#[utoipa::path(
    get,
    path = "/api/v1/quiet",
    tag = "quiet spots",
    params(Wanted),
    responses((status = 200, description = "what is asked for", body = Vec<Spot>)),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Vec<Spot>>, Problem> {
    let Query(Wanted { all }) = wanted.map_err(|e| Problem::bad_request(e.body_text()))?;
    state.read(move |reader| reader.spots(all)).await.map(Json)
}

/// From the next picture on the subject counts again.
#[utoipa::path(
    delete,
    path = "/api/v1/quiet/{id}",
    tag = "quiet spots",
    params(("id" = i64, Path, description = "number of the spot")),
    responses((status = 204, description = "it is released")),
)]
pub(super) async fn release(
    State(state): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let missing = || Problem::missing(format!("there is no quiet spot `{id}` in force"));
    let id: i64 = id.parse().map_err(|_| missing())?;
    let reach = state.read(move |reader| match reader.alert_of_spot(id)? {
        Some(alert) => reader.reach(alert),
        None => Ok(None),
    });
    let reach = reach.await?.ok_or_else(missing)?;
    let by = may_answer(&caller, &reach)?;
    let desk = state.0.desk.clone();
    match tokio::task::spawn_blocking(move || desk.release(id, &by.who)).await {
        Ok(Ok(true)) => Ok(StatusCode::NO_CONTENT),
        Ok(Ok(false)) => Err(missing()),
        Ok(Err(error)) => {
            tracing::error!(%error, spot = id, "a quiet spot cannot be released");
            Err(Problem::unavailable("the spot cannot be released now; try again"))
        }
        Err(_) => Err(Problem::unavailable("releasing the spot broke off; try again")),
    }
}
