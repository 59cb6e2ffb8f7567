//! Threads whose death is seen: a panic ends the process with a reason, so that a supervisor starts it anew.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::capture::Stop;

/// All threads of a run, and why it must end, if it must.
#[derive(Clone)]
pub struct Threads {
    stop: Stop,
    failure: Arc<Mutex<Option<String>>>,
}

/// One of them.
pub struct Thread {
    name: String,
    /// `None` once it was waited for.
    handle: Option<JoinHandle<()>>,
}

impl Threads {
    /// Threads that end when `stop` is set; a failure of any sets it.
    pub fn new(stop: Stop) -> Self {
        Self { stop, failure: Arc::default() }
    }

    /// Starts a thread. An error that `work` returns, or a panic, ends the run with that reason.
    pub fn spawn(
        &self,
        name: impl Into<String>,
        work: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) -> std::io::Result<Thread> {
        let (name, threads) = (name.into(), self.clone());
        let own_name = name.clone();
        // A stage that panics is not used again: the process ends.
        let guarded = move || match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => threads.fail(&own_name, &reason),
            Err(panic) => threads.fail(&own_name, &format!("broke off: {}", message(&*panic))),
        };
        // Linux shows 15 characters.
        let short: String = name.chars().take(15).collect();
        let handle = std::thread::Builder::new().name(short).spawn(guarded)?;
        Ok(Thread { name, handle: Some(handle) })
    }

    /// Ends the run with this reason; the first one is kept.
    pub fn fail(&self, stage: &str, reason: &str) {
        tracing::error!(stage, reason, "a stage failed; ending");
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert_with(|| format!("{stage}: {reason}"));
        drop(failure);
        self.stop.set();
    }

    /// Why the run failed, if it did.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Thread {
    /// Waits for its end.
    pub fn join(mut self) {
        self.wait();
    }

    /// The same for one that is still held.
    pub fn wait(&mut self) {
        if self.handle.take().is_some_and(|handle| handle.join().is_err()) {
            tracing::error!(stage = self.name, "a thread could not be joined");
        }
    }

    /// Waits for its end until then; one that has not ended is left to itself. Whether it has ended.
    pub fn wait_until(&mut self, deadline: Instant) -> bool {
        while self.handle.as_ref().is_some_and(|handle| !handle.is_finished()) {
            if Instant::now() >= deadline {
                self.handle = None;
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self.wait();
        true
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_the_run_with_its_reason() {
        let stop = Stop::new();
        let threads = Threads::new(stop.clone());
        threads.spawn("rules", || panic!("index 3 out of range")).unwrap().join();
        assert!(stop.is_set());
        assert_eq!(threads.failure().as_deref(), Some("rules: broke off: index 3 out of range"));
    }

    #[test]
    fn one_that_hangs_is_left_to_itself() {
        let threads = Threads::new(Stop::new());
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let hangs = move || {
            // Ends when the other end is dropped.
            held.recv().ok();
            Ok(())
        };
        let mut hanging = threads.spawn("hangs", hangs).unwrap();
        assert!(!hanging.wait_until(Instant::now() + Duration::from_millis(20)));
        drop(hold);
        assert!(hanging.wait_until(Instant::now()), "nobody holds it any more");
        assert!(threads.spawn("ends", || Ok(())).unwrap().wait_until(Instant::now() + Duration::from_secs(60)));
        assert_eq!(threads.failure(), None);
    }
}
