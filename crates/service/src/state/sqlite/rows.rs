//! The rows: their checksums, and the total that is kept with them.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::Failure;
use crate::state::Entry;

/// What all rows add up to; kept in the same transaction as each write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Total {
    /// The last revision given.
    revision: u64,
    entries: u64,
    /// Exclusive or of the rows' checksums.
    crcs: u32,
}

impl Total {
    fn crc(&self) -> u32 {
        let mut crc = crc32c::crc32c(&self.revision.to_le_bytes());
        crc = crc32c::crc32c_append(crc, &self.entries.to_le_bytes());
        crc32c::crc32c_append(crc, &self.crcs.to_le_bytes())
    }

    fn with(&mut self, key: &str, entry: &Entry) {
        self.entries = self.entries.wrapping_add(1);
        self.crcs ^= checksum(key, entry);
    }

    fn without(&mut self, key: &str, entry: &Entry) {
        self.entries = self.entries.wrapping_sub(1);
        self.crcs ^= checksum(key, entry);
    }
}

/// Over key, revision and value, each with its length, so that bytes cannot move between them.
fn checksum(key: &str, entry: &Entry) -> u32 {
    let mut crc = crc32c::crc32c(&(key.len() as u64).to_le_bytes());
    crc = crc32c::crc32c_append(crc, key.as_bytes());
    crc = crc32c::crc32c_append(crc, &entry.revision.to_le_bytes());
    crc32c::crc32c_append(crc, &entry.value)
}

pub(super) fn get(rows: &Connection, key: &str) -> Result<Option<Entry>, Failure> {
    let mut statement =
        rows.prepare("SELECT key, revision, value, crc FROM entry WHERE key = ?1")?;
    match statement.query_row([key], checked).optional()? {
        Some(row) => Ok(Some(row?.1)),
        None => Ok(None),
    }
}

pub(super) fn list(
    rows: &Connection,
    prefix: &str,
    count_max: usize,
) -> Result<Vec<(String, Entry)>, Failure> {
    // Keys compare as bytes, so those with the prefix are the first ones not below it.
    let mut statement =
        rows.prepare("SELECT key, revision, value, crc FROM entry WHERE key >= ?1 ORDER BY key")?;
    let mut found = Vec::new();
    for row in statement.query_map([prefix], checked)? {
        let (key, entry) = row??;
        if !key.starts_with(prefix) {
            break;
        }
        if found.len() == count_max {
            return Err(Failure::TooMany(count_max));
        }
        found.push((key, entry));
    }
    Ok(found)
}

/// Writes the entry in place of `before` and returns its revision.
pub(super) fn put(
    rows: &Connection,
    key: &str,
    before: Option<&Entry>,
    value: &[u8],
) -> Result<u64, Failure> {
    let mut total = read_total(rows)?;
    if let Some(before) = before {
        total.without(key, before);
    }
    total.revision += 1;
    let entry = Entry { value: value.to_vec(), revision: total.revision };
    total.with(key, &entry);
    rows.prepare(
        "INSERT INTO entry (key, revision, value, crc) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (key) DO UPDATE SET revision = ?2, value = ?3, crc = ?4",
    )?
    .execute(params![key, signed(entry.revision), entry.value, checksum(key, &entry)])?;
    write_total(rows, &total)?;
    Ok(total.revision)
}

pub(super) fn remove(rows: &Connection, key: &str, entry: &Entry) -> Result<(), Failure> {
    let mut total = read_total(rows)?;
    total.without(key, entry);
    rows.prepare("DELETE FROM entry WHERE key = ?1")?.execute([key])?;
    write_total(rows, &total)
}

/// Reads everything and compares it with its checksums.
pub(super) fn verify(rows: &Connection) -> Result<(), Failure> {
    let structure: String = rows.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if structure != "ok" {
        return Err(Failure::damaged(structure));
    }
    let kept = read_total(rows)?;
    let mut counted = Total { revision: kept.revision, ..Total::default() };
    let mut statement = rows.prepare("SELECT key, revision, value, crc FROM entry")?;
    for row in statement.query_map([], checked)? {
        let (key, entry) = row??;
        counted.with(&key, &entry);
    }
    if counted == kept {
        return Ok(());
    }
    Err(Failure::damaged(format!(
        "{} entries are there where {} were written",
        counted.entries, kept.entries
    )))
}

fn read_total(rows: &Connection) -> Result<Total, Failure> {
    let read = |row: &Row<'_>| {
        let total = Total {
            revision: unsigned(row.get(0)?),
            entries: unsigned(row.get(1)?),
            crcs: row.get(2)?,
        };
        Ok((total, row.get::<_, u32>(3)?))
    };
    let mut statement =
        rows.prepare("SELECT revision, entries, crcs, crc FROM total WHERE id = 0")?;
    match statement.query_row([], read).optional()? {
        Some((total, crc)) if crc == total.crc() => Ok(total),
        Some(_) => Err(Failure::damaged("the checksum of the total is wrong")),
        None => Err(Failure::damaged("the total is missing")),
    }
}

pub(super) fn write_total(rows: &Connection, total: &Total) -> Result<(), Failure> {
    rows.prepare(
        "INSERT OR REPLACE INTO total (id, revision, entries, crcs, crc) \
         VALUES (0, ?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        signed(total.revision),
        signed(total.entries),
        total.crcs,
        total.crc()
    ])?;
    Ok(())
}

/// A row whose checksum is right, or why it is not to be used.
fn checked(row: &Row<'_>) -> rusqlite::Result<Result<(String, Entry), Failure>> {
    let key: String = row.get(0)?;
    let entry = Entry { revision: unsigned(row.get(1)?), value: row.get(2)? };
    let crc: u32 = row.get(3)?;
    if crc == checksum(&key, &entry) {
        return Ok(Ok((key, entry)));
    }
    Ok(Err(Failure::damaged(format!("the checksum of key `{key}` is wrong"))))
}

/// SQLite's integers are signed; the bits are ours.
fn signed(number: u64) -> i64 {
    number.cast_signed()
}

fn unsigned(number: i64) -> u64 {
    number.cast_unsigned()
}
