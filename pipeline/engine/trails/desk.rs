//! What the API asks of stored trails.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::draw::{Drawing, draw};
use super::read::{Stretch, TrailReader};
use super::store::StoreError;
use super::what_if::{Answer, Question, WhatIf, WhatIfError};
use crate::config::plan::{Camera, Site};
use crate::config::{Checked, ConfigError, Surroundings, camera_text};
use crate::engine::numbers::report::{SiteDay, site_day};
use crate::engine::numbers::store::{NumbersError, NumbersReader};

/// Threads of a what-if question at most: cameras need the others.
const THREADS: usize = 4;

/// Reads the trails of a site.
pub struct TrailDesk {
    reader: TrailReader,
    what_if: WhatIf,
    zone: TimeZone,
    media_dirs: Vec<PathBuf>,
    data: PathBuf,
}

impl TrailDesk {
    /// Of what is kept below the data of a site.
    pub fn new(site: &Site) -> Result<Self, WhatIfError> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            reader: TrailReader::new(&site.data),
            what_if: WhatIf::new(&site.id, &site.time_zone, &site.data, cores.min(THREADS))?,
            zone: site.time_zone.clone(),
            media_dirs: site.media_dirs.clone(),
            data: site.data.clone(),
        })
    }

    /// The numbers of these cameras on a day; of the site's own rules only where they are `all`.
    pub fn numbers(&self, cameras: &[&str], day: Date, all: bool) -> Result<SiteDay, NumbersError> {
        let reader = NumbersReader::open(&self.data)?;
        let mut site = site_day(reader.as_ref(), cameras.iter().copied(), day, &self.zone)?;
        if !all {
            site.occupancy.clear();
        }
        Ok(site)
    }

    /// A camera file that somebody thinks of, checked as one of the site with these grids; `id` only names it in faults.
    pub fn check(&self, id: &str, text: &str, grids: &BTreeSet<String>) -> Result<Checked<Camera>, ConfigError> {
        let around = Surroundings { time_zone: &self.zone, media_dirs: Some(&self.media_dirs), grids: Some(grids) };
        camera_text(Path::new(&format!("{id}.toml")), text, &around)
    }

    /// Runs two sets of rules over what is kept; takes a while.
    pub fn ask(&self, question: &Question) -> Result<Answer, WhatIfError> {
        self.what_if.ask(question)
    }

    /// Trails of a camera for drawing, at most so many.
    pub fn draw(&self, camera: &str, stretch: Stretch, limit: usize) -> Result<Drawing, StoreError> {
        draw(&self.reader, camera, stretch, limit)
    }
}
