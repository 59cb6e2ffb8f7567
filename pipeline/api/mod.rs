//! HTTP: console, cameras, alerts, live pictures, health, metrics.
//!
//! Until there are logins it listens on loopback only, and the Host header is checked, so that no page of another site
//! can reach it through a name that it points at this machine.

mod alerts;
mod answer;
mod console;
pub mod evidence;
mod guard;
mod live;
mod problem;
mod quiet;
mod statistics;
mod status;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use problem::Problem;

use crate::alerts::journal::{JournalError, Reader};
use crate::dispatch::Desk;
use crate::engine::hub::LiveHub;
use crate::telemetry::Metrics;

/// The server cannot start or broke off.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Would show live pictures to the network without a login.
    #[error(
        "listen = \"{0}\": without logins Lookout listens on loopback only; write 127.0.0.1 or [::1], and reach it from elsewhere through an SSH tunnel"
    )]
    NotLoopback(SocketAddr),
    /// The port is taken or not allowed.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// Wanted address.
        address: SocketAddr,
        /// In the system's words.
        source: std::io::Error,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The server broke off.
    #[error("the HTTP server broke off: {0}")]
    Serve(std::io::Error),
}

impl ApiError {
    /// Whether the same call may succeed later: a taken port can become free.
    pub fn retry(&self) -> bool {
        match self {
            Self::NotLoopback(_) => false,
            Self::Bind { source, .. } => source.kind() == std::io::ErrorKind::AddrInUse,
            Self::Journal(e) => e.retry(),
            Self::Serve(_) => true,
        }
    }
}

/// What the handlers see.
#[derive(Clone)]
pub struct ApiState(Arc<Shared>);

struct Shared {
    hub: Arc<LiveHub>,
    metrics: Arc<Metrics>,
    reader: Mutex<Reader>,
    listeners: AtomicUsize,
    files: evidence::Files,
    desk: Arc<Desk>,
    stop: watch::Receiver<bool>,
}

impl ApiState {
    /// `data` is the directory of the journal, which must exist; `files` serves evidence; `desk` takes answers. Streams end
    /// when `stop` becomes true.
    pub fn new(
        hub: Arc<LiveHub>,
        metrics: Arc<Metrics>,
        data: &Path,
        files: evidence::Files,
        desk: Arc<Desk>,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, ApiError> {
        let reader = Mutex::new(Reader::open(data)?);
        Ok(Self(Arc::new(Shared { hub, metrics, reader, listeners: AtomicUsize::new(0), files, desk, stop })))
    }

    /// Runs a query beside the async threads.
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, Problem> {
        let shared = self.0.clone();
        let run = move || query(&shared.reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        match tokio::task::spawn_blocking(run).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => {
                tracing::error!(%error, "the journal cannot be read");
                Err(Problem::unavailable("the journal cannot be read now"))
            }
            Err(_) => Err(Problem::unavailable("the query broke off")),
        }
    }
}

/// Opens the listening socket; refuses an address that is not loopback.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ApiError> {
    if !address.ip().is_loopback() {
        return Err(ApiError::NotLoopback(address));
    }
    TcpListener::bind(address).await.map_err(|source| ApiError::Bind { address, source })
}

/// Serves until `stop` of the state becomes true or its sender is gone.
pub async fn serve(listener: TcpListener, state: ApiState) -> Result<(), ApiError> {
    let port = listener.local_addr().map_err(ApiError::Serve)?.port();
    let mut stop = state.0.stop.clone();
    let stopped = async move {
        // A sender that is gone means stop as well.
        stop.wait_for(|stop| *stop).await.ok();
    };
    axum::serve(listener, router(state, port)).with_graceful_shutdown(stopped).await.map_err(ApiError::Serve)
}

fn router(state: ApiState, port: u16) -> Router {
    let public = state.0.files.linker.base();
    Router::new()
        .route("/", get(console::page))
        .route("/assets/{name}", get(console::asset))
        .route("/mark.svg", get(console::mark))
        .route("/healthz", get(status::health))
        .route("/readyz", get(status::ready))
        .route("/metrics", get(status::metrics))
        .route("/api/v1/cameras", get(status::cameras))
        .route("/api/v1/cameras/{id}/live", get(live::pictures))
        .route("/api/v1/live", get(live::wall))
        .route("/api/v1/alerts", get(alerts::list))
        .route("/api/v1/alerts/{id}", get(alerts::show))
        .route("/api/v1/alerts/{id}/status", post(answer::answer).layer(DefaultBodyLimit::max(answer::LONGEST)))
        .route("/api/v1/alerts/{id}/evidence", get(evidence::list))
        .route("/api/v1/alerts/{id}/evidence/{name}", get(evidence::file))
        .route("/api/v1/quiet", get(quiet::list))
        .route("/api/v1/quiet/{id}", delete(quiet::release))
        .route("/api/v1/statistics", get(statistics::day))
        .route("/api/v1/events", get(live::events))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(from_fn_with_state(guard::Names::new(port, public), guard::guard))
        .with_state(state)
}
