//! Which sinks an event goes to, which routes announce it, and which alert it is merged with.

use super::merge::Merging;
use crate::alerts::journal::{Journal, JournalError, Watch};
use crate::config::plan::{Route, Site};
use crate::types::{AlertId, Event, Overdue, Severity, Span, State};

/// The routes of a site.
pub struct Router {
    sinks: Vec<String>,
    routes: Vec<Route>,
    /// What each route remembers, if it merges.
    merging: Vec<Option<Merging>>,
}

/// Where an event goes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Routed {
    /// Ids of sinks, in the order of the plan, each once.
    pub sinks: Vec<String>,
    /// Routes that announce the alert.
    pub watches: Vec<Watch>,
    /// Earlier alerts that stand for this one on a route that merges.
    pub related: Vec<AlertId>,
}

impl Router {
    /// Without any route, every sink gets everything.
    pub fn new(site: &Site) -> Self {
        Self::of(site.sinks.iter().map(|s| s.id.clone()).collect(), site.routes.clone())
    }

    fn of(sinks: Vec<String>, mut routes: Vec<Route>) -> Self {
        if routes.is_empty() {
            routes.push(Route::to_all(sinks.len()));
        }
        let merging = routes.iter().map(|r| r.merge.map(Merging::new)).collect();
        Self { sinks, routes, merging }
    }

    /// Goes on from another one: what its merging routes remember of open alerts is remembered by those of the same id that
    /// merge as long.
    pub fn succeed(&mut self, other: Self) {
        for (old, memory) in other.routes.into_iter().zip(other.merging) {
            let same = |new: &Route| new.id == old.id && new.merge == old.merge;
            if let Some(index) = self.routes.iter().position(same) {
                self.merging[index] = memory;
            }
        }
    }

    /// All routes; a site that names none has one to all sinks.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Learns from the journal which alerts stand for later ones, as if there had been no restart.
    pub fn recall(&mut self, journal: &Journal, now: jiff::Timestamp) -> Result<(), JournalError> {
        for (route, merging) in self.routes.iter().zip(&mut self.merging) {
            let (Some(merging), Some(within)) = (merging, route.merge) else { continue };
            let since = now.saturating_sub(jiff::SignedDuration::from_nanos(within.nanos())).unwrap_or(now);
            for event in journal.announced(&route.id, since)? {
                let Some(alert) = event.alert else { continue };
                merging.take(alert, &event);
                merging.forget(alert);
            }
        }
        Ok(())
    }

    /// Where an event goes.
    ///
    /// Counts go nowhere. An alert is announced to a sink by an event that says it is there (`started`, `updated`);
    /// `ended` and `evidence` reach only sinks that have heard of the alert, which the journal knows and adds by itself.
    /// `overdue` goes to the route that it was escalated to, whatever that one's conditions: an alert that nobody
    /// answered is not lost to a schedule.
    pub fn route(&mut self, event: &Event) -> Routed {
        let Some(alert) = event.alert else { return Routed::default() };
        let takers: Vec<usize> = match event.state {
            State::Started | State::Updated => self.takers(event),
            State::Overdue => {
                let next = event.overdue.as_ref().and_then(|o| o.escalated_to.as_deref());
                self.routes.iter().position(|r| Some(r.id.as_str()) == next).into_iter().collect()
            }
            State::Ended | State::Evidence | State::Counted => Vec::new(),
        };
        if event.state == State::Ended {
            self.merging.iter_mut().flatten().for_each(|merging| merging.forget(alert));
        }
        let mut routed = Routed::default();
        let mut wanted = vec![false; self.sinks.len()];
        for index in takers {
            if event.state != State::Overdue
                && let Some(merging) = &mut self.merging[index]
            {
                let merged = merging.take(alert, event);
                routed.related.extend(merged.with.filter(|first| !routed.related.contains(first)));
                if !merged.told {
                    continue;
                }
            }
            let route = &self.routes[index];
            route.to.iter().for_each(|sink| wanted[*sink] = true);
            routed.watches.push(Watch { route: route.id.clone(), within: route.answer_within });
        }
        let sinks = self.sinks.iter().zip(wanted).filter(|(_, wanted)| *wanted);
        routed.sinks = sinks.map(|(id, _)| id.clone()).collect();
        routed
    }

    fn takers(&self, event: &Event) -> Vec<usize> {
        let own = |r: &Route| !r.default && !r.only_escalated && takes(r, event);
        let takers: Vec<usize> = (0..self.routes.len()).filter(|i| own(&self.routes[*i])).collect();
        if takers.is_empty() { self.routes.iter().position(|r| r.default).into_iter().collect() } else { takers }
    }

    /// What happens to an alert whose deadline on a route has passed.
    pub fn overdue(&self, route: &str, within: Span) -> Overdue {
        let next = self.routes.iter().find(|r| r.id == route).and_then(|r| r.escalate_to);
        Overdue {
            route: route.to_owned(),
            within_s: u64::try_from(within.nanos() / 1_000_000_000).unwrap_or(0),
            escalated_to: next.and_then(|i| Some(self.routes.get(i)?.id.clone())),
        }
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
        Route { id: "r".into(), to: to.to_vec(), default: false, ..Route::to_all(0) }
    }

    fn sinks(routes: Vec<Route>, event: &Event) -> Vec<String> {
        router(routes).route(event).sinks
    }

    fn router(routes: Vec<Route>) -> Router {
        Router::of(vec!["a".into(), "b".into(), "c".into()], routes)
    }

    #[test]
    fn without_routes_every_sink_gets_every_alert() {
        assert_eq!(sinks(Vec::new(), &event(|_| {})), ["a", "b", "c"]);
        assert!(sinks(Vec::new(), &event(|e| e.alert = None)).is_empty(), "a count goes nowhere");
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
        assert_eq!(sinks(vec![route(&[1])], &event(|_| {})), ["b"]);
        for change in all {
            let mut narrow = route(&[1]);
            change(&mut narrow);
            assert!(sinks(vec![narrow.clone()], &event(|_| {})).is_empty());
            let fits = event(|e| {
                e.severity = Some(Severity::Severe);
                e.kind = Kind::Intrusion;
                e.camera = Some("other".into());
                e.zone = Some("other".into());
                e.grid = Some("other".into());
            });
            assert_eq!(sinks(vec![narrow], &fits), ["b"]);
        }
    }

    #[test]
    fn several_routes_name_a_sink_once_and_in_order() {
        assert_eq!(sinks(vec![route(&[2, 0]), route(&[0])], &event(|_| {})), ["a", "c"]);
    }

    #[test]
    fn a_schedule_goes_by_the_time_of_the_event() {
        let window = WindowRaw { weekdays: None, from: "18:00".into(), to: "08:00".into(), except: Vec::new() };
        let schedule =
            Schedule::build(crate::config::schedule::ScheduleRaw::One(window), &jiff::tz::TimeZone::UTC).unwrap();
        let mut night = route(&[0]);
        night.schedule = Some(schedule);
        let at = |text: &str| event(|e| e.at = text.parse().unwrap());
        assert_eq!(sinks(vec![night.clone()], &at("2026-11-24T19:00:00Z")), ["a"]);
        assert!(sinks(vec![night], &at("2026-11-24T12:00:00Z")).is_empty());
    }

    #[test]
    fn an_end_is_no_announcement() {
        assert!(sinks(Vec::new(), &event(|e| e.state = State::Ended)).is_empty());
    }

    fn named(id: &str, to: &[usize]) -> Route {
        Route { id: id.into(), ..route(to) }
    }

    #[test]
    fn the_default_route_takes_what_no_other_takes() {
        let severe = Route { min_severity: Severity::Severe, ..named("severe", &[0]) };
        let rest = Route { default: true, ..named("rest", &[1]) };
        let routes = vec![severe, rest];
        assert_eq!(sinks(routes.clone(), &event(|_| {})), ["b"]);
        assert_eq!(sinks(routes, &event(|e| e.severity = Some(Severity::Extreme))), ["a"]);
    }

    #[test]
    fn an_unanswered_alert_goes_where_its_route_escalates_to() {
        let squad = Route { answer_within: Some(Span::from_secs(90)), escalate_to: Some(1), ..named("squad", &[0]) };
        let duty = Route { only_escalated: true, answer_within: Some(Span::from_secs(60)), ..named("duty", &[2]) };
        let mut router = router(vec![squad, duty]);
        let routed = router.route(&event(|_| {}));
        let watch = |route: &str, s| Watch { route: route.into(), within: Some(Span::from_secs(s)) };
        assert_eq!((routed.sinks, routed.watches), (vec!["a".to_owned()], vec![watch("squad", 90)]));
        let overdue = router.overdue("squad", Span::from_secs(90));
        assert_eq!((overdue.within_s, overdue.escalated_to.as_deref()), (90, Some("duty")));
        let late = event(|e| (e.state, e.overdue) = (State::Overdue, Some(overdue)));
        let routed = router.route(&late);
        assert_eq!((routed.sinks, routed.watches), (vec!["c".to_owned()], vec![watch("duty", 60)]));
        let last = router.overdue("duty", Span::from_secs(60));
        assert_eq!(last.escalated_to, None);
        assert_eq!(router.route(&event(|e| (e.state, e.overdue) = (State::Overdue, Some(last)))), Routed::default());
    }

    #[test]
    fn merging_goes_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), &[]).unwrap();
        let merging = Route { merge: Some(Span::from_secs(120)), ..named("merging", &[0]) };
        let mut before = router(vec![merging.clone()]);
        let first = event(|_| {});
        let watches = before.route(&first).watches;
        journal.append(&[crate::alerts::journal::Appended { event: first, sinks: Vec::new(), watches }]).unwrap();
        let mut after = router(vec![merging]);
        after.recall(&journal, jiff::Timestamp::now()).unwrap();
        let second = after.route(&event(|e| e.alert = Some(AlertId([2; 16]))));
        assert_eq!((second.sinks.len(), second.related), (0, vec![AlertId([1; 16])]));
    }

    #[test]
    fn merging_goes_on_where_the_routes_change() {
        let merging = Route { merge: Some(Span::from_secs(120)), ..named("merging", &[0]) };
        let mut before = router(vec![merging.clone()]);
        let second = event(|e| e.alert = Some(AlertId([2; 16])));
        assert_eq!((before.route(&event(|_| {})).sinks.len(), before.route(&second).sinks.len()), (1, 0));
        let mut after = router(vec![named("other", &[1]), merging]);
        after.succeed(before);
        let update = event(|e| (e.alert, e.state) = (Some(AlertId([2; 16])), State::Updated));
        assert_eq!(after.route(&update).sinks, ["b"], "still silent on its route");
    }

    #[test]
    fn a_route_that_merges_tells_later_alerts_of_the_grid_only_if_worse() {
        let merging = Route { merge: Some(Span::from_secs(120)), ..named("merging", &[0]) };
        let mut router = router(vec![merging, named("all", &[1])]);
        let mut tell = |n: u8, second: i64, state, severity| {
            router.route(&event(|e| {
                (e.alert, e.state, e.severity) = (Some(AlertId([n; 16])), state, Some(severity));
                e.started_at = Some(jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(second));
            }))
        };
        let id = |n: u8| AlertId([n; 16]);
        let first = tell(1, 0, State::Started, Severity::Moderate);
        assert_eq!((first.sinks.as_slice(), first.related.len()), (&["a".to_owned(), "b".to_owned()][..], 0));
        let second = tell(2, 119, State::Started, Severity::Moderate);
        assert_eq!((second.sinks, second.related), (vec!["b".to_owned()], vec![id(1)]));
        assert_eq!(second.watches.len(), 1, "no deadline for what was not told");
        let worse = tell(3, 60, State::Started, Severity::Severe);
        assert_eq!((worse.sinks.len(), worse.related), (2, vec![id(1)]));
        assert_eq!(tell(4, 61, State::Started, Severity::Severe).sinks, ["b"], "not worse than what was told");
        // A window does not slide.
        assert_eq!(tell(5, 121, State::Started, Severity::Moderate).related, []);
        // What was not told stays so, until it is worse.
        assert_eq!(tell(2, 119, State::Updated, Severity::Moderate).sinks, ["b"]);
        assert_eq!(tell(2, 119, State::Updated, Severity::Extreme).sinks, ["a", "b"]);
    }
}
