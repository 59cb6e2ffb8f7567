//! Quiet spots: listed, and released by whoever may answer the alert that made them.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::answer::authorize;
use super::{ApiState, Problem};
use crate::alerts::journal::Spot;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    all: bool,
}

/// Those in force; with `all=true` also those that were released.
pub(super) async fn list(
    State(state): State<ApiState>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Vec<Spot>>, Problem> {
    let Query(Wanted { all }) = wanted.map_err(|e| Problem::bad_request(e.body_text()))?;
    state.read(move |reader| reader.spots(all)).await.map(Json)
}

/// From the next picture on the subject counts again.
pub(super) async fn release(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let token = authorize(&state, &headers).await.map_err(|(problem, _)| problem)?;
    let missing = || Problem::missing(format!("there is no quiet spot `{id}` in force"));
    let id: i64 = id.parse().map_err(|_| missing())?;
    let reach = state.read(move |reader| match reader.alert_of_spot(id)? {
        Some(alert) => reader.reach(alert),
        None => Ok(None),
    });
    let reach = reach.await?.ok_or_else(missing)?;
    if !token.answers(&reach) {
        let why = format!("token `{}` does not answer the alert that made this spot", token.name);
        return Err(Problem::new(StatusCode::FORBIDDEN, why));
    }
    let desk = state.0.desk.clone();
    match tokio::task::spawn_blocking(move || desk.release(id, &token.name)).await {
        Ok(Ok(true)) => Ok(StatusCode::NO_CONTENT),
        Ok(Ok(false)) => Err(missing()),
        Ok(Err(error)) => {
            tracing::error!(%error, spot = id, "a quiet spot cannot be released");
            Err(Problem::unavailable("the spot cannot be released now; try again"))
        }
        Err(_) => Err(Problem::unavailable("releasing the spot broke off; try again")),
    }
}
