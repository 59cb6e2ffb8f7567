//! Camera to [`Frame`](crate::types::Frame).
//!
//! | file | what is there |
//! |---|---|
//! | [`libav`] | RTSP, HTTP and files; slice threads, own time-outs |
//! | [`opencv`] | V4L2 devices, and AVI files that libav refuses |
//! | [`mask`] | privacy masks, blacked out before anything else |
//! | [`gate`] | leaves out pictures of an empty, still scene |
//! | [`inspect`] | whether the camera is well: statistics of a small luma picture |
//! | [`gaze`] | where a camera that moves looks: presets, motion |
//! | [`picture`] | a decoded picture that is scaled and converted only when asked |
//! | [`address`] | what libav may open, credentials, what a log may show |
//! | [`timeline`] | presentation time to media time: repairs, loops, reconnects |
//! | [`utc`] | media time to UTC |
//! | [`rate`] | which pictures are analysed |
//! | [`pace`] | files in real time |
//! | [`slot`] | the freshest frame of a camera |
//! | [`supervisor`] | one camera for ever: opens, reads, reconnects |
//! | [`clip`] | one file from its first picture to its last |
//! | [`clock`] | host clock and stop flag, replaced in tests |
//!
//! A [`Source`] is one connection and knows no history; what lasts over connections (time, counts) is the
//! supervisor's and the clip's.

pub mod address;
mod backoff;
pub mod clip;
pub mod clock;
mod error;
pub mod gate;
pub mod gaze;
pub mod inspect;
pub mod libav;
pub mod mask;
pub mod opencv;
pub mod pace;
pub mod picture;
pub mod rate;
pub mod slot;
mod source;
pub mod supervisor;
pub mod timeline;
pub mod utc;
mod watchdog;

pub use clip::{Clip, ClipOptions};
pub use clock::{Clock, Stop, SystemClock};
pub use error::{Retry, SourceError};
pub use gate::MotionGate;
pub use gaze::Gaze;
pub use inspect::Inspector;
pub use mask::PrivacyMask;
pub use rate::Rate;
pub use slot::FreshestSlot;
pub use source::{CameraOpener, Damage, Decoded, Opener, Source, StreamInfo};
pub use supervisor::{CaptureEvent, Observer, Supervisor, SupervisorOptions};
pub use timeline::{Repairs, TimeFault};
