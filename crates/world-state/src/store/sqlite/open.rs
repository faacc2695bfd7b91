//! Opening the file: private to the user, with the settings of each connection.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior, params};

use super::fault::Fault;
use super::schema::LAYOUT;
use crate::NAME;
use crate::store::StoreError;
use worldbus_service::state::sqlite_file;
use worldbus_world::producer_id;

/// How long a statement waits for another process that writes.
const BUSY_MAX: Duration = Duration::from_secs(2);
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
    LAYOUT.create_file(path)?;
    connect_writer(path, world).map_err(|fault| fault.into_error(path))
}

fn connect_writer(path: &Path, world: &str) -> Result<Connection, Fault> {
    let mut connection = connect(path, WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_MAX)?;
    // The database's own random: two databases of a world never share a producer.
    let random: i64 = connection.query_row("SELECT random()", [], |row| row.get(0))?;
    let producer = producer_id(world, NAME, 0, random.cast_unsigned());
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    prepare(&transaction, world, producer)?;
    transaction.commit()?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> Result<Connection, Fault> {
    let connection = connect(path, READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn connect(path: &Path, cache_kib: i64) -> Result<Connection, Fault> {
    let connection = sqlite_file::connect(path, BUSY_MAX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    Ok(connection)
}

/// Who publishes the events of this file, and the version that it is at.
pub(super) fn identity(rows: &Connection, path: &Path) -> Result<(u64, u64), StoreError> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let found = rows.query_row("SELECT producer, version FROM world", [], read);
    let (producer, version) = found.map_err(|error| Fault::from(error).into_error(path))?;
    Ok((producer.cast_unsigned(), version.cast_unsigned()))
}

/// Creates the tables in an empty file; refuses a file that is newer, of another world, or not
/// ours.
fn prepare(rows: &Connection, world: &str, producer: u64) -> Result<(), Fault> {
    if LAYOUT.prepare(rows)? {
        let insert = "INSERT INTO world (id, name, producer, version, published, kept_from)
                      VALUES (0, ?1, ?2, 0, 0, 0)";
        rows.execute(insert, params![world, producer.cast_signed()])?;
    }
    check_world(rows, world)
}

fn check_world(rows: &Connection, world: &str) -> Result<(), Fault> {
    let kept: String = rows.query_row("SELECT name FROM world", [], |row| row.get(0))?;
    if kept == world {
        return Ok(());
    }
    let what = format!(
        "expected the state of world {world:?}, found that of {kept:?}; give each world a \
         --state-database of its own"
    );
    Err(Fault::damaged(what))
}
