//! The capture thread of one camera: supervises its source and tells metrics, page and log what happens to it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::board::Board;
use super::hub::CameraState;
use super::lane::Lane;
use crate::capture::{
    CameraOpener, CaptureEvent, MotionGate, SourceError, Stop, Supervisor, SupervisorOptions, SystemClock,
};
use crate::config::plan::Source;
use crate::telemetry::StageMetrics;

/// Slice threads of a live decoder: frame threads would add a picture of delay each.
const DECODER_THREADS: usize = 2;

/// Multiples of the golden ratio less their whole part: however many cameras there are, none is near another.
fn phase(camera: usize) -> f64 {
    (camera as f64 * 0.618_033_988_749_895).fract()
}

/// Runs until the stop flag is set or a file that does not repeat is over.
pub fn watch(camera: usize, source: &Source, lanes: &Arc<[Lane]>, board: &Board, stop: &Stop, decode: &StageMetrics) {
    let lane = &lanes[camera];
    let id = lane.id.as_str();
    let options = SupervisorOptions {
        camera: id.to_owned(),
        rate: source.rate,
        phase: phase(camera),
        fps: source.fps,
        repeat: source.repeat,
    };
    let opener = CameraOpener::new(id, source.clone(), DECODER_THREADS);
    let mut supervisor = Supervisor::new(opener, Arc::new(SystemClock), stop.clone(), options);
    let mut gate = lane.gate.then(|| MotionGate::new(source.outage));
    let mut sink = |frame| {
        if gate.as_mut().is_some_and(|gate| !gate.takes(&frame, lane.busy.load(Ordering::Relaxed))) {
            lane.metrics.idle.inc();
            return;
        }
        if lane.slot.put(frame).is_some() {
            lane.metrics.dropped.inc();
        }
        board.ready(camera);
    };
    let mut lost_for: Option<&'static str> = None;
    let mut observer = |event: &CaptureEvent<'_>| match event {
        CaptureEvent::Connecting | CaptureEvent::Looped => {}
        CaptureEvent::Connected { info, again } => {
            tracing::info!(camera = id, codec = info.codec, size = %info.size, "connected");
            lane.metrics.up.set(1);
            if let (true, Some(reason)) = (*again, lost_for.take()) {
                lane.metrics.reconnected(reason);
            }
            lane.hub.update(|s| (s.state, s.message) = (CameraState::Online, None));
        }
        CaptureEvent::Lost { error, retry_in, .. } => {
            lane.metrics.up.set(0);
            lost_for = Some(error.reason());
            let ended = matches!(error, SourceError::End { .. });
            let again = retry_in.map_or_else(
                || "not trying again".into(),
                |wait| format!("trying again in {:.0} s", wait.as_secs_f64()),
            );
            if ended {
                tracing::info!(camera = id, "the file is over");
            } else {
                tracing::warn!(camera = id, %error, again, "no pictures");
            }
            let state = if ended { CameraState::Ended } else { CameraState::Offline };
            lane.hub.update(|s| (s.state, s.message) = (state, (!ended).then(|| error.to_string())));
        }
        CaptureEvent::Decoded { took, selected } => {
            decode.done(*took);
            if !selected {
                lane.metrics.idle.inc();
            }
        }
        CaptureEvent::Damaged(damage) => lane.metrics.corrupt.inc_by(damage.packets + damage.pictures),
        CaptureEvent::Repaired(fault) => tracing::debug!(camera = id, ?fault, "a time stamp was repaired"),
        CaptureEvent::Resized { from, to } => tracing::info!(camera = id, %from, %to, "the picture changed its size"),
        CaptureEvent::FellBehind => tracing::warn!(camera = id, "playing the file fell behind real time"),
    };
    supervisor.run(&mut sink, &mut observer);
    lane.metrics.up.set(0);
}
