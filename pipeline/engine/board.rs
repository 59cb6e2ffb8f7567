//! Who is served next: frames of many cameras to few workers, the freshest first, every camera its fair share. No lock
//! is held while anything is computed.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::lane::Seat;
use crate::detect::Rota;

/// Of [`Board::take`]: nobody is to be served.
pub const NO_GROUP: usize = usize::MAX;

/// The state of all cameras between slot and worker.
#[derive(Default)]
pub struct Board {
    inner: Mutex<Inner>,
    wake: Condvar,
}

#[derive(Default)]
struct Inner {
    rota: Rota,
    /// A frame lies in the slot.
    ready: Vec<bool>,
    places: Vec<Place>,
    /// How often workers were asked to look into their mail.
    calls: u64,
    closed: bool,
}

/// Where a camera is, by its number.
#[derive(Default)]
enum Place {
    /// No camera has this number.
    #[default]
    Free,
    /// Between two pictures.
    Here(Box<Seat>),
    /// A worker holds it.
    Away,
    /// A worker held it for too long when it went; the number is free once it is given back.
    Lost,
}

impl Place {
    /// Takes the camera, if it is here.
    fn take(&mut self) -> Option<Box<Seat>> {
        match std::mem::replace(self, Self::Away) {
            Self::Here(seat) => Some(seat),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl Board {
    /// A camera comes, of a group that can share a batch, and goes before others or not. Gives its number, which may be that
    /// of one that went.
    pub fn enter(&self, seat: Box<Seat>, group: usize, priority: bool) -> usize {
        let mut inner = self.lock();
        let free = inner.places.iter().position(|place| matches!(place, Place::Free));
        let number = free.unwrap_or_else(|| {
            inner.places.push(Place::Free);
            inner.ready.push(false);
            inner.places.len() - 1
        });
        inner.rota.enter(number, group, priority);
        (inner.ready[number], inner.places[number]) = (false, Place::Here(seat));
        number
    }

    /// A camera goes, of which no more frames come. `None`: a worker has not given it back within `patience`.
    pub fn leave(&self, camera: usize, patience: Duration) -> Option<Box<Seat>> {
        let seat = self.borrow(camera, patience);
        let mut inner = self.lock();
        // It may have come back at the last moment.
        let seat = seat.or_else(|| inner.places[camera].take());
        inner.ready[camera] = false;
        inner.places[camera] = if seat.is_some() { Place::Free } else { Place::Lost };
        seat
    }

    /// How many numbers are given out; some may be free.
    pub fn numbers(&self) -> usize {
        self.lock().places.len()
    }

    /// Every worker looks into its mail, also one that waits for pictures.
    pub fn call(&self) {
        self.lock().calls += 1;
        self.wake.notify_all();
    }

    /// A frame was put into this camera's slot.
    pub fn ready(&self, camera: usize) {
        let mut inner = self.lock();
        inner.ready[camera] = true;
        drop(inner);
        self.wake.notify_one();
    }

    /// Waits for cameras to serve and takes them, at most `most` of one group. Gives the group; `None` when closed. Where
    /// there was a [call](Self::call) since the last time, by `calls`, it gives [`NO_GROUP`] and nobody.
    pub fn take(
        &self,
        most: impl Fn(usize) -> usize,
        out: &mut Vec<(usize, Box<Seat>)>,
        scratch: &mut Vec<usize>,
        calls: &mut u64,
    ) -> Option<usize> {
        out.clear();
        let mut inner = self.lock();
        loop {
            if inner.closed {
                return None;
            }
            if *calls != inner.calls {
                *calls = inner.calls;
                return Some(NO_GROUP);
            }
            let Inner { rota, ready, places, .. } = &mut *inner;
            rota.next(|camera| ready[camera] && matches!(places[camera], Place::Here(_)), &most, scratch);
            if let Some(&first) = scratch.first() {
                let group = rota.group(first);
                for &camera in scratch.iter() {
                    ready[camera] = false;
                    out.extend(places[camera].take().map(|seat| (camera, seat)));
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

    /// Gives a camera back.
    pub fn give(&self, camera: usize, seat: Box<Seat>) {
        let mut inner = self.lock();
        // Of one that went meanwhile nothing more is wanted.
        let gone = matches!(inner.places[camera], Place::Lost);
        inner.places[camera] = if gone { Place::Free } else { Place::Here(seat) };
        let again = inner.ready[camera];
        drop(inner);
        if again {
            self.wake.notify_one();
        }
    }

    /// Takes a camera without a frame, if no worker holds it within `patience`.
    pub fn borrow(&self, camera: usize, patience: Duration) -> Option<Box<Seat>> {
        let deadline = std::time::Instant::now() + patience;
        loop {
            let mut inner = self.lock();
            let place = inner.places.get_mut(camera)?;
            if let Some(seat) = place.take() {
                return Some(seat);
            }
            let away = matches!(place, Place::Away);
            drop(inner);
            if !away || std::time::Instant::now() >= deadline {
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
