//! Finding and verifying what is stored. Nothing leaves here whose checksum is wrong.

use std::collections::BTreeMap;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::format::codec::{Kind, Put};
use crate::format::group::{Head, Section};
use crate::format::record::{Dead, DeadKey, Folded, Tally};
use crate::journal::Place;
use crate::store::failure::Failure;

/// Where a stretch of a topic's batches is: in which commit group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) section: Section,
    pub(crate) appended_ms: i64,
    pub(crate) group: u64,
    /// The record of that commit.
    pub(crate) place: Place,
}

const COLUMNS: &str = "topic, first_offset, batches, bytes, appended_ms, group_id, segment, \
                       position, length, crc";

impl Entry {
    fn crc(&self) -> u32 {
        let Section { topic, first_offset, batches, bytes } = self.section;
        let put = Put::default().u32(topic).u64(first_offset).u32(batches).u64(bytes);
        let Place { segment, position, bytes } = self.place;
        let put = put.i64(self.appended_ms).u64(segment).u64(position).u32(bytes);
        let sealed = put.seal(Kind::Entry, self.group);
        sealed.last_chunk::<4>().map_or(0, |crc| u32::from_le_bytes(*crc))
    }

    /// Writes it; of one that was moved, in the place of what was before.
    pub(super) fn insert(&self, connection: &Connection) -> Result<(), Failure> {
        let Section { topic, first_offset, batches, bytes } = self.section;
        let statement = format!(
            "INSERT OR REPLACE INTO entry ({COLUMNS})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        );
        connection.prepare_cached(&statement)?.execute(params![
            topic,
            first_offset.cast_signed(),
            batches,
            bytes.cast_signed(),
            self.appended_ms,
            self.group.cast_signed(),
            self.place.segment.cast_signed(),
            self.place.position.cast_signed(),
            self.place.bytes,
            self.crc()
        ])?;
        Ok(())
    }

    /// The outer error is SQLite's, the inner one ours.
    fn read(row: &Row<'_>) -> rusqlite::Result<Result<Self, Failure>> {
        let section = Section {
            topic: row.get(0)?,
            first_offset: row.get::<_, i64>(1)?.cast_unsigned(),
            batches: row.get(2)?,
            bytes: row.get::<_, i64>(3)?.cast_unsigned(),
        };
        let group = row.get::<_, i64>(5)?.cast_unsigned();
        let place = Place {
            segment: row.get::<_, i64>(6)?.cast_unsigned(),
            position: row.get::<_, i64>(7)?.cast_unsigned(),
            bytes: row.get(8)?,
        };
        let this = Self { section, appended_ms: row.get(4)?, group, place };
        if row.get::<_, u32>(9)? == this.crc() {
            return Ok(Ok(this));
        }
        let Section { topic, first_offset, .. } = section;
        let what = format!("the index entry at offset {first_offset} of topic {topic} is wrong");
        Ok(Err(Failure::Fold(what)))
    }
}

/// The entry that covers an offset; `None` if none does.
pub(crate) fn entry_at(
    connection: &Connection,
    topic: u32,
    offset: u64,
) -> Result<Option<Entry>, Failure> {
    let statement = format!(
        "SELECT {COLUMNS} FROM entry WHERE topic = ?1 AND first_offset <= ?2
         ORDER BY first_offset DESC LIMIT 1"
    );
    let found = connection
        .prepare_cached(&statement)?
        .query_row(params![topic, offset.cast_signed()], Entry::read)
        .optional()?
        .transpose()?;
    Ok(found.filter(|entry| entry.section.topic == topic && offset < entry.section.end()))
}

/// The oldest entries of a topic from an offset on.
pub(crate) fn oldest_entries(
    connection: &Connection,
    topic: u32,
    from: u64,
    count_max: usize,
) -> Result<Vec<Entry>, Failure> {
    let statement = format!(
        "SELECT {COLUMNS} FROM entry WHERE topic = ?1 AND first_offset >= ?2
         ORDER BY first_offset LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&statement)?;
    let count_max = i64::try_from(count_max).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![topic, from.cast_signed(), count_max], Entry::read)?;
    rows.map(|row| row?).collect()
}

/// Entries whose records are in a segment up to this one.
pub(crate) fn entries_in(
    connection: &Connection,
    segment: u64,
    count_max: usize,
) -> Result<Vec<Entry>, Failure> {
    let statement = format!("SELECT {COLUMNS} FROM entry WHERE segment <= ?1 LIMIT ?2");
    let mut statement = connection.prepare_cached(&statement)?;
    let count_max = i64::try_from(count_max).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![segment.cast_signed(), count_max], Entry::read)?;
    rows.map(|row| row?).collect()
}

/// Which dead letters are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    /// Those of lower numbers.
    pub(crate) below: u64,
    pub(crate) count_max: usize,
    /// Bytes of what was set aside; one more may go in.
    pub(crate) bytes_max: u64,
}

/// The newest dead letters of a page, with their numbers, of a subscription or of all. Numbers are
/// contiguous, so that one which vanished is noticed.
pub(crate) fn dead_letters(
    connection: &Connection,
    subscription: Option<u32>,
    page: Page,
) -> Result<Vec<(u64, Dead)>, Failure> {
    let tally = tally(connection)?;
    let below = page.below.min(tally.dead_next);
    let mut statement = connection.prepare_cached(
        "SELECT number, key, value FROM dead_letter WHERE number < ?1 ORDER BY number DESC",
    )?;
    let mut rows = statement.query([below.cast_signed()])?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    for number in (tally.dead_first..below).rev() {
        if found.len() == page.count_max || bytes >= page.bytes_max {
            break;
        }
        let damaged = || Failure::Fold(format!("dead letter {number} is missing or wrong"));
        let row = rows.next()?.ok_or_else(damaged)?;
        if row.get::<_, i64>(0)?.cast_unsigned() != number {
            return Err(damaged());
        }
        let dead = dead_letter(number, row, 1)?;
        let dead = dead.filter(|dead| subscription.is_none_or(|id| id == dead.key.subscription));
        bytes += dead.as_ref().map_or(0, |dead| dead.batch.len() as u64);
        found.extend(dead.map(|dead| (number, dead)));
    }
    Ok(found)
}

/// Those of the dead letters of a subscription that have these numbers and were not taken away.
pub(crate) fn dead_letters_numbered(
    connection: &Connection,
    subscription: u32,
    numbers: &[u64],
) -> Result<Vec<(u64, Dead)>, Failure> {
    let mut statement =
        connection.prepare_cached("SELECT key, value FROM dead_letter WHERE number = ?1")?;
    let mut found = Vec::new();
    for &number in numbers {
        let mut rows = statement.query([number.cast_signed()])?;
        let Some(row) = rows.next()? else { continue };
        let dead = dead_letter(number, row, 0)?;
        let dead = dead.filter(|dead| dead.key.subscription == subscription);
        found.extend(dead.map(|dead| (number, dead)));
    }
    Ok(found)
}

/// Number, key and value of a dead letter.
pub(crate) type NumberedLetter = (u64, Bytes, Bytes);

/// Dead letters whose newest copy is in a segment up to this one, until they have `bytes_max`; also
/// those that were taken away, whose numbers are not missing. Number, key and value, verified.
pub(crate) fn dead_letters_in(
    connection: &Connection,
    segment: u64,
    bytes_max: usize,
) -> Result<Vec<NumberedLetter>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT number, key, value FROM dead_letter WHERE segment <= ?1 ORDER BY number",
    )?;
    let mut rows = statement.query([segment.cast_signed()])?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    while bytes < bytes_max
        && let Some(row) = rows.next()?
    {
        let number = row.get::<_, i64>(0)?.cast_unsigned();
        dead_letter(number, row, 1)?;
        let (key, value): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?);
        bytes += key.len() + value.len();
        found.push((number, key.into(), value.into()));
    }
    Ok(found)
}

/// The dead letter of a row with key and value; `None` if it was taken away.
pub(super) fn dead_letter(number: u64, row: &Row<'_>, key: usize) -> Result<Option<Dead>, Failure> {
    let damaged = || Failure::Fold(format!("dead letter {number} is missing or wrong"));
    let value = row.get_ref(key + 1)?.as_blob().map_err(|_| damaged())?;
    let key = row.get_ref(key)?.as_blob().map_err(|_| damaged())?;
    let key = DeadKey::decode(number, key).ok_or_else(damaged)?;
    if value == Dead::removed(number) {
        return Ok(None);
    }
    Dead::decode(number, key, value).map(Some).ok_or_else(damaged)
}

/// What exists in the whole log.
pub(super) fn tally(connection: &Connection) -> Result<Tally, Failure> {
    let sealed = record(connection, Kind::Tally, 0)?;
    Tally::decode(&sealed).ok_or_else(|| wrong("the tally"))
}

/// The failure of a record that does not pass its checksum.
pub(super) fn wrong(what: &str) -> Failure {
    Failure::Fold(format!("the checksum of {what} is wrong"))
}

/// A record, if it is there.
pub(super) fn stored(
    connection: &Connection,
    kind: Kind,
    id: u64,
) -> Result<Option<Vec<u8>>, Failure> {
    let found = connection
        .prepare_cached("SELECT value FROM record WHERE kind = ?1 AND id = ?2")?
        .query_row(params![kind as u8, id.cast_signed()], |row| row.get(0))
        .optional()?;
    Ok(found)
}

/// All records of a kind with their numbers, in their order.
pub(super) fn stored_all(
    connection: &Connection,
    kind: Kind,
) -> Result<Vec<(u64, Vec<u8>)>, Failure> {
    let mut statement =
        connection.prepare("SELECT id, value FROM record WHERE kind = ?1 ORDER BY id")?;
    let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?));
    let rows = statement.query_map(params![kind as u8], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A record that must be there.
pub(super) fn record(connection: &Connection, kind: Kind, id: u64) -> Result<Vec<u8>, Failure> {
    stored(connection, kind, id)?
        .ok_or_else(|| Failure::Fold(format!("the record {kind:?} {id} is missing")))
}

/// All small records but the place of the fold.
pub(super) fn all_records(
    connection: &Connection,
) -> Result<BTreeMap<(Kind, u64), Bytes>, Failure> {
    let mut statement = connection.prepare("SELECT kind, id, value FROM record")?;
    let mut rows = statement.query([])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let kind = Kind::from_number(row.get(0)?);
        let kind = kind.ok_or_else(|| Failure::Fold("a record of no known kind".to_owned()))?;
        let (id, value): (i64, Vec<u8>) = (row.get(1)?, row.get(2)?);
        if kind != Kind::Folded {
            all.insert((kind, id.cast_unsigned()), Bytes::from(value));
        }
    }
    Ok(all)
}

/// How far the fold follows the journal.
pub(super) fn folded(connection: &Connection) -> Result<Folded, Failure> {
    let sealed = record(connection, Kind::Folded, 0)?;
    Folded::decode(&sealed).ok_or_else(|| wrong("the place of the index in the log"))
}

/// The head of a commit group.
pub(crate) fn group_head(id: u64, head: &[u8]) -> Result<Head, Failure> {
    Head::decode(id, head)
        .ok_or_else(|| Failure::Damaged(format!("the head of commit group {id} is wrong")))
}
