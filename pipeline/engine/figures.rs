//! Today's answers as metrics, by grid and kind.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::latest::Latest;
use crate::alerts::journal::statistics::Figures;
use crate::alerts::journal::{JournalError, Reader};
use crate::capture::Stop;
use crate::config::plan::Site;
use crate::telemetry::{FigureMetrics, Metrics};
use crate::types::Kind;

/// Between looks at the journal.
const LOOK: Duration = Duration::from_secs(60);

/// Keeps the metrics of today's answers. A busy day is long to count, so it has a thread of its own.
pub struct TodaysFigures {
    zone: TimeZone,
    of_grids: Arc<Latest<Vec<String>>>,
    of_kinds: Arc<Latest<Vec<Kind>>>,
    /// Of both.
    versions: [usize; 2],
    grids: Vec<(String, FigureMetrics)>,
    kinds: Vec<(String, FigureMetrics)>,
    metrics: Arc<Metrics>,
}

impl TodaysFigures {
    /// For the grids in force and the kinds of the rules in force.
    pub fn new(
        zone: TimeZone,
        of_grids: Arc<Latest<Vec<String>>>,
        of_kinds: Arc<Latest<Vec<Kind>>>,
        metrics: &Arc<Metrics>,
    ) -> Self {
        Self {
            zone,
            grids: series(of_grids.get(), metrics),
            of_grids,
            kinds: series_of_kinds(of_kinds.get(), metrics),
            of_kinds,
            versions: [0; 2],
            metrics: Arc::clone(metrics),
        }
    }

    /// Renews them once a minute until told to stop.
    pub fn run(mut self, journal: &Reader, stop: &Stop) {
        loop {
            let [of_grids, of_kinds] = &mut self.versions;
            if let Some(grids) = self.of_grids.newer(of_grids) {
                self.grids = series(grids, &self.metrics);
            }
            if let Some(kinds) = self.of_kinds.newer(of_kinds) {
                self.kinds = series_of_kinds(kinds, &self.metrics);
            }
            if let Err(error) = self.look(journal, jiff::Timestamp::now()) {
                tracing::error!(%error, "today's answers cannot be counted; trying again");
            }
            if stop.wait(LOOK) {
                return;
            }
        }
    }

    fn look(&self, journal: &Reader, now: jiff::Timestamp) -> Result<(), JournalError> {
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

fn series(grids: Vec<String>, metrics: &Metrics) -> Vec<(String, FigureMetrics)> {
    grids.into_iter().map(|id| (id.clone(), metrics.for_grid(&id))).collect()
}

fn series_of_kinds(kinds: Vec<Kind>, metrics: &Metrics) -> Vec<(String, FigureMetrics)> {
    kinds.into_iter().map(|kind| (kind.word(), metrics.for_kind(kind))).collect()
}

/// Kinds of all rules of a site, each once.
pub fn kinds(site: &Site) -> Vec<Kind> {
    let rules = site.cameras.iter().flat_map(|camera| &camera.rules).chain(&site.rules);
    let mut kinds: Vec<Kind> = rules.map(|rule| rule.condition.kind()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn show(metrics: &FigureMetrics, figures: Option<&Figures>) {
    let f = figures.copied().unwrap_or_default();
    let alerts = [f.received, f.answered, f.resolved, f.false_alarms, f.due, f.in_time];
    metrics.show(alerts, f.median_minutes, f.false_alarm_share);
}
