//! How long it is kept where people walked.

use crate::types::Span;

/// Stored trails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trails {
    /// Everything older is deleted; zero: nothing is stored.
    pub keep: Span,
    /// Bytes of all cameras together.
    pub quota: u64,
}

impl Trails {
    /// What holds where the site file says nothing.
    pub const DEFAULT: Self = Self { keep: Span::from_secs(7 * 24 * 3600), quota: 20_000_000_000 };
}
