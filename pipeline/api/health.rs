//! Health and readiness. Without a login they say only whether; whoever may see is told why.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::caller::{Identity, Right};
use super::{ApiState, Problem};
use crate::engine::hub::CameraState;
use crate::telemetry::Sign;

/// Whether the process lives.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    version: &'static str,
    /// Threads that do the work; none before the models are loaded.
    threads: Vec<WorkThread>,
}

/// Whether the process does its work.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Readiness {
    /// What does its work badly or not at all while everything else goes on; a `part` of `lookout_degraded`.
    degraded: Vec<DegradedPart>,
    /// What is on disk and in force only after a restart.
    after_restart: Vec<String>,
    cameras: CamerasUp,
}

#[derive(Serialize, utoipa::ToSchema)]
struct WorkThread {
    name: String,
    /// Seconds that it has been at one piece of work; null while it waits for some.
    busy: Option<f64>,
    /// That is longer than any piece of work takes.
    stuck: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
struct DegradedPart {
    part: &'static str,
    reasons: Vec<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct CamerasUp {
    online: usize,
    /// Ids of those that give no pictures; a file that was played to its end is not among them.
    without_pictures: Vec<String>,
}

impl From<Sign> for WorkThread {
    fn from(sign: Sign) -> Self {
        Self { name: sign.name, busy: sign.busy.map(|busy| busy.as_secs_f64()), stuck: sign.stuck }
    }
}

/// A refusal, with the reason for those who may see.
fn refusal(what: &str, reason: &str, sees: bool) -> Problem {
    Problem::unavailable(if sees { format!("{what}: {reason}") } else { what.to_owned() })
}

fn sees(identity: &Identity) -> bool {
    identity.settled().is_ok_and(|caller| caller.has(Right::See))
}

/// The process answers, and no thread of it is stuck; otherwise a restart helps.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "health",
    security(()),
    responses((status = 200, description = "`ok`; more for those who may see", content(
        (String = "text/plain"), (Health = "application/json")
    ))),
)]
pub(super) async fn health(State(state): State<ApiState>, identity: Identity) -> Result<Response, Problem> {
    let sees = sees(&identity);
    let health = &state.0.metrics.health;
    let stuck: Vec<String> = health.stuck().into_iter().map(|sign| sign.name).collect();
    if !stuck.is_empty() {
        return Err(refusal("not healthy", &format!("stuck: {}", stuck.join(", ")), sees));
    }
    if !sees {
        return Ok("ok\n".into_response());
    }
    let threads = health.signs().into_iter().map(WorkThread::from).collect();
    Ok(Json(Health { version: env!("CARGO_PKG_VERSION"), threads }).into_response())
}

/// The process does its work: models warm, journal open. One camera that is down does not count.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    security(()),
    responses((status = 200, description = "`ok`; more for those who may see", content(
        (String = "text/plain"), (Readiness = "application/json")
    ))),
)]
pub(super) async fn ready(State(state): State<ApiState>, identity: Identity) -> Result<Response, Problem> {
    let sees = sees(&identity);
    let not_ready = |reason: &str| refusal("not ready", reason, sees);
    if !state.0.hub.ready() {
        return Err(not_ready("the models are being loaded"));
    }
    let stuck: Vec<String> = state.0.metrics.health.stuck().into_iter().map(|sign| sign.name).collect();
    if !stuck.is_empty() {
        return Err(not_ready(&format!("stuck: {}", stuck.join(", "))));
    }
    state.read(|reader| reader.ping()).await.map_err(|_| not_ready("the journal cannot be read"))?;
    if !sees {
        return Ok((StatusCode::OK, "ok\n").into_response());
    }
    let degraded = state.0.metrics.health.degraded().into_iter();
    let degraded = degraded.map(|(part, reasons)| DegradedPart { part, reasons }).collect();
    let all = state.0.hub.cameras();
    let states: Vec<(&str, CameraState)> =
        all.iter().map(|camera| (camera.id.as_str(), camera.snapshot().state)).collect();
    let cameras = CamerasUp {
        online: states.iter().filter(|(_, state)| *state == CameraState::Online).count(),
        without_pictures: states
            .iter()
            .filter(|(_, state)| matches!(state, CameraState::Offline | CameraState::Connecting))
            .map(|(id, _)| (*id).to_owned())
            .collect(),
    };
    let after_restart = state.0.metrics.health.restarts();
    Ok(Json(Readiness { degraded, after_restart, cameras }).into_response())
}
