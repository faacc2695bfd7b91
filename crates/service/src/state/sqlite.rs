//! State in a SQLite file that several processes may share.
//!
//! A rollback journal, not a WAL: SQLite ends WAL recovery in silence at the first bad frame, so a
//! flipped bit there could take back writes that were acknowledged. Here a committed write is in
//! the file itself. It costs a second fsync per write, and state is written once a second at most.
//!
//! Each row carries a CRC32C, checked at each read; the sum of all rows carries one too, checked
//! at open, so that a row that vanished is noticed as well as one that changed.

mod private;
mod rows;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::{Conflict, Entry, Error, Kind, LIST_COUNT_MAX, StateStore, check_key, check_value};

/// How long an operation waits for another process that writes.
const BUSY_MS_MAX: u64 = 2_000;

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
    Sqlite(rusqlite::Error),
    Damaged(String),
    Newer(i64),
    TooMany(usize),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Failure {
    fn into_error(self, path: &Path) -> Error {
        let path = path.display();
        match self {
            Self::Damaged(what) => Error::new(
                Kind::Damaged,
                format!("state store {path} is damaged: {what}; restore it from a copy"),
            ),
            Self::Newer(version) => Error::new(
                Kind::Newer,
                format!(
                    "state store {path} has version {version}; this worldbus reads up to {}: \
                     run the newer worldbus, or choose another --data-dir",
                    schema::VERSION
                ),
            ),
            Self::TooMany(count) => Error::new(
                Kind::TooLarge,
                format!("state store {path}: more than {count} keys match; list a longer prefix"),
            ),
            Self::Sqlite(error) => {
                let (kind, words) = classify(&error);
                Error::new(kind, format!("state store {path}: {words}")).caused_by(error)
            }
        }
    }
}

fn classify(error: &rusqlite::Error) -> (Kind, String) {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            (Kind::Full, "the disk is full; make room, then it goes on".to_owned())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (Kind::Busy, "another process holds it; trying again may help".to_owned())
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
            Kind::Damaged,
            format!("it is damaged or not a state store ({error}); restore it from a copy"),
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            (Kind::Unopenable, format!("cannot open or write it ({error}); check path and rights"))
        }
        Some(_) if write_failed(error) => {
            let why = "a fault of the disk, a quota, or the limit of file sizes (`ulimit -f`)";
            (Kind::Io, format!("cannot write it ({error}): {why} is in the way"))
        }
        Some(_) => (Kind::Io, format!("the disk failed ({error})")),
        // No SQLite code: a column that is not of the type that we wrote.
        None => (Kind::Damaged, format!("it holds what worldbus did not write ({error})")),
    }
}

/// `SQLITE_IOERR_WRITE`: SQLite does not say why the system refused a write.
fn write_failed(error: &rusqlite::Error) -> bool {
    const IOERR_WRITE: i32 = 10 | (3 << 8);
    error.sqlite_error().is_some_and(|error| error.extended_code == IOERR_WRITE)
}

#[allow(clippy::disallowed_methods, reason = "this is the adapter to the disk")]
fn open(path: &Path) -> Result<Connection, Error> {
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        worldbus_files::create_dir(directory).map_err(|error| {
            let text = format!("cannot create the directory {}: {error}", directory.display());
            Error::new(Kind::Unopenable, text).caused_by(error)
        })?;
    }
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    for path in [path, Path::new(&journal)] {
        worldbus_files::check_file(path).map_err(|error| {
            let path = path.display();
            let advice = "put the file itself there, or choose another --data-dir";
            Error::new(Kind::Unopenable, format!("cannot use {path}: {error}; {advice}"))
        })?;
    }
    if let Err(error) = private::create_file(path) {
        // SQLite meets the same, and has the reason.
        tracing::debug!(path = %path.display(), %error, "the state's file was not created");
    }
    connect(path).map_err(|failure| failure.into_error(path))
}

fn connect(path: &Path) -> Result<Connection, Failure> {
    // Not SQLITE_OPEN_URI: a path with `?` in it is a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_millis(BUSY_MS_MAX))?;
    schema::configure(&connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    schema::prepare(&transaction)?;
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
