//! What the process itself uses, by the names that Prometheus's own libraries give it. Looked up when somebody asks.

use std::sync::{Mutex, PoisonError};

use prometheus::{Counter, Gauge, IntGauge};
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::metrics::{Builder, unix_time};

/// Memory, descriptors, time.
pub(super) struct ProcessMetrics {
    memory: IntGauge,
    descriptors: IntGauge,
    most_descriptors: IntGauge,
    /// Brought up to date by one at a time.
    cpu: Mutex<Counter>,
}

impl ProcessMetrics {
    /// The process starts now.
    pub(super) fn new(b: &Builder) -> Result<Self, prometheus::Error> {
        let started = b.keep(Gauge::new("process_start_time_seconds", "Unix time at which the process started.")?)?;
        started.set(unix_time());
        Ok(Self {
            memory: b.keep(IntGauge::new("process_resident_memory_bytes", "Memory in use.")?)?,
            descriptors: b.keep(IntGauge::new("process_open_fds", "File descriptors in use.")?)?,
            most_descriptors: b.keep(IntGauge::new("process_max_fds", "File descriptors that it may use.")?)?,
            cpu: Mutex::new(b.keep(Counter::new("process_cpu_seconds_total", "Processor time spent.")?)?),
        })
    }

    /// Looks now; what the system does not say stays as it was.
    pub(super) fn look(&self) {
        if let Some(bytes) = resident() {
            self.memory.set(bytes);
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            self.descriptors.set(i64::try_from(open.count()).unwrap_or(i64::MAX));
        }
        let most = getrlimit(Resource::Nofile).current.and_then(|most| i64::try_from(most).ok());
        self.most_descriptors.set(most.unwrap_or(i64::MAX));
        let spent = clock_gettime(ClockId::ProcessCPUTime);
        let cpu = self.cpu.lock().unwrap_or_else(PoisonError::into_inner);
        cpu.inc_by((spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9 - cpu.get()).max(0.0));
    }
}

/// Bytes.
fn resident() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"))?;
    Some(kib.trim().parse::<i64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;

    #[test]
    fn the_process_is_seen_as_it_is() {
        let metrics = Metrics::new().unwrap();
        let value = |name: &str| -> f64 {
            let page = metrics.encode().unwrap();
            let line =
                page.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_else(|| panic!("{page}"));
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        assert!(value("process_resident_memory_bytes") > 1e6);
        let file = std::fs::File::open("/proc/self/status").unwrap();
        assert!((1.0..=value("process_max_fds")).contains(&value("process_open_fds")));
        drop(file);
        assert!(value("process_start_time_seconds") > 1e9 && value("process_cpu_seconds_total") > 0.0);
    }
}
