//! The HTTP side by a real listener.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use lookout::alerts::evidence::FOLDER;
use lookout::alerts::evidence::link::Linker;
use lookout::alerts::journal::Journal;
use lookout::api::evidence::Files;
use lookout::api::{ApiState, bind, serve};
use lookout::config::SiteFiles;
use lookout::config::plan::{Access, Site};
use lookout::dispatch::Dispatcher;
use lookout::engine::hub::LiveHub;
use lookout::engine::plans::LivePlans;
use lookout::engine::trails::desk::TrailDesk;
use lookout::telemetry::Metrics;
use lookout::types::Span;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tokio::sync::watch;

use super::command::write;
use super::login::viewer;
use crate::sample::site;

/// The API of a site with two cameras and no run.
pub struct Server {
    pub address: SocketAddr,
    pub hub: Arc<LiveHub>,
    pub journal: Journal,
    /// Sends a viewer's token with each request.
    pub client: Client,
    pub stop: watch::Sender<bool>,
    pub linker: Linker,
    pub run: tokio::task::JoinHandle<()>,
    pub folder: tempfile::TempDir,
}

/// A camera with a zone and a line.
fn camera(id: &str) -> String {
    format!(
        "# Comments stay.\nid = \"{id}\"\nname = \"Courthouse <b>forecourt</b>\"\n\
         [source]\nurl = \"rtsp://127.0.0.1:1/{id}\"\n\n\
         [[zone]]\nid = \"steps\"\nname = \"Entrance steps\"\npolygon = [[0.2, 0.4], [0.8, 0.4], [0.9, 0.9]]\n\n\
         [[zone.rule]]\nid = \"crowded\"\nkind = \"crowd\"\npeople = 12   # as agreed\n\n\
         [[line]]\nid = \"gate\"\nname = \"Gate\"\npoints = [[0.1, 0.7], [0.9, 0.7]]\n\
         left = \"street\"\nright = \"yard\"\n"
    )
}

/// The files of the site in a folder, and the site that they are.
fn files(folder: &Path, access: Access) -> SiteFiles {
    write(&folder.join("site.toml"), "id = \"weibei\"\ndata = \".\"\n");
    for id in ["forecourt", "shore"] {
        write(&folder.join(format!("cameras/{id}.toml")), &camera(id));
    }
    let mut files = SiteFiles::load(&folder.join("site.toml")).unwrap_or_else(|e| panic!("{e}")).plan;
    let cameras = files.site.cameras.clone();
    files.site = Site { cameras, access, ..site(folder, Vec::new()) };
    files
}

/// What is in force of a site that no file describes: an empty one in its place.
pub fn plans(folder: &Path, site: Site, hub: &Arc<LiveHub>, metrics: &Arc<Metrics>) -> Arc<LivePlans> {
    let mut files = files(&folder.join("files"), site.access.clone());
    files.site = site;
    LivePlans::new(files, hub.clone(), metrics.clone())
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(Access::default()).await
    }

    pub async fn start_with(access: Access) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site_files = files(folder.path(), access);
        let site = site_files.site.clone();
        let journal = Journal::open(&site.data, &[]).unwrap();
        let hub = LiveHub::new(&site);
        let (stop, stopped) = watch::channel(false);
        let linker = Linker::open(&site.data, Some("https://lookout.example"), Span::from_secs(60)).unwrap();
        let files = Files { root: site.data.join(FOLDER), linker: linker.clone() };
        let metrics = Metrics::new().unwrap();
        let desk = Dispatcher::new(&site.sinks, &journal, &metrics).unwrap().desk();
        let trails = Arc::new(TrailDesk::new(&site).unwrap());
        let plans = LivePlans::new(site_files, hub.clone(), metrics.clone());
        let state = ApiState::new(&site, plans, hub.clone(), metrics, files, desk, trails, stopped).unwrap();
        let listener = bind(&site).await.unwrap();
        let address = listener.address();
        let run = tokio::spawn(serve(listener, state));
        // Whoever is first installs it; a client cannot be made without.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = bearer(&viewer(&site.data));
        Self { address, hub, journal, client, stop, linker, run, folder }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("http://{}{path}", self.address)).send().await.unwrap()
    }

    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    pub async fn problem(&self, path: &str) -> (u16, String) {
        let answer = self.get(path).await;
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        assert_eq!((body["status"].as_u64(), body["type"].as_str()), (Some(u64::from(status)), Some("about:blank")));
        (status, body["detail"].as_str().unwrap().to_owned())
    }
}

/// A client that sends a token with each request.
fn bearer(token: &str) -> Client {
    let mut value: HeaderValue = format!("Bearer {token}").parse().unwrap();
    value.set_sensitive(true);
    Client::builder().default_headers(HeaderMap::from_iter([(AUTHORIZATION, value)])).build().unwrap()
}
