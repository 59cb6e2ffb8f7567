//! Who changed a camera's file, when and why; and the way back.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::super::body::Body;
use super::super::caller::{Caller, Right};
use super::super::store::version::{self as store, Version, VersionText};
use super::super::{ApiState, Problem};
use super::{Answer, draft, wanted};

/// Newest first.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Versions)]
pub(in crate::api) struct Versions {
    versions: Vec<Version>,
}

/// Why.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = CameraRestore)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Restored {
    reason: String,
}

/// The versions of a camera's file that are kept.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}/history",
    tag = "configuration",
    params(("id" = String, Path, description = "camera id")),
    responses((status = 200, description = "newest first", body = Versions)),
)]
pub(in crate::api) async fn list(
    State(state): State<ApiState>,
    Path(id): Path<String>,
) -> Result<Json<Versions>, Problem> {
    // Of a camera that has gone there is a history, too.
    let known = state.plan(&id);
    let versions = state.with_store(move |store| store.read(|c| store::list(c, &id))).await?;
    if versions.is_empty() {
        known?;
    }
    Ok(Json(Versions { versions }))
}

/// One version, and the text before it.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}/history/{version}",
    tag = "configuration",
    params(
        ("id" = String, Path, description = "camera id"),
        ("version" = i64, Path, description = "its number"),
    ),
    responses((status = 200, description = "the version", body = VersionText)),
)]
pub(in crate::api) async fn version(
    State(state): State<ApiState>,
    Path((id, version)): Path<(String, String)>,
) -> Result<Json<VersionText>, Problem> {
    let found = match version.parse().ok() {
        Some(number) => state.with_store(move |store| store.read(|c| store::find(c, &id, number))).await?,
        None => None,
    };
    found.map(Json).ok_or_else(|| missing(&version))
}

/// Brings a version back: a save of its text, with a number of its own.
#[utoipa::path(
    post,
    path = "/api/v1/cameras/{id}/history/{version}/restore",
    tag = "configuration",
    params(
        ("id" = String, Path, description = "camera id"),
        ("version" = i64, Path, description = "its number"),
        ("If-Match" = Option<String>, Header, description = "entity tag of the present version; needed"),
    ),
    request_body = Restored,
    responses(
        (status = 200, description = "the file as it is now", body = super::Shown),
        (status = 412, description = "it has changed meanwhile", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "If-Match is missing", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::api) async fn restore(
    State(state): State<ApiState>,
    caller: Caller,
    Path((id, version)): Path<(String, String)>,
    headers: HeaderMap,
    Body(Restored { reason }): Body<Restored>,
) -> Result<Answer, Problem> {
    caller.needs(Right::EditZones)?;
    let reason = draft::reason(&reason)?;
    state.plan(&id)?;
    let number: i64 = version.parse().map_err(|_| missing(&version))?;
    let camera = id.clone();
    let found = state.with_store(move |store| store.read(|c| store::find(c, &camera, number))).await?;
    let text = found.ok_or_else(|| missing(&version))?.toml;
    let wanted = wanted(&headers)?;
    state.put(caller, id, wanted, reason, "config.restore", move |_| Ok(text)).await
}

fn missing(version: &str) -> Problem {
    Problem::missing(format!("there is no version `{version}`, or it is kept no more"))
}
