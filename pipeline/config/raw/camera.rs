//! A camera file as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{GroundRaw, HealthRaw, RuleRaw, Table};
use crate::config::field::Field;
use crate::config::plan::{MaskKind, Motion, Tied, Transport};
use crate::config::units::Duration;

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
    /// The ground: by known points, or `"learn"`; without it body heights measure.
    #[schemars(with = "Option<GroundRaw>")]
    pub ground: Option<Table<GroundRaw>>,
    /// How the camera moves: `fixed`, between presets (`ptz`), or all the time on a vehicle or a drone (`moving`);
    /// `fixed` if left out.
    pub motion: Field<Motion>,
    /// ptz: views that the camera comes back to. Zones and lines belong to one of them.
    #[schemars(with = "Vec<PresetRaw>")]
    pub preset: Vec<Table<PresetRaw>>,
    /// What is watched of the camera itself.
    #[schemars(with = "Option<HealthRaw>")]
    pub health: Option<Table<HealthRaw>>,
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

/// A view that a ptz camera comes back to. Which one it is at is seen by comparing pictures.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PresetRaw {
    /// Preset id.
    pub id: Field<String>,
    /// Name for people; the id if left out.
    pub name: Field<String>,
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
    /// Analyse as little as once in 2 s while nobody is there and nothing moves; `false` if left out.
    pub gate: Field<bool>,
    /// Before cameras without it where there are more pictures than the machine takes; `false` if left out.
    pub priority: Field<bool>,
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
    /// ptz: the preset at which it lies there; its rules rest at all others.
    pub preset: Field<String>,
    /// moving: whether it stays where it is in the `picture` or on the `ground`; `picture` if left out.
    pub tied: Field<Tied>,
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
    /// ptz: the preset at which it lies there; nobody is counted at all others.
    pub preset: Field<String>,
    /// moving: whether it stays where it is in the `picture` or on the `ground`; `picture` if left out.
    pub tied: Field<Tied>,
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
    /// ptz, `ignore`: the only preset at which it holds; wherever the camera looks if left out.
    pub preset: Field<String>,
}
