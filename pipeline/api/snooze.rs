//! Rules that are silenced for a time: they raise nothing, are seen as such, and come back by themselves.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::body::Body;
use super::caller::{Caller, Right};
use super::config::reason;
use super::store::{StoreError, audit, snooze};
use super::{ApiState, Problem, Shared};
use crate::types::Snooze;

/// Longest time: what is silenced for longer should be changed.
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Until when and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = SnoozeWanted)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    reason: String,
}

/// All rules that are silenced now.
#[utoipa::path(
    get,
    path = "/api/v1/snoozes",
    tag = "rules",
    responses((status = 200, description = "by camera and rule", body = Vec<Snooze>)),
)]
pub(super) async fn list(State(state): State<ApiState>) -> Result<Json<Vec<Snooze>>, Problem> {
    state.with_store(|store| store.read(|c| snooze::list(c, Timestamp::now()))).await.map(Json)
}

/// Silences a rule, also one about the camera itself, until a time at most a week away; its open alerts end with `snoozed`.
#[utoipa::path(
    post,
    path = "/api/v1/cameras/{id}/rules/{rule}/snooze",
    tag = "rules",
    params(
        ("id" = String, Path, description = "camera id"),
        ("rule" = String, Path, description = "rule id"),
    ),
    request_body = Wanted,
    responses((status = 200, description = "it is silenced", body = Snooze)),
)]
pub(super) async fn put(
    State(state): State<ApiState>,
    caller: Caller,
    Path((camera, rule)): Path<(String, String)>,
    Body(Wanted { until, reason: why }): Body<Wanted>,
) -> Result<Json<Snooze>, Problem> {
    caller.needs(Right::Snooze)?;
    let why = reason(&why)?;
    let plan = state.plan(&camera)?;
    if !plan.rules.iter().any(|r| r.id == rule) {
        return Err(Problem::missing(format!("camera `{camera}` has no rule `{rule}`")));
    }
    // As the database keeps it.
    let since = Timestamp::now().round(jiff::Unit::Millisecond).unwrap_or_default();
    if until <= since || until.duration_since(since) > LONGEST {
        let wrong = "until: a time to come, at most a week away";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, wrong));
    }
    let until = until.round(jiff::Unit::Millisecond).unwrap_or(until);
    let new = Snooze { camera, rule, until, who: caller.name().to_owned(), reason: why.clone(), since };
    let target = format!("{}/{}", new.camera, new.rule);
    let entry = caller.does("snooze").to(target).because(Some(why)).with(format!("until {until}"));
    state
        .beside(move |shared| {
            let done = shared.store.write(|tx| {
                snooze::put(tx, &new)?;
                audit::insert(tx, &entry, since)
            });
            done.and_then(|_| shared.take_snoozes()).map_err(|error| Problem::store(&error))?;
            Ok(Json(new))
        })
        .await
}

/// Wakes a rule before its time.
#[utoipa::path(
    delete,
    path = "/api/v1/cameras/{id}/rules/{rule}/snooze",
    tag = "rules",
    params(
        ("id" = String, Path, description = "camera id"),
        ("rule" = String, Path, description = "rule id"),
    ),
    responses((status = 204, description = "it raises alerts again")),
)]
pub(super) async fn remove(
    State(state): State<ApiState>,
    caller: Caller,
    Path((camera, rule)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.needs(Right::Snooze)?;
    let entry = caller.does("snooze.end").to(format!("{camera}/{rule}"));
    state
        .beside(move |shared| {
            let removed = shared.store.write(|tx| {
                let now = Timestamp::now();
                let was = snooze::remove(tx, &camera, &rule, now)?;
                if was {
                    audit::insert(tx, &entry, now)?;
                }
                Ok(was)
            });
            let was = removed.map_err(|error| Problem::store(&error))?;
            if !was {
                return Err(Problem::missing(format!("rule `{rule}` of camera `{camera}` is not silenced")));
            }
            shared.take_snoozes().map_err(|error| Problem::store(&error))?;
            Ok(StatusCode::NO_CONTENT)
        })
        .await
}

impl Shared {
    /// Tells every camera which of its rules are silenced, as the database has it.
    pub(super) fn take_snoozes(&self) -> Result<(), StoreError> {
        let all = self.store.read(|c| snooze::list(c, Timestamp::now()))?;
        self.hub.set_snoozes(all);
        Ok(())
    }
}
