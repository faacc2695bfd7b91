//! Taking over a log of a format before 4, in which SQLite had everything: all of it is copied into
//! a journal, whose fold is then made as any that is missing.
//!
//! Until the old file goes it is the log, and segments next to it are of a takeover that did not
//! come to its end: they are removed, and it begins again. Before it goes all segments are synced;
//! that it is gone is synced before anything is acknowledged.
//!
//! Not for: writing such a log.

mod wal_scan;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _};

use crate::format::group;
use crate::journal::append::{self, Settings};
use crate::journal::changes::Records;
use crate::journal::disk::Disk;
use crate::journal::scan::Scan;
use crate::journal::segments::{Segments, is_segment};
use crate::journal::{Changes, Journal, NewGroup};
use crate::options::Options;
use crate::store::database::{connect, remove};
use crate::store::failure::Failure;
use crate::store::fold::checkpoint;
use crate::store::load::load;
use crate::store::path::with_suffix;
use crate::store::query;
use crate::store::schema::PAGE_BYTES;
use wal_scan::Verdict;

/// The tables of formats 1 to 3.
const TABLES: [(&str, &str); 4] = [
    (
        "commit_group",
        "CREATE TABLE commit_group (id INTEGER PRIMARY KEY NOT NULL, head BLOB NOT NULL, \
         data BLOB NOT NULL) STRICT",
    ),
    (
        "dead_letter",
        "CREATE TABLE dead_letter (number INTEGER PRIMARY KEY NOT NULL, key BLOB NOT NULL, \
         value BLOB NOT NULL) STRICT",
    ),
    (
        "entry",
        "CREATE TABLE entry (topic INTEGER NOT NULL, first_offset INTEGER NOT NULL, \
         batches INTEGER NOT NULL, bytes INTEGER NOT NULL, appended_ms INTEGER NOT NULL, \
         group_id INTEGER NOT NULL, crc INTEGER NOT NULL, \
         PRIMARY KEY (topic, first_offset)) STRICT, WITHOUT ROWID",
    ),
    (
        "record",
        "CREATE TABLE record (kind INTEGER NOT NULL, id INTEGER NOT NULL, value BLOB NOT NULL, \
         PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID",
    ),
];

/// Bytes of dead letters that one record takes over. One letter more may go in.
const LETTERS_BYTES: usize = 1 << 20;

/// Copies the log in `file` into segments next to it, and removes the file.
///
/// # Errors
/// `Damaged` if it is not what was written, `Full` if it does not fit a second time. Then it is as
/// it was, and can be opened by the version before.
pub(super) fn take_over(
    disk: &Arc<dyn Disk>,
    file: &Path,
    options: &Options,
    settings: Settings,
) -> Result<(), Failure> {
    let shown = file.display();
    tracing::info!(file = %shown, "taking over a log of the format before: it is copied once");
    remove_segments(&**disk)?;
    scan_wal(file)?;

    // All of it is verified; none of it is changed.
    let connection = connect(file, options.sync)?;
    let now_ms = options.clock.steady_us().div_euclid(1000);
    load(&connection, &TABLES, now_ms)?;
    if let Err(failure) = copy(disk, &connection, settings) {
        // The space is needed, and the old log is the log.
        remove_segments(&**disk)?;
        return Err(failure);
    }

    // The write-ahead log goes first: alone it could be taken for another database's.
    if !checkpoint(&connection, "TRUNCATE") {
        return Err(Failure::Busy("its write-ahead log could not be moved into it".to_owned()));
    }
    connection.close().map_err(|(_, error)| error)?;
    remove(file)?;
    disk.sync().map_err(|error| Failure::Io(format!("sync of the directory: {error}")))?;
    tracing::info!(file = %shown, "taken over");
    Ok(())
}

fn remove_segments(disk: &dyn Disk) -> Result<(), Failure> {
    for name in disk.list()?.iter().filter(|name| is_segment(name)) {
        disk.remove(name)?;
    }
    Ok(disk.sync()?)
}

/// Scans the write-ahead log before SQLite does, and refuses one that is damaged.
fn scan_wal(file: &Path) -> Result<(), Failure> {
    let wal = with_suffix(file, "-wal");
    let opened = match File::open(&wal) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let reader = BufReader::with_capacity(1 << 20, opened);
    match wal_scan::scan(reader, PAGE_BYTES)? {
        Verdict::Whole { .. } => Ok(()),
        Verdict::Torn { frames, bytes_behind, .. } => {
            tracing::info!(
                frames,
                bytes_behind,
                "torn or stale tail of the write-ahead log left out"
            );
            Ok(())
        }
        Verdict::Damaged { frame, position, what } => {
            let place = match frame {
                Some(frame) => format!("frame {frame} at byte {position}: {what}"),
                None => format!("its header: {what}"),
            };
            Err(Failure::Damaged(format!("its write-ahead log, {place}")))
        }
    }
}

/// Copies groups, then dead letters, then the small records, whose heads state what of a group is
/// not there any more.
fn copy(disk: &Arc<dyn Disk>, from: &Connection, settings: Settings) -> Result<(), Failure> {
    append::create(&**disk, append::random_number()?, settings)?;
    let missing = || Failure::Damaged("the first segment vanished".to_owned());
    let segments = Segments::list(&**disk)?.ok_or_else(missing)?;
    let (end, _) = Scan::from_start(&**disk, &segments)?.end();
    let mut journal =
        Journal::open(Arc::clone(disk), &segments, end, Records::default(), settings)?;

    let mut next = 0;
    while let Some(group) = group_from(from, next)? {
        next = group.id + 1;
        journal.append(&Changes { group: Some(group), ..Changes::default() })?;
    }
    let mut statement =
        from.prepare("SELECT number, key, value FROM dead_letter ORDER BY number")?;
    let mut rows = statement.query([])?;
    let (mut dead, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let number = row.get::<_, i64>(0)?.cast_unsigned();
        query::dead_letter(number, row, 1)?;
        let (key, value): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?);
        bytes += value.len();
        dead.push((number, key.into(), value.into()));
        if bytes >= LETTERS_BYTES {
            bytes = 0;
            journal.append(&Changes { dead: std::mem::take(&mut dead), ..Changes::default() })?;
        }
    }
    let all = query::all_records(from)?.into_iter();
    let records = all.map(|((kind, id), value)| (kind, id, value)).collect();
    journal.append(&Changes { dead, records, ..Changes::default() })?;
    Ok(())
}

/// The first commit group from a number on, verified.
fn group_from(connection: &Connection, from: u64) -> Result<Option<NewGroup>, Failure> {
    let found: Option<(i64, Vec<u8>, Vec<u8>)> = connection
        .prepare_cached(
            "SELECT id, head, data FROM commit_group WHERE id >= ?1 ORDER BY id LIMIT 1",
        )?
        .query_row([from.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((id, head, data)) = found else { return Ok(None) };
    let id = id.cast_unsigned();
    let decoded = query::group_head(id, &head)?;
    group::records(id, &decoded, &data).map_err(Failure::Damaged)?;
    let (head, data) = (Bytes::from(head), Bytes::from(data));
    Ok(Some(NewGroup { id, head, data, indexes: None }))
}
