//! Reading steps: the outbox, the deltas behind a version, the history of an entity.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::fault::Fault;
use super::rows;
use crate::store::{Kept, STEPS_BYTES_MAX};
use worldbus_world::{GameTime, WallTime};

const COLUMNS: &str = "version, wall_us, game_us, actor, reason, entity, trace, event";

/// The steps behind a version, in order.
pub(super) fn after(rows: &Connection, after: u64, limit: usize) -> Result<Vec<Kept>, Fault> {
    rows::versions(rows)?.check(after)?;
    let mut statement = rows.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM step WHERE version > ?1 ORDER BY version LIMIT ?2"
    ))?;
    let mut found = statement.query(params![after.cast_signed(), limit as i64])?;
    let (mut steps, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        let step = kept(row)?;
        bytes += step.event.len();
        steps.push(step);
        if bytes >= STEPS_BYTES_MAX {
            break;
        }
    }
    Ok(steps)
}

/// The latest steps that touched an entity, the newest first.
pub(super) fn of_entity(
    rows: &Connection,
    name: &str,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Kept>, Fault> {
    let mut statement = rows.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM step WHERE version IN (
             SELECT step FROM history WHERE entity = ?1 AND field = '' AND step < ?2
             ORDER BY step DESC LIMIT ?3)
         ORDER BY version DESC"
    ))?;
    let before = before.map_or(i64::MAX, |version| i64::try_from(version).unwrap_or(i64::MAX));
    let found = statement.query_map(params![name, before, limit as i64], kept)?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The latest step at a game time or before. It looks from the newest on: a clock that was set
/// back shows the same game time twice, and the later run counts.
pub(super) fn version_at(rows: &Connection, game: GameTime) -> Result<Option<u64>, Fault> {
    let mut statement = rows.prepare_cached(
        "SELECT version FROM step INDEXED BY step_game WHERE game_us <= ?1
         ORDER BY version DESC LIMIT 1",
    )?;
    let version: Option<i64> = statement.query_row([game.0], |row| row.get(0)).optional()?;
    Ok(version.map(i64::cast_unsigned))
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        version: row.get::<_, i64>(0)?.cast_unsigned(),
        wall: WallTime(row.get(1)?),
        game: row.get::<_, Option<i64>>(2)?.map(GameTime),
        actor: row.get(3)?,
        reason: row.get(4)?,
        entity: row.get(5)?,
        trace: row.get(6)?,
        event: row.get(7)?,
    })
}
