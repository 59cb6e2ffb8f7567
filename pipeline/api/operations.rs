//! How cameras, stages, receivers and queues are, in one answer.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::{ApiState, Problem};
use crate::config::plan::{Provider, SinkKind, Site};
use crate::detect::Catalog;
use crate::engine::hub::CameraState;
use crate::telemetry::{QUEUES, Stage, quantile};

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Operations)]
pub(super) struct Operations {
    cameras: Vec<Camera>,
    stages: Vec<StageRow>,
    sinks: Vec<SinkRow>,
    /// What bounded queues turned away since the start.
    queues: Vec<Queue>,
    models: Vec<Model>,
    disk_free_bytes: i64,
    build: Build,
    /// What is on disk and in force only after a restart, in words.
    restart: Vec<String>,
}

/// Counts and ages are since the start.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OperationsCamera)]
struct Camera {
    id: String,
    state: CameraState,
    /// Analysed pictures a second, lately.
    rate: f64,
    /// Half of the pictures were at most so old at the end of rules.
    age_p50_ms: Option<f64>,
    /// All but one in a hundred were.
    age_p99_ms: Option<f64>,
    analysed: u64,
    dropped: u64,
    reconnects: u64,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OperationsStage)]
struct StageRow {
    stage: &'static str,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    /// When it last finished work.
    #[schema(value_type = Option<String>, format = DateTime)]
    heartbeat: Option<jiff::Timestamp>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OperationsSink)]
struct SinkRow {
    id: String,
    kind: &'static str,
    /// Events that wait.
    pending: i64,
    /// Age of the oldest of them, seconds.
    oldest_s: f64,
    /// Since the start.
    delivered: u64,
    /// Dead letters that are kept.
    dead: u64,
    /// Since the start.
    skipped: u64,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OperationsQueue)]
struct Queue {
    queue: &'static str,
    overflow: u64,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OperationsModel)]
struct Model {
    /// Of the catalog, or the path of a file.
    id: String,
    /// In the order in which they are tried.
    providers: Vec<&'static str>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OperationsBuild)]
struct Build {
    version: &'static str,
}

/// How everything is now.
#[utoipa::path(
    get,
    path = "/api/v1/operations",
    tag = "operations",
    responses((status = 200, description = "cameras, stages, receivers, queues, models", body = Operations)),
)]
pub(super) async fn show(State(state): State<ApiState>) -> Result<Json<Operations>, Problem> {
    let dead = state.read(|reader| reader.count_dead()).await?;
    let shared = &state.0;
    let metrics = &shared.metrics;
    let millis = |seconds: f64| (seconds * 1e5).round() / 100.0;
    let all = shared.hub.cameras();
    let cameras = all.iter().map(|camera| {
        let (now, series) = (camera.snapshot(), metrics.for_camera(&camera.id));
        Camera {
            id: camera.id.clone(),
            state: now.state,
            rate: now.rate,
            age_p50_ms: quantile(&series.frame_age, 0.5).map(millis),
            age_p99_ms: quantile(&series.frame_age, 0.99).map(millis),
            analysed: now.analysed,
            dropped: now.dropped,
            reconnects: series.reconnects(),
        }
    });
    let stages = Stage::ALL.into_iter().map(|stage| {
        let series = metrics.stage(stage);
        StageRow {
            stage: stage.word(),
            p50_ms: quantile(&series.seconds, 0.5).map(millis),
            p99_ms: quantile(&series.seconds, 0.99).map(millis),
            heartbeat: series.heartbeat(),
        }
    });
    let site = shared.plans.site();
    let sinks = site.sinks.iter().map(|sink| {
        let series = metrics.for_sink(&sink.id);
        SinkRow {
            id: sink.id.clone(),
            kind: kind(&sink.kind),
            pending: series.pending.get(),
            oldest_s: series.oldest.get(),
            delivered: series.delivered.get(),
            dead: dead.iter().find(|(id, _)| *id == sink.id).map_or(0, |(_, count)| *count),
            skipped: series.skipped.get(),
        }
    });
    let models = state.beside(|shared| Ok(models(&shared.plans.site()))).await?;
    let providers: Vec<&'static str> = site.inference.providers.iter().map(provider).collect();
    Ok(Json(Operations {
        cameras: cameras.collect(),
        stages: stages.collect(),
        sinks: sinks.collect(),
        queues: QUEUES.into_iter().map(|queue| Queue { queue, overflow: metrics.overflow(queue).get() }).collect(),
        models: models.into_iter().map(|id| Model { id, providers: providers.clone() }).collect(),
        disk_free_bytes: metrics.disk_free.get(),
        build: Build { version: env!("CARGO_PKG_VERSION") },
        restart: metrics.health.restarts(),
    }))
}

/// What the cameras are looked at with.
fn models(site: &Site) -> BTreeSet<String> {
    let catalog = Catalog::find().ok();
    let id = |model: Option<&str>| {
        let entry = catalog.as_ref().and_then(|catalog| catalog.resolve(model).ok());
        entry.map(|entry| entry.id).or_else(|| model.map(str::to_owned))
    };
    site.cameras.iter().filter_map(|camera| id(camera.detect.model.as_deref())).collect()
}

const fn kind(kind: &SinkKind) -> &'static str {
    match kind {
        SinkKind::Webhook(_) => "webhook",
        SinkKind::File { .. } => "file",
        SinkKind::Log => "log",
        SinkKind::Mqtt(_) => "mqtt",
        SinkKind::Nats(_) => "nats",
        SinkKind::Kafka(_) => "kafka",
        SinkKind::Cap(_) => "cap",
        SinkKind::Gb28181(_) => "gb28181",
    }
}

const fn provider(provider: &Provider) -> &'static str {
    match provider {
        Provider::Tensorrt => "tensorrt",
        Provider::Cuda => "cuda",
        Provider::Cpu => "cpu",
    }
}
