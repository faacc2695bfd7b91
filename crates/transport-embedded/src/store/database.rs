//! The SQLite file as a file: creating it whole or not at all, checking its header before SQLite
//! sees it, and setting up connections.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};

use super::schema::{APPLICATION_ID, PAGE_BYTES, TABLES, VERSION, VERSION_MIN};
use crate::format::codec::Kind as RecordKind;
use crate::format::record::Folded;
use crate::store::failure::Failure;
use crate::store::path::with_suffix;
use crate::store::private;

/// How long a statement waits for the other connections of this process.
const BUSY: Duration = Duration::from_secs(5);
/// Statements that a connection keeps prepared; more than we have.
const STATEMENTS_MAX: usize = 32;
/// Memory for pages, by connection, in KiB.
const PAGE_CACHE_KIB: i64 = 1024;
/// Bytes of the database header.
const HEADER_BYTES: usize = 100;
/// Not SQLITE_OPEN_URI: a path with `?` in it is a path.
const WRITABLE: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE
    .union(OpenFlags::SQLITE_OPEN_CREATE)
    .union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// What there is of a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Missing,
    /// A log of a format before, without a journal.
    Old,
    Fold,
}

/// Looks at the file, before anything opens it.
///
/// # Errors
/// `Damaged` if it is not one of ours, `Newer`, `Io`.
pub(crate) fn look(file: &Path) -> Result<Found, Failure> {
    match std::fs::metadata(file) {
        Ok(_) => check_header(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Missing),
        Err(error) => Err(error.into()),
    }
}

/// Creates the empty fold of a journal, in the place of one that is there: whole under another
/// name, synced, and moved into its place, so that there is never half a fold.
pub(crate) fn create(file: &Path, journal: u64, sync: bool) -> Result<(), Failure> {
    let new = with_suffix(file, ".new");
    remove(&new)?;
    private::create_file(&new)?;
    let connection = Connection::open_with_flags(&new, WRITABLE)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for (_, statement) in TABLES {
        connection.execute_batch(statement)?;
    }
    let folded = Folded { journal, ..Folded::default() };
    connection.execute(
        "INSERT INTO record (kind, id, value) VALUES (?1, 0, ?2)",
        params![RecordKind::Folded as u8, folded.encode()],
    )?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    connection.execute_batch("COMMIT")?;
    connection.close().map_err(|(_, error)| error)?;

    // Without a write-ahead log of another file, which SQLite would take for its own.
    remove(file)?;
    let dir = file.parent().unwrap_or(Path::new("."));
    if sync {
        File::open(&new)?.sync_all()?;
        worldbus_files::sync_dir(dir)?;
    }
    std::fs::rename(&new, file)?;
    if sync { Ok(worldbus_files::sync_dir(dir)?) } else { Ok(()) }
}

/// Removes a database with what lies next to it, the database last.
pub(crate) fn remove(file: &Path) -> io::Result<()> {
    for suffix in ["-journal", "-wal", "-shm", ""] {
        match std::fs::remove_file(with_suffix(file, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a file that is not ours, that is newer, or whose header is damaged. The fields that
/// are looked at never change (<https://www.sqlite.org/fileformat2.html> section 1.3), so it
/// does not matter that the write-ahead log may hold a newer header.
fn check_header(file: &Path) -> Result<Found, Failure> {
    let mut header = [0; HEADER_BYTES];
    let read = File::open(file).and_then(|mut opened| opened.read_exact(&mut header));
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(Failure::Damaged("it is shorter than a header".to_owned()));
        }
        read => read?,
    }
    let number = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let damaged = |what: &str| Err(Failure::Damaged(what.to_owned()));
    if &header[..16] != b"SQLite format 3\0" {
        return damaged("it does not begin as a SQLite database");
    }
    if number(68) != APPLICATION_ID {
        return damaged("it is not a log of worldbus (application id)");
    }
    let found = match number(60) {
        VERSION => Found::Fold,
        VERSION_MIN..VERSION => Found::Old,
        newer if newer > VERSION => {
            let formats = format!("log.db has format {newer}, this one knows {VERSION}");
            return Err(Failure::Newer(formats));
        }
        _ => return damaged("its format is unknown"),
    };
    // Page size, no reserved space, the three payload fractions. With a rollback journal it was
    // created, and not opened yet.
    let by_journal = [(PAGE_BYTES >> 8) as u8, 0, 1, 1, 0, 64, 32, 32];
    let by_wal = [(PAGE_BYTES >> 8) as u8, 0, 2, 2, 0, 64, 32, 32];
    if header[16..24] != by_wal && (header[16..24] != by_journal || found == Found::Old) {
        return damaged("the layout in its header is not ours");
    }
    if number(44) != 4 || number(56) != 1 {
        return damaged("the schema format or the text encoding in its header is not ours");
    }
    Ok(found)
}

/// A connection that writes.
pub(crate) fn connect(file: &Path, sync: bool) -> Result<Connection, Failure> {
    let connection = Connection::open_with_flags(file, WRITABLE)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    configure(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // NORMAL: after a power loss the fold may be older than it was, and is one that there was
    // (https://www.sqlite.org/pragma.html#pragma_synchronous). The journal has the rest.
    connection.pragma_update(None, "synchronous", if sync { "NORMAL" } else { "OFF" })?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // Nothing of a transaction reaches the write-ahead log before its commit.
    connection.pragma_update(None, "cache_spill", false)?;
    Ok(connection)
}

/// A connection that reads.
pub(crate) fn connect_reader(file: &Path) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    configure(&connection)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<(), Failure> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -PAGE_CACHE_KIB)?;
    Ok(())
}
