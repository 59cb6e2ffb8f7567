//! Health, metrics, and the state of the cameras.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{ApiState, Problem};
use crate::engine::hub::Snapshot;

#[derive(Serialize)]
pub(super) struct Cameras {
    site: String,
    cameras: Vec<Camera>,
}

#[derive(Serialize)]
struct Camera {
    id: String,
    /// Where its live pictures are.
    live: String,
    #[serde(flatten)]
    now: Snapshot,
}

/// The process answers.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// The process does its work: models warm, journal open. One camera that is down does not count.
pub(super) async fn ready(State(state): State<ApiState>) -> Result<&'static str, Problem> {
    if !state.0.hub.ready() {
        return Err(Problem::unavailable("not ready"));
    }
    state.read(|reader| reader.ping()).await.map_err(|_| Problem::unavailable("not ready"))?;
    Ok("ok\n")
}

pub(super) async fn metrics(State(state): State<ApiState>) -> Response {
    match state.0.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            Problem::unavailable("metrics cannot be written").into_response()
        }
    }
}

pub(super) async fn cameras(State(state): State<ApiState>) -> Json<Cameras> {
    let hub = &state.0.hub;
    let cameras = hub
        .cameras
        .iter()
        .map(|camera| Camera {
            id: camera.id.clone(),
            live: format!("/api/v1/cameras/{}/live", camera.id),
            now: camera.snapshot(),
        })
        .collect();
    Json(Cameras { site: hub.site.clone(), cameras })
}
