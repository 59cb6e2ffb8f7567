//! What flows between the stages: plain owned data, no I/O, no async, no interior mutability.
//!
//! `Frame -> Detections -> Tracks -> Signals -> Alerts -> Deliveries`

pub mod aim;
pub mod alert;
pub mod algebra;
pub mod answer;
pub mod detection;
pub mod event;
pub mod frame;
pub mod geometry;
pub mod heights;
pub mod mot;
pub mod plane;
pub mod signal;
pub mod site;
mod snooze;
pub mod statistics;
pub mod time;
pub mod track;

pub use aim::{Aim, CameraMotion, Rest, Rests, Shape, Shift};
pub use alert::{AlertId, EndReason, Kind, Severity, State, Unit};
pub use answer::Answer;
pub use detection::{Batch, Detection, Detections};
pub use event::{Event, EvidenceState, Links, Localized, MediaState, Overdue, Place};
pub use frame::{Frame, Picture, PictureError, PixelFormat, Target};
pub use geometry::{Point, Polygon, Rect, Size};
pub use heights::{HeightSample, LearntGround, Pose};
pub use mot::{MotError, MotRow};
pub use plane::{Lens, Plane};
pub use signal::{Crossed, Direction, Signal, Subject};
pub use site::{Headcount, SiteCrossed};
pub use snooze::Snooze;
pub use statistics::{Change, PictureStatistics, StoredView, View};
pub use time::{MediaTime, Span};
pub use track::{Observation, Track, TrackId, TrackState};
