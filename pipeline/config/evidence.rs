//! The `[evidence]` table to its checked plan.

use super::fault::Report;
use super::field::Field;
use super::plan::Evidence;
use super::raw::{EvidenceRaw, Table};
use super::units::Duration;
use crate::types::Span;

/// Longest time before or after the start: pictures of it are held in memory.
const LONGEST: Span = Span::from_secs(30);

pub fn build(table: Option<Table<EvidenceRaw>>, report: &mut Report<'_>) -> Evidence {
    let standard = Evidence::DEFAULT;
    let Some(table) = table else { return standard };
    let at = table.span();
    let raw = table.into_inner();
    let side = |field: Field<Duration>, path: &str, report: &mut Report<'_>| {
        field.checked(report, path, |d| if d.0 <= LONGEST { Ok(()) } else { Err("at most 30s".into()) }).map(|d| d.0)
    };
    let within = |field: Field<f64>, path: &str, low: f64, high: f64, report: &mut Report<'_>| {
        let good = |v: &f64| (low..=high).contains(v);
        field.checked(report, path, |v| if good(v) { Ok(()) } else { Err(format!("{v} is not from {low} to {high}")) })
    };
    let before = side(raw.before, "evidence.before", report).unwrap_or(standard.before);
    let after = side(raw.after, "evidence.after", report).unwrap_or(standard.after);
    let rate = within(raw.rate, "evidence.rate", 1.0, 10.0, report).unwrap_or(standard.rate);
    let quota = within(raw.quota_gb, "evidence.quota_gb", 0.01, 1e6, report);
    let min_days = raw.min_days.get(report, "evidence.min_days").unwrap_or(standard.min_days);
    let max_set = raw.max_days.is_set();
    let max_days = raw.max_days.get(report, "evidence.max_days").unwrap_or(standard.max_days.max(min_days));
    if max_set && max_days < min_days {
        report.fault(&at, "evidence.max_days", format!("{max_days} is less than min_days = {min_days}"));
    }
    let link = raw.link.checked(report, "evidence.link", |d| {
        if d.0 >= Span::from_secs(60) {
            Ok(())
        } else {
            Err("at least 60s: whoever gets it needs time to open it".into())
        }
    });
    Evidence {
        picture: raw.picture.get(report, "evidence.picture").unwrap_or(standard.picture),
        clip: raw.clip.get(report, "evidence.clip").unwrap_or(standard.clip),
        before,
        after,
        rate,
        min_days,
        max_days,
        quota: quota.map_or(standard.quota, |gb| (gb * 1e9) as u64),
        link: link.map_or(standard.link, |d| d.0),
    }
}
