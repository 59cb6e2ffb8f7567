//! How long alerts are kept.

/// Alerts with their answers and deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// What ended longer ago and waits for nothing is deleted.
    pub keep_days: u32,
}

impl Retention {
    /// What holds where the site file says nothing: two years of reports.
    pub const DEFAULT: Self = Self { keep_days: 730 };
}
