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
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::Semaphore;

use super::{ArcSearch, Committed, Extent, Found, FoundArc, Kept, Page, Rewrite, Search, Store};
use crate::ledger::{Changes, Publication, Saved};
use worldbus_events::EventId;
use worldbus_service::state::sqlite_file::{self, Fault};
use worldbus_service::state::{Error, Kind};

/// How long an operation waits for another process that writes.
const BUSY_MAX: Duration = Duration::from_secs(5);
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
    File(Fault),
    OtherWorld(String),
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

impl Sqlite {
    /// Opens the chronicle of a world; creates the file and its directory if they are not there.
    ///
    /// # Errors
    /// `Unopenable`, `Newer`, `Damaged`, `Busy`, `Full`; it is of another world.
    pub(crate) async fn open(path: PathBuf, world: &str) -> Result<Self, Error> {
        let (path, world): (Arc<Path>, String) = (path.into(), world.to_owned());
        let opened = Arc::clone(&path);
        blocking(move || {
            schema::LAYOUT.create_file(&opened)?;
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
    fn damaged(what: impl Into<String>) -> Self {
        Self::File(Fault::Damaged(what.into()))
    }

    fn of(self, path: &Path) -> Error {
        match self {
            Self::File(fault) => schema::LAYOUT.error(path, fault),
            Self::OtherWorld(world) => {
                let path = path.display();
                let text =
                    format!("chronicle {path} is of world {world:?}; set another --chronicle");
                Error::new(Kind::Unopenable, text)
            }
        }
    }
}

fn connect(path: &Path) -> Result<Connection, Failure> {
    let connection = sqlite_file::connect(path, BUSY_MAX)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
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
