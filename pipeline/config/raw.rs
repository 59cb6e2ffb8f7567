//! The files as written. Their doc comments become the descriptions in `configs/schema.json`.

mod access;
mod camera;
mod evidence;
mod ground;
mod health;
mod journal;
mod rule;
mod sink;
mod site_rule;
mod trails;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::field::Field;
use super::plan::Provider;

pub use access::{PrivacyRaw, TlsRaw};
pub use camera::{CameraRaw, DetectRaw, LineRaw, MaskRaw, PlaceRaw, PresetRaw, SourceRaw, ZoneRaw};
pub use evidence::EvidenceRaw;
pub use ground::{GroundRaw, GroundTableRaw, LensRaw};
pub use health::{AilmentRaw, HealthRaw};
pub use journal::JournalRaw;
pub use rule::{EscalateRaw, RuleRaw, StayRaw};
pub use sink::{RouteRaw, SinkKindRaw, SinkRaw};
pub use site_rule::{GateRaw, SiteRuleRaw};
pub use trails::TrailsRaw;

/// A table with its place.
pub type Table<T> = Spanned<T>;

/// `site.toml`: one site with its cameras, receivers and routes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SiteRaw {
    /// Site id: letters, digits, - and _; part of every alert id.
    pub id: Field<String>,
    /// IANA time zone of schedules, such as `Asia/Shanghai`; UTC if left out.
    pub time_zone: Field<String>,
    /// Folder of the camera files, relative to this file; `cameras` if left out.
    pub cameras: Field<String>,
    /// Folder of journal, evidence and stored tracks, relative to this file; `../data` if left out.
    pub data: Field<String>,
    /// Address of page, API and metrics; `127.0.0.1:8787` if left out.
    pub listen: Field<String>,
    /// The server's own certificate: page, API and metrics by HTTPS.
    #[schemars(with = "Option<TlsRaw>")]
    pub tls: Option<Table<TlsRaw>>,
    /// Networks of proxies in front, such as `["10.0.0.0/8"]`; who asks and how is believed from their headers.
    pub behind_proxy: Field<Vec<String>>,
    /// Networks from which `/metrics` needs no login; loopback if left out.
    pub metrics_from: Field<Vec<String>>,
    /// Who may see people as they are.
    #[schemars(with = "Option<PrivacyRaw>")]
    pub privacy: Option<Table<PrivacyRaw>>,
    /// Address of this server in links that receivers get.
    pub public_url: Field<String>,
    /// The only folders from which a file may be a source, relative to this file.
    pub media_dirs: Field<Vec<String>>,
    /// How inference runs on this machine.
    #[schemars(with = "Option<InferenceRaw>")]
    pub inference: Option<Table<InferenceRaw>>,
    /// Stills and clips of alerts: what is made, how long it is kept.
    #[schemars(with = "Option<EvidenceRaw>")]
    pub evidence: Option<Table<EvidenceRaw>>,
    /// Alerts, their answers and deliveries: how long they are kept.
    #[schemars(with = "Option<JournalRaw>")]
    pub journal: Option<Table<JournalRaw>>,
    /// Where people walked, for trying out changed rules: how long it is kept.
    #[schemars(with = "Option<TrailsRaw>")]
    pub trails: Option<Table<TrailsRaw>>,
    /// What is watched on the whole site.
    #[schemars(with = "Vec<SiteRuleRaw>")]
    pub rule: Vec<Table<SiteRuleRaw>>,
    /// Patches of ground with a responsible unit.
    #[schemars(with = "Vec<GridRaw>")]
    pub grid: Vec<Table<GridRaw>>,
    /// Receivers of alerts.
    #[schemars(with = "Vec<SinkRaw>")]
    pub sink: Vec<Table<SinkRaw>>,
    /// Which alerts go to which receivers; without any, all alerts go to all receivers.
    #[schemars(with = "Vec<RouteRaw>")]
    pub route: Vec<Table<RouteRaw>>,
}

/// How inference runs on this machine.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct InferenceRaw {
    /// ONNX Runtime execution providers in the order to try; `["cpu"]` if left out.
    pub providers: Field<Vec<Provider>>,
    /// Pictures analysed at the same time, each on its own session; one for each core if left out.
    pub workers: Field<usize>,
    /// Threads inside one inference; 1 if left out.
    pub threads: Field<usize>,
    /// Pictures a batch on a GPU; 8 if left out. A CPU always takes one.
    pub batch: Field<usize>,
}

/// A named patch of ground.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GridRaw {
    /// Grid id.
    pub id: Field<String>,
    /// Responsible unit.
    pub unit: Field<String>,
}
