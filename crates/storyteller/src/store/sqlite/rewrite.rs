//! Another text of an entry, its words and its announcement. Not here: who wrote it.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::ledger::enqueue;
use super::{Failure, rows, words};
use crate::store::{Rewrite, stored};

/// Gives an entry another text, unless it has one.
pub(super) fn rewrite(connection: &Connection, rewrite: &Rewrite) -> Result<bool, Failure> {
    let sql = format!("SELECT {} FROM entry WHERE id = ?1 AND rewritten IS NULL", rows::FOUND);
    let found = connection
        .query_row(&sql, [stored::bytes(rewrite.entry)], |row| Ok(rows::found(row)))
        .optional()?;
    let Some(found) = found.transpose()? else { return Ok(false) };
    connection.execute(
        "UPDATE entry SET rewritten = ?2, model = ?3 WHERE row = ?1",
        params![found.cursor.row, rewrite.text, rewrite.model],
    )?;
    connection.execute("DELETE FROM words WHERE rowid = ?1", [found.cursor.row])?;
    words::add(connection, found.cursor.row, &found.entry, &rewrite.text)?;
    enqueue(connection, &rewrite.publication)?;
    Ok(true)
}
