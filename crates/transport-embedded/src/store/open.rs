//! Opening the file: creating it whole or not at all, checking its header and its write-ahead
//! log before SQLite sees them, and setting up connections.

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};

use super::path::with_suffix;
use super::schema::{APPLICATION_ID, PAGE_BYTES, TABLES, VERSION, VERSION_MIN};
use super::space::SPACE_BYTES_MIN;
use crate::format::codec::Kind as RecordKind;
use crate::format::record::Tally;
use crate::store::failure::Failure;
use crate::store::private;
use crate::store::wal_scan::{self, Verdict};
use worldbus_bus::{Error, Fate, Kind};

/// How long a statement waits for the other connections of this process.
const BUSY: Duration = Duration::from_secs(5);
/// Statements that a connection keeps prepared; more than we have.
const STATEMENTS_MAX: usize = 32;
/// Memory for pages, by connection, in KiB.
const PAGE_CACHE_KIB: i64 = 1024;
/// Bytes of the database header.
const HEADER_BYTES: usize = 100;

/// Makes sure that there is a file of ours and that it can be given to SQLite.
pub(crate) fn open_file(file: &Path, sync: bool) -> Result<(), Error> {
    let refused = |failure: Failure| failure.to_error(file, Fate::Refused);
    let wal = with_suffix(file, "-wal");
    let wal_bytes = std::fs::metadata(&wal).map_or(0, |metadata| metadata.len());
    match std::fs::metadata(file) {
        Ok(_) => check_header(file)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && wal_bytes == 0 => {
            return create(file, sync)
                .map_err(|failure| refused(failure.sorted(file, SPACE_BYTES_MIN)));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let what = format!("it is missing next to its write-ahead log {}", wal.display());
            return Err(refused(Failure::Damaged(what)));
        }
        Err(error) => return Err(refused(error.into())),
    }
    if wal_bytes > 0 {
        scan_wal(&wal)?;
    }
    Ok(())
}

/// Scans the write-ahead log and refuses one that is damaged.
fn scan_wal(wal: &Path) -> Result<(), Error> {
    let refused = |failure: Failure| failure.to_error(wal, Fate::Refused);
    let opened = File::open(wal).map_err(|error| refused(error.into()))?;
    let reader = BufReader::with_capacity(1 << 20, opened);
    match wal_scan::scan(reader, PAGE_BYTES).map_err(|error| refused(error.into()))? {
        Verdict::Whole { .. } => Ok(()),
        Verdict::Torn { frames, bytes_behind, .. } => {
            let wal = wal.display();
            tracing::info!(
                %wal, frames, bytes_behind,
                "torn or stale tail of the write-ahead log left out"
            );
            Ok(())
        }
        Verdict::Damaged { frame, position, what } => {
            let place = match frame {
                Some(frame) => format!("frame {frame} at byte {position}: {what}"),
                None => format!("its header: {what}"),
            };
            Err(refused(Failure::Damaged(place)))
        }
    }
}

/// Fills an empty write-ahead log with zeros, which SQLite takes for no frames, and overwrites.
/// A commit then syncs its data alone: measured, half the time of one that makes the file grow.
/// Without the space for it the log grows as it goes.
pub(crate) fn reserve_wal(file: &Path, bytes: u64) -> Result<(), Failure> {
    let wal = with_suffix(file, "-wal");
    let mut reserved = File::options().write(true).open(&wal)?;
    if reserved.metadata()?.len() > 0 {
        return Ok(());
    }
    let zeros = io::copy(&mut io::repeat(0).take(bytes), &mut reserved);
    if let Err(error) = zeros.and_then(|_| reserved.sync_all()) {
        tracing::debug!(wal = %wal.display(), %error, "not reserved");
        reserved.set_len(0)?;
    }
    Ok(())
}

/// Creates the file under another name and moves it into its place when it is complete, so
/// that there is never half a log.
fn create(file: &Path, sync: bool) -> Result<(), Failure> {
    let new = with_suffix(file, ".new");
    for suffix in ["", "-journal", "-wal", "-shm"] {
        match std::fs::remove_file(with_suffix(&new, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    private::create_file(&new)?;
    let connection = connect(&new, sync)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for (_, statement) in TABLES {
        connection.execute_batch(statement)?;
    }
    connection.execute(
        "INSERT INTO record (kind, id, value) VALUES (?1, 0, ?2)",
        params![RecordKind::Tally as u8, Tally { closed: true, ..Tally::default() }.encode()],
    )?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    connection.execute_batch("COMMIT")?;
    // The last connection writes everything into the database as it closes.
    connection.close().map_err(|(_, error)| error)?;
    std::fs::rename(&new, file)?;
    if sync && let Some(dir) = file.parent() {
        // The rename is durable once the directory is.
        File::open(dir)?.sync_all()?;
        if let Some(above) = dir.parent().filter(|above| !above.as_os_str().is_empty()) {
            File::open(above)?.sync_all()?;
        }
    }
    Ok(())
}

/// Refuses a file that is not ours, that is newer, or whose header is damaged. The fields that
/// are looked at never change (<https://www.sqlite.org/fileformat2.html> section 1.3), so it
/// does not matter that the write-ahead log may hold a newer header.
fn check_header(file: &Path) -> Result<(), Error> {
    let refused = |failure: Failure| failure.to_error(file, Fate::Refused);
    let mut header = [0; HEADER_BYTES];
    let read = File::open(file).and_then(|mut opened| opened.read_exact(&mut header));
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return Err(refused(Failure::Damaged("it is shorter than a header".to_owned())));
        }
        read => read.map_err(|error| refused(error.into()))?,
    }
    let number = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let damaged = |what: &str| Err(refused(Failure::Damaged(what.to_owned())));
    if &header[..16] != b"SQLite format 3\0" {
        return damaged("it does not begin as a SQLite database");
    }
    if number(68) != APPLICATION_ID {
        return damaged("it is not a log of worldbus (application id)");
    }
    match number(60) {
        VERSION_MIN..=VERSION => {}
        newer if newer > VERSION => {
            let file = file.display();
            return Err(Error::refused(
                Kind::Invalid,
                format!(
                    "{file} was written by a newer worldbus (format {newer}, this one knows \
                     {VERSION}): upgrade, or choose another --data-dir"
                ),
            ));
        }
        _ => return damaged("its format is unknown"),
    }
    // Page size, WAL for writing and reading, no reserved space, the three payload fractions.
    if header[16..24] != [(PAGE_BYTES >> 8) as u8, 0, 2, 2, 0, 64, 32, 32] {
        return damaged("the layout in its header is not ours");
    }
    if number(44) != 4 || number(56) != 1 {
        return damaged("the schema format or the text encoding in its header is not ours");
    }
    Ok(())
}

/// Marks in the file that its layout is of this version, so that an older program refuses it.
pub(crate) fn upgrade(connection: &Connection) -> Result<(), Failure> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version < VERSION {
        connection.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(())
}

/// A connection that writes.
pub(crate) fn connect(file: &Path, sync: bool) -> Result<Connection, Failure> {
    // Not SQLITE_OPEN_URI: a path with `?` in it is a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    configure(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: the write-ahead log is fsynced at each commit. NORMAL could lose acknowledged
    // batches on power loss (https://www.sqlite.org/pragma.html#pragma_synchronous).
    connection.pragma_update(None, "synchronous", if sync { "FULL" } else { "OFF" })?;
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
