//! Text to checked plan: every fault at once with file, line and field. After that no stage checks again.

mod access;
mod camera;
mod condition;
mod evidence;
pub mod fault;
mod field;
mod ground;
mod homography;
mod load;
pub mod plan;
pub mod raw;
pub mod reach;
mod route;
mod rule;
pub mod schedule;
mod schema;
mod sink;
mod site;
mod site_rule;
pub mod units;

#[cfg(test)]
mod tests;

pub use camera::Surroundings;
pub use fault::{Checked, ConfigError, Fault};
pub use load::{camera_text, load_camera, load_site, looks_like_site};
pub use schema::schema;
