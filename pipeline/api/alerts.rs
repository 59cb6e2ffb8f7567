//! Alerts out of the journal.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};

use super::{ApiState, Problem};
use crate::alerts::journal::{AlertFilter, AlertRow, Story};
use crate::types::{AlertId, Kind, Severity};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    camera: Option<String>,
    zone: Option<String>,
    grid: Option<String>,
    rule: Option<String>,
    kind: Option<Kind>,
    min_severity: Option<Severity>,
    #[serde(default)]
    open: bool,
    #[serde(default)]
    unanswered: bool,
    since: Option<jiff::Timestamp>,
    until: Option<jiff::Timestamp>,
    after: Option<AlertId>,
    #[serde(default)]
    limit: usize,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AlertPage)]
pub(super) struct Page {
    alerts: Vec<AlertRow>,
    /// Give it as `after` for the next page; null on the last one.
    next: Option<AlertId>,
}

/// Newest first.
#[utoipa::path(
    get,
    path = "/api/v1/alerts",
    tag = "alerts",
    params(Wanted),
    responses((status = 200, description = "what is asked for", body = Page)),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Page>, Problem> {
    let Query(w) = wanted.map_err(|e| Problem::bad_request(e.body_text()))?;
    let limit = if w.limit == 0 { 100 } else { w.limit.min(1000) };
    let filter = AlertFilter {
        camera: w.camera,
        zone: w.zone,
        grid: w.grid,
        rule: w.rule,
        kind: w.kind,
        min_severity: w.min_severity,
        open: w.open,
        unanswered: w.unanswered,
        since: w.since,
        until: w.until,
        after: w.after,
        limit,
    };
    let alerts = state.read(move |reader| reader.list(&filter)).await?;
    let next = if alerts.len() == limit { alerts.last().map(|a| a.alert) } else { None };
    Ok(Json(Page { alerts, next }))
}

/// One alert with its events and deliveries.
#[utoipa::path(
    get,
    path = "/api/v1/alerts/{id}",
    tag = "alerts",
    params(("id" = AlertId, Path, description = "alert id")),
    responses((status = 200, description = "what is asked for", body = Story)),
)]
pub(super) async fn show(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Json<Story>, Problem> {
    let id: AlertId = id.parse().map_err(Problem::bad_request)?;
    let story = state.read(move |reader| reader.show(id)).await?;
    story.map(Json).ok_or_else(|| Problem::missing(format!("there is no alert {id}")))
}
