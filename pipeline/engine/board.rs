//! Who is served next: frames of many cameras to few workers, the freshest first, every camera its fair share. No lock
//! is held while anything is computed.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::lane::LaneState;
use crate::detect::Rota;

/// The state of all cameras between slot and worker.
pub struct Board {
    inner: Mutex<Inner>,
    wake: Condvar,
}

struct Inner {
    rota: Rota,
    /// A frame lies in the slot.
    ready: Vec<bool>,
    /// `None` while a worker holds it.
    lanes: Vec<Option<Box<LaneState>>>,
    closed: bool,
}

impl Board {
    /// For cameras numbered from 0 with their group, which can share a batch, and whether they go before others.
    pub fn new(groups: Vec<usize>, priority: Vec<bool>, lanes: Vec<LaneState>) -> Self {
        let ready = vec![false; lanes.len()];
        let lanes = lanes.into_iter().map(|state| Some(Box::new(state))).collect();
        let rota = Rota::new(groups).with_priority(priority);
        Self { inner: Mutex::new(Inner { rota, ready, lanes, closed: false }), wake: Condvar::new() }
    }

    /// A frame was put into this camera's slot.
    pub fn ready(&self, camera: usize) {
        let mut inner = self.lock();
        inner.ready[camera] = true;
        drop(inner);
        self.wake.notify_one();
    }

    /// Waits for cameras to serve and takes their state, at most `most` of one group. Gives the group; `None` when closed.
    pub fn take(
        &self,
        most: impl Fn(usize) -> usize,
        out: &mut Vec<(usize, Box<LaneState>)>,
        scratch: &mut Vec<usize>,
    ) -> Option<usize> {
        out.clear();
        let mut inner = self.lock();
        loop {
            if inner.closed {
                return None;
            }
            let Inner { rota, ready, lanes, .. } = &mut *inner;
            rota.next(|camera| ready[camera] && lanes[camera].is_some(), &most, scratch);
            if let Some(&first) = scratch.first() {
                let group = rota.group(first);
                for &camera in scratch.iter() {
                    ready[camera] = false;
                    out.extend(lanes[camera].take().map(|state| (camera, state)));
                }
                return Some(group);
            }
            inner = self.wake.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A camera goes over to another group, and goes before others or no more: from its next turn on.
    pub fn regroup(&self, camera: usize, group: usize, priority: bool) {
        self.lock().rota.regroup(camera, group, priority);
    }

    /// Gives a camera's state back.
    pub fn give(&self, camera: usize, state: Box<LaneState>) {
        let mut inner = self.lock();
        inner.lanes[camera] = Some(state);
        let again = inner.ready[camera];
        drop(inner);
        if again {
            self.wake.notify_one();
        }
    }

    /// Takes a camera's state without a frame, if no worker holds it within `patience`.
    pub fn borrow(&self, camera: usize, patience: Duration) -> Option<Box<LaneState>> {
        let deadline = std::time::Instant::now() + patience;
        loop {
            if let Some(state) = self.lock().lanes[camera].take() {
                return Some(state);
            }
            if std::time::Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Sends all workers home.
    pub fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
