//! State in a SQLite file that several processes may share.
//!
//! A rollback journal, not a WAL: SQLite ends WAL recovery in silence at the first bad frame, so a
//! flipped bit there could take back writes that were acknowledged. Here a committed write is in
//! the file itself. It costs a second fsync per write, and state is written once a second at most.
//!
//! Each row carries a CRC32C, checked at each read; the sum of all rows carries one too, checked
//! at open, so that a row that vanished is noticed as well as one that changed.

mod rows;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, TransactionBehavior};

use super::sqlite_file::{self, Fault};
use super::{Conflict, Entry, Error, Kind, LIST_COUNT_MAX, StateStore, check_key, check_value};

/// How long an operation waits for another process that writes.
const BUSY_MAX: Duration = Duration::from_secs(2);

/// A state store in a file.
#[derive(Debug, Clone)]
pub struct Sqlite {
    path: Arc<Path>,
    connection: Arc<Mutex<Connection>>,
}

impl Sqlite {
    /// Opens the file, creates it and its directory when they do not exist, and verifies all of it.
    ///
    /// # Errors
    /// [`Kind::Unopenable`], [`Kind::Newer`], [`Kind::Damaged`], [`Kind::Busy`], [`Kind::Full`].
    pub async fn open(path: PathBuf) -> Result<Self, Error> {
        let path: Arc<Path> = path.into();
        let opened = Arc::clone(&path);
        let connection = blocking(move || open(&opened)).await?;
        Ok(Self { path, connection: Arc::new(Mutex::new(connection)) })
    }

    /// Runs `work` in one transaction on a thread that may block.
    async fn transaction<T, F>(&self, behavior: TransactionBehavior, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let this = self.clone();
        blocking(move || {
            // A panic in `work` rolls its transaction back: the connection stays good.
            let mut connection = this.connection.lock().unwrap_or_else(PoisonError::into_inner);
            let result = (|| {
                let transaction = connection.transaction_with_behavior(behavior)?;
                let done = work(&transaction)?;
                transaction.commit()?;
                Ok(done)
            })();
            result.map_err(|failure: Failure| failure.into_error(&this.path))
        })
        .await
    }
}

#[async_trait]
impl StateStore for Sqlite {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        check_key(key)?;
        let key = key.to_owned();
        self.transaction(TransactionBehavior::Deferred, move |rows| rows::get(rows, &key)).await
    }

    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Vec<u8>,
    ) -> Result<Result<u64, Conflict>, Error> {
        check_key(key)?;
        check_value(key, &value)?;
        let key = key.to_owned();
        self.transaction(TransactionBehavior::Immediate, move |rows| {
            let current = rows::get(rows, &key)?;
            if current.as_ref().map(|entry| entry.revision) != expected {
                return Ok(Err(Conflict { current }));
            }
            rows::put(rows, &key, current.as_ref(), &value).map(Ok)
        })
        .await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, Error> {
        check_key(prefix)?;
        let prefix = prefix.to_owned();
        self.transaction(TransactionBehavior::Deferred, move |rows| {
            rows::list(rows, &prefix, LIST_COUNT_MAX)
        })
        .await
    }

    async fn delete(&self, key: &str, expected: u64) -> Result<Result<(), Conflict>, Error> {
        check_key(key)?;
        let key = key.to_owned();
        self.transaction(TransactionBehavior::Immediate, move |rows| match rows::get(rows, &key)? {
            Some(entry) if entry.revision == expected => rows::remove(rows, &key, &entry).map(Ok),
            current => Ok(Err(Conflict { current })),
        })
        .await
    }
}

/// Why a transaction failed, before it is put into words with the path.
#[derive(Debug)]
enum Failure {
    File(Fault),
    TooMany(usize),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::File(fault)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::File(error.into())
    }
}

impl Failure {
    fn damaged(what: impl Into<String>) -> Self {
        Self::File(Fault::Damaged(what.into()))
    }

    fn into_error(self, path: &Path) -> Error {
        match self {
            Self::File(fault) => schema::LAYOUT.error(path, fault),
            Self::TooMany(count) => {
                let path = path.display();
                let text = format!(
                    "state store {path}: more than {count} keys match; list a longer prefix"
                );
                Error::new(Kind::TooLarge, text)
            }
        }
    }
}

fn open(path: &Path) -> Result<Connection, Error> {
    schema::LAYOUT.create_file(path)?;
    connect(path).map_err(|failure| failure.into_error(path))
}

fn connect(path: &Path) -> Result<Connection, Failure> {
    let mut connection = sqlite_file::connect(path, BUSY_MAX)?;
    schema::configure(&connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if schema::LAYOUT.prepare(&transaction)? {
        rows::write_total(&transaction, &rows::Total::default())?;
    }
    rows::verify(&transaction)?;
    transaction.commit()?;
    Ok(connection)
}

async fn blocking<T, F>(work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Error> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        // The runtime is ending, or the work panicked: it is unknown whether it was done.
        Err(Error::new(Kind::Io, "the state store was interrupted").caused_by(error))
    })
}

#[cfg(test)]
mod tests;
