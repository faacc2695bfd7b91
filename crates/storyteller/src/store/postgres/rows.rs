//! Entries and publications as rows. Not here: which are read (`find`, `turn`).

use std::fmt;

use crate::ledger::{Entry, Publication};
use crate::store::{Cursor, Found, stored};
use worldbus_postgres::Row;
use worldbus_service::state::{Error, Kind};

/// A statement that reads what [`found`] takes, with what is behind `FROM chronicle_entry`.
macro_rules! entries {
    ($($rest:tt)+) => {
        concat!(
            "SELECT entry_row, id, game_us, region, significance, text, arc, rule, causes,
                    wall_ms, rewritten, model FROM chronicle_entry ",
            $($rest)+
        )
    };
}
pub(super) use entries;

/// An entry, with its game time as the cursor.
pub(super) fn found(row: &Row) -> Result<Found, Error> {
    let significance: i16 = row.get(4)?;
    let entry = Entry {
        id: stored::id(row.get(1)?).map_err(damaged)?,
        game_us: row.get(2)?,
        region: row.get(3)?,
        significance: significance.unsigned_abs(),
        text: row.get(5)?,
        arc: row.get(6)?,
        rule: row.get(7)?,
        causes: stored::ids_of_bytes(row.get(8)?).map_err(damaged)?,
        wall_ms: row.get(9)?,
    };
    let rewritten: Option<String> = row.get(10)?;
    let model: Option<String> = row.get(11)?;
    let cursor = Cursor { key: entry.game_us, row: row.get(0)? };
    Ok(Found { entry, rewritten: rewritten.zip(model), cursor })
}

/// A publication, with its number.
pub(super) fn publication(row: &Row) -> Result<(i64, Publication), Error> {
    let publication = Publication {
        event_type: unsigned(row.get(1)?)?,
        topic: row.get(2)?,
        id: stored::number(row.get(3)?).map_err(damaged)?,
        wall_ms: row.get(4)?,
        entity: row.get(5)?,
        place: row.get(6)?,
        payload: row.get(7)?,
    };
    Ok((row.get(0)?, publication))
}

/// A number of 32 bits, for which PostgreSQL has no type of its own.
pub(super) fn unsigned(number: i64) -> Result<u32, Error> {
    u32::try_from(number).map_err(damaged)
}

pub(super) fn encode(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| {
        let text = "failed to encode a part of the chronicle; what is stored was left as it is";
        Error::new(Kind::Unencodable, text).caused_by(error)
    })
}

pub(super) fn decode<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(damaged)
}

/// What no worldbus wrote.
pub(super) fn damaged(what: impl fmt::Display) -> Error {
    let text = format!("the chronicle's tables are damaged: {what}; restore them from a copy");
    Error::new(Kind::Damaged, text)
}
