//! Metrics, and the state of the cameras.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;

use super::caller::{Identity, Right};
use super::peer::Peer;
use super::{ApiState, Problem};
use crate::engine::hub::Snapshot;
use crate::types::Snooze;

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Cameras {
    site: String,
    cameras: Vec<Camera>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct Camera {
    id: String,
    /// Where its live pictures are.
    live: String,
    #[serde(flatten)]
    now: Snapshot,
    /// Rules that are silenced.
    snoozed: Vec<Snooze>,
}

/// From the networks that the site names without a login, else for whoever sees.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "health",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")),
)]
pub(super) async fn metrics(
    State(state): State<ApiState>,
    Extension(peer): Extension<Peer>,
    identity: Identity,
) -> Response {
    let is_open = peer.client.is_some_and(|client| state.0.access.metrics_from.contains(client));
    if !is_open && let Err(problem) = identity.settled().and_then(|caller| caller.needs(Right::See)) {
        return problem.into_response();
    }
    match state.0.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            Problem::unavailable("metrics cannot be written").into_response()
        }
    }
}

/// The cameras, and how each of them is now.
#[utoipa::path(
    get,
    path = "/api/v1/cameras",
    tag = "cameras",
    responses((status = 200, description = "what is asked for", body = Cameras)),
)]
pub(super) async fn cameras(State(state): State<ApiState>) -> Json<Cameras> {
    let (hub, now) = (&state.0.hub, jiff::Timestamp::now());
    let cameras = hub
        .cameras()
        .iter()
        .map(|camera| Camera {
            id: camera.id.clone(),
            live: format!("/api/v1/cameras/{}/live", camera.id),
            now: camera.snapshot(),
            snoozed: camera.snoozed.get().iter().filter(|snooze| snooze.until > now).cloned().collect(),
        })
        .collect();
    Json(Cameras { site: hub.site.clone(), cameras })
}
