//! The index of words: of each entry its text's, and its marks. Not here: reading it (`find`).

use rusqlite::{Connection, params};

use super::{Failure, rows};
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
    let (span, days) = (marks::of_time(entry.game_us), marks::of_days(entry.game_us));
    let text = format!("{} {rewritten} {region} {arc} {span} {days}", entry.text);
    let mut insert =
        connection.prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?;
    insert.execute(params![row, text])?;
    Ok(())
}

/// Makes the index again from the entries.
pub(super) fn rebuild(connection: &Connection) -> Result<(), Failure> {
    connection.execute("INSERT INTO words (words) VALUES ('delete-all')", [])?;
    let mut select = connection.prepare(&format!("SELECT {} FROM entry", rows::FOUND))?;
    let mut entries = select.query([])?;
    while let Some(row) = entries.next()? {
        let found = rows::found(row)?;
        let rewritten = found.rewritten.as_ref().map_or("", |(text, _)| text);
        add(connection, found.cursor.row, &found.entry, rewritten)?;
    }
    Ok(())
}
