//! Who did what: `GET /api/v1/audit`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};

use super::caller::{Caller, Right};
use super::store::audit::{self, AuditRow, Entry, MAX_PAGE};
use super::{ApiState, Problem};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    before: Option<i64>,
    #[serde(default)]
    limit: usize,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AuditPage)]
pub(super) struct Page {
    entries: Vec<AuditRow>,
    /// Give it as `before` for the next page; null on the last one.
    next: Option<i64>,
}

/// Newest first.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    tag = "users",
    params(Wanted),
    responses((status = 200, description = "what is asked for", body = Page)),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Page>, Problem> {
    caller.needs(Right::Audit)?;
    let Query(Wanted { before, limit }) = wanted.map_err(|e| Problem::bad_request(e.body_text()))?;
    let limit = if limit == 0 { 100 } else { limit.min(MAX_PAGE) };
    let entries = state.with_store(move |store| store.read(|c| audit::list(c, before, limit))).await?;
    let next = if entries.len() == limit { entries.last().map(|entry| entry.id) } else { None };
    Ok(Json(Page { entries, next }))
}

impl ApiState {
    /// Writes down what somebody does; it is on disk when this returns. For what is not changed in the same transaction:
    /// record it first.
    pub(super) async fn record(&self, entry: Entry) -> Result<(), Problem> {
        self.with_store(move |store| store.write(|tx| audit::insert(tx, &entry, jiff::Timestamp::now()))).await?;
        Ok(())
    }
}
