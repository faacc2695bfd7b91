//! Entries and publications as rows. Not here: which are read (`find`, `ledger`).

use rusqlite::Row;

use super::Failure;
use crate::ledger::{Entry, Publication};
use crate::store::{Cursor, Found, stored};

/// The columns that [`found`] reads, of a table `entry`.
pub(super) const FOUND: &str = "entry.row, entry.id, entry.game_us, entry.region, \
     entry.significance, entry.text, entry.arc, entry.rule, entry.causes, entry.wall_ms, \
     entry.rewritten, entry.model";

/// An entry, with its game time as the cursor.
pub(super) fn found(row: &Row<'_>) -> Result<Found, Failure> {
    let causes: Vec<u8> = row.get(8)?;
    let causes = stored::ids_of_bytes(&causes).map_err(Failure::damaged)?;
    let entry = Entry {
        id: stored::id(&row.get::<_, Vec<u8>>(1)?).map_err(Failure::damaged)?,
        game_us: row.get(2)?,
        region: row.get(3)?,
        significance: row.get(4)?,
        text: row.get(5)?,
        arc: row.get(6)?,
        rule: row.get(7)?,
        causes,
        wall_ms: row.get(9)?,
    };
    let rewritten: Option<String> = row.get(10)?;
    let model: Option<String> = row.get(11)?;
    let cursor = Cursor { key: entry.game_us, row: row.get(0)? };
    Ok(Found { entry, rewritten: rewritten.zip(model), cursor })
}

/// A publication, with its number.
pub(super) fn publication(row: &Row<'_>) -> Result<(i64, Publication), Failure> {
    let publication = Publication {
        event_type: row.get(1)?,
        topic: row.get(2)?,
        id: stored::number(&row.get::<_, Vec<u8>>(3)?).map_err(Failure::damaged)?,
        wall_ms: row.get(4)?,
        entity: row.get(5)?,
        place: row.get(6)?,
        payload: row.get(7)?,
    };
    Ok((row.get(0)?, publication))
}
