//! The index of words: of each entry its text's, and its marks. Not here: reading it (`find`).

use rusqlite::{Connection, params};

use super::Failure;
use crate::ledger::Entry;
use crate::store::marks;

/// Adds an entry's words.
pub(super) fn add(
    connection: &Connection,
    row: i64,
    entry: &Entry,
    rewritten: &str,
) -> Result<(), Failure> {
    let region = entry.region.as_deref().map(marks::of_region).unwrap_or_default();
    let arc = entry.arc.as_deref().map(marks::of_arc).unwrap_or_default();
    let span = marks::of_time(entry.game_us);
    let text = format!("{} {rewritten} {region} {arc} {span}", entry.text);
    let mut insert =
        connection.prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?;
    insert.execute(params![row, text])?;
    Ok(())
}
