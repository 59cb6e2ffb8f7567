//! What cameras have learnt of their ground, kept beside the journal: `ground/<camera>.json`. Two files beside it carry
//! what somebody asks for, also of a site that runs: `<camera>.relearn` (begin anew, once) and `<camera>.freeze` (keep the
//! plane as it is, as long as the file is there).

use std::path::Path;
use std::time::{Duration, Instant};

use super::memory::{Memory, MemoryError};
use crate::config::plan::{Camera, GroundPlane};
use crate::rules::{Ground, Yardstick};
use crate::types::LearntGround;

/// The folder.
#[derive(Clone, Debug)]
pub struct GroundMemory(Memory);

impl GroundMemory {
    /// Below the data folder of a site; nothing is made before something is kept.
    pub fn new(data: &Path) -> Self {
        Self(Memory::new(data.join("ground")))
    }

    /// What a camera has learnt; `None` before it has. A file that is no state is an error: it is not overwritten
    /// silently.
    pub fn load(&self, camera: &str) -> Result<Option<LearntGround>, MemoryError> {
        self.0.load(camera)
    }

    /// Keeps what a camera has learnt: the whole file or, after a crash, the old one.
    pub fn save(&self, camera: &str, state: &LearntGround) -> Result<(), MemoryError> {
        self.0.save(camera, state)
    }

    /// Asks that a camera begins anew.
    pub fn ask_to_relearn(&self, camera: &str) -> Result<(), MemoryError> {
        self.0.mark(camera, "relearn")
    }

    /// Asks that a camera keeps its plane once it is ready, or goes on learning.
    pub fn ask_to_freeze(&self, camera: &str, freeze: bool) -> Result<(), MemoryError> {
        if freeze { self.0.mark(camera, "freeze") } else { self.0.unmark(camera, "freeze").map(|_| ()) }
    }

    /// Whether somebody asked that a camera begins anew; the question is answered by this.
    pub fn take_relearn(&self, camera: &str) -> Result<bool, MemoryError> {
        self.0.unmark(camera, "relearn")
    }

    /// Whether somebody asked that the plane stays as it is.
    pub fn is_frozen(&self, camera: &str) -> bool {
        self.0.is_marked(camera, "freeze")
    }
}

/// The ground of a camera as it is known now: by its plan, and by what was kept last where it is learnt.
pub fn known_ground(camera: &Camera, data: &Path) -> Result<Ground, MemoryError> {
    let mut ground = Ground::new(camera);
    if ground.learnt().is_some()
        && let Some(state) = GroundMemory::new(data).load(&camera.id)?
    {
        ground.restore(state);
    }
    Ok(ground)
}

/// Between looks at what somebody asks, and between writes of what has changed.
const LOOK: Duration = Duration::from_secs(2);
const WRITE: Duration = Duration::from_secs(60);

/// Keeps what all cameras of a run learn.
#[derive(Clone)]
pub struct GroundKeeper {
    memory: GroundMemory,
}

/// When a camera's ground was looked at last, and how it was.
#[derive(Clone, Copy, Default)]
pub struct Watched {
    looked: Option<Instant>,
    written: Option<Instant>,
    ready: bool,
}

impl GroundKeeper {
    /// Below the data folder of a site.
    pub fn new(data: &Path) -> Self {
        Self { memory: GroundMemory::new(data) }
    }

    /// Lets a camera go on from what it had learnt.
    pub fn restore(&self, camera: &Camera, ground: &mut Ground) {
        if ground.learnt().is_none() {
            return;
        }
        match self.memory.load(&camera.id) {
            Ok(Some(state)) => ground.restore(state),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(camera = camera.id, %error, "the learnt ground cannot be read: it begins anew")
            }
        }
        self.obey(camera, ground);
    }

    /// A look at one camera; gives what is to be kept when it is time.
    pub fn look(
        &self,
        watched: &mut Watched,
        camera: &Camera,
        ground: &mut Ground,
        now: Instant,
    ) -> Option<LearntGround> {
        ground.learnt()?;
        if watched.looked.is_some_and(|last| now - last < LOOK) {
            return None;
        }
        watched.looked = Some(now);
        let ready = matches!(ground.yardstick(), Yardstick::Ready(_));
        let news = std::mem::replace(&mut watched.ready, ready) != ready;
        let write = news || now - *watched.written.get_or_insert(now) >= WRITE;
        if write {
            watched.written = Some(now);
        }
        if let (true, Yardstick::Ready(pose)) = (news, ground.yardstick()) {
            let error = (pose.error * 100.0).round();
            tracing::info!(camera = camera.id, "the ground is learnt: lengths are in metres, within {error} %");
        }
        self.obey(camera, ground);
        if write { ground.learnt().cloned() } else { None }
    }

    /// Writes what [`Self::look`] gave, or what there is at the end.
    pub fn keep(&self, camera: &str, learnt: Option<LearntGround>) {
        let Some(state) = learnt else { return };
        if let Err(error) = self.memory.save(camera, &state) {
            tracing::warn!(camera, %error, "the learnt ground cannot be kept");
        }
    }

    fn obey(&self, camera: &Camera, ground: &mut Ground) {
        match self.memory.take_relearn(&camera.id) {
            Ok(true) => {
                tracing::info!(camera = camera.id, "the ground is learnt anew, as asked");
                ground.relearn();
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(camera = camera.id, %error, "a request cannot be taken"),
        }
        let planned =
            matches!(camera.ground.as_ref().map(|g| &g.plane), Some(GroundPlane::Learnt { freeze: true, .. }));
        ground.set_freeze(planned || self.memory.is_frozen(&camera.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{HeightSample, Pose};

    #[test]
    fn a_state_comes_back_as_it_was_and_requests_are_answered_once() {
        let data = tempfile::tempdir().unwrap();
        let memory = GroundMemory::new(data.path());
        assert!(memory.load("yard").unwrap().is_none() && !memory.take_relearn("yard").unwrap());
        let pose = Pose { pitch: 0.3, roll: -0.01, focal: 1.2, height: 3.5, error: 0.11 };
        let sample = HeightSample { who: 7, x: 0.1 + 0.2, y: 0.7, log_height: -1.9 };
        let state = LearntGround { aspect: 4.0 / 3.0, samples: vec![sample], pose: Some(pose), published: None };
        memory.save("yard", &state).unwrap();
        assert_eq!(memory.load("yard").unwrap(), Some(state));
        memory.ask_to_relearn("yard").unwrap();
        assert_eq!([memory.take_relearn("yard").unwrap(), memory.take_relearn("yard").unwrap()], [true, false]);
        memory.ask_to_freeze("yard", true).unwrap();
        assert!(memory.is_frozen("yard") && !memory.is_frozen("gate"));
        memory.ask_to_freeze("yard", false).unwrap();
        assert!(!memory.is_frozen("yard"));
        std::fs::write(data.path().join("ground/yard.json"), "{").unwrap();
        assert!(memory.load("yard").unwrap_err().to_string().contains("yard.json"));
    }
}
