//! One picture of a camera: to draw zones on, and as it is for who may see that.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use serde::Deserialize;

use super::body::Body;
use super::caller::{Caller, Right};
use super::config::reason;
use super::{ApiState, Problem};
use crate::engine::hub::{CameraState, View};

/// Longest wait for a picture.
const PATIENCE: Duration = Duration::from_secs(5);

type Picture = ([(HeaderName, &'static str); 1], Vec<u8>);

/// Why somebody must see people as they are.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = PlainView)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Recorded with who it was.
    reason: String,
}

/// The next analysed picture, redacted, with nothing drawn on it.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}/still",
    tag = "cameras",
    params(("id" = String, Path, description = "camera id")),
    responses(
        (status = 200, description = "a JPEG picture", body = String, content_type = "image/jpeg"),
        (status = 409, description = "the camera gives no pictures", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn redacted(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Picture, Problem> {
    next(&state, &id, View::Redacted).await
}

/// The next analysed picture as the camera shows it, but for privacy masks. Only for roles that the site's policy names;
/// who looks, and why, is recorded before the picture is made.
#[utoipa::path(
    post,
    path = "/api/v1/cameras/{id}/plain",
    tag = "cameras",
    params(("id" = String, Path, description = "camera id")),
    request_body = Asked,
    responses(
        (status = 200, description = "a JPEG picture", body = String, content_type = "image/jpeg"),
        (status = 409, description = "the camera gives no pictures", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn plain(
    State(state): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    Body(Asked { reason: why }): Body<Asked>,
) -> Result<Picture, Problem> {
    caller.needs(Right::Plain)?;
    let why = reason(&why)?;
    state.plan(&id)?;
    state.record(caller.does("camera.plain").to(&id).because(Some(why))).await?;
    next(&state, &id, View::Plain).await
}

async fn next(state: &ApiState, id: &str, view: View) -> Result<Picture, Problem> {
    let camera = state.0.hub.camera(id).ok_or_else(|| Problem::missing(format!("there is no camera `{id}`")))?;
    let none = || Problem::new(StatusCode::CONFLICT, "the camera gives no pictures now").retry_after(2);
    if camera.snapshot().state != CameraState::Online {
        return Err(none());
    }
    let Some(mut asked) = camera.ask(view) else {
        state.0.metrics.overflow("viewers").inc();
        return Err(Problem::unavailable("too many ask for pictures of this camera"));
    };
    match tokio::time::timeout(PATIENCE, asked.next()).await {
        Ok(Some(jpeg)) => Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg.to_vec())),
        Ok(None) | Err(_) => Err(none()),
    }
}
