//! The checked plan: what the stages are built from. Whoever holds one need not check again.

mod access;
mod broker;
mod camera;
mod diff;
mod evidence;
mod ground;
mod motion;
mod official;
mod retention;
mod rule;
mod sink;
mod site_diff;
mod trails;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;

pub use access::{Access, Networks, Role, Tls};
pub use broker::{Broker, Kafka, Mqtt, Nats, Payload};
pub use camera::{Camera, Detect, Line, Mask, MaskKind, Source, SourceUrl, Transport, Zone};
pub use diff::{CameraDiff, lasting_rules};
pub use evidence::Evidence;
pub use ground::{Ground, GroundPlane, KnownPlane};
pub use motion::{Motion, Preset, Tied};
pub use official::{Acknowledge, Cap, Encoding, Gb28181, SipTransport};
pub use retention::Retention;
pub use rule::{
    Ailment, Anchor, BODY_HEIGHT_M, Condition, Escalation, Filter, Gate, Incident, Length, Reset, Rule, RulePlace, Stay,
};
pub use sink::{Mode, Route, Secret, Sink, SinkKind, Webhook};
pub use site_diff::SiteDiff;
pub use trails::Trails;

/// A site with its cameras.
#[derive(Clone, Debug)]
pub struct Site {
    /// Site id, part of every alert id.
    pub id: String,
    /// Of schedules.
    pub time_zone: TimeZone,
    /// Journal, evidence, stored tracks.
    pub data: PathBuf,
    /// Where the page, the API and the metrics listen.
    pub listen: SocketAddr,
    /// Address for links in messages.
    pub public_url: Option<String>,
    /// The only places from which a file may be a source; absolute.
    pub media_dirs: Vec<PathBuf>,
    /// How inference runs.
    pub inference: Inference,
    /// In the order of their files' names.
    pub cameras: Vec<Arc<Camera>>,
    /// Rules about the whole site.
    pub rules: Vec<Rule>,
    /// Patches of ground.
    pub grids: Vec<Grid>,
    /// Receivers.
    pub sinks: Vec<Sink>,
    /// Which alerts go to which receivers.
    pub routes: Vec<Route>,
    /// Stills and clips of alerts.
    pub evidence: Evidence,
    /// Alerts, answers, deliveries.
    pub journal: Retention,
    /// Who may reach page, API and metrics, and how.
    pub access: Access,
    /// Where people walked.
    pub trails: Trails,
}

/// How inference runs on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inference {
    /// Tried in this order; CPU is always last.
    pub providers: Vec<Provider>,
    /// Threads that take pictures to the model; each with a session of its own.
    pub workers: usize,
    /// Threads inside one inference.
    pub threads: usize,
    /// Pictures a batch on a GPU; on a CPU always one.
    pub batch: usize,
}

/// ONNX Runtime execution providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// NVIDIA TensorRT.
    Tensorrt,
    /// NVIDIA CUDA.
    Cuda,
    /// Any processor.
    Cpu,
}

/// A patch of ground with a responsible unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Grid id.
    pub id: String,
    /// Who is responsible.
    pub unit: String,
}
