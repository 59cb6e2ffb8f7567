//! Streams: live pictures as MJPEG, alerts as server-sent events. Both end when the server stops.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use super::{ApiState, Problem, Shared};
use crate::engine::hub::{LivePicture, Look, Viewer};
use crate::types::Event;

/// Readers of the event stream, at most.
const MAX_LISTENERS: usize = 64;
/// Cameras of one stream, at most.
const MAX_TILES: usize = 64;
/// Pictures a second of each camera of one stream, at most.
const MAX_RATE: u32 = 8;
/// Who wants no more of them takes pictures that are made anyhow, or small ones.
const TILE_RATE: u32 = 4;

/// Redacted, annotated pictures of one camera for as long as somebody watches; encoded once for all viewers.
#[utoipa::path(
    get,
    path = "/api/v1/cameras/{id}/live",
    tag = "cameras",
    params(("id" = String, Path, description = "camera id")),
    responses((
        status = 200,
        description = "JPEG pictures for as long as somebody watches",
        body = String,
        content_type = "multipart/x-mixed-replace"
    )),
)]
pub(super) async fn pictures(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Response, Problem> {
    let camera = state.0.hub.camera(&id).ok_or_else(|| Problem::missing(format!("there is no camera `{id}`")))?;
    let Some(viewer) = camera.watch(Look::Large) else {
        state.0.metrics.overflow("viewers").inc();
        return Err(Problem::unavailable("too many viewers watch this camera"));
    };
    Ok(mixed(parts(viewer, "", MAX_RATE), &state))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Tiles {
    /// Ids with commas between them.
    cameras: String,
    /// Pictures a second of each, at most; up to 4 they may be small ones.
    rate: Option<u32>,
}

/// The pictures of several cameras over one connection, of which browsers allow six to a host: each part names its camera
/// in `X-Lookout-Camera`.
#[utoipa::path(
    get,
    path = "/api/v1/live",
    tag = "cameras",
    params(Tiles),
    responses(
        (
            status = 200,
            description = "JPEG pictures of several cameras for as long as somebody watches",
            body = String,
            content_type = "multipart/x-mixed-replace"
        ),
        (status = 404, description = "there is no such camera", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn wall(
    State(state): State<ApiState>,
    tiles: Result<Query<Tiles>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(tiles) = tiles.map_err(|e| Problem::bad_request(e.body_text()))?;
    let rate = tiles.rate.unwrap_or(MAX_RATE).clamp(1, MAX_RATE);
    let look = if rate <= TILE_RATE { Look::Tile } else { Look::Large };
    let ids: BTreeSet<&str> = tiles.cameras.split(',').filter(|id| !id.is_empty()).collect();
    if ids.is_empty() || ids.len() > MAX_TILES {
        return Err(Problem::bad_request(format!("`cameras` names 1 to {MAX_TILES} cameras, such as `a,b`")));
    }
    let mut streams = Vec::with_capacity(ids.len());
    for id in ids {
        let camera = state.0.hub.camera(id).ok_or_else(|| Problem::missing(format!("there is no camera `{id}`")))?;
        // Who comes too late for one camera sees the others.
        match camera.watch(look) {
            Some(viewer) => streams.push(parts(viewer, &format!("X-Lookout-Camera: {id}\r\n"), rate).boxed()),
            None => state.0.metrics.overflow("viewers").inc(),
        }
    }
    if streams.is_empty() {
        return Err(Problem::unavailable("too many viewers watch these cameras"));
    }
    Ok(mixed(stream::select_all(streams), &state))
}

/// Each picture of a viewer as a part of a stream, with `header` among its headers and its time in `X-Lookout-Time`. A viewer
/// that is slow misses pictures, not the newest one. One that asks for fewer gets them as they are made, and none between: what
/// has waited is no live picture.
fn parts(viewer: Viewer, header: &str, rate: u32) -> impl Stream<Item = Bytes> + Send + use<> {
    let start = (viewer, Pace::new(rate, Instant::now()), header.to_owned());
    stream::unfold(start, move |(mut viewer, mut pace, header)| async move {
        let LivePicture { jpeg, at } = loop {
            let picture = viewer.next().await?;
            if pace.takes(Instant::now()) {
                break picture;
            }
        };
        let length = jpeg.len();
        let head =
            format!("Content-Type: image/jpeg\r\n{header}X-Lookout-Time: {at:.3}\r\nContent-Length: {length}\r\n\r\n");
        let mut part = Vec::with_capacity(head.len() + jpeg.len() + 11);
        part.extend_from_slice(head.as_bytes());
        part.extend_from_slice(&jpeg);
        // The boundary goes out right behind each picture: browsers show a picture only once its part has ended.
        part.extend_from_slice(b"\r\n--frame\r\n");
        Some((Bytes::from(part), (viewer, pace, header)))
    })
}

/// Which pictures a viewer takes.
struct Pace {
    /// Between two, on average at least; zero: all are taken.
    interval: Duration,
    due: Instant,
}

impl Pace {
    /// Share of the interval by which a picture may be too soon, as they come when they come. The next one is later for it.
    const EARLY: f64 = 0.4;

    /// At most `rate` pictures a second from `start` on.
    fn new(rate: u32, start: Instant) -> Self {
        let interval = if rate < MAX_RATE { Duration::from_secs(1) / rate } else { Duration::ZERO };
        Self { interval, due: start }
    }

    /// Whether the picture that comes now is taken.
    fn takes(&mut self, now: Instant) -> bool {
        let takes = now + self.interval.mul_f64(Self::EARLY) >= self.due;
        if takes {
            self.due = self.due.max(now) + self.interval;
        }
        takes
    }
}

fn mixed(parts: impl Stream<Item = Bytes> + Send + 'static, state: &ApiState) -> Response {
    let first = stream::once(async { Bytes::from_static(b"--frame\r\n") });
    let all = first.chain(parts).map(Ok::<_, Infallible>);
    let body = Body::from_stream(all.take_until(stopped(state.0.stop.clone())));
    ([(header::CONTENT_TYPE, "multipart/x-mixed-replace; boundary=frame")], body).into_response()
}

/// Alerts as they are committed: `event: alert`, `id: <alert>.<seq>`, data the event. `event: count` is a person who
/// crossed a line. `event: lagged` says that some
/// were missed and the list should be fetched.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "alerts",
    responses((
        status = 200,
        description = "server-sent events for as long as somebody listens",
        body = String,
        content_type = "text/event-stream"
    )),
)]
pub(super) async fn events(
    State(state): State<ApiState>,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, Problem> {
    let more = |n: usize| (n < MAX_LISTENERS).then_some(n + 1);
    if state.0.listeners.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
        return Err(Problem::unavailable("too many readers of the event stream"));
    }
    let listener = Listener { events: state.0.hub.events(), shared: state.0.clone() };
    let stream = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    let stream = stream.take_until(stopped(state.0.stop.clone()));
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

/// One reader of the event stream.
struct Listener {
    events: broadcast::Receiver<Arc<Event>>,
    shared: Arc<Shared>,
}

impl Listener {
    async fn next(&mut self) -> Option<SseEvent> {
        match self.events.recv().await {
            Ok(event) => {
                // A count is no alert and has no key.
                let named = match event.key() {
                    Some(key) => SseEvent::default().event("alert").id(key),
                    None => SseEvent::default().event("count"),
                };
                named.json_data(&*event).ok()
            }
            Err(RecvError::Lagged(missed)) => {
                self.shared.metrics.overflow("events").inc_by(missed);
                Some(SseEvent::default().event("lagged").data(missed.to_string()))
            }
            Err(RecvError::Closed) => None,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // A sender that is gone means stop as well.
    stop.wait_for(|stop| *stop).await.ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the pictures of ten seconds are taken that come every so many milliseconds, and the shortest time between two.
    fn taken(rate: u32, every: u64) -> (usize, u64) {
        let start = Instant::now();
        let mut pace = Pace::new(rate, start);
        let times = (0..10_000 / every).map(|k| k * every);
        let taken: Vec<u64> = times.filter(|ms| pace.takes(start + Duration::from_millis(*ms))).collect();
        (taken.len(), taken.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap())
    }

    #[test]
    fn a_viewer_takes_as_many_as_it_asks_for_and_each_as_it_comes() {
        assert_eq!(taken(MAX_RATE, 100), (100, 100), "all");
        assert_eq!(taken(TILE_RATE, 1_000), (10, 1_000));
        assert_eq!(taken(TILE_RATE, 125), (40, 250));
        for every in [40, 100, 150, 200] {
            let (count, shortest) = taken(TILE_RATE, every);
            assert!((38..=41).contains(&count) && shortest >= 150, "{every} ms: {count}, {shortest} ms");
        }
    }
}
