//! When a rule or route is in force, in the site's time zone.

/// Windows of the week with exceptions.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {}
