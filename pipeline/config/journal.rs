//! The `[journal]` table to its checked plan.

use super::fault::Report;
use super::plan::{Evidence, Retention};
use super::raw::{JournalRaw, Table};

/// Alerts outlive their pictures: a report must not name less than what is on disk.
pub fn build(table: Option<Table<JournalRaw>>, evidence: &Evidence, report: &mut Report<'_>) -> Retention {
    let least = evidence.max_days;
    let Some(table) = table else { return Retention { keep_days: Retention::DEFAULT.keep_days.max(least) } };
    let days = table.into_inner().keep_days.checked(report, "journal.keep_days", |days| {
        if *days >= least { Ok(()) } else { Err(format!("{days} is less than evidence.max_days = {least}")) }
    });
    Retention { keep_days: days.unwrap_or(Retention::DEFAULT.keep_days.max(least)) }
}
