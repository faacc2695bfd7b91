//! Entries and publications as rows. Not here: which are read (`find`, `ledger`).

use rusqlite::Row;

use super::Failure;
use crate::ledger::{Entry, Publication};
use crate::store::{Cursor, Found};
use worldbus_events::EventId;

/// The columns that [`found`] reads, of a table `entry`.
pub(super) const FOUND: &str = "entry.row, entry.id, entry.game_us, entry.region, \
     entry.significance, entry.text, entry.arc, entry.rule, entry.causes, entry.wall_ms, \
     entry.rewritten, entry.model";

/// Bits of a row for the entry's number.
const NUMBER_BITS: u32 = 40;
const ID_BYTES: usize = 16;

/// The row of an entry: its significance, then its number.
pub(super) fn row_of(significance: u16, number: i64) -> i64 {
    (i64::from(significance) << NUMBER_BITS) | number
}

pub(super) fn bytes(id: EventId) -> [u8; ID_BYTES] {
    id.to_u128().to_be_bytes()
}

pub(super) fn number(bytes: &[u8]) -> Result<u128, Failure> {
    let bytes: [u8; ID_BYTES] =
        bytes.try_into().map_err(|_| Failure::Damaged("an id has not 16 bytes".to_owned()))?;
    Ok(u128::from_be_bytes(bytes))
}

pub(super) fn id(bytes: &[u8]) -> Result<EventId, Failure> {
    EventId::from_u128(number(bytes)?).map_err(|error| Failure::Damaged(error.to_string()))
}

pub(super) fn causes(causes: &[EventId]) -> Vec<u8> {
    causes.iter().flat_map(|cause| bytes(*cause)).collect()
}

/// An entry, with its game time as the cursor.
pub(super) fn found(row: &Row<'_>) -> Result<Found, Failure> {
    let causes: Vec<u8> = row.get(8)?;
    let causes = causes.chunks(ID_BYTES).map(id).collect::<Result<_, _>>()?;
    let entry = Entry {
        id: id(&row.get::<_, Vec<u8>>(1)?)?,
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
        id: number(&row.get::<_, Vec<u8>>(3)?)?,
        wall_ms: row.get(4)?,
        entity: row.get(5)?,
        place: row.get(6)?,
        payload: row.get(7)?,
    };
    Ok((row.get(0)?, publication))
}
