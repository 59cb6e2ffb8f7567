//! Where people walked, kept without pictures: what changed rules are tried on and numbers are drawn from.
//!
//! A trail says at which pictures somebody was seen and, at most twice a second, where: box and score, rounded. Of whoever
//! was lost for a moment and followed anew there are two, which say that they are one person's. Times of pictures are kept as well: where there are none was an
//! outage. Nothing tells who it was.
//!
//! | file | what is there |
//! |---|---|
//! | [`recorder`] | of one camera: what rules saw, handed over in blocks; never waits |
//! | [`thin`] | which places of a block are kept |
//! | [`fit`] | the straight ways that come nearest to a path |
//! | [`block`] | a block as kept |
//! | [`codec`] | its bytes |
//! | [`store`] | files by camera and UTC day: written by one thread, deleted by age and quota |
//! | [`read`] | blocks of a stretch of time, outages |
//! | [`scenes`] | a block as pictures for the rules |
//! | [`coarse`] | which pictures are looked at where a long time is asked about |
//! | [`what_if`] | what rules would have raised |
//! | [`draw`] | trails for drawing |
//! | [`desk`] | what the API asks |

pub mod block;
pub mod coarse;
pub mod codec;
pub mod desk;
pub mod draw;
pub mod fit;
pub mod read;
pub mod recorder;
pub mod scenes;
pub mod store;
pub mod thin;
pub mod what_if;

#[cfg(test)]
mod tests;

/// Below the site's data.
pub const FOLDER: &str = "trails";
