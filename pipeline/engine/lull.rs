//! Inference first: work that may wait is done in pieces, between pictures that are analysed. Two threads that compute
//! share caches and often one core, so that a clip that is encoded meanwhile makes every picture late.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Longest wait before a piece: where pictures never cease, everything else still gets done.
const PATIENCE: Duration = Duration::from_millis(50);

/// How many workers have pictures in hand.
#[derive(Debug, Default)]
pub struct Lull {
    busy: Mutex<usize>,
    free: Condvar,
}

/// A worker has pictures in hand as long as this exists.
pub struct Busy<'a>(&'a Lull);

impl Lull {
    /// A worker takes pictures in hand.
    pub fn work(&self) -> Busy<'_> {
        *self.busy.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Busy(self)
    }

    /// Waits until no worker has pictures in hand, though not for long.
    pub fn wait(&self) {
        let busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.free.wait_timeout_while(busy, PATIENCE, |busy| *busy > 0);
        drop(waited);
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut busy = self.0.busy.lock().unwrap_or_else(PoisonError::into_inner);
        *busy -= 1;
        if *busy == 0 {
            self.0.free.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn whoever_may_wait_goes_on_once_nobody_works() {
        let lull = Arc::new(Lull::default());
        lull.wait();
        let (one, two) = (lull.work(), lull.work());
        let (done, is_done) = channel();
        let own = Arc::clone(&lull);
        let waits = std::thread::spawn(move || {
            own.wait();
            done.send(()).unwrap();
        });
        drop(one);
        drop(two);
        is_done.recv().unwrap();
        waits.join().unwrap();
        // And at last also while somebody does.
        let _busy = lull.work();
        lull.wait();
    }
}
