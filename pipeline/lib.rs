//! Lookout: real-time video analytics for public safety. It counts people; it never tells who they are.
//!
//! Data flows left to right and a folder is a stage:
//!
//! ```text
//! capture -> detect -> track -> rules -> alerts -> dispatch
//!  Frame   Detections  Tracks  Signals   Alerts   Deliveries
//! ```
//!
//! | folder | what is there |
//! |---|---|
//! | [`types`] | what flows: time, geometry, frame, detection, track, signal, event. No I/O |
//! | [`config`] | text to checked plan: all faults at once with file, line and field |
//! | [`telemetry`] | metrics, logs |
//! | [`capture`] | camera to `Frame`: libav source, OpenCV source, time line, freshest slot, supervisor |
//! | [`detect`] | `Frame` to `Detections`: letterbox, ONNX session, one file per output head, NMS, model catalog |
//! | [`track`] | `Detections` to `Tracks`: filter, association, tracker |
//! | [`rules`] | `Tracks` to `Signals`: ground plane, one file per rule; pure functions of time and tracks |
//! | [`alerts`] | `Signals` to `Alerts`: the incident state machine, redaction, journal |
//! | [`dispatch`] | `Alerts` to the outside: outbox, worker, one file per sink |
//! | [`engine`] | wires the stages for `analyze`, `replay` and `run`; the only place that starts threads |
//! | [`api`] | HTTP: console, live pictures, alerts, health, metrics |
//! | `cli` | arguments; one file per command; part of the binary, `main.rs` |
//!
//! Imports run one way: `cli -> api -> engine -> {capture, detect, track, rules, alerts, dispatch} -> telemetry ->
//! config -> types`; `dispatch -> alerts` is the one sideways edge. `track` and `rules` see only `types` and the checked
//! plan. `tests/architecture.rs` fails when an import runs the other way.

pub mod alerts;
pub mod api;
pub mod capture;
pub mod config;
pub mod detect;
pub mod dispatch;
pub mod engine;
pub mod rules;
pub mod telemetry;
pub mod track;
pub mod types;
