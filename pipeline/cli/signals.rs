//! Ctrl-C and SIGTERM end a command in order: what it was writing is taken away, not left half done.

use std::io;

use anyhow::Context;
use lookout::capture::Stop;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask a process to end; from the moment that this exists they no longer kill it.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Must be called inside a runtime.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Sets `stop` on the first of them.
    pub async fn watch(mut self, stop: Stop) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        tracing::info!("stopping");
        stop.set();
    }
}

/// For commands without a runtime of their own: watches as long as what it returns lives.
pub fn watcher(stop: &Stop) -> anyhow::Result<Runtime> {
    let failed = "cannot watch for signals";
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_io().build().context(failed)?;
    let inside = runtime.enter();
    let signals = Signals::listen().context(failed)?;
    drop(inside);
    runtime.spawn(signals.watch(stop.clone()));
    Ok(runtime)
}
