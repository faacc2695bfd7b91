//! The names of the log: one is made when the log is, or when one of a version before is first
//! opened, and one with each opening. A place in the log is given under the last of them.

use bytes::Bytes;
use rusqlite::Connection;

use super::query;
use crate::format::codec::Kind;
use crate::format::record::{Identity, Opening};
use crate::journal::Changes;
use crate::store::failure::Failure;
use worldbus_bus::LogId;

/// So many openings are kept, the latest. A place that was given before is taken as of another log.
const OPENING_COUNT_MAX: u64 = 1024;

/// The names that a log has had.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// When it was made; `None` if it is older than its first name.
    pub(crate) begun_ms: Option<i64>,
    /// Each with the first commit that was its own, in their order.
    names: Vec<Opening>,
}

impl Names {
    /// The last one; `None` if there has been neither space nor chance for any.
    pub(crate) fn last(&self) -> Option<LogId> {
        self.names.last().map(|name| name.id)
    }

    /// The commit behind all that was appended under a name, in a log whose next commit is given;
    /// `None` if it never had that name.
    pub(crate) fn end_of(&self, name: LogId, next_group: u64) -> Option<u64> {
        let index = self.names.iter().position(|one| one.id == name)?;
        Some(self.names.get(index + 1).map_or(next_group, |next| next.from_group))
    }
}

/// The names of this log, and a new one for what is appended from `next_group` on: what is to be
/// committed for it, and the names with it.
pub(crate) fn name(
    connection: &Connection,
    next_group: u64,
    now_ms: i64,
) -> Result<(Names, Option<(Changes, Names)>), Failure> {
    let wrong = || Failure::Fold("the checksum of a name of the log is wrong".to_owned());
    let made = match query::stored(connection, Kind::Identity, 0)? {
        Some(sealed) => Some(Identity::decode(&sealed).ok_or_else(wrong)?),
        None => None,
    };
    let mut kept = Vec::new();
    for (number, sealed) in query::stored_all(connection, Kind::Opening)? {
        kept.push((number, Opening::decode(number, &sealed).ok_or_else(wrong)?));
    }
    let mut names = Names { begun_ms: made.and_then(|made| made.begun_ms), names: Vec::new() };
    // One of a version before had the name that it was made with until its first opening was kept.
    let first = made.filter(|made| kept.first().is_none_or(|(_, opening)| opening.id != made.id));
    names.names.extend(first.map(|made| Opening { id: made.id, from_group: 0 }));
    names.names.extend(kept.iter().map(|(_, opening)| *opening));
    let id = match getrandom::u64() {
        Ok(bits) => LogId::from_random(bits),
        Err(error) => {
            tracing::warn!(%error, "no random number: the log has no name of its own yet");
            return Ok((names, None));
        }
    };
    let opening = Opening { id, from_group: next_group };
    // One that holds nothing yet is as if made now.
    let begun_ms = (next_group == 0).then_some(now_ms);
    let identity = made.is_none().then_some(Identity { id, begun_ms });
    let number = kept.last().map_or(0, |(number, _)| number + 1);
    let mut named = names.clone();
    named.begun_ms = identity.map_or(names.begun_ms, |identity| identity.begun_ms);
    named.names.push(opening);
    Ok((names, Some((changes(number, &opening, identity), named))))
}

fn changes(number: u64, opening: &Opening, identity: Option<Identity>) -> Changes {
    let identity = identity.map(|made| (Kind::Identity, 0, Bytes::from(made.encode())));
    let opening = (Kind::Opening, number, Bytes::from(opening.encode(number)));
    let oldest = number.checked_sub(OPENING_COUNT_MAX).map(|oldest| (Kind::Opening, oldest));
    Changes {
        records: identity.into_iter().chain([opening]).collect(),
        records_removed: oldest.into_iter().collect(),
        ..Changes::default()
    }
}
