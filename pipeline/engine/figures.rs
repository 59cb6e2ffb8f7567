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
    version: usize,
    grids: Vec<(String, FigureMetrics)>,
    kinds: Vec<(String, FigureMetrics)>,
    metrics: Arc<Metrics>,
}

impl TodaysFigures {
    /// For the grids in force and the kinds of a site's rules.
    pub fn new(site: &Site, of_grids: Arc<Latest<Vec<String>>>, metrics: &Arc<Metrics>) -> Self {
        let rules = site.cameras.iter().flat_map(|camera| &camera.rules);
        let mut kinds: Vec<Kind> = rules.map(|rule| rule.condition.kind()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        Self {
            zone: site.time_zone.clone(),
            grids: series(of_grids.get(), metrics),
            of_grids,
            version: 0,
            kinds: kinds.into_iter().map(|kind| (kind.word(), metrics.for_kind(kind))).collect(),
            metrics: Arc::clone(metrics),
        }
    }

    /// Renews them once a minute until told to stop.
    pub fn run(mut self, journal: &Reader, stop: &Stop) {
        loop {
            if let Some(grids) = self.of_grids.newer(&mut self.version) {
                self.grids = series(grids, &self.metrics);
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

fn show(metrics: &FigureMetrics, figures: Option<&Figures>) {
    let f = figures.copied().unwrap_or_default();
    let alerts = [f.received, f.answered, f.resolved, f.false_alarms, f.due, f.in_time];
    metrics.show(alerts, f.median_minutes, f.false_alarm_share);
}
