//! The name of the log: made when the log is, or when one of a version before is first opened.

use rusqlite::{Connection, params};

use super::query;
use crate::format::codec::Kind;
use crate::format::record::Identity;
use crate::store::failure::Failure;
use worldbus_bus::LogId;

/// Which log this is; names one that has no name yet. `None` if there is neither space nor chance
/// for that now: the next opening tries again.
pub(crate) fn identify(
    connection: &Connection,
    is_new: bool,
    now_ms: i64,
) -> Result<Option<Identity>, Failure> {
    if let Some(sealed) = query::stored(connection, Kind::Identity, 0)? {
        let wrong = || Failure::Damaged("the checksum of the log's name is wrong".to_owned());
        return Identity::decode(&sealed).map(Some).ok_or_else(wrong);
    }
    let bits = match getrandom::u64() {
        Ok(bits) => bits,
        Err(error) => {
            tracing::warn!(%error, "no random number: the log has no name yet");
            return Ok(None);
        }
    };
    let identity = Identity { id: LogId::from_random(bits), begun_ms: is_new.then_some(now_ms) };
    match insert(connection, &identity) {
        Ok(()) => Ok(Some(identity)),
        Err(Failure::Full(why) | Failure::Write(why) | Failure::Busy(why)) => {
            tracing::warn!(why, "the log has no name yet");
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

fn insert(connection: &Connection, identity: &Identity) -> Result<(), Failure> {
    connection.execute(
        "INSERT INTO record (kind, id, value) VALUES (?1, 0, ?2)",
        params![Kind::Identity as u8, identity.encode()],
    )?;
    Ok(())
}
