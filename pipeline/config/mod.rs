//! Text to checked plan: every fault at once with file, line and field. After that no stage checks again.

mod access;
mod camera;
mod condition;
pub mod edit;
mod evidence;
pub mod fault;
mod field;
mod ground;
mod health;
mod homography;
mod journal;
mod load;
mod motion;
pub mod plan;
pub mod raw;
pub mod reach;
mod route;
mod rule;
pub mod schedule;
mod schema;
mod sink;
mod site;
mod site_files;
mod site_rule;
pub mod template;
mod trails;
pub mod units;
pub mod watch;
mod write;

#[cfg(test)]
mod tests;

pub use camera::Surroundings;
pub use fault::{Checked, ConfigError, Fault};
pub use load::{camera_files, camera_text, load_camera, load_site, looks_like_site, read_text};
pub use schema::schema;
pub use site_files::{CameraFile, SiteEdit, SiteFiles};
pub use write::{create_text, write_text};
