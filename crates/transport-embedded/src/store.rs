//! The file: its layout, what one transaction writes, and what is verified when it is opened.

pub(crate) mod checkpoint;
pub(crate) mod failure;
mod load;
pub(crate) mod lock;
mod names;
mod open;
pub(crate) mod path;
pub(crate) mod private;
mod query;
mod schema;
pub(crate) mod space;
mod wal_scan;

use rusqlite::{Connection, TransactionBehavior, params};

use crate::format::codec::Kind;
use crate::store::failure::Failure;

pub(crate) use load::{DeadPlace, Loaded, load, remember};
pub(crate) use names::{Names, name};
pub(crate) use open::{connect, connect_reader, open_file, reserve_wal, upgrade};
pub(crate) use query::{
    Entry, Page, dead_letter_bytes, dead_letters, dead_letters_numbered, entry_at, expired_groups,
    group, oldest_entries,
};

/// What one transaction writes. What it removes was there before it.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) group: Option<NewGroup>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) records: Vec<(Kind, u64, Vec<u8>)>,
    /// Number, key, value.
    pub(crate) dead: Vec<(u64, Vec<u8>, Vec<u8>)>,
    /// Dead letters that are taken away, and what stands in their place.
    pub(crate) dead_removed: Vec<(u64, Vec<u8>)>,
    /// Dead letters below this number go.
    pub(crate) dead_first: Option<u64>,
    /// Entries that go, by topic and first offset.
    pub(crate) entries_removed: Vec<(u32, u64)>,
    pub(crate) groups_removed: Vec<u64>,
}

/// A commit group to be written.
#[derive(Debug)]
pub(crate) struct NewGroup {
    pub(crate) id: u64,
    pub(crate) head: Vec<u8>,
    pub(crate) data: Vec<u8>,
}

/// Writes all of it or nothing. When it returns `Ok` it is on the disk.
pub(crate) fn commit(connection: &mut Connection, changes: &Changes) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // On an error the transaction is rolled back as it is dropped.
    write(&transaction, changes)?;
    transaction.commit()?;
    Ok(())
}

fn write(connection: &Connection, changes: &Changes) -> Result<(), Failure> {
    if let Some(NewGroup { id, head, data }) = &changes.group {
        connection
            .prepare_cached("INSERT INTO commit_group (id, head, data) VALUES (?1, ?2, ?3)")?
            .execute(params![id.cast_signed(), head, data])?;
    }
    for entry in &changes.entries {
        entry.insert(connection)?;
    }
    for (kind, id, value) in &changes.records {
        connection
            .prepare_cached("INSERT OR REPLACE INTO record (kind, id, value) VALUES (?1, ?2, ?3)")?
            .execute(params![*kind as u8, id.cast_signed(), value])?;
    }
    for (number, key, value) in &changes.dead {
        connection
            .prepare_cached("INSERT INTO dead_letter (number, key, value) VALUES (?1, ?2, ?3)")?
            .execute(params![number.cast_signed(), key, value])?;
    }
    for (number, value) in &changes.dead_removed {
        connection
            .prepare_cached("UPDATE dead_letter SET value = ?2 WHERE number = ?1")?
            .execute(params![number.cast_signed(), value])?;
    }
    if let Some(first) = changes.dead_first {
        connection
            .prepare_cached("DELETE FROM dead_letter WHERE number < ?1")?
            .execute([first.cast_signed()])?;
    }
    for (topic, first_offset) in &changes.entries_removed {
        connection
            .prepare_cached("DELETE FROM entry WHERE topic = ?1 AND first_offset = ?2")?
            .execute(params![topic, first_offset.cast_signed()])?;
    }
    for id in &changes.groups_removed {
        connection
            .prepare_cached("DELETE FROM commit_group WHERE id = ?1")?
            .execute([id.cast_signed()])?;
    }
    Ok(())
}
