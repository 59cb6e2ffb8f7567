//! Where a camera that moves looks, told from a small grey picture of each that is analysed. A fixed camera has none.
//!
//! | file | what is there |
//! |---|---|
//! | [`presets`] | which preset a ptz camera is at: its view against those that are kept |
//! | [`carried`] | how a camera on a vehicle or a drone moved: sparse features, a robust affine |

pub mod carried;
pub mod presets;
#[cfg(test)]
mod scenery;

use crate::config::plan::{Camera, CameraDiff, Motion};
use crate::types::{Aim, Frame, Polygon, Rect};

pub use carried::Carried;
pub use presets::{PresetWatch, Stored};

/// Looks after one camera.
#[derive(Default)]
pub enum Gaze {
    /// It does not move.
    #[default]
    Fixed,
    /// It turns to presets.
    Ptz(Box<PresetWatch>),
    /// It is carried about.
    Carried(Box<Carried>),
}

impl Gaze {
    /// For a camera. `drawn`: zones that are tied to the ground lie where the first picture shows them; else nobody knows
    /// where they are before [`Self::accept`].
    pub fn new(camera: &Camera, drawn: bool) -> Self {
        match camera.motion {
            Motion::Fixed => Self::Fixed,
            Motion::Ptz => Self::Ptz(Box::new(PresetWatch::new(camera.presets.iter().map(|p| p.id.clone())))),
            Motion::Moving => {
                let mut carried = Carried::new(still(camera));
                if drawn {
                    carried.accept();
                }
                Self::Carried(Box::new(carried))
            }
        }
    }

    /// Where the camera looks in this picture. `people` (pixels of the picture) are not what shows that.
    pub fn look(&mut self, frame: &Frame, people: impl Iterator<Item = Rect>) -> Aim {
        match self {
            Self::Fixed => Aim::Fixed,
            Self::Ptz(watch) => watch.look(frame, people),
            Self::Carried(carried) => carried.look(frame, people),
        }
    }

    /// Whether the camera moves at all.
    pub fn moves(&self) -> bool {
        !matches!(self, Self::Fixed)
    }

    /// What is tied to the ground lies where the next picture shows it.
    pub fn accept(&mut self) {
        if let Self::Carried(carried) = self {
            carried.accept();
        }
    }

    /// What the camera shows from now on is this preset.
    pub fn take_preset(&mut self, id: &str) {
        if let Self::Ptz(watch) = self {
            watch.take(id);
        }
    }

    /// The presets, where the camera has some.
    pub fn presets(&mut self) -> Option<&mut PresetWatch> {
        match self {
            Self::Ptz(watch) => Some(watch),
            Self::Fixed | Self::Carried(_) => None,
        }
    }

    /// Another plan is in force. Views of presets that are still there are kept.
    pub fn replan(&mut self, camera: &Camera, diff: &CameraDiff) {
        if diff.motion {
            *self = Self::new(camera, false);
            return;
        }
        match self {
            Self::Fixed => {}
            Self::Ptz(watch) => watch.replan(camera.presets.iter().map(|p| p.id.clone())),
            Self::Carried(carried) => carried.replan(still(camera)),
        }
    }
}

/// Masks lie where they are in the picture, whatever is behind them.
fn still(camera: &Camera) -> Vec<Polygon> {
    camera.masks.iter().map(|mask| mask.polygon.clone()).collect()
}
