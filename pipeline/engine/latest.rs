//! The newest of something that one thread gives another, now and then: looking whether there is another costs one load.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Holds the newest value; earlier ones that nobody took are gone.
#[derive(Debug, Default)]
pub struct Latest<T> {
    version: AtomicUsize,
    value: Mutex<T>,
}

impl<T: Clone + PartialEq> Latest<T> {
    /// With what is in force before anything was given.
    pub fn new(value: T) -> Self {
        Self { version: AtomicUsize::new(0), value: Mutex::new(value) }
    }

    /// Gives another value; the same one again is nothing new.
    pub fn set(&self, value: T) {
        let mut held = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        if *held != value {
            *held = value;
            self.version.fetch_add(1, Ordering::Release);
        }
    }

    /// The value, if it is another than that of `version`, which becomes the newest. At first that is 0.
    pub fn newer(&self, version: &mut usize) -> Option<T> {
        let newest = self.version.load(Ordering::Acquire);
        if newest == *version {
            return None;
        }
        *version = newest;
        Some(self.get())
    }

    /// The newest value.
    pub fn get(&self) -> T {
        self.value.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_new_once_and_the_same_one_is_not() {
        let (latest, mut mine, mut other) = (Latest::new(1), 0, 0);
        assert_eq!(latest.newer(&mut mine), None);
        latest.set(1);
        assert_eq!(latest.newer(&mut mine), None);
        latest.set(2);
        latest.set(3);
        assert_eq!((latest.newer(&mut mine), latest.newer(&mut mine)), (Some(3), None));
        assert_eq!((latest.newer(&mut other), latest.get()), (Some(3), 3));
    }
}
