//! The chronicle in a SQLite file: `chronicle.db`, with the words of the texts in FTS5. Several
//! processes of one machine may share it.
//!
//! A write-ahead log, synced at every commit: readers never wait for the writer. Not here: what is
//! stored.

mod find;
mod ledger;
mod rewrite;
mod rows;
mod schema;
mod words;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use tokio::sync::Semaphore;

use super::{ArcSearch, Committed, Extent, Found, FoundArc, Kept, Page, Rewrite, Search, Store};
use crate::ledger::{Changes, Publication, Saved};
use worldbus_events::EventId;
use worldbus_service::state::{Error, Kind};

/// How long an operation waits for another process that writes.
const BUSY_MS_MAX: u64 = 5_000;
/// Searches at a time.
const READER_COUNT: usize = 2;
/// Bytes of a reader's cache, in KiB and negative as SQLite has it.
const CACHE_KIB: i64 = -4_096;

/// A chronicle in a file.
#[derive(Debug, Clone)]
pub(crate) struct Sqlite {
    path: Arc<Path>,
    writer: Arc<Mutex<Connection>>,
    readers: Arc<[Mutex<Connection>]>,
    places: Arc<Semaphore>,
}

/// Why a transaction failed, before it is put into words with the path.
#[derive(Debug)]
enum Failure {
    Sqlite(rusqlite::Error),
    Damaged(String),
    Newer(i64),
    OtherWorld(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Sqlite {
    /// Opens the chronicle of a world; creates the file and its directory if they are not there.
    ///
    /// # Errors
    /// `Unopenable`, `Newer`, `Damaged`, `Busy`, `Full`; it is of another world.
    pub(crate) async fn open(path: PathBuf, world: &str) -> Result<Self, Error> {
        let (path, world): (Arc<Path>, String) = (path.into(), world.to_owned());
        let opened = Arc::clone(&path);
        blocking(move || {
            prepare(&opened)?;
            let open = || {
                let mut writer = connect(&opened)?;
                schema::prepare(&mut writer, &world)?;
                let readers = (0..READER_COUNT).map(|_| connect(&opened).map(Mutex::new));
                Ok((writer, readers.collect::<Result<Vec<_>, Failure>>()?))
            };
            let (writer, readers) = open().map_err(|failure: Failure| failure.of(&opened))?;
            Ok(Self {
                path: opened,
                writer: Arc::new(Mutex::new(writer)),
                readers: readers.into(),
                places: Arc::new(Semaphore::new(READER_COUNT)),
            })
        })
        .await
    }

    /// Runs `work` in one transaction.
    async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let this = self.clone();
        blocking(move || {
            // A panic in `work` rolls its transaction back: the connection stays good.
            let mut writer = this.writer.lock().unwrap_or_else(PoisonError::into_inner);
            let result = (|| {
                let behavior = TransactionBehavior::Immediate;
                let transaction = writer.transaction_with_behavior(behavior)?;
                let done = work(&transaction)?;
                transaction.commit()?;
                Ok(done)
            })();
            result.map_err(|failure: Failure| failure.of(&this.path))
        })
        .await
    }

    /// Runs `work` on what is stored at one instant.
    async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let ended = |_| Error::new(Kind::Busy, "the chronicle is closing");
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(ended)?;
        let this = self.clone();
        blocking(move || {
            let _place = place;
            let free = this.readers.iter().find_map(|reader| reader.try_lock().ok());
            let mut reader = match free {
                Some(reader) => reader,
                None => this.readers[0].lock().unwrap_or_else(PoisonError::into_inner),
            };
            let result = (|| {
                let transaction = reader.transaction()?;
                work(&transaction)
            })();
            result.map_err(|failure: Failure| failure.of(&this.path))
        })
        .await
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn revision(&self) -> Result<u64, Error> {
        self.read(ledger::revision).await
    }

    async fn load(&self) -> Result<(u64, Saved), Error> {
        self.read(ledger::load).await
    }

    async fn commit(&self, revision: Option<u64>, changes: Changes) -> Result<Committed, Error> {
        self.write(move |rows| ledger::commit(rows, revision, &changes)).await
    }

    async fn outbox(&self, count_max: usize) -> Result<Vec<(i64, Publication)>, Error> {
        self.read(move |rows| ledger::outbox(rows, count_max)).await
    }

    async fn published(&self, through: i64) -> Result<(), Error> {
        self.write(move |rows| ledger::published(rows, through)).await
    }

    async fn entry(&self, id: EventId) -> Result<Option<Found>, Error> {
        self.read(move |rows| find::entry(rows, id)).await
    }

    async fn search(&self, search: Search) -> Result<Page, Error> {
        self.read(move |rows| find::search(rows, &search)).await
    }

    async fn arcs(&self, search: ArcSearch) -> Result<Vec<FoundArc>, Error> {
        self.read(move |rows| find::arcs(rows, &search)).await
    }

    async fn extent(&self) -> Result<Extent, Error> {
        self.read(find::extent).await
    }

    async fn rewrite(&self, wanted: Rewrite) -> Result<bool, Error> {
        self.write(move |rows| rewrite::rewrite(rows, &wanted)).await
    }

    async fn kept(&self, name: &str) -> Result<Option<Kept>, Error> {
        let name = name.to_owned();
        self.read(move |rows| ledger::kept(rows, &name)).await
    }

    async fn keep(
        &self,
        name: &str,
        revision: u64,
        value: String,
        publications: Vec<Publication>,
    ) -> Result<bool, Error> {
        let name = name.to_owned();
        self.write(move |rows| ledger::keep(rows, &name, revision, &value, &publications)).await
    }
}

impl Failure {
    fn of(self, path: &Path) -> Error {
        let path = path.display();
        match self {
            Self::Damaged(what) => Error::new(
                Kind::Damaged,
                format!("chronicle {path} is damaged: {what}; restore it from a copy"),
            ),
            Self::Newer(version) => Error::new(
                Kind::Newer,
                format!(
                    "chronicle {path} has version {version}; this worldbus reads up to {}: run the \
                     newer worldbus, or set another file",
                    schema::VERSION
                ),
            ),
            Self::OtherWorld(world) => Error::new(
                Kind::Unopenable,
                format!("chronicle {path} is of world {world:?}; set another file for this world"),
            ),
            Self::Sqlite(error) => {
                let (kind, words) = classify(&error);
                Error::new(kind, format!("chronicle {path}: {words}")).caused_by(error)
            }
        }
    }
}

fn classify(error: &rusqlite::Error) -> (Kind, String) {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            (Kind::Full, "the disk is full; writes resume when there is room".to_owned())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (Kind::Busy, "another process holds it; retry".to_owned())
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
            Kind::Damaged,
            format!("damaged, or not a chronicle ({error}); restore it from a copy"),
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            (Kind::Unopenable, format!("cannot open or write it ({error}); check path and rights"))
        }
        Some(_) => (Kind::Io, format!("the disk failed ({error})")),
        // No SQLite code: a column that is not of the type that we wrote.
        None => (Kind::Damaged, format!("it holds what worldbus did not write ({error})")),
    }
}

/// Creates the directory, and refuses what is no file.
fn prepare(path: &Path) -> Result<(), Error> {
    let refused = |error: std::io::Error| {
        let text = format!("cannot use {}: {error}; set another file", path.display());
        Error::new(Kind::Unopenable, text).caused_by(error)
    };
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        worldbus_files::create_dir(directory).map_err(refused)?;
    }
    worldbus_files::check_file(path).map_err(refused)
}

fn connect(path: &Path) -> Result<Connection, Failure> {
    // Not SQLITE_OPEN_URI: a path with `?` in it is a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    worldbus_files::tighten(path);
    connection.busy_timeout(Duration::from_millis(BUSY_MS_MAX))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    Ok(connection)
}

async fn blocking<T, F>(work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Error> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        // The runtime is ending, or the work panicked: it is unknown whether it was done.
        Err(Error::new(Kind::Io, "the chronicle was interrupted").caused_by(error))
    })
}
