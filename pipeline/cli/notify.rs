//! What the service manager is told, by the protocol of `sd_notify(3)`: that the run is ready, that it stops, and at half
//! the time of its watchdog that it lives, which it says only while no thread is stuck.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lookout::telemetry::Metrics;

/// The way to the service manager, if there is one.
pub struct Notifier {
    to: Option<(UnixDatagram, SocketAddr)>,
    /// How often it wants to hear that the process lives.
    every: Option<Duration>,
}

impl Notifier {
    /// By `NOTIFY_SOCKET` and `WATCHDOG_USEC` of the environment.
    pub fn from_environment() -> io::Result<Self> {
        let socket = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty());
        let watchdog = std::env::var("WATCHDOG_USEC").ok().and_then(|text| text.parse().ok());
        Self::new(socket.as_deref(), watchdog)
    }

    /// `socket` is a path, or `@` and an abstract name; `watchdog` are microseconds.
    fn new(socket: Option<&OsStr>, watchdog: Option<u64>) -> io::Result<Self> {
        let to = socket.map(|name| Ok::<_, io::Error>((UnixDatagram::unbound()?, address(name)?))).transpose()?;
        let every = watchdog.filter(|micros| *micros > 0).map(|micros| Duration::from_micros(micros / 2));
        Ok(Self { to, every })
    }

    /// The run has begun.
    pub fn ready(&self) {
        self.send("READY=1\nSTATUS=watching");
    }

    /// It ends.
    pub fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=stopping");
    }

    /// Says that the process lives for as long as the runtime does and no thread is stuck.
    pub async fn watch(self: Arc<Self>, metrics: Arc<Metrics>) {
        let Some(every) = self.every else { return };
        let mut complained = false;
        loop {
            complained = self.live(&metrics, complained);
            tokio::time::sleep(every).await;
        }
    }

    /// Whether it had to be kept from the service manager; said once.
    fn live(&self, metrics: &Metrics, complained: bool) -> bool {
        let stuck: Vec<String> = metrics.health.stuck().into_iter().map(|sign| sign.name).collect();
        if stuck.is_empty() {
            self.send("WATCHDOG=1");
            return false;
        }
        let names = stuck.join(", ");
        self.send(&format!("STATUS=stuck: {names}"));
        if !complained {
            tracing::error!(threads = names, "stuck; the service manager is told no more that the process lives");
        }
        true
    }

    /// A manager that does not listen is no reason to end.
    fn send(&self, text: &str) {
        if let Some((socket, address)) = &self.to
            && let Err(error) = socket.send_to_addr(text.as_bytes(), address)
        {
            tracing::warn!(%error, "the service manager cannot be told");
        }
    }
}

fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(Path::new(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(manager: &UnixDatagram) -> Vec<String> {
        manager.set_nonblocking(true).unwrap();
        let mut text = [0; 256];
        std::iter::from_fn(|| manager.recv(&mut text).ok().map(|n| String::from_utf8_lossy(&text[..n]).into_owned()))
            .collect()
    }

    #[test]
    fn a_stuck_thread_keeps_the_watchdog_hungry() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::new(Some(path.as_os_str()), Some(2_000_000)).unwrap();
        assert_eq!(notifier.every, Some(Duration::from_secs(1)));
        let metrics = Metrics::new().unwrap();
        let pulse = metrics.health.pulse("worker-0", Duration::ZERO, None);
        notifier.ready();
        assert!(!notifier.live(&metrics, false));
        assert_eq!(heard(&manager), ["READY=1\nSTATUS=watching", "WATCHDOG=1"]);
        pulse.beat();
        std::thread::sleep(Duration::from_millis(2));
        assert!(notifier.live(&metrics, false));
        assert_eq!(heard(&manager), ["STATUS=stuck: worker-0"]);
        pulse.wait();
        notifier.live(&metrics, true);
        assert_eq!(heard(&manager), ["WATCHDOG=1"]);
    }

    #[test]
    fn an_abstract_socket_does_as_well() {
        let name = format!("lookout-test-{}", std::process::id());
        let manager = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let notifier = Notifier::new(Some(OsStr::new(&format!("@{name}"))), None).unwrap();
        notifier.stopping();
        assert_eq!(heard(&manager), ["STOPPING=1\nSTATUS=stopping"]);
    }

    #[test]
    fn without_a_manager_nothing_is_said() {
        let notifier = Notifier::new(None, None).unwrap();
        notifier.ready();
        assert!(notifier.to.is_none() && notifier.every.is_none());
    }
}
