//! The files as written. Their doc comments become the descriptions in `configs/schema.json`.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::field::Field;
use super::plan::{Anchor, MaskKind, Provider, Transport};
use super::schedule::ScheduleRaw;
use super::units::{Distance, Duration};
use crate::types::{Direction, Kind, Severity};

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
    /// Address of this server in links that receivers get.
    pub public_url: Field<String>,
    /// The only folders from which a file may be a source, relative to this file.
    pub media_dirs: Field<Vec<String>>,
    /// How inference runs on this machine.
    #[schemars(with = "Option<InferenceRaw>")]
    pub inference: Option<Table<InferenceRaw>>,
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

/// A receiver of alerts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SinkRaw {
    /// Sink id.
    pub id: Field<String>,
    /// What it is.
    pub kind: Field<SinkKindRaw>,
    /// webhook: where to send CloudEvents, http or https.
    pub url: Field<String>,
    /// webhook: where the signing secrets are: `env:NAME` or `file:PATH`; the first signs, further ones too, for rotation.
    pub secrets: Field<Vec<String>>,
    /// webhook: how long an answer may take; `15s` if left out.
    pub timeout: Field<Duration>,
    /// file: JSON lines are appended here, relative to this file.
    pub path: Field<String>,
}

/// Kinds of receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SinkKindRaw {
    /// JSON lines appended to a file.
    File,
    /// CloudEvents by HTTP POST with Standard Webhooks signatures.
    Webhook,
}

/// Which alerts go to which receivers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RouteRaw {
    /// Route id.
    pub id: Field<String>,
    /// Sink ids.
    pub to: Field<Vec<String>>,
    /// Least severity; `minor` if left out.
    pub min_severity: Field<Severity>,
    /// Only these kinds.
    pub kinds: Field<Vec<Kind>>,
    /// Only these cameras.
    pub cameras: Field<Vec<String>>,
    /// Only these zones.
    pub zones: Field<Vec<String>>,
    /// Only these grids.
    pub grids: Field<Vec<String>>,
    /// Only in these windows.
    pub schedule: Field<ScheduleRaw>,
    /// One notification for alerts of the same grid within this time. Not in force yet.
    pub merge: Field<Duration>,
    /// How soon the unit must answer. Not in force yet.
    pub answer_within: Field<Duration>,
    /// Route to which an unanswered alert goes. Not in force yet.
    pub escalate_to: Field<String>,
}

/// A camera file: source, detection, zones, lines and their rules.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CameraRaw {
    /// Camera id: letters, digits, - and _; a metric label.
    pub id: Field<String>,
    /// Name for people; the id if left out.
    pub name: Field<String>,
    /// Patch of ground.
    pub grid: Field<String>,
    /// Where the camera stands.
    #[schemars(with = "Option<PlaceRaw>")]
    pub place: Option<Table<PlaceRaw>>,
    /// Where pictures come from.
    #[schemars(with = "Option<SourceRaw>")]
    pub source: Option<Table<SourceRaw>>,
    /// How people are found.
    #[schemars(with = "Option<DetectRaw>")]
    pub detect: Option<Table<DetectRaw>>,
    /// Ground plane by known points.
    #[schemars(with = "Option<GroundRaw>")]
    pub ground: Option<Table<GroundRaw>>,
    /// Polygons on the picture.
    #[schemars(with = "Vec<ZoneRaw>")]
    pub zone: Vec<Table<ZoneRaw>>,
    /// Lines that people cross.
    #[schemars(with = "Vec<LineRaw>")]
    pub line: Vec<Table<LineRaw>>,
    /// Parts of the picture that are not looked at.
    #[schemars(with = "Vec<MaskRaw>")]
    pub mask: Vec<Table<MaskRaw>>,
}

/// Degrees, WGS 84.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PlaceRaw {
    /// North positive.
    pub lat: Field<f64>,
    /// East positive.
    pub lon: Field<f64>,
}

/// Where pictures come from.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SourceRaw {
    /// `rtsp://`, `rtsps://`, `http://`, `https://`, `file:PATH` or `v4l2:/dev/video0`. Credentials are given in the
    /// environment, LOOKOUT_CAMERA_<ID>_USER and LOOKOUT_CAMERA_<ID>_PASSWORD, never here.
    pub url: Field<String>,
    /// A smaller stream of the same camera, taken for detection.
    pub sub: Field<String>,
    /// Analysed pictures a second, at most.
    pub rate: Field<f64>,
    /// Overrides a wrong header: picture k is at k/fps.
    pub fps: Field<f64>,
    /// Start a file again at its end.
    #[serde(rename = "loop")]
    pub repeat: Field<bool>,
    /// Time without pictures after which open incidents end; `10s` if left out.
    pub outage: Field<Duration>,
    /// How long the first connection may take; `10s` if left out.
    pub connect_timeout: Field<Duration>,
    /// How long a connected stream may give nothing; `5s` if left out.
    pub stall_timeout: Field<Duration>,
    /// RTP over TCP or UDP; `tcp` if left out.
    pub transport: Field<Transport>,
}

/// How people are found; the model's own defaults otherwise.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DetectRaw {
    /// Id in `models/catalog.toml`.
    pub model: Field<String>,
    /// Width and height of the model's input in pixels; `[640, 480]` if left out.
    pub input: Field<[u32; 2]>,
    /// Further scales, merged.
    pub extra: Field<Vec<[u32; 2]>>,
    /// The least score that starts a track; detections from 0.1 up only continue one.
    pub score: Field<f32>,
}

/// Ground plane by known points.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GroundRaw {
    /// Four or more places, fractions of width and height, y down.
    pub points: Field<Vec<[f64; 2]>>,
    /// The same places in metres on the ground.
    pub metres: Field<Vec<[f64; 2]>>,
}

/// A polygon on the picture.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ZoneRaw {
    /// Zone id.
    pub id: Field<String>,
    /// Name for people; the id if left out.
    pub name: Field<String>,
    /// Patch of ground, if not the camera's.
    pub grid: Field<String>,
    /// Three or more corners, fractions of width and height, y down; must not cross itself.
    pub polygon: Field<Vec<[f64; 2]>>,
    /// What is watched here.
    #[schemars(with = "Vec<RuleRaw>")]
    pub rule: Vec<Table<RuleRaw>>,
}

/// A line that people cross.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LineRaw {
    /// Line id.
    pub id: Field<String>,
    /// Name for people; the id if left out.
    pub name: Field<String>,
    /// Patch of ground, if not the camera's.
    pub grid: Field<String>,
    /// Two or more points, fractions of width and height, y down.
    pub points: Field<Vec<[f64; 2]>>,
    /// Name of the left side for someone walking from the first to the last point.
    pub left: Field<String>,
    /// Name of the right side.
    pub right: Field<String>,
    /// What alerts here; people are counted without any.
    #[schemars(with = "Vec<RuleRaw>")]
    pub rule: Vec<Table<RuleRaw>>,
}

/// A part of the picture that is not looked at.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MaskRaw {
    /// `privacy` is blacked out before anything else; in `ignore` no detection counts.
    pub kind: Field<MaskKind>,
    /// Three or more corners, fractions of width and height, y down.
    pub polygon: Field<Vec<[f64; 2]>>,
}

/// A rule: what is watched, who counts, and how a condition becomes an alert.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RuleRaw {
    /// Rule id, unique in the camera.
    pub id: Field<String>,
    /// What is watched.
    pub kind: Field<Kind>,
    /// crowd, gathering: so many people or more.
    pub people: Field<u32>,
    /// gathering: how near each other; loitering with mode `linger`: how far one may move. Metres or body heights.
    pub radius: Field<Distance>,
    /// gathering: only people who stand (median speed below 0.5 m/s over 2 s).
    pub standing: Field<bool>,
    /// loitering: how long one may stay.
    pub dwell: Field<Duration>,
    /// loitering: `dwell` is time inside the zone; `linger` asks that one also stays within `radius`.
    pub mode: Field<StayRaw>,
    /// crossing: which way; either if left out.
    pub direction: Field<Direction>,
    /// How long the condition must hold before the alert starts; `0s` if left out.
    pub hold: Field<Duration>,
    /// An interruption that does not matter; `1s` if left out, loitering `2s`.
    pub gap: Field<Duration>,
    /// Once active, the condition holds from this value up; the threshold if left out.
    pub release: Field<f64>,
    /// Quiet after an alert has ended; `0s` if left out.
    pub cooldown: Field<Duration>,
    /// When the rule is in force, in the site's time zone; always if left out.
    pub schedule: Field<ScheduleRaw>,
    /// How bad; `moderate` if left out.
    pub severity: Field<Severity>,
    /// Worse from these values up.
    pub escalate: Field<Vec<EscalateRaw>>,
    /// Which point of the box stands for the person; `feet` if left out.
    pub anchor: Field<Anchor>,
    /// Only people whose box is at least so high, a fraction of the picture's height.
    pub min_height: Field<f64>,
    /// Only people whose box is at most so high, a fraction of the picture's height.
    pub max_height: Field<f64>,
    /// Only people seen with at least this score.
    pub min_score: Field<f64>,
}

/// What staying means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StayRaw {
    /// Inside the zone.
    Dwell,
    /// Inside the zone and within a circle.
    Linger,
}

/// A step of severity.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalateRaw {
    /// From this value up.
    pub value: f64,
    /// So severe.
    pub severity: Severity,
}
