//! Files of evidence: for whoever sees alerts, and for anybody by a signed link that expires.

use std::path::PathBuf;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tower_http::services::ServeFile;

use super::caller::{Caller, Right};
use super::{ApiState, Problem};
use crate::alerts::evidence::link::{LinkError, Linker};
use crate::alerts::evidence::store;
use crate::types::AlertId;

/// Where the files are and who may fetch them.
pub struct Files {
    /// Folder of all evidence.
    pub root: PathBuf,
    /// Checks links.
    pub linker: Linker,
}

/// A file of an alert.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct FileRow {
    name: String,
    bytes: u64,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Signed {
    expires: Option<i64>,
    signature: Option<String>,
}

/// The files that an alert has now, by name.
#[utoipa::path(
    get,
    path = "/api/v1/alerts/{id}/evidence",
    tag = "alerts",
    params(("id" = AlertId, Path, description = "alert id")),
    responses((status = 200, description = "what is asked for", body = Vec<FileRow>)),
)]
pub(super) async fn list(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Json<Vec<FileRow>>, Problem> {
    let id: AlertId = id.parse().map_err(Problem::bad_request)?;
    let folder = folder(&state, id).await?;
    let found = tokio::task::spawn_blocking(move || store::files(&folder)).await;
    let found = found.map_err(|_| Problem::unavailable("the folder could not be read"))?;
    let name = |path: PathBuf| path.file_name().and_then(|n| n.to_str()).map(str::to_owned);
    // Without a folder there are no files yet, or none any more.
    let rows =
        found.unwrap_or_default().into_iter().filter_map(|(path, bytes)| Some(FileRow { name: name(path)?, bytes }));
    Ok(Json(rows.filter(|row| store::is_name(&row.name)).collect()))
}

/// One file; parts of it on request (`Range`), as players ask.
#[utoipa::path(
    get,
    path = "/api/v1/alerts/{id}/evidence/{name}",
    tag = "alerts",
    params(("id" = AlertId, Path, description = "alert id"), ("name" = String, Path, description = "file name"), Signed),
    responses(
        (status = 200, description = "the file", content(
            (Vec<u8> = "image/jpeg"),
            (Vec<u8> = "video/mp4"),
        )),
        (status = 206, description = "a part of it"),
        (status = 304, description = "it has not changed"),
        (status = 410, description = "the link has expired", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "it has changed"),
        (status = 416, description = "it has no such part"),
    ),
)]
pub(super) async fn file(
    State(state): State<ApiState>,
    Path((id, name)): Path<(String, String)>,
    caller: Result<Caller, Problem>,
    signed: Result<Query<Signed>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Query(signed) = signed.map_err(|e| Problem::bad_request(e.body_text()))?;
    let is_signed = signed.expires.is_some() || signed.signature.is_some();
    if !is_signed {
        caller?.needs(Right::See)?;
    }
    let id: AlertId = id.parse().map_err(Problem::bad_request)?;
    if !store::is_name(&name) {
        return Err(Problem::missing(format!("evidence has no file of the name `{name}`")));
    }
    if is_signed {
        let (expires, signature) = (signed.expires.unwrap_or(0), signed.signature.unwrap_or_default());
        let checked = state.0.files.linker.check(id, &name, expires, &signature, jiff::Timestamp::now());
        checked.map_err(|error| match error {
            LinkError::Wrong => Problem::new(StatusCode::FORBIDDEN, error.to_string()),
            LinkError::Expired => Problem::new(StatusCode::GONE, error.to_string()),
        })?;
    }
    let path = folder(&state, id).await?.join(&name);
    let served = ServeFile::new(&path).try_call(request.map(|_| Body::empty())).await;
    match served {
        Ok(answer) if answer.status() == StatusCode::NOT_FOUND => Err(Problem::missing(format!(
            "alert {id} has no {name} now: it is being made, failed, or was deleted by its age"
        ))),
        Ok(answer) => {
            let mut answer = answer.map(Body::new).into_response();
            answer.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("private, no-store"));
            Ok(answer)
        }
        Err(error) => {
            tracing::error!(%error, path = %path.display(), "evidence cannot be read");
            Err(Problem::unavailable("the file cannot be read now"))
        }
    }
}

async fn folder(state: &ApiState, id: AlertId) -> Result<PathBuf, Problem> {
    let started = state.read(move |reader| reader.started_at(id)).await?;
    let started = started.ok_or_else(|| Problem::missing(format!("there is no alert {id}")))?;
    Ok(store::folder(&state.0.files.root, store::utc_day(started), id))
}
