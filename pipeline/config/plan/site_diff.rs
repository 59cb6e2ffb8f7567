//! What differs between two plans of one site, its cameras apart.

use super::{Sink, Site};

/// What has to be done so that another plan is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteDiff {
    /// Sinks of the new plan that the old one has not, or has otherwise; indices.
    pub started: Vec<usize>,
    /// Ids of sinks that the new plan has no more.
    pub gone: Vec<String>,
    /// Keys whose new value is in force only after a restart.
    pub restart: Vec<&'static str>,
    /// The new plan is of another site, or keeps its data or its time otherwise: none of it can be taken before a restart.
    pub whole: bool,
}

impl SiteDiff {
    /// From one plan to another. Rules, routes and grids are not compared: they can be taken at any time.
    pub fn between(old: &Site, new: &Site) -> Self {
        let same = |sink: &Sink| old.sinks.contains(sink);
        let keys = [
            ("id", old.id != new.id),
            ("time_zone", old.time_zone != new.time_zone),
            ("data", old.data != new.data),
            ("listen", old.listen != new.listen),
            ("public_url", old.public_url != new.public_url),
            ("media_dirs", old.media_dirs != new.media_dirs),
            ("inference", old.inference != new.inference),
            ("evidence", old.evidence != new.evidence),
            ("journal", old.journal != new.journal),
            ("trails", old.trails != new.trails),
            ("tls", old.access.tls != new.access.tls),
            ("behind_proxy", old.access.behind_proxy != new.access.behind_proxy),
            ("metrics_from", old.access.metrics_from != new.access.metrics_from),
            ("privacy", old.access.plain != new.access.plain),
        ];
        Self {
            started: (0..new.sinks.len()).filter(|i| !same(&new.sinks[*i])).collect(),
            gone: old.sinks.iter().filter(|a| new.sinks.iter().all(|b| a.id != b.id)).map(|a| a.id.clone()).collect(),
            restart: keys.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect(),
            whole: keys[..3].iter().any(|(_, differs)| *differs),
        }
    }
}
