//! What can be told to a camera.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::body::Body;
use super::caller::{Caller, Right};
use super::{ApiState, Problem};

/// Nothing yet; that it must be JSON keeps pages of other sites from sending it.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = AcceptView)]
#[serde(deny_unknown_fields)]
pub(super) struct Accept {}

/// What the camera shows with its next picture becomes its reference: an alert that it moved ends, and its rules are in
/// force again.
#[utoipa::path(
    post,
    path = "/api/v1/cameras/{id}/reference",
    tag = "cameras",
    params(("id" = String, Path, description = "camera id")),
    request_body = Accept,
    responses((status = 202, description = "the next picture becomes the reference")),
)]
pub(super) async fn accept_view(
    State(state): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    Body(Accept {}): Body<Accept>,
) -> Result<StatusCode, Problem> {
    caller.needs(Right::EditZones)?;
    let camera = state.0.hub.camera(&id).ok_or_else(|| Problem::missing(format!("there is no camera `{id}`")))?;
    state.record(caller.does("camera.reference").to(&id)).await?;
    camera.accept_view();
    tracing::info!(camera = id, "its present view was accepted as reference");
    Ok(StatusCode::ACCEPTED)
}
