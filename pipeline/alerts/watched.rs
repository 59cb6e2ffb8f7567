//! What incidents are about: a camera or the whole site.

use std::sync::Arc;

use crate::config::plan::{Camera, Line, Rule, RulePlace, Site, Zone};
use crate::types::Place;

/// Whose rules they are.
#[derive(Clone)]
pub enum Watched {
    /// Of one camera.
    Camera(Arc<Camera>),
    /// Of the site itself.
    Site(Arc<[Rule]>),
}

impl Watched {
    /// The whole site.
    pub fn site(site: &Site) -> Self {
        Self::Site(site.rules.iter().cloned().collect())
    }

    /// In the order of the plan.
    pub fn rules(&self) -> &[Rule] {
        match self {
            Self::Camera(camera) => &camera.rules,
            Self::Site(rules) => rules,
        }
    }

    /// The camera, where it is one.
    pub fn camera(&self) -> Option<&Camera> {
        match self {
            Self::Camera(camera) => Some(camera),
            Self::Site(_) => None,
        }
    }

    /// Zone and line of a place.
    pub fn parts(&self, place: RulePlace) -> (Option<&Zone>, Option<&Line>) {
        match (place, self.camera()) {
            (RulePlace::Zone(i), Some(camera)) => (camera.zones.get(i), None),
            (RulePlace::Line(i), Some(camera)) => (None, camera.lines.get(i)),
            (RulePlace::Camera | RulePlace::Site, _) | (_, None) => (None, None),
        }
    }

    /// Patch of ground with a responsible unit.
    pub fn grid_of(&self, place: RulePlace) -> Option<&str> {
        self.camera()?.grid_of(place)
    }

    /// Where the camera stands.
    pub fn place(&self) -> Option<Place> {
        self.camera()?.place
    }
}
