//! One gathering seen by two cameras and three rules: the first alert of a grid stands for those that follow it closely.

use std::collections::BTreeMap;

use crate::types::{AlertId, Event, Severity, Span};

/// What a route that merges remembers: one alert a grid, and how it stands with each open alert.
#[derive(Debug)]
pub struct Merging {
    within: Span,
    groups: BTreeMap<String, Group>,
    open: BTreeMap<AlertId, Standing>,
}

/// An alert and those that it stands for.
#[derive(Clone, Copy, Debug)]
struct Group {
    first: AlertId,
    at: jiff::Timestamp,
    /// Of the worst one that was told.
    severity: Severity,
}

#[derive(Clone, Copy, Debug)]
enum Standing {
    /// In the group of this alert.
    Told(AlertId),
    /// Another one stands for it, of this group as it was then.
    Silent(Group),
}

/// What a route does with an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The alert that stands for it.
    pub with: Option<AlertId>,
    /// Whether it is told.
    pub told: bool,
}

const ALONE: Merged = Merged { with: None, told: true };

impl Merging {
    /// A window begins with its first alert and does not slide: what goes on is told anew.
    pub fn new(within: Span) -> Self {
        Self { within, groups: BTreeMap::new(), open: BTreeMap::new() }
    }

    /// An alert starts, or changes. One without a grid stands alone. Times are those of the pictures.
    pub fn take(&mut self, alert: AlertId, event: &Event) -> Merged {
        let Some(grid) = event.grid.as_deref() else { return ALONE };
        let severity = event.severity.unwrap_or(Severity::Minor);
        let group = self.groups.get_mut(grid);
        let merged = match self.open.get(&alert) {
            Some(Standing::Told(first)) => {
                if let Some(group) = group.filter(|g| g.first == *first) {
                    group.severity = group.severity.max(severity);
                }
                return ALONE;
            }
            Some(Standing::Silent(then)) => {
                let told = group.as_ref().filter(|g| g.first == then.first).map_or(then.severity, |g| g.severity);
                Merged { with: Some(then.first), told: severity > told }
            }
            None => {
                let at = event.started_at.unwrap_or(event.at);
                match &group {
                    Some(g) if at.duration_since(g.at).as_nanos().abs() <= i128::from(self.within.nanos()) => {
                        Merged { with: Some(g.first), told: severity > g.severity }
                    }
                    _ => {
                        self.groups.insert(grid.to_owned(), Group { first: alert, at, severity });
                        self.open.insert(alert, Standing::Told(alert));
                        return ALONE;
                    }
                }
            }
        };
        let group = self.groups.get_mut(grid).filter(|g| Some(g.first) == merged.with);
        match (merged.with, group) {
            (Some(first), group) if merged.told => {
                self.open.insert(alert, Standing::Told(first));
                if let Some(group) = group {
                    group.severity = group.severity.max(severity);
                }
            }
            (_, Some(group)) => {
                self.open.insert(alert, Standing::Silent(*group));
            }
            _ => {}
        }
        merged
    }

    /// The alert is over.
    pub fn forget(&mut self, alert: AlertId) {
        self.open.remove(&alert);
    }
}
