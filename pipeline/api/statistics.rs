//! How a day's alerts were answered.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{ApiState, Problem};
use crate::alerts::journal::statistics::Statistics;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    day: Option<Date>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Day {
    site: String,
    time_zone: String,
    #[serde(flatten)]
    statistics: Statistics,
}

/// Of `day` (`YYYY-MM-DD` in the site's time zone), today if left out.
#[utoipa::path(
    get,
    path = "/api/v1/statistics",
    tag = "numbers",
    params(Wanted),
    responses((status = 200, description = "what is asked for", body = Day)),
)]
pub(super) async fn day(
    State(state): State<ApiState>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Day>, Problem> {
    let Query(wanted) = wanted.map_err(|e| Problem::bad_request(e.body_text()))?;
    let hub = &state.0.hub;
    let zone = hub.time_zone.clone();
    let day = wanted.day.unwrap_or_else(|| zone.to_datetime(jiff::Timestamp::now()).date());
    let statistics = state.read(move |reader| reader.statistics(day, &zone)).await?;
    let time_zone = hub.time_zone.iana_name().unwrap_or("UTC").to_owned();
    Ok(Json(Day { site: hub.site.clone(), time_zone, statistics }))
}
