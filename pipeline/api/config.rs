//! The configuration of cameras: read, checked, saved into their files, with a history and the way back.
//!
//! A save names the version that it was made from (`If-Match`, RFC 9110 section 13.1.1): what somebody else has written since
//! is never lost.

pub(super) mod comings;
mod draft;
pub(super) mod history;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use serde::Serialize;

pub(super) use draft::reason;
use draft::{Draft, Saved};

use super::body::Body;
use super::caller::{Caller, Right};
use super::problem::{FaultRow, rows};
use super::store::version::{self as store, etag};
use super::store::{StoreError, audit};
use super::{ApiState, Problem};
use crate::config::edit::tables;
use crate::config::plan::{Camera, CameraDiff};
use crate::engine::plans::{CameraText, EditError, LivePlans};

/// One camera's file.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CameraConfig)]
pub(super) struct Shown {
    id: String,
    /// The file's name.
    file: String,
    /// The whole file.
    toml: String,
    /// What a save of it names.
    etag: String,
    /// The tables as written; null where the text is no TOML.
    #[schema(value_type = Option<serde_json::Value>)]
    camera: Option<serde_json::Value>,
    /// Why the text is not in force, if it is not: the last good one is.
    faults: Vec<FaultRow>,
    /// What has no effect, or less than meant.
    warnings: Vec<FaultRow>,
    /// A part of it is in force only after a restart.
    restart: bool,
}

/// What would come of a text.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CameraChecked)]
pub(super) struct Checked {
    /// Why it would be refused.
    faults: Vec<FaultRow>,
    /// What has no effect, or less than meant.
    warnings: Vec<FaultRow>,
    /// The file as it would be written.
    toml: String,
}

/// A file with its entity tag as a header too.
type Answer = ([(HeaderName, String); 1], Json<Shown>);

fn shown(id: String, text: CameraText) -> Answer {
    let CameraText { path, text, faults, warnings, restart } = text;
    let etag = etag(&text);
    let shown = Shown {
        id,
        file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        etag: etag.clone(),
        camera: tables(&text),
        toml: text.to_string(),
        faults: rows(faults),
        warnings: rows(warnings),
        restart,
    };
    ([(header::ETAG, etag)], Json(shown))
}

/// The file of a camera as it is on disk.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}/config",
    tag = "configuration",
    params(("id" = String, Path, description = "camera id")),
    responses((status = 200, description = "the file, with an entity tag", body = Shown)),
)]
pub(super) async fn show(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Answer, Problem> {
    let camera = id.clone();
    let text = state.with_plans(move |plans| plans.read(&camera)).await?;
    Ok(shown(id, text))
}

/// What would come of a text for a camera's file, or of tables put into it, or of a new camera with this id; nothing is
/// changed.
#[utoipa::path(
    post,
    path = "/api/v1/cameras/{id}/check",
    tag = "configuration",
    params(("id" = String, Path, description = "camera id")),
    request_body = Draft,
    responses(
        (status = 200, description = "every fault and warning, and the file as it would be", body = Checked),
        (status = 409, description = "the file is no TOML", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn check(
    State(state): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    Body(draft): Body<Draft>,
) -> Result<Json<Checked>, Problem> {
    caller.needs(Right::EditZones)?;
    let checked = state.beside(move |shared| {
        let base = match shared.plans.read(&id) {
            Ok(base) => Some(base.text),
            Err(EditError::Unknown(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let toml = draft.text(base.as_deref().unwrap_or_default())?;
        let checked = match base {
            Some(_) => shared.plans.check(&id, &toml),
            None => shared.plans.check_new(&id, &toml),
        };
        let (faults, warnings) = match checked {
            Ok(checked) => (Vec::new(), checked.warnings),
            Err(EditError::Refused(error)) => (error.faults, Vec::new()),
            Err(error) => return Err(error.into()),
        };
        Ok(Checked { faults: rows(faults), warnings: rows(warnings), toml })
    });
    checked.await.map(Json)
}

/// Writes a text into a camera's file, or puts tables into it, and takes it in force; both are refused as a whole. Only
/// who may change sources changes where its pictures come from and how people are found, and lets a camera come: with
/// `If-None-Match: *` it is a new one.
#[utoipa::path(
    put,
    path = "/api/v1/cameras/{id}/config",
    tag = "configuration",
    params(
        ("id" = String, Path, description = "camera id"),
        ("If-Match" = Option<String>, Header, description = "entity tag of the version that was edited; needed, or:"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: there is no such camera yet"),
    ),
    request_body = Saved,
    responses(
        (status = 200, description = "the file as it is now", body = Shown),
        (status = 201, description = "the file of a new camera", body = Shown),
        (status = 409, description = "the file is no TOML", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "it has changed meanwhile", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "If-Match is missing", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn save(
    State(state): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(saved): Body<Saved>,
) -> Result<(StatusCode, Answer), Problem> {
    caller.needs(Right::EditZones)?;
    let is_new = comings::is_new(&headers)?;
    let Saved { toml, camera, reason: why } = saved;
    let why = reason(&why)?;
    let draft = Draft { toml, camera };
    if is_new {
        let made = state.create(caller, id, why, draft).await?;
        return Ok((StatusCode::CREATED, made));
    }
    let wanted = wanted(&headers)?;
    let saved = state.put(caller, id, wanted, why, "config.save", move |base| draft.text(base)).await?;
    Ok((StatusCode::OK, saved))
}

/// The JSON Schema of all files (2020-12); `$defs/camera` is that of a camera.
#[utoipa::path(
    get,
    path = "/api/v1/schema",
    tag = "configuration",
    responses((status = 200, description = "the schema", body = serde_json::Value)),
)]
pub(super) async fn schema() -> Json<serde_json::Value> {
    Json(crate::config::schema())
}

/// What is wrong on disk with the files of the site.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SiteChecked)]
pub(super) struct SiteChecked {
    faults: Vec<FaultRow>,
    warnings: Vec<FaultRow>,
}

/// Checks all files of the site as they are on disk; opens no source and changes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/check",
    tag = "configuration",
    responses((status = 200, description = "every fault and warning", body = SiteChecked)),
)]
pub(super) async fn check_site(State(state): State<ApiState>) -> Result<Json<SiteChecked>, Problem> {
    state
        .beside(|shared| {
            let (faults, warnings) = shared.plans.check_site();
            Ok(Json(SiteChecked { faults: rows(faults), warnings: rows(warnings) }))
        })
        .await
}

/// The entity tag of `If-Match`.
fn wanted(headers: &HeaderMap) -> Result<String, Problem> {
    let missing = "If-Match is missing: it names the version that was edited, as the ETag of GET gave it";
    let tag = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    tag.map(|tag| tag.trim().to_owned()).ok_or_else(|| Problem::new(StatusCode::PRECONDITION_REQUIRED, missing))
}

fn stale() -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, "the file has changed since it was read: read it again")
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Unknown(_) => Self::missing(error.to_string()),
            EditError::Stale => stale(),
            EditError::Exists(_) => Self::new(StatusCode::PRECONDITION_FAILED, error.to_string()),
            EditError::NotYet => Self::unavailable("the cameras have not begun yet").retry_after(2),
            EditError::Refused(error) => Self::refused(error),
            EditError::Unreadable(_) | EditError::Unwritable { .. } | EditError::Unrecorded(_) => {
                tracing::error!(%error, "a camera's file is not changed");
                Self::unavailable("the camera's file cannot be read or written now")
            }
        }
    }
}

impl ApiState {
    async fn with_plans<T: Send + 'static>(
        &self,
        work: impl FnOnce(&LivePlans) -> Result<T, EditError> + Send + 'static,
    ) -> Result<T, Problem> {
        self.beside(move |shared| Ok(work(&shared.plans)?)).await
    }

    /// Writes the text that `text` makes of the present one into a camera's file, if that is still the `wanted` version, and
    /// notes who did it and why.
    async fn put(
        &self,
        caller: Caller,
        id: String,
        wanted: String,
        reason: String,
        what: &'static str,
        text: impl FnOnce(&str) -> Result<String, Problem> + Send + 'static,
    ) -> Result<Answer, Problem> {
        let saved = self.beside(move |shared| {
            let base = shared.plans.read(&id)?.text;
            if etag(&base) != wanted {
                return Err(stale());
            }
            let text = text(&base)?;
            let checked = shared.plans.check(&id, &text)?.plan;
            let before = shared.plans.check(&id, &base).map(|checked| Arc::new(checked.plan));
            let before = before.ok().or_else(|| shared.plans.plan(&id));
            if before.is_some_and(|before| changes_source(&before, &checked)) {
                caller.needs(Right::EditSource)?;
            }
            let entry = caller.does(what).to(&id).because(Some(reason.clone()));
            let record = || {
                let noted = shared.store.write(|tx| {
                    let now = jiff::Timestamp::now();
                    store::note(tx, &id, (store::BY_HAND, ""), &base, now)?;
                    let version = store::note(tx, &id, (caller.name(), &reason), &text, now)?;
                    audit::insert(tx, &entry.clone().with(format!("version {version}")), now)
                });
                noted.map(|_| ()).map_err(|error| error.to_string())
            };
            let saved = shared.plans.save(&id, &base, &text, record)?;
            Ok((id, saved))
        });
        let (id, saved) = saved.await?;
        Ok(shown(id, saved))
    }

    /// Notes down the files as they are now, and from then on what is edited by hand, until the server stops.
    pub(super) async fn follow_edits(self) {
        let mut edits = self.0.plans.edits();
        let found = self.beside(|shared| {
            let texts: Vec<(String, Arc<str>)> = shared.plans.texts();
            shared.store.write(|tx| note_all(tx, &texts)).map_err(|error| Problem::store(&error))
        });
        // Said in the log; what is edited later is another matter.
        found.await.ok();
        let mut stop = self.0.stop.clone();
        loop {
            let edit = tokio::select! {
                edit = edits.recv() => edit,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            match edit {
                Ok(edit) => {
                    let noted = self.beside(move |shared| {
                        let texts = [(edit.camera, edit.text)];
                        shared.store.write(|tx| note_all(tx, &texts)).map_err(|error| Problem::store(&error))
                    });
                    noted.await.ok();
                }
                // The newest text is noted as what it was before the next save.
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            }
        }
    }
}

fn note_all(tx: &rusqlite::Transaction<'_>, texts: &[(String, Arc<str>)]) -> Result<(), StoreError> {
    let now = jiff::Timestamp::now();
    texts.iter().try_for_each(|(camera, text)| store::note(tx, camera, (store::BY_HAND, ""), text, now).map(|_| ()))
}

fn changes_source(before: &Camera, after: &Camera) -> bool {
    let diff = CameraDiff::between(before, after);
    diff.source || diff.detect
}
