//! Numbers of a day: people by hour and zone, crossings, occupancy; as JSON and CSV.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{ApiState, Problem};
use crate::engine::numbers::report::{CameraDay, SiteDay, csv};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[param(value_type = Option<String>, format = Date)]
    day: Option<Date>,
    #[param(inline)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    Json,
    Csv,
}

#[derive(Serialize)]
struct Told<T> {
    day: Date,
    time_zone: String,
    #[serde(flatten)]
    numbers: T,
}

/// Of one camera on `day` (`YYYY-MM-DD` in the site's time zone), today if left out.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}/numbers",
    tag = "numbers",
    params(("id" = String, Path, description = "camera id"), Wanted),
    responses((
        status = 200,
        description = "people by hour and zone, crossings by line",
        content((serde_json::Value = "application/json"), (String = "text/csv"))
    )),
)]
pub(super) async fn camera(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    state.plan(&id)?;
    let Query(wanted) = wanted.map_err(|e| Problem::bad_request(e.body_text()))?;
    let (day, mut site) = read(&state, &wanted, Some(id)).await?;
    if wanted.format == Some(Format::Csv) {
        return Ok(as_csv(day, &site));
    }
    let numbers: CameraDay = site.cameras.remove(0);
    Ok(told(&state, day, numbers))
}

/// Of all cameras, and people on the whole site.
#[utoipa::path(
    get,
    path = "/api/v1/numbers",
    tag = "numbers",
    params(Wanted),
    responses((
        status = 200,
        description = "people by hour and zone, crossings by line, people on the site",
        content((serde_json::Value = "application/json"), (String = "text/csv"))
    )),
)]
pub(super) async fn site(
    State(state): State<ApiState>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|e| Problem::bad_request(e.body_text()))?;
    let (day, site) = read(&state, &wanted, None).await?;
    Ok(if wanted.format == Some(Format::Csv) { as_csv(day, &site) } else { told(&state, day, site) })
}

async fn read(state: &ApiState, wanted: &Wanted, only: Option<String>) -> Result<(Date, SiteDay), Problem> {
    let zone = state.0.hub.time_zone.clone();
    let day = wanted.day.unwrap_or_else(|| zone.to_datetime(jiff::Timestamp::now()).date());
    let (hub, desk) = (state.0.hub.clone(), state.0.trails.clone());
    let read = tokio::task::spawn_blocking(move || match only {
        Some(id) => desk.numbers(&[&id], day, false),
        None => desk.numbers(&hub.cameras().iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), day, true),
    });
    match read.await {
        Ok(Ok(site)) => Ok((day, site)),
        Ok(Err(error)) => {
            tracing::error!(%error, "numbers cannot be read");
            Err(Problem::unavailable("numbers cannot be read now"))
        }
        Err(_) => Err(Problem::unavailable("the query broke off")),
    }
}

fn told<T: Serialize>(state: &ApiState, day: Date, numbers: T) -> Response {
    let time_zone = state.0.hub.time_zone.iana_name().unwrap_or("UTC").to_owned();
    Json(Told { day, time_zone, numbers }).into_response()
}

fn as_csv(day: Date, site: &SiteDay) -> Response {
    let name = format!("attachment; filename=\"numbers-{day}.csv\"");
    let kind = "text/csv; charset=utf-8".to_owned();
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], csv(day, site)).into_response()
}
