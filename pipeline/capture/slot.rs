//! The freshest frame of a camera: overload drops the oldest picture and never adds delay.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::types::Frame;

/// Room for one frame between capture and detection; the newest wins.
#[derive(Default)]
pub struct FreshestSlot {
    frame: Mutex<Option<Frame>>,
    filled: Condvar,
    dropped: AtomicU64,
}

impl FreshestSlot {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a frame in and gives back the one that nobody took, which counts as dropped. Never waits for a taker; the
    /// lock is held for a move, and the displaced picture is freed by the caller, outside it.
    #[must_use = "a displaced frame is a dropped one"]
    pub fn put(&self, frame: Frame) -> Option<Frame> {
        let displaced = self.lock().replace(frame);
        self.filled.notify_one();
        if displaced.is_some() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        displaced
    }

    /// Takes the frame if there is one.
    pub fn take(&self) -> Option<Frame> {
        self.lock().take()
    }

    /// Takes the frame, waiting at most `timeout` for one.
    pub fn take_within(&self, timeout: Duration) -> Option<Frame> {
        let guard = self.lock();
        let (mut guard, _) = self
            .filled
            .wait_timeout_while(guard, timeout, |frame| frame.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        guard.take()
    }

    /// Frames that nobody took.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Frame>> {
        self.frame.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;
    use crate::capture::picture::VideoPicture;
    use crate::types::{MediaTime, Size};

    fn frame(index: u64) -> Frame {
        Frame {
            index,
            time: MediaTime::ZERO,
            utc: jiff::Timestamp::UNIX_EPOCH,
            arrived: Instant::now(),
            picture: Arc::new(VideoPicture::grey(Size::new(2, 2), 0)),
        }
    }

    #[test]
    fn newest_wins_and_the_rest_is_counted() {
        let slot = FreshestSlot::new();
        assert!(slot.take().is_none());
        assert!(slot.put(frame(0)).is_none());
        assert_eq!(slot.put(frame(1)).unwrap().index, 0);
        assert_eq!(slot.put(frame(2)).unwrap().index, 1);
        assert_eq!(slot.take().unwrap().index, 2);
        assert!(slot.take().is_none());
        assert_eq!(slot.dropped(), 2);
    }

    #[test]
    fn every_frame_is_either_taken_in_order_or_counted() {
        let slot = Arc::new(FreshestSlot::new());
        let taker = {
            let slot = Arc::clone(&slot);
            std::thread::spawn(move || {
                let (mut taken, mut last) = (0_u64, None);
                while last != Some(9_999) {
                    if let Some(frame) = slot.take_within(Duration::from_secs(60)) {
                        assert!(last < Some(frame.index));
                        last = Some(frame.index);
                        taken += 1;
                    }
                }
                taken
            })
        };
        for index in 0..10_000 {
            drop(slot.put(frame(index)));
        }
        assert_eq!(taker.join().unwrap() + slot.dropped(), 10_000);
    }
}
