//! Detectors that are exchanged while a site runs: another one is loaded and warm before the camera goes over to it, and what no
//! camera uses any more is let go.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::board::Board;
use super::lane::Seat;
use crate::config::plan::{Detect, Inference};
use crate::detect::{Catalog, DetectError, Key, OnnxDetector};

/// What a worker is told of its detectors.
enum Post<D> {
    /// This one serves a group from now on.
    Serve(usize, Box<D>),
    /// Nobody is in this group any more.
    Free(usize),
}

/// The way to one worker.
pub struct Mailbox<D = OnnxDetector>(Mutex<VecDeque<Post<D>>>);

impl<D> Default for Mailbox<D> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<D> Mailbox<D> {
    fn put(&self, post: Post<D>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(post);
    }

    /// Takes what came. The detector of the group that is `at_work` stays until the next time: its pictures were taken before.
    pub fn receive(&self, at_work: usize, detectors: &mut BTreeMap<usize, D>) {
        let mut posts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for post in std::mem::take(&mut *posts) {
            match post {
                Post::Free(group) if group == at_work => posts.push_back(Post::Free(group)),
                Post::Free(group) => {
                    detectors.remove(&group);
                }
                Post::Serve(group, detector) => {
                    detectors.insert(group, *detector);
                }
            }
        }
    }
}

/// Which detector each camera uses; changes take turns.
pub struct Models {
    catalog: Catalog,
    inference: Inference,
    board: Arc<Board>,
    mail: Arc<[Mailbox]>,
    held: Mutex<Held>,
}

struct Held {
    /// Of each group that somebody is in.
    keys: BTreeMap<usize, Key>,
    /// Group of each camera, by its number on the board.
    groups: BTreeMap<usize, usize>,
    /// Number of the next group. None is used twice: a worker that has not read its mail yet takes no detector for another.
    next: usize,
}

/// A detector that is ready to serve a camera.
pub struct Loaded {
    key: Key,
    /// For each worker; empty where they have it.
    fresh: Vec<OnnxDetector>,
    /// Least score that starts a track.
    pub start_score: f32,
}

impl Models {
    /// `keys` are those of the detectors that every worker has; `mail` leads to each of them.
    pub fn new(
        catalog: Catalog,
        inference: Inference,
        board: Arc<Board>,
        mail: Arc<[Mailbox]>,
        keys: Vec<Key>,
    ) -> Self {
        let groups = BTreeMap::new();
        let held = Held { next: keys.len(), keys: keys.into_iter().enumerate().collect(), groups };
        Self { catalog, inference, board, mail, held: Mutex::new(held) }
    }

    /// Loads and warms what a camera asks for, one for each worker, unless they have it. Takes as long as that takes. Errors:
    /// what is asked for cannot be had.
    pub fn load(&self, detect: &Detect) -> Result<Loaded, DetectError> {
        let key = Key::of(detect, &self.catalog)?;
        let entry = self.catalog.resolve(Some(&key.model))?;
        let known = self.lock().keys.values().any(|own| *own == key);
        let wanted = if known { 0 } else { self.mail.len() };
        let load = |_| OnnxDetector::new(&entry, key.input(), &key.extra(), &self.inference);
        let fresh = (0..wanted).map(load).collect::<Result<_, _>>()?;
        Ok(Loaded { fresh, start_score: detect.score.unwrap_or(entry.score), key })
    }

    /// A camera comes and is looked at with it; gives its number on the board. Other detectors stay until [`Self::settle`]:
    /// at the start those of cameras that are still to come.
    pub fn enter(&self, seat: Box<Seat>, loaded: Loaded, priority: bool) -> usize {
        let mut held = self.lock();
        let group = self.group(&mut held, loaded);
        let camera = self.board.enter(seat, group, priority);
        held.groups.insert(camera, group);
        camera
    }

    /// The camera's next picture is looked at with it.
    pub fn install(&self, camera: usize, loaded: Loaded, priority: bool) {
        let mut held = self.lock();
        let group = self.group(&mut held, loaded);
        self.board.regroup(camera, group, priority);
        held.groups.insert(camera, group);
        self.let_go(&mut held);
    }

    /// A camera has gone. What it alone used is there for one that comes in its place, until [`Self::settle`].
    pub fn leave(&self, camera: usize) {
        self.lock().groups.remove(&camera);
    }

    /// Lets go what no camera uses.
    pub fn settle(&self) {
        self.let_go(&mut self.lock());
    }

    /// Every worker has it before anyone is asked for it.
    fn group(&self, held: &mut Held, loaded: Loaded) -> usize {
        let known = held.keys.iter().find(|(_, own)| **own == loaded.key).map(|(group, _)| *group);
        known.unwrap_or_else(|| {
            let new = held.next;
            held.next += 1;
            held.keys.insert(new, loaded.key);
            let posts = loaded.fresh.into_iter().map(|detector| Post::Serve(new, Box::new(detector)));
            self.mail.iter().zip(posts).for_each(|(mailbox, post)| mailbox.put(post));
            new
        })
    }

    fn let_go(&self, held: &mut Held) {
        let Held { keys, groups, .. } = held;
        let mut unused = Vec::new();
        keys.retain(|group, _| {
            let used = groups.values().any(|own| own == group);
            unused.extend((!used).then_some(*group));
            used
        });
        for group in unused {
            self.mail.iter().for_each(|mailbox| mailbox.put(Post::Free(group)));
        }
        // Read at once, also by a worker that has no pictures: mail does not pile up.
        self.board.call();
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detector_at_work_stays_and_no_other_is_taken_for_it() {
        let (mailbox, mut own) = (Mailbox::<&str>::default(), BTreeMap::from([(0, "first")]));
        let serve = |group, detector| mailbox.put(Post::Serve(group, Box::new(detector)));
        // Two changes while no picture comes: what comes then is looked at with the last.
        serve(1, "second");
        mailbox.put(Post::Free(0));
        serve(2, "third");
        mailbox.put(Post::Free(1));
        mailbox.receive(2, &mut own);
        assert_eq!(own, BTreeMap::from([(2, "third")]));
        // A picture was taken before the change: its detector goes once another one is at work.
        serve(3, "fourth");
        mailbox.put(Post::Free(2));
        mailbox.receive(2, &mut own);
        assert_eq!(own, BTreeMap::from([(2, "third"), (3, "fourth")]));
        mailbox.receive(3, &mut own);
        assert_eq!(own, BTreeMap::from([(3, "fourth")]));
    }
}
