//! Another plan for a camera that runs: taken between two pictures by whoever holds the camera, so that nothing waits for
//! it and no picture sees half of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Gates, Lane, LaneState, NO_OTHER, outage, send};
use crate::capture::{Gaze, Inspector};
use crate::config::plan::{Camera, CameraDiff, Motion};
use crate::engine::analyze::privacy_mask;
use crate::engine::site::Asked;
use crate::types::{Crossed, Frame, SiteCrossed};

impl LaneState {
    /// Takes over what was given to the camera since the last picture: the coming one is seen by the newest plan.
    pub fn adopt(&mut self, lane: &Lane) {
        if let Some(plan) = lane.hub.plan.newer(&mut self.adopted) {
            self.exchange(lane, &plan);
        }
        if let Some(Some(score)) = lane.hub.start_score.newer(&mut self.scored) {
            self.stages.set_start_score(score);
        }
        if let Some(snoozed) = lane.hub.snoozed.newer(&mut self.snoozed) {
            let until: Vec<_> = snoozed.iter().map(|snooze| (snooze.rule.clone(), snooze.until)).collect();
            self.stages.judge().snooze(&until);
        }
    }

    /// From the first picture of another address on, what was learnt from pictures of the last one is gone: the reference
    /// view, a learnt plane, where people were. Where zones that are tied to the ground lie then, somebody has to say.
    pub(super) fn look_at_other(&mut self, lane: &Lane, frame: &Frame) {
        let from = lane.other_from.load(Ordering::Acquire);
        // Capture may have gone on to a third address meanwhile, of which no picture has been seen: that stays noted.
        if frame.index < from
            || lane.other_from.compare_exchange(from, NO_OTHER, Ordering::AcqRel, Ordering::Acquire).is_err()
        {
            return;
        }
        self.inspector.accept();
        if self.camera.motion == Motion::Moving {
            self.gaze = Gaze::new(&self.camera, false);
        }
        self.stages.judge().see_other(&mut self.events);
    }

    /// The frame as it may be seen.
    pub fn mask(&self, frame: Frame) -> Frame {
        self.mask.apply(frame)
    }

    /// The plan in force.
    pub fn camera(&self) -> &Arc<Camera> {
        &self.camera
    }

    fn exchange(&mut self, lane: &Lane, plan: &Arc<Camera>) {
        let diff = CameraDiff::between(&self.camera, plan);
        self.stages.replan(plan, outage(plan), &diff, &mut self.events);
        // What ends by it is told as one with the plan that it began in.
        self.painter.ended(self.seen, &self.events);
        send(&mut self.events, &self.out, &lane.id, &self.plan_metrics);
        self.painter.replan(plan, &diff);
        self.plan_metrics = self.metrics.replan(&self.camera, plan);
        if let Some(gates) = &mut self.gates {
            gates.replan(plan);
        }
        self.mask = privacy_mask(plan);
        self.gaze.replan(plan, &diff);
        if diff.motion {
            self.inspector = Inspector::of_moving(self.gaze.moves());
            self.quiet = 0;
            lane.hub.update(|snapshot| snapshot.preset = None);
        }
        lane.hub.update(|snapshot| snapshot.replan(plan, &diff));
        self.camera = Arc::clone(plan);
        let kept = diff.rules.iter().flatten().count();
        tracing::info!(camera = lane.id, rules = plan.rules.len(), kept, "another plan is in force");
    }
}

impl Gates {
    /// For a camera, of whose lines those are told of that some rule asks for. Counts in `overflow` what the site's rules do
    /// not take.
    pub fn new(
        camera: &Camera,
        asked: Arc<Asked>,
        out: crossbeam::channel::Sender<SiteCrossed>,
        overflow: prometheus::IntCounter,
    ) -> Self {
        let mut gates = Self { camera: camera.id.as_str().into(), asked, version: 0, lines: Vec::new(), out, overflow };
        gates.replan(camera);
        gates
    }

    /// Tells of a crossing of the camera by its plan in force, if some rule asks for that.
    pub(super) fn tell(&mut self, camera: &Camera, at: jiff::Timestamp, crossed: &Crossed) {
        if self.asked.newer(&mut self.version).is_some() {
            self.replan(camera);
        }
        let Some(line) = self.lines.get(crossed.line).cloned().flatten() else { return };
        let (camera, direction) = (Arc::clone(&self.camera), crossed.direction);
        if self.out.try_send(SiteCrossed { at, camera, line, direction }).is_err() {
            self.overflow.inc();
        }
    }

    fn replan(&mut self, camera: &Camera) {
        let asked = self.asked.get();
        let is_asked = |line: &str| asked.iter().any(|gate| gate.camera == camera.id && gate.line == line);
        self.lines = camera.lines.iter().map(|line| is_asked(&line.id).then(|| line.id.as_str().into())).collect();
    }
}
