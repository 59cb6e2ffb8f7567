//! What can be told to a camera.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::{ApiState, Problem};

/// Nothing yet; that it must be JSON keeps pages of other sites from sending it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accept {}

/// What the camera shows with its next picture becomes its reference: an alert that it moved ends, and its rules are in
/// force again.
pub(super) async fn accept_view(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    body: Result<Json<Accept>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(Accept {}) = body.map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
    let camera = state.0.hub.camera(&id).ok_or_else(|| Problem::missing(format!("there is no camera {id}")))?;
    camera.accept_view();
    tracing::info!(camera = id, "its present view was accepted as reference");
    Ok(StatusCode::ACCEPTED)
}
