//! What the console keeps: users, their sessions, who did what, versions of camera files, silenced rules. One SQLite file in the data directory; one module for each
//! group of tables.

pub mod audit;
mod error;
pub mod session;
pub mod snooze;
pub mod user;
pub mod version;

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use error::StoreError;

/// Name of the database in the data directory; only its owner can read it.
pub const FILE: &str = "console.sqlite";
/// Longest wait for another process's write lock.
const BUSY: Duration = Duration::from_secs(5);
/// Tables of every group; what is there already stays as it is.
const TABLES: [&str; 5] = [user::TABLES, session::TABLES, audit::TABLES, version::TABLES, snooze::TABLES];

/// The database. Readers wait for no writer; a change is on disk when it returns.
pub struct Store {
    reader: Mutex<Connection>,
    writer: Mutex<Connection>,
}

impl Store {
    /// Of a data directory, which is made if there is none.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        let file = |e: std::io::Error, path: &Path| StoreError::File { path: path.to_owned(), reason: e.to_string() };
        std::fs::create_dir_all(data).map_err(|e| file(e, data))?;
        let path = data.join(FILE);
        // Before SQLite makes it for everybody to read; its side files follow.
        File::options().create(true).append(true).mode(0o600).open(&path).map_err(|e| file(e, &path))?;
        let writer = connect(&path)?;
        TABLES.iter().try_for_each(|tables| writer.execute_batch(tables))?;
        let reader = connect(&path)?;
        reader.pragma_update(None, "query_only", true)?;
        Ok(Self { reader: Mutex::new(reader), writer: Mutex::new(writer) })
    }

    /// Runs a query; blocking.
    pub fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        query(&self.reader.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs a change in a transaction, which is undone when it fails; blocking.
    pub fn write<T>(&self, change: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = change(&tx)?;
        tx.commit()?;
        Ok(done)
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Bytes that nobody can guess.
pub fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| StoreError::Random)?;
    Ok(bytes)
}

/// A time of a row.
fn from_millis(millis: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn nobody_else_reads_the_file_and_a_failed_change_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", entry.path().display());
        }
        let entry = audit::Entry::new("a", "b");
        let failed: Result<(), _> = store.write(|tx| {
            audit::insert(tx, &entry, jiff::Timestamp::now())?;
            Err(StoreError::Random)
        });
        assert!(failed.unwrap_err().retry());
        assert_eq!(store.read(|c| audit::list(c, None, 10)).unwrap(), []);
        assert!(store.read(|c| Ok(c.execute("DELETE FROM audit", [])?)).is_err(), "a reader only reads");
    }
}
