//! Opening the file: private to the user, with the settings of each connection.
#![expect(clippy::disallowed_methods, reason = "this is the adapter to the disk")]

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::fault::Fault;
use super::schema;
use crate::NAME;
use crate::store::StoreError;
use worldbus_service::state::Kind;
use worldbus_world::producer_id;

/// How long a statement waits for another process that writes.
const BUSY_MS_MAX: u64 = 2_000;
/// Statements that a connection keeps prepared; more than we have.
const STATEMENTS_MAX: usize = 64;
/// Memory for pages of the connection that writes, and of each that reads, in KiB.
const WRITER_CACHE_KIB: i64 = 8 << 10;
const READER_CACHE_KIB: i64 = 1 << 10;
/// Pages of the write-ahead log after which it goes into the file, 32 MiB: random writes are
/// gathered.
const CHECKPOINT_PAGES: i64 = 8 << 10;
/// A write-ahead log that a long read made longer is cut to this.
const WAL_BYTES_MAX: i64 = 64 << 20;

/// The connection that writes. Creates the file and its directory when they do not exist.
pub(super) fn writer(path: &Path, world: &str) -> Result<Connection, StoreError> {
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        worldbus_files::create_dir(directory).map_err(|error| {
            let text = format!("cannot create the directory {}: {error}", directory.display());
            StoreError::new(Kind::Unopenable, text)
        })?;
    }
    for path in [path.to_owned(), with_suffix(path, "-wal"), with_suffix(path, "-shm")] {
        worldbus_files::check_file(&path).map_err(|error| {
            let path = path.display();
            let advice = "put the file itself there, or choose another --state-database";
            StoreError::new(Kind::Unopenable, format!("cannot use {path}: {error}; {advice}"))
        })?;
    }
    if let Err(error) = create_file(path) {
        // SQLite meets the same, and has the reason.
        tracing::debug!(path = %path.display(), %error, "the state's file was not created");
    }
    connect_writer(path, world).map_err(|fault| fault.into_error(path))
}

fn connect_writer(path: &Path, world: &str) -> Result<Connection, Fault> {
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_MAX)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // The database's own random: two databases of a world never share a producer.
    let random: i64 = connection.query_row("SELECT random()", [], |row| row.get(0))?;
    let producer = producer_id(world, NAME, 0, random.cast_unsigned());
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    schema::prepare(&transaction, world, producer)?;
    transaction.commit()?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> Result<Connection, Fault> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn connect(path: &Path, access: OpenFlags, cache_kib: i64) -> Result<Connection, Fault> {
    // Not SQLITE_OPEN_URI: a path with `?` in it is a path.
    let flags = access | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_millis(BUSY_MS_MAX))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// Who publishes the events of this file, and the version that it is at.
pub(super) fn identity(rows: &Connection, path: &Path) -> Result<(u64, u64), StoreError> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let found = rows.query_row("SELECT producer, version FROM world", [], read);
    let (producer, version) = found.map_err(|error| Fault::from(error).into_error(path))?;
    Ok((producer.cast_unsigned(), version.cast_unsigned()))
}

/// Creates the file for this user alone. SQLite gives the files next to it the same rights.
fn create_file(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        worldbus_files::tighten(path);
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        opened => opened.map(drop),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
