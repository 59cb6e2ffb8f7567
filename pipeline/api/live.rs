//! Streams: live pictures as MJPEG, alerts as server-sent events. Both end when the server stops.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use super::{ApiState, Problem, Shared};
use crate::types::Event;

/// Readers of the event stream, at most.
const MAX_LISTENERS: usize = 64;

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
    let Some(viewer) = camera.watch() else {
        state.0.metrics.overflow("viewers").inc();
        return Err(Problem::unavailable("too many viewers watch this camera"));
    };
    // The boundary goes out right behind each picture: browsers show a picture only once its part has ended.
    let first = stream::once(async { Ok::<_, Infallible>(Bytes::from_static(b"--frame\r\n")) });
    let parts = stream::unfold(viewer, |mut viewer| async move {
        let jpeg = viewer.next().await?;
        let head = format!("Content-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len());
        let mut part = Vec::with_capacity(head.len() + jpeg.len() + 11);
        part.extend_from_slice(head.as_bytes());
        part.extend_from_slice(&jpeg);
        part.extend_from_slice(b"\r\n--frame\r\n");
        Some((Ok(Bytes::from(part)), viewer))
    });
    let body = Body::from_stream(first.chain(parts).take_until(stopped(state.0.stop.clone())));
    Ok(([(header::CONTENT_TYPE, "multipart/x-mixed-replace; boundary=frame")], body).into_response())
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
