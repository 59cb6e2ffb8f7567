//! The checked plan: what the stages are built from. Whoever holds one need not check again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::schedule::Schedule;
use crate::types::{Direction, Kind, Place, Point, Polygon, Severity, Size, Span, Unit};

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
    /// Patches of ground.
    pub grids: Vec<Grid>,
    /// Receivers.
    pub sinks: Vec<Sink>,
    /// Which alerts go to which receivers.
    pub routes: Vec<Route>,
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

/// A receiver of alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Sink id, a metric label.
    pub id: String,
    /// What it is.
    pub kind: SinkKind,
}

/// The closed set of receivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkKind {
    /// JSON lines appended to a file.
    File {
        /// Absolute.
        path: PathBuf,
    },
    /// CloudEvents by HTTP POST with Standard Webhooks signatures.
    Webhook {
        /// http or https.
        url: String,
        /// Where the signing secrets come from; the first signs first.
        secrets: Vec<Secret>,
        /// How long an answer may take.
        timeout: Span,
    },
}

/// A secret that is never written in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// Name of an environment variable.
    Env(String),
    /// Path of a file.
    File(PathBuf),
}

/// Which alerts go to which receivers.
#[derive(Clone, Debug)]
pub struct Route {
    /// Route id, a metric label.
    pub id: String,
    /// Indices into [`Site::sinks`].
    pub to: Vec<usize>,
    /// Least severity.
    pub min_severity: Severity,
    /// Empty: all.
    pub kinds: Vec<Kind>,
    /// Empty: all.
    pub cameras: Vec<String>,
    /// Empty: all.
    pub zones: Vec<String>,
    /// Empty: all.
    pub grids: Vec<String>,
    /// When the route is in force; `None`: always.
    pub schedule: Option<Schedule>,
}

/// One camera.
#[derive(Clone, Debug)]
pub struct Camera {
    /// Camera id, a metric label.
    pub id: String,
    /// For people.
    pub name: String,
    /// Patch of ground, unless a zone says otherwise.
    pub grid: Option<String>,
    /// Where it stands.
    pub place: Option<Place>,
    /// Where pictures come from; `None` in a file that serves `analyze` and `replay` alone.
    pub source: Option<Source>,
    /// How people are found.
    pub detect: Detect,
    /// Ground plane by known points.
    pub ground: Option<Ground>,
    /// In the order of the file.
    pub zones: Vec<Zone>,
    /// In the order of the file.
    pub lines: Vec<Line>,
    /// In the order of the file.
    pub masks: Vec<Mask>,
    /// All rules of zones and lines in the order of the file; [`crate::types::Signal::rule`] is an index into this.
    pub rules: Vec<Rule>,
}

/// Where pictures come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Main stream.
    pub url: SourceUrl,
    /// Smaller stream for detection, taken instead if given.
    pub sub: Option<SourceUrl>,
    /// Analysed pictures a second, at most.
    pub rate: Option<f64>,
    /// Overrides a wrong header: picture k is at k/fps.
    pub fps: Option<f64>,
    /// Start a file again at its end.
    pub repeat: bool,
    /// Time without pictures after which open incidents end with `signal_lost`.
    pub outage: Span,
    /// How long the first connection may take.
    pub connect_timeout: Span,
    /// How long a connected stream may give nothing.
    pub stall_timeout: Span,
    /// RTSP over TCP or UDP.
    pub transport: Transport,
}

/// How RTP reaches us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Interleaved: nothing is lost on the way.
    #[default]
    Tcp,
    /// For cameras that refuse TCP.
    Udp,
}

/// An allow-listed source address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceUrl {
    /// rtsp, rtsps, http or https; never with credentials inside.
    Network(String),
    /// A file; absolute.
    File(PathBuf),
    /// A V4L2 device, opened by OpenCV.
    Device(PathBuf),
}

/// How people are found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detect {
    /// Catalog id; `None`: the catalog's default model.
    pub model: Option<String>,
    /// Input of the model, pixels; `None`: 640x480.
    pub input: Option<Size>,
    /// Further scales, merged by NMS.
    pub extra: Vec<Size>,
    /// The least score that starts a track; `None`: the model's own.
    pub score: Option<f32>,
}

/// Known points of the ground: at least four.
#[derive(Clone, Debug, PartialEq)]
pub struct Ground {
    /// Fractions of width and height.
    pub points: Vec<Point>,
    /// The same places in metres on the ground.
    pub metres: Vec<Point>,
}

/// A polygon on the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Zone id, a metric label.
    pub id: String,
    /// For people.
    pub name: String,
    /// Patch of ground, if not the camera's.
    pub grid: Option<String>,
    /// Fractions.
    pub polygon: Polygon,
}

/// A line that people cross.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Line id, a metric label.
    pub id: String,
    /// For people.
    pub name: String,
    /// Patch of ground, if not the camera's.
    pub grid: Option<String>,
    /// Two or more points, fractions.
    pub points: Vec<Point>,
    /// Name of the left side for someone walking from the first to the last point.
    pub left: Option<String>,
    /// Name of the right side.
    pub right: Option<String>,
}

/// A part of the picture that is not looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    /// What is left out.
    pub kind: MaskKind,
    /// Fractions.
    pub polygon: Polygon,
}

/// What a mask leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MaskKind {
    /// Blacked out before anything else.
    Privacy,
    /// No detection counts whose feet are inside.
    Ignore,
}

/// One rule of one zone or line.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Rule id, unique in the camera.
    pub id: String,
    /// What it watches; carries its own parameters.
    pub condition: Condition,
    /// Where.
    pub place: RulePlace,
    /// Who counts.
    pub filter: Filter,
    /// How a condition becomes an alert.
    pub incident: Incident,
}

/// Index of the zone or line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulePlace {
    /// Into [`Camera::zones`].
    Zone(usize),
    /// Into [`Camera::lines`].
    Line(usize),
}

/// What a rule watches.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// People in the zone.
    Crowd {
        /// So many or more.
        people: u32,
    },
    /// A cluster on the ground.
    Gathering {
        /// So many or more.
        people: u32,
        /// DBSCAN's eps.
        radius: Length,
        /// Only clusters that stand: median speed below 0.5 m/s over 2 s.
        standing: bool,
    },
    /// One person staying; the dwell is [`Incident::hold`].
    Loitering {
        /// What staying means.
        mode: Stay,
    },
    /// Anyone inside.
    Intrusion,
    /// Someone crosses the line.
    Crossing {
        /// `None`: either way.
        direction: Option<Direction>,
    },
}

/// What staying means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stay {
    /// Inside the zone.
    Dwell,
    /// All feet points of the last `dwell` fit in a circle.
    Linger {
        /// Its radius.
        radius: Length,
    },
}

/// A length on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    /// Metres.
    Metres(f64),
    /// Body heights, 1.70 m where there is a ground plane.
    BodyHeights(f64),
}

/// Height of a person where no ground plane says otherwise, metres.
pub const BODY_HEIGHT_M: f64 = 1.70;

/// Which people count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filter {
    /// Which point of the box stands for the person.
    pub anchor: Anchor,
    /// Least box height as a fraction of the picture's.
    pub min_height: f64,
    /// Largest box height as a fraction of the picture's.
    pub max_height: f64,
    /// Least score.
    pub min_score: f64,
}

/// Which point of the box stands for the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Anchor {
    /// Bottom centre.
    #[default]
    Feet,
    /// Middle.
    Center,
}

/// How a condition becomes an alert; shared by all rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// The condition holds from this value up.
    pub threshold: f64,
    /// Once active it holds from this value up; at most `threshold`.
    pub release: f64,
    /// Unit of the value.
    pub unit: Unit,
    /// The reported value is the time since the condition began (loitering), not the signal's.
    pub elapsed: bool,
    /// Time since the condition began before the alert starts.
    pub hold: Span,
    /// An interruption that does not matter.
    pub gap: Span,
    /// Quiet after `ended`.
    pub cooldown: Span,
    /// When the rule is in force; `None`: always.
    pub schedule: Option<Schedule>,
    /// At start.
    pub severity: Severity,
    /// Rising: from `value` up, `severity`.
    pub escalate: Vec<Escalation>,
}

/// A step of severity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Escalation {
    /// From this value up.
    pub value: f64,
    /// So severe.
    pub severity: Severity,
}

impl Condition {
    /// The kind as events name it.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Crowd { .. } => Kind::Crowd,
            Self::Gathering { .. } => Kind::Gathering,
            Self::Loitering { .. } => Kind::Loitering,
            Self::Intrusion => Kind::Intrusion,
            Self::Crossing { .. } => Kind::Crossing,
        }
    }
}

impl Length {
    /// In body heights where no ground plane is known.
    pub fn body_heights(self) -> f64 {
        match self {
            Self::Metres(m) => m / BODY_HEIGHT_M,
            Self::BodyHeights(bh) => bh,
        }
    }

    /// In metres.
    pub fn metres(self) -> f64 {
        match self {
            Self::Metres(m) => m,
            Self::BodyHeights(bh) => bh * BODY_HEIGHT_M,
        }
    }
}

impl Camera {
    /// Grid of a rule: its zone's or line's, else the camera's.
    pub fn grid_of(&self, place: RulePlace) -> Option<&str> {
        let own = match place {
            RulePlace::Zone(i) => self.zones[i].grid.as_deref(),
            RulePlace::Line(i) => self.lines[i].grid.as_deref(),
        };
        own.or(self.grid.as_deref())
    }
}
