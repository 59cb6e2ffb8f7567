//! One camera: where its pictures come from, how people are found, what is drawn on the picture.

use std::path::PathBuf;

use super::{Ground, Motion, Preset, Rule, RulePlace, Tied};
use crate::types::{Kind, Place, Point, Polygon, Size, Span};

/// One camera.
#[derive(Clone, Debug, PartialEq)]
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
    /// How the ground is known; `None`: body heights measure.
    pub ground: Option<Ground>,
    /// How it moves.
    pub motion: Motion,
    /// Of a ptz camera, in the order of the file; at least one.
    pub presets: Vec<Preset>,
    /// In the order of the file.
    pub zones: Vec<Zone>,
    /// In the order of the file.
    pub lines: Vec<Line>,
    /// In the order of the file.
    pub masks: Vec<Mask>,
    /// All rules of zones and lines in the order of the file, then those about the camera itself;
    /// [`crate::types::Signal::rule`] is an index into this.
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
    /// Pictures of an empty, still scene are left out.
    pub gate: bool,
    /// It goes before cameras without.
    pub priority: bool,
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
    /// Index of the preset that it belongs to, of a ptz camera.
    pub preset: Option<usize>,
    /// What carries it, of a moving camera.
    pub tied: Tied,
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
    /// Index of the preset that it belongs to, of a ptz camera.
    pub preset: Option<usize>,
    /// What carries it, of a moving camera.
    pub tied: Tied,
}

/// A part of the picture that is not looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    /// What is left out.
    pub kind: MaskKind,
    /// Fractions.
    pub polygon: Polygon,
    /// Index of the only preset at which it holds.
    pub preset: Option<usize>,
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

impl Camera {
    /// The rules of zones and lines.
    pub fn own_rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.place != RulePlace::Camera)
    }

    /// Index of the rule about this ailment of the camera, if it is watched.
    pub fn health_rule(&self, kind: Kind) -> Option<usize> {
        self.rules.iter().position(|rule| rule.place == RulePlace::Camera && rule.condition.kind() == kind)
    }

    /// Grid of a rule: its zone's or line's, else the camera's.
    pub fn grid_of(&self, place: RulePlace) -> Option<&str> {
        let own = match place {
            RulePlace::Camera => None,
            RulePlace::Zone(i) => self.zones[i].grid.as_deref(),
            RulePlace::Line(i) => self.lines[i].grid.as_deref(),
            RulePlace::Site => None,
        };
        own.or(self.grid.as_deref())
    }
}
