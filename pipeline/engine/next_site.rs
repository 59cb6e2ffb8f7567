//! The way of a changed site file to a thread that goes by it: the one that decides where alerts go, and that of the site's own rules.

use std::sync::{Arc, Mutex, PoisonError};

use crate::config::plan::Site;

/// The newest plan that was not taken yet.
#[derive(Default)]
pub struct NextSite(Mutex<Option<Arc<Site>>>);

impl NextSite {
    /// Gives another plan; one that nobody took is gone.
    pub fn give(&self, site: Arc<Site>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(site);
    }

    /// Takes the plan, if there is one.
    pub fn take(&self) -> Option<Arc<Site>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Gives one back that could not be gone on with, unless there is a newer one.
    pub fn give_back(&self, site: Arc<Site>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(site);
    }
}
