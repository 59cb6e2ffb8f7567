//! Wires the stages for `replay`, `analyze` and `run`; the only place that starts threads.
//!
//! | file | what is there |
//! |---|---|
//! | [`stages`] | everything of one camera after detection, one picture at a time |
//! | [`replay`] | tracks of a file through rules and incidents |
//! | [`analyze`] | a file from its first picture to its last |
//! | [`annotate`] | its annotated video |
//! | [`run`] | a site until told to stop: the files below |
//! | `watch` | the capture thread of a camera |
//! | `board` | who is served next |
//! | `cameras` | cameras that come and go |
//! | `worker` | an inference worker |
//! | `lane` | one camera between detection and journal |
//! | `lull` | work that waits for inference |
//! | [`latest`] | the newest of what one thread gives another |
//! | [`plans`] | the configuration in force, and edits of it |
//! | `follow` | the thread that follows edits of files |
//! | `recorder` | the journal's thread |
//! | [`site`] | rules about several cameras together |
//! | `figures` | today's answers as metrics |
//! | `next_site` | a changed site file on its way to the recorder |
//! | `pruning` | the thread that deletes alerts that are too old |
//! | `painter` | pictures for whoever watches and for evidence |
//! | `archive` | the thread of evidence |
//! | `tally` | what pictures tell beside boxes |
//! | [`trails`] | where people walked, kept without pictures |
//! | [`trials`] | test alerts |
//! | `steps` | whether somebody set the host's clock |
//! | `threads` | threads whose death is seen |
//! | [`ground`] | what cameras have learnt of their ground, across restarts |
//! | `presets` | views of presets, across restarts |
//! | `models` | detectors that are exchanged while it runs |
//! | [`memory`] | files of both |
//! | [`grid`] | a grid of metres on the picture |
//! | [`survey`] | the ground of one camera, looked at by itself |
//! | `keeping` | what a camera leaves behind besides alerts |
//! | [`keeper`] | the thread that keeps it |
//! | [`hub`] | what the API sees |
//! | [`bench`] | how a site does on this machine |
//! | [`backup`] | a copy of a site's data while it runs |
//! | [`numbers`] | how many people were where, by quarters of an hour |

pub mod analyze;
pub mod annotate;
mod archive;
pub mod backup;
pub mod bench;
mod board;
mod cameras;
mod figures;
mod follow;
pub mod grid;
pub mod ground;
pub mod hub;
pub mod keeper;
mod keeping;
mod lane;
pub mod latest;
mod lull;
pub mod memory;
mod models;
mod next_site;
pub mod numbers;
mod painter;
pub mod plans;
mod presets;
mod pruning;
mod recorder;
pub mod replay;
pub mod run;
pub mod site;
pub mod stages;
mod steps;
pub mod survey;
mod tally;
mod threads;
pub mod trails;
pub mod trials;
mod watch;
mod worker;

pub use stages::{CameraStages, Judge, Observed, Refused};
