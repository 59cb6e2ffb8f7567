//! Test alerts of a run: those that a command asks for and those of the schedule.

use std::sync::Arc;

use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::alerts::journal::{Appended, Journal, JournalError, TestAsked};
use crate::alerts::trial::{rule_of, trial, trial_id};
use crate::config::plan::{Camera, Route, Site};
use crate::dispatch::Router;
use crate::telemetry::{Metrics, RouteMetrics};
use crate::types::AlertId;

/// Makes test alerts and sees whether they arrived.
pub struct Trials {
    site: String,
    zone: TimeZone,
    routes: Vec<Tested>,
    /// A test alert is on its way, or may be.
    pending: bool,
}

struct Tested {
    route: Route,
    sinks: Vec<String>,
    camera: Arc<Camera>,
    next: Option<jiff::Timestamp>,
    metrics: RouteMetrics,
}

impl Trials {
    /// For all routes of a site; a site without cameras tests none.
    pub fn new(site: &Site, router: &Router, metrics: &Metrics, now: jiff::Timestamp) -> Self {
        let tested = |route: &Route| {
            let next = route.test_at.and_then(|time| next(time, &site.time_zone, now));
            let sinks = route.to.iter().filter_map(|i| Some(site.sinks.get(*i)?.id.clone())).collect();
            let camera = Arc::clone(stand_in(site, route)?);
            Some(Tested { route: route.clone(), sinks, camera, next, metrics: metrics.for_route(&route.id) })
        };
        let routes = router.routes().iter().filter_map(tested).collect();
        Self { site: site.id.clone(), zone: site.time_zone.clone(), routes, pending: true }
    }

    /// Ids of the routes that can be tested.
    pub fn routes(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().map(|t| t.route.id.as_str())
    }

    /// The alert of a test.
    pub fn alert(&self, asked: &TestAsked) -> Option<AlertId> {
        let tested = self.routes.iter().find(|t| t.route.id == asked.route)?;
        Some(trial_id(&self.site, &tested.camera.id, &asked.route, asked.at))
    }

    /// The events of tests that were asked for, and of those that are due.
    pub fn due(&mut self, asked: &[TestAsked], now: jiff::Timestamp) -> Vec<Appended> {
        let mut events = Vec::new();
        for tested in &mut self.routes {
            let mut times: Vec<_> = asked.iter().filter(|a| a.route == tested.route.id).map(|a| a.at).collect();
            if let (Some(due), Some(time)) = (tested.next, tested.route.test_at)
                && due <= now
            {
                times.push(due);
                tested.next = next(time, &self.zone, now);
            }
            for at in times {
                let pair = trial(&self.site, &tested.camera, &tested.route, at, now);
                events.extend(pair.map(|event| Appended::new(event, tested.sinks.clone())));
            }
        }
        self.pending |= !events.is_empty();
        events
    }

    /// Notes which routes were tested with success.
    pub fn settle(&mut self, journal: &Journal) -> Result<(), JournalError> {
        if !self.pending {
            return Ok(());
        }
        let (done, on_the_way) = journal.tested()?;
        for tested in &self.routes {
            let rule = rule_of(&tested.route.id);
            if let Some((_, at)) = done.iter().find(|(r, _)| *r == rule) {
                tested.metrics.tested.set(at.as_microsecond() as f64 / 1e6);
            }
        }
        self.pending = on_the_way;
        Ok(())
    }
}

/// The camera that a test of this route names.
fn stand_in<'a>(site: &'a Site, route: &Route) -> Option<&'a Arc<Camera>> {
    site.cameras.iter().find(|c| route.cameras.is_empty() || route.cameras.contains(&c.id))
}

/// The next time of day after `now`.
fn next(time: Time, zone: &TimeZone, now: jiff::Timestamp) -> Option<jiff::Timestamp> {
    let today = zone.to_datetime(now).date();
    let days = [Some(today), today.tomorrow().ok()];
    days.into_iter().flatten().filter_map(|day| zone.to_timestamp(day.to_datetime(time)).ok()).find(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_of_day_is_today_or_tomorrow() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
        let six = Time::constant(6, 0, 0, 0);
        assert_eq!(next(six, &zone, at("2026-11-24T21:59:59Z")), Some(at("2026-11-24T22:00:00Z")));
        assert_eq!(next(six, &zone, at("2026-11-24T22:00:00Z")), Some(at("2026-11-25T22:00:00Z")));
    }
}
