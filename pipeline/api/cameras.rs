//! What can be told to a camera.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::body::Body;
use super::caller::{Caller, Right};
use super::{ApiState, Problem};
use crate::config::plan::Motion;

/// Nothing yet; that it must be JSON keeps pages of other sites from sending it.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = AcceptView)]
#[serde(deny_unknown_fields)]
pub(super) struct Accept {}

/// What the camera shows with its next picture becomes its reference: an alert that it moved ends, and its rules are in
/// force again. Of a camera that is carried about it is the picture that zones tied to the ground were drawn on.
#[utoipa::path(
    post,
    path = "/api/v1/cameras/{id}/reference",
    tag = "cameras",
    params(("id" = String, Path, description = "camera id")),
    request_body = Accept,
    responses(
        (status = 202, description = "the next picture becomes the reference"),
        (
            status = 409,
            description = "a camera with presets has a reference for each of them",
            body = Problem,
            content_type = "application/problem+json",
        ),
    ),
)]
pub(super) async fn accept_view(
    State(state): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    Body(Accept {}): Body<Accept>,
) -> Result<StatusCode, Problem> {
    caller.needs(Right::EditZones)?;
    let camera = state.0.hub.camera(&id).ok_or_else(|| Problem::missing(format!("there is no camera `{id}`")))?;
    if camera.plan.get().motion == Motion::Ptz {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "a camera with presets has a reference for each: name the preset",
        ));
    }
    state.record(caller.does("camera.reference").to(&id)).await?;
    camera.accept_view();
    tracing::info!(camera = id, "its present view was accepted as reference");
    Ok(StatusCode::ACCEPTED)
}

/// What the camera shows from now on, once it has stood for ten seconds, becomes the view by which this preset is known:
/// the rules of its zones are in force whenever the camera shows that.
#[utoipa::path(
    post,
    path = "/api/v1/cameras/{id}/presets/{preset}/reference",
    tag = "cameras",
    params(
        ("id" = String, Path, description = "camera id"),
        ("preset" = String, Path, description = "preset id"),
    ),
    request_body = Accept,
    responses((status = 202, description = "the view is being taken")),
)]
pub(super) async fn take_preset(
    State(state): State<ApiState>,
    caller: Caller,
    Path((id, preset)): Path<(String, String)>,
    Body(Accept {}): Body<Accept>,
) -> Result<StatusCode, Problem> {
    caller.needs(Right::EditZones)?;
    let camera = state.0.hub.camera(&id).ok_or_else(|| Problem::missing(format!("there is no camera `{id}`")))?;
    if !camera.plan.get().presets.iter().any(|p| p.id == preset) {
        return Err(Problem::missing(format!("the camera `{id}` has no preset `{preset}`")));
    }
    state.record(caller.does("camera.preset").to(format!("{id}/{preset}"))).await?;
    camera.take_preset(&preset);
    tracing::info!(camera = id, preset, "its view is taken for this preset");
    Ok(StatusCode::ACCEPTED)
}
