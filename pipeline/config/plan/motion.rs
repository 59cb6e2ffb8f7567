//! How a camera moves.

/// How a camera moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Motion {
    /// Not at all.
    #[default]
    Fixed,
    /// Between presets, where it stands.
    Ptz,
    /// All the time: on a vehicle or a drone.
    Moving,
}

/// A view that a ptz camera comes back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Preset id.
    pub id: String,
    /// For people.
    pub name: String,
}

/// What carries a zone or a line of a camera that moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tied {
    /// It stays where it is in the picture.
    #[default]
    Picture,
    /// It stays where it is on the ground.
    Ground,
}
