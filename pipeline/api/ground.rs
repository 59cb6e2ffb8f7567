//! The ground of a camera: a grid of metres for whoever draws on its picture.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;

use super::{ApiState, Problem};
use crate::engine::grid;
use crate::engine::ground::known_ground;
use crate::rules::{Ground, Yardstick};
use crate::types::Point;

/// Lines that are drawn at most: beyond them every second, fifth, tenth one is.
const MOST: usize = 80;
const STEPS: [i32; 6] = [1, 2, 5, 10, 20, 50];

/// Places are fractions of the picture, y down.
#[derive(Default, Serialize, utoipa::ToSchema)]
#[schema(as = Ground)]
pub(super) struct Grid {
    /// Whether lengths are metres; else they are body heights.
    ready: bool,
    /// Why the ground is not learnt yet, where it is learnt.
    reason: Option<String>,
    /// Where the ground ends, from left to right; empty where it fills the picture.
    horizon: Vec<[f64; 2]>,
    /// Lines of equal coordinates on the ground.
    lines: Vec<Vec<[f64; 2]>>,
    /// Metres between two of them.
    step_m: Option<i32>,
}

/// Where the ground is, by known points or as it was learnt.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}/ground",
    tag = "cameras",
    params(("id" = String, Path, description = "camera id")),
    responses((status = 200, description = "a grid on the ground", body = Grid)),
)]
pub(super) async fn show(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Json<Grid>, Problem> {
    let camera = state.plan(&id)?;
    state
        .beside(move |shared| {
            let mut ground = known_ground(&camera, &shared.data).map_err(|error| {
                tracing::error!(%error, camera = id, "the learnt ground cannot be read");
                Problem::unavailable("the learnt ground cannot be read now")
            })?;
            let Some(plane) = ground.plane() else {
                return Ok(Json(Grid { reason: reason(&mut ground), ..Grid::default() }));
            };
            let lines = grid::lines(plane);
            let count = |step: i32| lines.iter().filter(|line| line.at % step == 0).count();
            let step = STEPS.into_iter().find(|step| count(*step) <= MOST).unwrap_or(100);
            let pairs = |points: &[Point]| points.iter().map(|p| [rounded(p.x), rounded(p.y)]).collect::<Vec<_>>();
            Ok(Json(Grid {
                ready: true,
                reason: None,
                horizon: pairs(&grid::horizon(plane)),
                lines: lines.iter().filter(|line| line.at % step == 0).map(|line| pairs(&line.points)).collect(),
                step_m: Some(step),
            }))
        })
        .await
}

/// What is still missing, by what was kept last.
fn reason(ground: &mut Ground) -> Option<String> {
    ground.finish();
    match ground.yardstick() {
        Yardstick::NotReady(reason) => Some(reason.to_string()),
        Yardstick::BodyHeights | Yardstick::Known | Yardstick::Ready(_) => None,
    }
}

/// As closely as a picture shows it.
fn rounded(v: f64) -> f64 {
    (v * 1e4).round() / 1e4
}
