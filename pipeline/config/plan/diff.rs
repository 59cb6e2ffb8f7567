//! What differs between two plans of one camera: everything else lives on when one takes the place of the other.

use super::{Camera, Incident, MaskKind, Preset, Rule, RulePlace};

/// Where the parts of an old plan are in a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CameraDiff {
    /// For each zone of the old plan, its index in the new one: the same id, polygon, preset and tie.
    pub zones: Vec<Option<usize>>,
    /// For each line of the old plan, its index in the new one: the same id, points, preset and tie.
    pub lines: Vec<Option<usize>>,
    /// For each rule of the old plan, its index in the new one, if it goes on: the same rule at the same place. Names, grids
    /// and severities may differ.
    pub rules: Vec<Option<usize>>,
    /// For each preset of the old plan, its index in the new one: the same id.
    pub presets: Vec<Option<usize>>,
    /// The camera moves in another way.
    pub motion: bool,
    /// Lengths are measured in another way.
    pub ground: bool,
    /// Another part of the picture is blacked out.
    pub privacy: bool,
    /// Pictures come from somewhere else, or in another way.
    pub source: bool,
    /// People are found in another way.
    pub detect: bool,
    /// Pictures of empty scenes are left out, or no more.
    pub gate: bool,
    /// Something is different, be it only a name.
    pub any: bool,
}

impl CameraDiff {
    /// From one plan to another.
    pub fn between(old: &Camera, new: &Camera) -> Self {
        let motion = old.motion != new.motion;
        let id = |camera: &Camera, preset: Option<usize>| preset.and_then(|i| Some(camera.presets.get(i)?.id.clone()));
        let at = |a: Option<usize>, b: Option<usize>| !motion && id(old, a) == id(new, b);
        let zones = matched(&old.zones, &new.zones, |a, b| {
            a.id == b.id && a.polygon == b.polygon && a.tied == b.tied && at(a.preset, b.preset)
        });
        let lines = matched(&old.lines, &new.lines, |a, b| {
            a.id == b.id && a.points == b.points && a.tied == b.tied && at(a.preset, b.preset)
        });
        let place = |place: RulePlace| match place {
            RulePlace::Zone(i) => zones.get(i).copied().flatten().map(RulePlace::Zone),
            RulePlace::Line(i) => lines.get(i).copied().flatten().map(RulePlace::Line),
            RulePlace::Camera => Some(RulePlace::Camera),
            RulePlace::Site => Some(RulePlace::Site),
        };
        let rules = matched(&old.rules, &new.rules, |a, b| place(a.place) == Some(b.place) && goes_on(a, b));
        let private = |camera: &Camera| {
            let masks = camera.masks.iter().filter(|m| m.kind == MaskKind::Privacy);
            masks.map(|m| m.polygon.clone()).collect::<Vec<_>>()
        };
        Self {
            rules,
            presets: matched(&old.presets, &new.presets, |a: &Preset, b: &Preset| a.id == b.id),
            motion,
            ground: old.ground != new.ground,
            privacy: private(old) != private(new),
            source: old.source != new.source,
            detect: old.detect != new.detect,
            gate: old.detect.gate != new.detect.gate,
            any: old != new,
            zones,
            lines,
        }
    }

    /// Whether the camera's capture has to begin anew for the new plan to be in force.
    pub fn captures_otherwise(&self) -> bool {
        self.source || self.gate
    }
}

/// For each of a site's own rules, its index among the new ones, if it goes on: the same rule. Severities may differ.
pub fn lasting_rules(old: &[Rule], new: &[Rule]) -> Vec<Option<usize>> {
    matched(old, new, goes_on)
}

/// Whether both watch for the same thing. How bad it is may differ.
fn goes_on(old: &Rule, new: &Rule) -> bool {
    let graded =
        Incident { severity: new.incident.severity, escalate: new.incident.escalate.clone(), ..old.incident.clone() };
    old.id == new.id && old.condition == new.condition && old.filter == new.filter && graded == new.incident
}

/// Ids are unique in a plan, so that at most one of `new` is the same.
fn matched<T>(old: &[T], new: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<Option<usize>> {
    old.iter().map(|a| new.iter().position(|b| same(a, b))).collect()
}

#[cfg(test)]
mod tests;
