//! The thread that deletes alerts older than the site keeps them.

use std::time::Duration;

use jiff::ToSpan;

use crate::alerts::journal::Pruner;
use crate::capture::Stop;
use crate::config::plan::Retention;

/// Between looks.
const LOOK: Duration = Duration::from_secs(3_600);
/// Between batches: others write in between.
const BREATH: Duration = Duration::from_millis(100);

/// Deletes what is too old until told to stop.
pub fn prune(pruner: &mut Pruner, plan: Retention, stop: &Stop) {
    loop {
        let days = i64::from(plan.keep_days).saturating_mul(24).hours();
        if let Ok(before) = jiff::Timestamp::now().checked_sub(days) {
            let deleted = batches(pruner, before, stop);
            if deleted > 0 {
                tracing::info!(
                    alerts = deleted,
                    days = plan.keep_days,
                    "deleted alerts that were older than they are kept"
                );
            }
        }
        if stop.wait(LOOK) {
            return;
        }
    }
}

fn batches(pruner: &mut Pruner, before: jiff::Timestamp, stop: &Stop) -> usize {
    let mut deleted = 0;
    loop {
        match pruner.prune(before) {
            Ok((alerts, more)) => {
                deleted += alerts;
                if !more || stop.wait(BREATH) {
                    return deleted;
                }
            }
            Err(error) => {
                tracing::error!(%error, "old alerts cannot be deleted; trying again in an hour");
                return deleted;
            }
        }
    }
}
