//! Cameras that come and go by the API: their files are made and taken away.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use super::draft::Draft;
use super::{Answer, reason, shown, stale, wanted};
use crate::api::caller::{Caller, Right};
use crate::api::store::audit;
use crate::api::store::version::{self as store, etag};
use crate::api::{ApiState, Problem};

/// Why.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Why {
    reason: String,
}

/// Takes a camera's file away: its open alerts end, as reconfigured. What it left behind stays, and so does the history of
/// its file.
#[utoipa::path(
    delete,
    path = "/api/v1/cameras/{id}/config",
    tag = "configuration",
    params(
        ("id" = String, Path, description = "camera id"),
        ("If-Match" = Option<String>, Header, description = "entity tag of the version that goes; needed"),
        Why,
    ),
    responses(
        (status = 204, description = "the camera is gone"),
        (status = 412, description = "it has changed meanwhile", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "the rest of the site names it", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "If-Match is missing", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::api) async fn remove(
    State(state): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    why: Result<Query<Why>, QueryRejection>,
) -> Result<StatusCode, Problem> {
    caller.needs(Right::EditSource)?;
    let wanted = wanted(&headers)?;
    let Query(Why { reason: why }) = why.map_err(|e| Problem::bad_request(e.body_text()))?;
    let why = reason(&why)?;
    let removed = state.beside(move |shared| {
        let base = shared.plans.read(&id)?.text;
        if etag(&base) != wanted {
            return Err(stale());
        }
        let entry = caller.does("config.remove").to(&id).because(Some(why));
        let record = || {
            let noted = shared.store.write(|tx| {
                let now = jiff::Timestamp::now();
                let version = store::note(tx, &id, (store::BY_HAND, ""), &base, now)?;
                audit::insert(tx, &entry.clone().with(format!("version {version}")), now)
            });
            noted.map(|_| ()).map_err(|error| error.to_string())
        };
        Ok(shared.plans.remove(&id, &base, record)?)
    });
    removed.await.map(|()| StatusCode::NO_CONTENT)
}

/// Whether a save is of a new camera (RFC 9110 section 13.1.2).
pub(super) fn is_new(headers: &HeaderMap) -> Result<bool, Problem> {
    match headers.get(header::IF_NONE_MATCH).map(|value| value.as_bytes().trim_ascii()) {
        None => Ok(false),
        Some(b"*") if !headers.contains_key(header::IF_MATCH) => Ok(true),
        Some(_) => Err(Problem::bad_request("If-None-Match is `*`, without If-Match, or is not there")),
    }
}

impl ApiState {
    /// Writes the file of a new camera, and notes who did it and why.
    pub(super) async fn create(
        &self,
        caller: Caller,
        id: String,
        why: String,
        draft: Draft,
    ) -> Result<Answer, Problem> {
        caller.needs(Right::EditSource)?;
        let made = self.beside(move |shared| {
            let text = draft.text("")?;
            let entry = caller.does("config.create").to(&id).because(Some(why.clone()));
            let record = || {
                let noted = shared.store.write(|tx| {
                    let now = jiff::Timestamp::now();
                    let version = store::note(tx, &id, (caller.name(), &why), &text, now)?;
                    audit::insert(tx, &entry.clone().with(format!("version {version}")), now)
                });
                noted.map(|_| ()).map_err(|error| error.to_string())
            };
            let made = shared.plans.create(&id, &text, record)?;
            Ok((id, made))
        });
        let (id, made) = made.await?;
        Ok(shown(id, made))
    }
}
