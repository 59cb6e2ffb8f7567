//! The `[trails]` table to its checked plan.

use super::fault::Report;
use super::plan::Trails;
use super::raw::{Table, TrailsRaw};

pub fn build(table: Option<Table<TrailsRaw>>, report: &mut Report<'_>) -> Trails {
    let Some(table) = table else { return Trails::DEFAULT };
    let raw = table.into_inner();
    let quota = raw.quota_gb.checked(report, "trails.quota_gb", |gb| {
        if (0.01..=1e6).contains(gb) { Ok(()) } else { Err(format!("{gb} is not from 0.01 to 1000000")) }
    });
    Trails {
        keep: raw.keep.get(report, "trails.keep").map_or(Trails::DEFAULT.keep, |d| d.0),
        quota: quota.map_or(Trails::DEFAULT.quota, |gb| (gb * 1e9) as u64),
    }
}
