//! How a camera moves, and what that asks of what is drawn on its picture.

use std::collections::BTreeSet;
use std::ops::Range;

use super::camera::{name, unique};
use super::fault::Report;
use super::field::Field;
use super::plan::{Motion, Preset, Tied};
use super::raw::{PresetRaw, Table};

/// Most presets of one camera: each is compared with what is seen.
const MOST_PRESETS: usize = 32;

/// What is drawn is checked by how the camera moves.
pub struct Moves {
    /// How it moves.
    pub motion: Motion,
    /// In the order of the file.
    pub presets: Vec<Preset>,
}

/// Where something drawn belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Belongs {
    /// Index of its preset.
    pub preset: Option<usize>,
    /// What carries it.
    pub tied: Tied,
}

impl Moves {
    /// From the two keys of the file.
    pub fn build(motion: Field<Motion>, tables: Vec<Table<PresetRaw>>, report: &mut Report<'_>) -> Self {
        let motion_at = motion.span().clone();
        let motion = motion.get(report, "motion").unwrap_or_default();
        if motion == Motion::Ptz && tables.is_empty() {
            report.fault(&motion_at, "motion", "a `ptz` camera has presets: add [[preset]] with an `id`");
        }
        let (mut presets, mut ids) = (Vec::new(), BTreeSet::new());
        for (i, table) in tables.into_iter().enumerate() {
            let (at, path) = (table.span(), format!("preset[{i}]"));
            let raw = table.into_inner();
            if motion != Motion::Ptz {
                report.fault(&at, path.as_str(), "only a camera with `motion = \"ptz\"` has presets");
            }
            if i == MOST_PRESETS {
                report.fault(&at, path.as_str(), format!("more than {MOST_PRESETS} presets"));
            }
            let id = unique(raw.id, report, &path, &at, &mut ids, "a preset has an id");
            let name = name(raw.name, report, &format!("{path}.name"), &id);
            presets.push(Preset { id, name });
        }
        Self { motion, presets }
    }

    /// Of a zone or line at `at`.
    pub fn place(
        &self,
        preset: Field<String>,
        tied: Field<Tied>,
        report: &mut Report<'_>,
        path: &str,
        at: &Range<usize>,
    ) -> Belongs {
        if self.motion != Motion::Moving {
            tied.refuse(report, &format!("{path}.tied"), "only what a camera with `motion = \"moving\"` sees is tied");
        }
        if self.motion == Motion::Ptz && !preset.is_set() {
            report.fault(at, format!("{path}.preset"), "missing: what a `ptz` camera watches belongs to a preset");
        }
        let preset = self.preset(preset, report, path);
        let tied = if tied.is_set() { tied.get(report, &format!("{path}.tied")) } else { None };
        Belongs { preset, tied: tied.unwrap_or_default() }
    }

    /// The index of a preset by its id.
    pub fn preset(&self, preset: Field<String>, report: &mut Report<'_>, path: &str) -> Option<usize> {
        let (field, span) = (format!("{path}.preset"), preset.span().clone());
        if self.motion != Motion::Ptz {
            preset.refuse(report, &field, "only a camera with `motion = \"ptz\"` has presets");
            return None;
        }
        let id = preset.get(report, &field)?;
        let found = self.presets.iter().position(|p| p.id == id);
        if found.is_none() {
            report.fault(&span, field, format!("there is no preset `{id}`"));
        }
        found
    }

    /// Metres belong to ground that stays under the picture.
    pub fn check_ground(&self, at: &Range<usize>, report: &mut Report<'_>) {
        if self.motion != Motion::Fixed {
            let message =
                "a camera that moves has no ground that stays where it is in the picture: body heights measure";
            report.fault(at, "ground", message);
        }
    }
}
