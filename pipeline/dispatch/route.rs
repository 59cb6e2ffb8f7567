//! Which sinks an event goes to.

use crate::config::plan::{Route, Site};
use crate::types::{Event, Severity, State};

/// The routes of a site.
pub struct Router {
    sinks: Vec<String>,
    routes: Vec<Route>,
}

impl Router {
    /// Without any route, every sink gets everything.
    pub fn new(site: &Site) -> Self {
        Self::of(site.sinks.iter().map(|s| s.id.clone()).collect(), site.routes.clone())
    }

    fn of(sinks: Vec<String>, routes: Vec<Route>) -> Self {
        Self { sinks, routes }
    }

    /// Ids of the sinks that are to get an event, in the order of the plan, each once.
    ///
    /// Counts go nowhere. An alert is announced to a sink by an event that says it is there (`started`, `updated`,
    /// `overdue`); `ended` and `evidence` reach only sinks that have heard of the alert, which the journal knows and
    /// adds by itself.
    pub fn sinks(&self, event: &Event) -> Vec<String> {
        if event.alert.is_none() || !matches!(event.state, State::Started | State::Updated | State::Overdue) {
            return Vec::new();
        }
        let wanted = |index: usize| {
            self.routes.is_empty() || self.routes.iter().any(|r| r.to.contains(&index) && takes(r, event))
        };
        self.sinks.iter().enumerate().filter(|(i, _)| wanted(*i)).map(|(_, id)| id.clone()).collect()
    }
}

fn takes(route: &Route, event: &Event) -> bool {
    let named = |list: &[String], id: Option<&str>| {
        list.is_empty() || id.is_some_and(|id| list.iter().any(|entry| entry == id))
    };
    event.severity.unwrap_or(Severity::Minor) >= route.min_severity
        && (route.kinds.is_empty() || route.kinds.contains(&event.kind))
        && named(&route.cameras, event.camera.as_deref())
        && named(&route.zones, event.zone.as_deref())
        && named(&route.grids, event.grid.as_deref())
        && route.schedule.as_ref().is_none_or(|s| s.active_at(event.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schedule::{Schedule, WindowRaw};
    use crate::types::{AlertId, Kind};

    fn event(change: impl FnOnce(&mut Event)) -> Event {
        let mut event = crate::alerts::journal::sample_event(AlertId([1; 16]), 0, State::Started);
        change(&mut event);
        event
    }

    fn route(to: &[usize]) -> Route {
        Route {
            id: "r".into(),
            to: to.to_vec(),
            min_severity: Severity::Minor,
            kinds: Vec::new(),
            cameras: Vec::new(),
            zones: Vec::new(),
            grids: Vec::new(),
            schedule: None,
        }
    }

    fn router(routes: Vec<Route>) -> Router {
        Router::of(vec!["a".into(), "b".into(), "c".into()], routes)
    }

    #[test]
    fn without_routes_every_sink_gets_every_alert() {
        assert_eq!(router(Vec::new()).sinks(&event(|_| {})), ["a", "b", "c"]);
        assert!(router(Vec::new()).sinks(&event(|e| e.alert = None)).is_empty(), "a count goes nowhere");
    }

    #[test]
    fn each_condition_of_a_route_counts() {
        let all: [fn(&mut Route); 5] = [
            |r| r.min_severity = Severity::Severe,
            |r| r.kinds = vec![Kind::Intrusion],
            |r| r.cameras = vec!["other".into()],
            |r| r.zones = vec!["other".into()],
            |r| r.grids = vec!["other".into()],
        ];
        assert_eq!(router(vec![route(&[1])]).sinks(&event(|_| {})), ["b"]);
        for change in all {
            let mut narrow = route(&[1]);
            change(&mut narrow);
            let router = router(vec![narrow]);
            assert!(router.sinks(&event(|_| {})).is_empty());
            let fits = event(|e| {
                e.severity = Some(Severity::Severe);
                e.kind = Kind::Intrusion;
                e.camera = Some("other".into());
                e.zone = Some("other".into());
                e.grid = Some("other".into());
            });
            assert_eq!(router.sinks(&fits), ["b"]);
        }
    }

    #[test]
    fn several_routes_name_a_sink_once_and_in_order() {
        assert_eq!(router(vec![route(&[2, 0]), route(&[0])]).sinks(&event(|_| {})), ["a", "c"]);
    }

    #[test]
    fn a_schedule_goes_by_the_time_of_the_event() {
        let window = WindowRaw { weekdays: None, from: "18:00".into(), to: "08:00".into(), except: Vec::new() };
        let schedule =
            Schedule::build(crate::config::schedule::ScheduleRaw::One(window), &jiff::tz::TimeZone::UTC).unwrap();
        let mut night = route(&[0]);
        night.schedule = Some(schedule);
        let router = router(vec![night]);
        let at = |text: &str| event(|e| e.at = text.parse().unwrap());
        assert_eq!(router.sinks(&at("2026-11-24T19:00:00Z")), ["a"]);
        assert!(router.sinks(&at("2026-11-24T12:00:00Z")).is_empty());
    }

    #[test]
    fn an_end_is_no_announcement() {
        assert!(router(Vec::new()).sinks(&event(|e| e.state = State::Ended)).is_empty());
    }
}
