//! A wire between a camera and the server that can die without a word: whatever is sent then vanishes, and neither side is
//! told, as behind a router that forgot the connection.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Forwards connections; ends when dropped.
pub struct Wire {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    lives: Arc<Mutex<Vec<Life>>>,
    thread: Option<JoinHandle<()>>,
}

/// One connection.
struct Life {
    dead: Arc<AtomicBool>,
    /// Both ends, to close them at last.
    ends: [TcpStream; 2],
}

impl Wire {
    /// Leads to `camera`.
    pub fn start(camera: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, lives) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<Life>>>::default());
        let thread = {
            let (stop, lives) = (Arc::clone(&stop), Arc::clone(&lives));
            std::thread::spawn(move || accept(&listener, camera, &stop, &lives))
        };
        Self { address, stop, lives, thread: Some(thread) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on nothing comes through the connections that there are; they stay open. New ones work.
    pub fn die(&self) {
        self.lives.lock().unwrap().iter().for_each(|life| life.dead.store(true, Ordering::SeqCst));
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for life in self.lives.lock().unwrap().drain(..) {
            life.ends.iter().for_each(|end| end.shutdown(Shutdown::Both).unwrap_or_default());
        }
        // Wakes `accept`.
        let _woken = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn accept(listener: &TcpListener, camera: SocketAddr, stop: &AtomicBool, lives: &Mutex<Vec<Life>>) {
    let mut threads = Vec::new();
    while let Ok((near, _)) = listener.accept() {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let Ok(far) = TcpStream::connect(camera) else { continue };
        let dead = Arc::<AtomicBool>::default();
        let ends = [near.try_clone().unwrap(), far.try_clone().unwrap()];
        lives.lock().unwrap().push(Life { dead: Arc::clone(&dead), ends });
        let (back, forth) = ((far.try_clone().unwrap(), near.try_clone().unwrap()), (near, far));
        for (from, to) in [back, forth] {
            let dead = Arc::clone(&dead);
            threads.push(std::thread::spawn(move || carry(from, to, &dead)));
        }
    }
    for life in lives.lock().unwrap().drain(..) {
        life.ends.iter().for_each(|end| end.shutdown(Shutdown::Both).unwrap_or_default());
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// One direction. A dead one is read to the end of the test all the same, so that no sender notices by a full buffer.
fn carry(mut from: TcpStream, mut to: TcpStream, dead: &AtomicBool) {
    let mut piece = [0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        if !dead.load(Ordering::SeqCst) && to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    // The end of a dead connection is not told either.
    if !dead.load(Ordering::SeqCst) {
        to.shutdown(Shutdown::Both).unwrap_or_default();
    }
}
