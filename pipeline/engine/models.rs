//! Detectors that are exchanged while a site runs: another one is loaded and warm before the camera goes over to it, and what no
//! camera uses any more is let go.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::board::Board;
use crate::config::plan::{Detect, Inference};
use crate::detect::{Catalog, DetectError, Key, OnnxDetector};

/// What a worker is told of its detectors.
enum Post {
    /// This one serves a group from now on.
    Serve(usize, Box<OnnxDetector>),
    /// Nobody is in this group any more.
    Free(usize),
}

/// The way to one worker.
#[derive(Default)]
pub struct Mailbox(Mutex<VecDeque<Post>>);

impl Mailbox {
    fn put(&self, post: Post) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(post);
    }

    /// Takes what came. The detector of the group that is `at_work` stays until the next time.
    pub fn receive(&self, at_work: usize, detectors: &mut Vec<Option<OnnxDetector>>) {
        let mut posts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(post) = posts.pop_front() {
            match post {
                Post::Free(group) if group == at_work => {
                    posts.push_front(Post::Free(group));
                    return;
                }
                Post::Free(group) => {
                    if let Some(place) = detectors.get_mut(group) {
                        *place = None;
                    }
                }
                Post::Serve(group, detector) => {
                    if detectors.len() <= group {
                        detectors.resize_with(group + 1, || None);
                    }
                    detectors[group] = Some(*detector);
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
    /// Of each group; `None`: nobody is in it.
    keys: Vec<Option<Key>>,
    /// Group of each camera.
    groups: Vec<usize>,
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
    /// `keys` and `groups` as at the start; `mail` leads to each worker.
    pub fn new(
        catalog: Catalog,
        inference: Inference,
        board: Arc<Board>,
        mail: Arc<[Mailbox]>,
        keys: Vec<Key>,
        groups: Vec<usize>,
    ) -> Self {
        let keys = keys.into_iter().map(Some).collect();
        Self { catalog, inference, board, mail, held: Mutex::new(Held { keys, groups }) }
    }

    /// Loads and warms what a camera asks for, one for each worker, unless they have it. Takes as long as that takes. Errors:
    /// what is asked for cannot be had.
    pub fn load(&self, detect: &Detect) -> Result<Loaded, DetectError> {
        let key = Key::of(detect, &self.catalog)?;
        let entry = self.catalog.resolve(Some(&key.model))?;
        let known = self.held.lock().unwrap_or_else(PoisonError::into_inner).keys.contains(&Some(key.clone()));
        let wanted = if known { 0 } else { self.mail.len() };
        let load = |_| OnnxDetector::new(&entry, key.input(), &key.extra(), &self.inference);
        let fresh = (0..wanted).map(load).collect::<Result<_, _>>()?;
        Ok(Loaded { fresh, start_score: detect.score.unwrap_or(entry.score), key })
    }

    /// The camera's next picture is looked at with it.
    pub fn install(&self, camera: usize, loaded: Loaded, priority: bool) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Held { keys, groups } = &mut *held;
        let wanted = Some(loaded.key);
        let group = keys.iter().position(|key| *key == wanted).unwrap_or_else(|| {
            let free = keys.iter().position(Option::is_none).unwrap_or(keys.len());
            if free == keys.len() {
                keys.push(None);
            }
            keys[free] = wanted;
            let posts = loaded.fresh.into_iter().map(|detector| Post::Serve(free, Box::new(detector)));
            self.mail.iter().zip(posts).for_each(|(mailbox, post)| mailbox.put(post));
            free
        });
        // Every worker has it before anyone is asked for it.
        self.board.regroup(camera, group, priority);
        let old = std::mem::replace(&mut groups[camera], group);
        if !groups.contains(&old) {
            keys[old] = None;
            self.mail.iter().for_each(|mailbox| mailbox.put(Post::Free(old)));
        }
    }
}
