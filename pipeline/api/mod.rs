//! HTTP: console, cameras, alerts, live pictures, health, metrics, and who may do what.
//!
//! [`access`] finds out who asks; everything but the console, health and login needs somebody. Without TLS or a proxy in front
//! it listens on loopback only. The Host header is checked, so that no page of another site can reach it through a name
//! that it points at this machine.

mod access;
mod alerts;
mod answer;
mod audit;
mod body;
mod caller;
mod cameras;
mod config;
mod console;
mod deliveries;
pub mod evidence;
mod first;
mod ground;
mod guard;
mod health;
mod limit;
mod live;
mod numbers;
mod openapi;
mod operations;
pub mod password;
mod peer;
mod problem;
mod quiet;
mod serve;
mod session;
mod snooze;
mod statistics;
mod status;
mod still;
pub mod store;
mod tls;
mod trails;
mod users;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::sync::{Semaphore, watch};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use first::{First, first_admin};
pub use problem::Problem;
pub use serve::{Listener, bind, serve};
use store::{Store, StoreError};

use crate::alerts::journal::{JournalError, Reader};
use crate::config::plan::{Access, Camera, Site};
use crate::dispatch::Desk;
use crate::engine::hub::LiveHub;
use crate::engine::plans::LivePlans;
use crate::engine::trails::desk::TrailDesk;
use crate::telemetry::Metrics;

/// Longest body of a request, bytes: a camera file with room to spare.
const LONGEST_BODY: usize = 2 << 20;

/// The server cannot start or broke off.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Would send passwords and pictures through the network for everybody to read.
    #[error(
        "listen = \"{0}\": without `[tls]` or `behind_proxy` Lookout listens on loopback only; set one of them, or write 127.0.0.1 or [::1]"
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
    /// The certificate or its key cannot be used.
    #[error("tls: {0}")]
    Tls(String),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The console's database cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApiError {
    /// Whether the same call may succeed later: a taken port can become free.
    pub fn retry(&self) -> bool {
        match self {
            Self::NotLoopback(_) | Self::Tls(_) => false,
            Self::Bind { source, .. } => source.kind() == std::io::ErrorKind::AddrInUse,
            Self::Journal(e) => e.retry(),
            Self::Store(e) => e.retry(),
        }
    }
}

/// What the handlers see.
#[derive(Clone)]
pub struct ApiState(Arc<Shared>);

struct Shared {
    plans: Arc<LivePlans>,
    hub: Arc<LiveHub>,
    metrics: Arc<Metrics>,
    reader: Mutex<Reader>,
    listeners: AtomicUsize,
    files: evidence::Files,
    desk: Arc<Desk>,
    trails: Arc<TrailDesk>,
    /// One what-if question at a time.
    what_if: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
    data: PathBuf,
    access: Access,
    store: Store,
    hasher: Arc<password::Hasher>,
    tries: limit::Tries,
    /// Changes whenever sessions end before their time.
    ended: watch::Sender<u64>,
}

impl ApiState {
    /// The journal of the site must exist; `plans` is its configuration; `files` serves evidence; `desk` takes answers;
    /// `trails` reads what is stored of people's ways. Streams end when `stop` becomes true.
    #[expect(clippy::too_many_arguments, reason = "what the handlers see, once")]
    pub fn new(
        site: &Site,
        plans: Arc<LivePlans>,
        hub: Arc<LiveHub>,
        metrics: Arc<Metrics>,
        files: evidence::Files,
        desk: Arc<Desk>,
        trails: Arc<TrailDesk>,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, ApiError> {
        let shared = Shared {
            plans,
            hub,
            metrics,
            reader: Mutex::new(Reader::open(&site.data)?),
            listeners: AtomicUsize::new(0),
            files,
            desk,
            trails,
            what_if: Arc::new(Semaphore::new(1)),
            stop,
            data: site.data.clone(),
            access: site.access.clone(),
            store: Store::open(&site.data)?,
            hasher: Arc::new(password::Hasher::new()?),
            tries: limit::Tries::new(),
            ended: watch::channel(0).0,
        };
        // Rules that somebody silenced before a restart stay silent until their time.
        shared.take_snoozes()?;
        Ok(Self(Arc::new(shared)))
    }

    /// Runs what may wait for a disk beside the async threads.
    async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let shared = self.0.clone();
        match tokio::task::spawn_blocking(move || work(&shared)).await {
            Ok(done) => done,
            Err(_) => Err(Problem::unavailable("the work broke off")),
        }
    }

    /// The plan of a camera that is in force.
    fn plan(&self, camera: &str) -> Result<Arc<Camera>, Problem> {
        let camera =
            self.0.hub.camera(camera).ok_or_else(|| Problem::missing(format!("there is no camera `{camera}`")))?;
        Ok(camera.plan.get())
    }

    /// Makes the first admin when there are no users; see [`first_admin`].
    pub fn first_admin(&self, shown: bool) -> Result<First, StoreError> {
        first_admin(&self.0.store, &self.0.data, shown)
    }

    /// Runs a query or change of the console's database beside the async threads.
    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let shared = self.0.clone();
        match tokio::task::spawn_blocking(move || work(&shared.store)).await {
            Ok(done) => done.map_err(|error| Problem::store(&error)),
            Err(_) => Err(Problem::unavailable("the query broke off")),
        }
    }

    /// Makes streams look whether theirs is among the sessions that ended.
    fn sessions_ended(&self) {
        self.0.ended.send_modify(|n| *n = n.wrapping_add(1));
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

fn router(state: ApiState, address: SocketAddr) -> Router {
    let is_reachable = !address.ip().is_loopback() || !state.0.access.behind_proxy.0.is_empty();
    let names = guard::Names::new(address.port(), state.0.files.linker.base(), is_reachable);
    let known = from_fn_with_state(state.clone(), access::demand);
    let (router, description) = OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(status::cameras))
        .routes(routes!(live::pictures))
        .routes(routes!(live::wall))
        .routes(routes!(cameras::accept_view))
        .routes(routes!(cameras::take_preset))
        .routes(routes!(still::redacted))
        .routes(routes!(still::plain))
        .routes(routes!(ground::show))
        .routes(routes!(config::show, config::save, config::comings::remove))
        .routes(routes!(config::check))
        .routes(routes!(config::history::list))
        .routes(routes!(config::history::version))
        .routes(routes!(config::history::restore))
        .routes(routes!(config::schema))
        .routes(routes!(config::check_site))
        .routes(routes!(snooze::list))
        .routes(routes!(snooze::put, snooze::remove))
        .routes(routes!(operations::show))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::redeliver))
        .routes(routes!(deliveries::test))
        .routes(routes!(trails::draw))
        .routes(routes!(numbers::camera))
        .routes(routes!(numbers::site))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::show))
        .routes(routes!(evidence::list))
        .routes(routes!(quiet::list))
        .routes(routes!(statistics::day))
        .routes(routes!(live::events))
        .routes(routes!(users::list, users::add))
        .routes(routes!(users::change, users::remove))
        .routes(routes!(users::reset_password))
        .routes(routes!(audit::list))
        .merge(OpenApiRouter::new().routes(routes!(trails::what_if)).layer(DefaultBodyLimit::max(trails::LONGEST)))
        // All above are for those who are known and may see. What follows asks itself, or is for everybody.
        .route_layer(known.clone())
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(status::metrics))
        .routes(routes!(session::show, session::login, session::logout))
        .routes(routes!(session::change_password))
        .routes(routes!(evidence::file))
        .routes(routes!(quiet::release))
        .route("/", get(console::page))
        .route("/assets/{name}", get(console::asset))
        .route("/mark.svg", get(console::mark))
        .merge(OpenApiRouter::new().routes(routes!(answer::answer)).layer(DefaultBodyLimit::max(answer::LONGEST)))
        .split_for_parts();
    let description = openapi::complete(description);
    let described = Router::new().route(openapi::PATH, get(move || openapi::show(description.clone())));
    router
        .merge(described.route_layer(known))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(from_fn_with_state(state.clone(), access::identify))
        .layer(from_fn_with_state(names, guard::guard))
        .with_state(state)
}
