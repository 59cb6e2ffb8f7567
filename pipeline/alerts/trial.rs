//! Test alerts: marked, sent on one route through the whole path, never counted.

use std::sync::Arc;

use super::event::{Context, alert_id, blank_alert};
use super::text;
use super::watched::Watched;
use crate::config::plan::{Camera, Route};
use crate::types::{AlertId, EndReason, Event, Kind, State, Subject};

/// The rule of a test alert, followed by the route.
const RULE: &str = "test.";

/// The rule of a route's test alerts.
pub fn rule_of(route: &str) -> String {
    format!("{RULE}{route}")
}

/// The id of the test alert of a route that was asked for at this time.
pub fn trial_id(site: &str, camera: &str, route: &str, asked: jiff::Timestamp) -> AlertId {
    alert_id(site, camera, &rule_of(route), Subject::Camera, asked)
}

/// A test alert, started and over at once. It names one of the route's cameras, so that receivers which look up a camera
/// find one.
pub fn trial(
    site: &str,
    camera: &Arc<Camera>,
    route: &Route,
    asked: jiff::Timestamp,
    now: jiff::Timestamp,
) -> [Event; 2] {
    let watched = Watched::Camera(Arc::clone(camera));
    let context = Context { site, watched: &watched, size: crate::types::Size::default(), read: true };
    let mut started = Event {
        alert: Some(trial_id(site, &camera.id, &route.id, asked)),
        grid: route.grids.first().or(camera.grid.as_ref()).cloned(),
        rule: Some(rule_of(&route.id)),
        kind: route.kinds.first().copied().unwrap_or(Kind::Offline),
        severity: Some(route.min_severity),
        people: 0,
        started_at: Some(now),
        condition_since: Some(asked),
        test: true,
        ..blank_alert(&context, now)
    };
    started.text = text::sentence(&started, None);
    let mut ended = Event {
        seq: 1,
        state: State::Ended,
        reason: Some(EndReason::Cleared),
        condition_until: Some(now),
        ..started.clone()
    };
    ended.text = text::sentence(&ended, None);
    [started, ended]
}
