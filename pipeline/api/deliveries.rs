//! What waits for receivers or was given up, and sending it again; tests of routes.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::body::Body;
use super::caller::{Caller, Right};
use super::{ApiState, Problem};
use crate::alerts::journal::{DeliveryRow, Errands, JournalError, TestAsked};
use crate::dispatch::Router;
use crate::engine::trials::Trials;
use crate::types::AlertId;

/// Deliveries of one answer, at most.
const MOST: usize = 500;

/// Which deliveries.
#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    /// Given up.
    Dead,
    /// To be attempted, or attempted again.
    Waiting,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[param(inline)]
    state: Standing,
    sink: Option<String>,
}

/// Oldest first.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Deliveries {
    deliveries: Vec<DeliveryRow>,
    /// There are more than an answer has.
    more: bool,
}

/// What is to be sent again: one of both.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = RedeliverWanted)]
#[serde(deny_unknown_fields)]
pub(super) struct Again {
    /// What was given up of this alert.
    alert: Option<AlertId>,
    /// All that was given up.
    #[serde(default)]
    all_dead: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Redelivered {
    /// Deliveries that wait again.
    redelivered: usize,
}

/// Which route; all if left out.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = RouteTestWanted)]
#[serde(deny_unknown_fields)]
pub(super) struct Trial {
    route: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RouteTests {
    tests: Vec<RouteTest>,
}

/// A test that is on its way: its alert tells of each hop.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RouteTest {
    route: String,
    alert: AlertId,
}

/// Deliveries that wait, or that were given up.
#[utoipa::path(
    get,
    path = "/api/v1/deliveries",
    tag = "operations",
    params(Wanted),
    responses((status = 200, description = "oldest first", body = Deliveries)),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Deliveries>, Problem> {
    let Query(Wanted { state: standing, sink }) = wanted.map_err(|e| Problem::bad_request(e.body_text()))?;
    let found = state.read(move |reader| match standing {
        Standing::Dead => reader.dead(sink.as_deref(), MOST + 1),
        Standing::Waiting => reader.waiting(sink.as_deref(), MOST + 1),
    });
    let mut deliveries = found.await?;
    let more = deliveries.len() > MOST;
    deliveries.truncate(MOST);
    Ok(Json(Deliveries { deliveries, more }))
}

/// Puts what was given up back into the outbox, as if it were new.
#[utoipa::path(
    post,
    path = "/api/v1/deliveries/redeliver",
    tag = "operations",
    request_body = Again,
    responses((status = 200, description = "how many wait again", body = Redelivered)),
)]
pub(super) async fn redeliver(
    State(state): State<ApiState>,
    caller: Caller,
    Body(Again { alert, all_dead }): Body<Again>,
) -> Result<Json<Redelivered>, Problem> {
    caller.needs(Right::Answer)?;
    if alert.is_some() == all_dead {
        let wrong = "either `alert`, or `all_dead`: true";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, wrong));
    }
    let target = alert.map_or_else(|| "all".to_owned(), |alert| alert.to_string());
    state.record(caller.does("deliveries.redeliver").to(target)).await?;
    let redelivered = state.beside(move |shared| errand(&shared.data, |errands| errands.redeliver(alert))).await?;
    Ok(Json(Redelivered { redelivered }))
}

/// Sends a marked test alert on a route, or on all, through the whole path.
#[utoipa::path(
    post,
    path = "/api/v1/alerts-test",
    tag = "operations",
    request_body = Trial,
    responses((status = 202, description = "the tests; what becomes of them is told by their alerts", body = RouteTests)),
)]
pub(super) async fn test(
    State(state): State<ApiState>,
    caller: Caller,
    Body(Trial { route }): Body<Trial>,
) -> Result<(StatusCode, Json<RouteTests>), Problem> {
    caller.needs(Right::Answer)?;
    // As the journal keeps it: the alert's id is made of it.
    let now = Timestamp::now();
    let at = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    let site = state.0.plans.site();
    let trials = Trials::new(&site, &Router::new(&site), &state.0.metrics, at);
    let wanted = |id: &&str| route.as_ref().is_none_or(|route| route == id);
    let asked: Vec<TestAsked> =
        trials.routes().filter(wanted).map(|id| TestAsked { route: id.to_owned(), at }).collect();
    if let (Some(route), true) = (&route, asked.is_empty()) {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, format!("there is no route `{route}`")));
    }
    let test = |asked: &TestAsked| Some(RouteTest { route: asked.route.clone(), alert: trials.alert(asked)? });
    let tests = asked.iter().filter_map(test).collect();
    state.record(caller.does("alerts.test").to(route.as_deref().unwrap_or("all"))).await?;
    let sent = state
        .beside(move |shared| errand(&shared.data, |errands| asked.iter().try_for_each(|asked| errands.test(asked))));
    sent.await?;
    Ok((StatusCode::ACCEPTED, Json(RouteTests { tests })))
}

fn errand<T>(data: &std::path::Path, run: impl FnOnce(&mut Errands) -> Result<T, JournalError>) -> Result<T, Problem> {
    Errands::open(data).and_then(|mut errands| run(&mut errands)).map_err(|error| {
        tracing::error!(%error, "the journal takes no errand");
        Problem::unavailable("the journal cannot be written now")
    })
}
