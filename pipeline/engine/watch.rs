//! The capture thread of one camera: supervises its source and tells metrics, page and log what happens to it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::board::Board;
use super::hub::CameraState;
use super::lane::Lane;
use crate::capture::{
    CameraOpener, CaptureEvent, MotionGate, SourceError, Stop, Supervisor, SupervisorOptions, SystemClock,
};
use crate::config::plan::{Source, SourceUrl};
use crate::telemetry::StageMetrics;
use crate::types::Frame;

/// Slice threads of a live decoder: frame threads would add a picture of delay each.
const DECODER_THREADS: usize = 2;

/// Multiples of the golden ratio less their whole part: however many cameras there are, none is near another.
fn phase(camera: usize) -> f64 {
    (camera as f64 * 0.618_033_988_749_895).fract()
}

/// The stream that is taken of a source.
fn taken(source: &Source) -> &SourceUrl {
    source.sub.as_ref().unwrap_or(&source.url)
}

/// Between looks at the flag that ends a capture: whoever sets it wakes whoever waits.
const LONG: Duration = Duration::from_secs(3600);

/// Runs until the camera's stop flag is set and the capture under way is ended, in this order. One that is ended without begins anew by
/// the camera's newest plan; a file that was played to its end waits for that too.
pub fn watch(camera: usize, lane: &Lane, board: &Board, stop: &Stop, decode: &StageMetrics) {
    let mut supervisor: Option<Supervisor<CameraOpener>> = None;
    let mut last: Option<Source> = None;
    loop {
        let turn = lane.hub.begin_capture();
        if stop.is_set() {
            return;
        }
        let plan = lane.hub.plan.get();
        if let Some(source) = plan.source.clone() {
            let opener = CameraOpener::new(&lane.id, source.clone(), DECODER_THREADS);
            let options = SupervisorOptions {
                camera: lane.id.clone(),
                rate: source.rate,
                phase: phase(camera),
                fps: source.fps,
                repeat: source.repeat,
            };
            let own = match &mut supervisor {
                Some(own) => {
                    own.exchange(opener, turn.clone(), options);
                    own
                }
                none => none.insert(Supervisor::new(opener, Arc::new(SystemClock), turn.clone(), options)),
            };
            let other = last.as_ref().is_some_and(|last| taken(last) != taken(&source));
            let gate = plan.detect.gate.then(|| MotionGate::new(source.outage));
            capture(own, (camera, gate, other), lane, board, decode);
            last = Some(source);
        }
        while !turn.wait(LONG) {}
        if stop.is_set() {
            return;
        }
        tracing::info!(camera = lane.id, "capture begins anew");
        lane.hub.update(|s| (s.state, s.message) = (CameraState::Connecting, None));
    }
}

/// One source until it is ended, or has no more to give. It is of this camera, behind a motion gate or not, and shows another
/// scene than what came before it or not.
fn capture(
    supervisor: &mut Supervisor<CameraOpener>,
    (camera, mut gate, mut other): (usize, Option<MotionGate>, bool),
    lane: &Lane,
    board: &Board,
    decode: &StageMetrics,
) {
    let id = lane.id.as_str();
    let mut sink = |frame: Frame| {
        if std::mem::take(&mut other) {
            lane.other_from.store(frame.index, Ordering::Release);
        }
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
