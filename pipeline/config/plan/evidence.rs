//! What is kept of alerts beside the journal, and for how long.

use crate::types::Span;

/// Stills and clips of alerts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Make a still at the start and at each escalation.
    pub picture: bool,
    /// Make a clip.
    pub clip: bool,
    /// Time before the start that a clip shows.
    pub before: Span,
    /// Time after the start that a clip shows.
    pub after: Span,
    /// Pictures a second of a clip, about.
    pub rate: f64,
    /// Nothing younger is deleted, whatever the quota says.
    pub min_days: u32,
    /// Everything older is deleted.
    pub max_days: u32,
    /// Bytes of all files together.
    pub quota: u64,
    /// How long a link to a file is good.
    pub link: Span,
}

impl Evidence {
    /// What holds where the site file says nothing. 30 days: State Council Order 799 (in force 2025-04-01), article 17,
    /// asks for at least that; a site under another law sets its own.
    pub const DEFAULT: Self = Self {
        picture: true,
        clip: true,
        before: Span::from_secs(5),
        after: Span::from_secs(5),
        rate: 4.0,
        min_days: 30,
        max_days: 90,
        quota: 20_000_000_000,
        link: Span::from_secs(24 * 3600),
    };
}
