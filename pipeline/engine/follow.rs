//! The thread that follows edits of the configuration's files.

use std::time::{Duration, Instant};

use super::plans::LivePlans;
use crate::capture::Stop;
use crate::config::watch::FolderWatch;

/// Between looks at the stop flag.
const TICK: Duration = Duration::from_millis(500);
/// Files are looked at this often although nobody told of a change: some file systems do not.
const SELDOM: Duration = Duration::from_secs(30);

/// Takes what somebody edits until the stop flag is set.
pub fn follow(plans: &LivePlans, stop: &Stop) {
    let folders = plans.folders();
    let watch = FolderWatch::new(&folders.each_ref().map(|folder| folder.as_path()));
    if let Err(error) = &watch {
        tracing::warn!(%error, "edits of files are seen within {} s", SELDOM.as_secs());
    }
    let (mut looked, mut soon) = (Instant::now(), false);
    while !stop.is_set() {
        let changed = match &watch {
            Ok(watch) => watch.changed(TICK),
            Err(_) => {
                stop.wait(TICK);
                false
            }
        };
        if changed || soon || looked.elapsed() >= SELDOM {
            looked = Instant::now();
            soon = plans.look(looked);
        }
    }
}
