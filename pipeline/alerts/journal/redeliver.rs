//! Dead letters sent again: by hand, also while another process delivers.

use std::path::Path;

use rusqlite::params;

use super::{FILE, JournalError, schema};
use crate::types::AlertId;

/// What became of dead letters that somebody wanted sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redelivered {
    /// Wait again, as if they were new.
    pub again: usize,
    /// Stay dead: their sinks are configured no more.
    pub left: usize,
}

/// Puts the dead letters of one alert, or all, back into the outbox of a data directory, for the sinks among `sinks`. A
/// run that is under way takes them up by itself. Errors: no journal, a newer one, one that another process holds long.
pub fn redeliver(data: &Path, alert: Option<AlertId>, sinks: &[String]) -> Result<Redelivered, JournalError> {
    let path = data.join(FILE);
    // Says so when there is none, or one of another format.
    drop(schema::connect_to_read(&path)?);
    let mut connection = schema::connect(&path, true)?;
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let alert = alert.map(|alert| alert.0);
    let wanted = "state = 2 AND (?1 IS NULL OR alert = ?1)";
    let mut done = Redelivered::default();
    for sink in sinks {
        done.again += tx.execute(
            &format!(
                "UPDATE outbox SET state = 0, due = 0, attempts = 0, settled = NULL, error = NULL
                 WHERE {wanted} AND sink = ?2"
            ),
            params![alert, sink],
        )?;
    }
    let left: i64 =
        tx.query_row(&format!("SELECT count(*) FROM outbox WHERE {wanted}"), params![alert], |r| r.get(0))?;
    done.left = usize::try_from(left).unwrap_or(0);
    tx.commit()?;
    Ok(done)
}
