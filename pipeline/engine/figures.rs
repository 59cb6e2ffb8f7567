//! Today's answers as metrics, by grid and kind.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use crate::alerts::journal::statistics::Figures;
use crate::alerts::journal::{Journal, JournalError};
use crate::config::plan::Site;
use crate::telemetry::{FigureMetrics, Metrics};
use crate::types::Kind;

/// Between looks at the journal.
const LOOK: Duration = Duration::from_secs(60);

/// Keeps the metrics of today's answers.
pub struct TodaysFigures {
    zone: TimeZone,
    grids: Vec<(String, FigureMetrics)>,
    kinds: Vec<(String, FigureMetrics)>,
    looked: Option<Instant>,
}

impl TodaysFigures {
    /// For the grids of a site and the kinds of its rules.
    pub fn new(site: &Site, metrics: &Metrics) -> Self {
        let rules = site.cameras.iter().flat_map(|camera| &camera.rules);
        let mut kinds: Vec<Kind> = rules.map(|rule| rule.condition.kind()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        Self {
            zone: site.time_zone.clone(),
            grids: site.grids.iter().map(|grid| (grid.id.clone(), metrics.for_grid(&grid.id))).collect(),
            kinds: kinds.into_iter().map(|kind| (kind.word(), metrics.for_kind(kind))).collect(),
            looked: None,
        }
    }

    /// Renews them once a minute.
    pub fn look(&mut self, journal: &Journal, now: jiff::Timestamp) -> Result<(), JournalError> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return Ok(());
        }
        self.looked = Some(Instant::now());
        let today = journal.statistics(self.zone.to_datetime(now).date(), &self.zone)?;
        for (id, metrics) in &self.grids {
            show(metrics, today.grids.iter().find(|g| g.grid.as_ref() == Some(id)).map(|g| &g.figures));
        }
        for (word, metrics) in &self.kinds {
            show(metrics, today.kinds.iter().find(|k| k.kind == *word).map(|k| &k.figures));
        }
        Ok(())
    }
}

fn show(metrics: &FigureMetrics, figures: Option<&Figures>) {
    let Figures { received, answered, resolved, false_alarms, due, in_time, median_minutes, .. } =
        figures.copied().unwrap_or_default();
    metrics.show([received, answered, resolved, false_alarms, due, in_time], median_minutes);
}
