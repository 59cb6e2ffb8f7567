//! The thread that keeps trails and numbers. It may be slow or fail: cameras go on, and what is not kept is a gap in the
//! record.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::numbers::store::{NumbersError, NumbersStore};
use super::numbers::{Counted, Occupied};
use super::trails::FOLDER;
use super::trails::recorder::Gathered;
use super::trails::store::{Store, StoreError};
use super::trails::thin::thin;
use crate::config::plan::Trails;
use crate::telemetry::{Metrics, Part};

/// Records that wait, of all cameras.
const QUEUE: usize = 512;
/// Between looks for what is too old.
const SWEEP: Duration = Duration::from_secs(600);
/// Between complaints.
const COMPLAIN: Duration = Duration::from_secs(60);

/// What is to be kept.
#[derive(Debug)]
pub enum Record {
    /// Some seconds of a camera.
    Trails(Gathered),
    /// What it counted.
    Counted(Counted),
    /// People on the whole site.
    Occupied(Occupied),
}

/// Something could not be kept. A retry may help: the disk may have been full.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Trails.
    #[error(transparent)]
    Trails(#[from] StoreError),
    /// Numbers.
    #[error(transparent)]
    Numbers(#[from] NumbersError),
}

/// Keeps what cameras hand over.
pub struct Keeper {
    trails: Store,
    numbers: NumbersStore,
    metrics: Option<Arc<Metrics>>,
    overflow: prometheus::IntCounter,
    complained: Option<Instant>,
}

impl Keeper {
    /// Below the data of a site, which must exist. Counts in `overflow` records that could not be kept.
    pub fn new(data: &Path, plan: Trails, overflow: prometheus::IntCounter) -> Result<Self, NumbersError> {
        let (trails, numbers) = (Store::new(&data.join(FOLDER), plan), NumbersStore::open(data)?);
        Ok(Self { trails, numbers, metrics: None, overflow, complained: None })
    }

    /// Says so in the health of a process when it cannot keep anything.
    pub fn with_health(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// Works until all who hand over are gone.
    pub fn run(mut self, records: &Receiver<Record>) -> Result<(), String> {
        self.sweep();
        let mut swept = Instant::now();
        loop {
            match records.recv_timeout(SWEEP) {
                Ok(record) => match self.keep(&record) {
                    Ok(()) => self.metrics.iter().for_each(|m| m.health.well(Part::Records)),
                    Err(error) => {
                        self.overflow.inc();
                        self.metrics.iter().for_each(|m| m.health.note(Part::Records, vec![error.to_string()]));
                        self.complain(&error);
                    }
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if swept.elapsed() >= SWEEP {
                self.sweep();
                swept = Instant::now();
            }
        }
    }

    /// Keeps one record.
    pub fn keep(&mut self, record: &Record) -> Result<(), KeepError> {
        match record {
            Record::Trails(gathered) => {
                let offset = self.trails.offset(&gathered.camera, gathered.run)?;
                self.trails.append(&gathered.camera, thin(gathered, offset))?;
            }
            Record::Counted(counted) => self.numbers.add(counted)?,
            Record::Occupied(occupied) => self.numbers.note(occupied)?,
        }
        Ok(())
    }

    fn sweep(&mut self) {
        let now = jiff::Timestamp::now();
        match self.trails.sweep(now) {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "deleted trails that were too old or too many"),
            Err(error) => tracing::error!(%error, "trails that are too old could not be deleted"),
        }
        if let Err(error) = self.numbers.sweep(now) {
            tracing::error!(%error, "numbers that are too old could not be deleted");
        }
    }

    fn complain(&mut self, error: &KeepError) {
        if self.complained.is_none_or(|last| last.elapsed() >= COMPLAIN) {
            self.complained = Some(Instant::now());
            tracing::error!(%error, "trails and numbers have a gap here");
        }
    }
}

/// The bounded way to the keeper.
pub fn queue() -> (Sender<Record>, Receiver<Record>) {
    bounded(QUEUE)
}
