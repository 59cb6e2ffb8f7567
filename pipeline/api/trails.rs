//! Stored trails: drawn, and asked what changed rules would have raised on them.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{ApiState, Problem};
use crate::engine::trails::draw::Drawing;
use crate::engine::trails::read::Stretch;
use crate::engine::trails::what_if::{Answer, Question};

/// Longest body of a question, bytes: a camera file in JSON.
pub(super) const LONGEST: usize = 4 << 20;
/// Longest stretch that is looked at.
const LONGEST_STRETCH: SignedDuration = SignedDuration::from_hours(31 * 24);
/// How long a question waits for others to be answered.
const PATIENCE: Duration = Duration::from_secs(30);
/// Trails of a drawing if nobody says how many, and at most.
const USUAL: usize = 200;
const MOST: usize = 5_000;

#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = WhatIf)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// The changed camera file; today's rules alone if left out.
    toml: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[param(value_type = String, format = DateTime)]
    from: Timestamp,
    #[param(value_type = String, format = DateTime)]
    until: Timestamp,
    limit: Option<usize>,
}

/// What today's rules would raise on what is stored, and what changed ones would.
#[utoipa::path(
    post,
    path = "/api/v1/cameras/{id}/what-if",
    tag = "trails",
    params(("id" = String, Path, description = "camera id")),
    request_body = Asked,
    responses((status = 200, description = "incidents by today's rules and by the changed ones", body = serde_json::Value)),
)]
pub(super) async fn what_if(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    body: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Answer>, Problem> {
    let now = state.plan(&id)?;
    let Json(asked) = body.map_err(|e| Problem::new(e.status(), e.body_text()))?;
    let stretch = stretch(asked.from, asked.until)?;
    let desk = state.0.trails.clone();
    let then = match asked.toml {
        Some(toml) => {
            let grids = state.0.plans.grids().get().into_iter().collect();
            Some(Arc::new(desk.check(&id, &toml, &grids).map_err(Problem::refused)?.plan))
        }
        None => None,
    };
    let permit = tokio::time::timeout(PATIENCE, state.0.what_if.clone().acquire_owned()).await;
    let Ok(Ok(permit)) = permit else {
        return Err(Problem::unavailable("others ask what-if questions; try again in a moment"));
    };
    let answered = tokio::task::spawn_blocking(move || {
        let answer = desk.ask(&Question { now, then, stretch });
        drop(permit);
        answer
    });
    match answered.await {
        Ok(Ok(answer)) => Ok(Json(answer)),
        Ok(Err(error)) => {
            tracing::error!(%error, camera = id, "stored trails cannot be read");
            Err(Problem::unavailable("stored trails cannot be read now"))
        }
        Err(_) => Err(Problem::unavailable("the what-if question broke off")),
    }
}

/// Where people walked.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}/trails",
    tag = "trails",
    params(("id" = String, Path, description = "camera id"), Wanted),
    responses((status = 200, description = "feet and heights of people, fractions of the picture", body = serde_json::Value)),
)]
pub(super) async fn draw(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Drawing>, Problem> {
    state.plan(&id)?;
    let Query(wanted) = wanted.map_err(|e| Problem::bad_request(e.body_text()))?;
    let stretch = stretch(wanted.from, wanted.until)?;
    let limit = wanted.limit.unwrap_or(USUAL).min(MOST);
    let (desk, camera) = (state.0.trails.clone(), id.clone());
    match tokio::task::spawn_blocking(move || desk.draw(&camera, stretch, limit)).await {
        Ok(Ok(drawing)) => Ok(Json(drawing)),
        Ok(Err(error)) => {
            tracing::error!(%error, camera = id, "stored trails cannot be read");
            Err(Problem::unavailable("stored trails cannot be read now"))
        }
        Err(_) => Err(Problem::unavailable("drawing broke off")),
    }
}

fn stretch(from: Timestamp, until: Timestamp) -> Result<Stretch, Problem> {
    if until <= from {
        return Err(Problem::bad_request(format!("until ({until}) is not after from ({from})")));
    }
    if until.duration_since(from) > LONGEST_STRETCH {
        return Err(Problem::bad_request("a stretch is at most 31 days"));
    }
    Ok(Stretch::new(from, until))
}
