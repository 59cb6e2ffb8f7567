//! How many people were where, by quarters of an hour: counted while it happens, kept for a year.
//!
//! | file | what is there |
//! |---|---|
//! | [`tally`] | of one camera since it was last handed over |
//! | [`store`] | the database |
//! | [`report`] | a day of it, by hours |

pub mod report;
pub mod store;
pub mod tally;

/// Seconds of a quarter of an hour; every time zone's hours begin with one.
pub const QUARTER: i64 = 900;

/// What one camera counted in a part of a quarter of an hour.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// Camera id.
    pub camera: String,
    /// Beginning of the quarter, Unix seconds.
    pub quarter: i64,
    /// Of each zone.
    pub zones: Vec<ZonePeople>,
    /// Of each line.
    pub lines: Vec<LineCrossed>,
}

/// People in a zone.
#[derive(Clone, Debug, PartialEq)]
pub struct ZonePeople {
    /// Zone id.
    pub zone: String,
    /// Seconds for which it was seen.
    pub seconds: f64,
    /// People times the seconds they were there.
    pub person_seconds: f64,
    /// Most at once.
    pub most: u32,
}

/// People who crossed a line.
#[derive(Clone, Debug, PartialEq)]
pub struct LineCrossed {
    /// Line id.
    pub line: String,
    /// From the left to the right.
    pub left_to_right: u64,
    /// From the right to the left.
    pub right_to_left: u64,
}

/// People on the whole site by one of its rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Occupied {
    /// Rule id.
    pub rule: String,
    /// Beginning of the quarter, Unix seconds.
    pub quarter: i64,
    /// At its end, or so far.
    pub last: f64,
    /// Most so far.
    pub most: f64,
}

/// Beginning of the quarter that an instant belongs to, Unix seconds.
pub fn quarter(at: jiff::Timestamp) -> i64 {
    at.as_second().div_euclid(QUARTER) * QUARTER
}
