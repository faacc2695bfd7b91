//! What is removed again when the world's clock reaches a game time. Not here: noting it, which is
//! part of the step that sets it (`write`).

use rusqlite::{Connection, OptionalExtension as _, params};

use super::fault::Fault;
use super::rows::Tables;
use crate::model::{CHANGE_COUNT_MAX, Change, Op};
use crate::store::{Moment, Versions, make};
use worldbus_world::GameTime;

/// When something expires next.
pub(super) fn next(rows: &Connection) -> Result<Option<GameTime>, Fault> {
    let mut statement = rows.prepare_cached("SELECT min(game_us) FROM expiry")?;
    let next: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(next.map(GameTime))
}

/// Removes as much of what has expired as fits into a step. Returns when the next is due.
pub(super) fn expire(
    rows: &Connection,
    versions: &mut Versions,
    until: GameTime,
    moment: &Moment,
) -> Result<Option<GameTime>, Fault> {
    let mut changes = Vec::new();
    for (game_us, entity, field, step) in due(rows, until)? {
        rows.prepare_cached(
            "DELETE FROM expiry WHERE game_us = ?1 AND entity = ?2 AND field = ?3",
        )?
        .execute(params![game_us, entity, field])?;
        // What was set again since stays.
        if since(rows, &entity, &field)? == Some(step) {
            let entity = entity.parse().map_err(Fault::damaged)?;
            let field = field.parse().map_err(Fault::damaged)?;
            changes.push(Change { entity, op: Op::Remove(Some(field)), if_version: None });
        }
    }
    if !changes.is_empty() {
        let step = make::expired(changes);
        if let Err(refusal) = make::step(&mut Tables(rows), versions, &step, moment)? {
            return Err(Fault::damaged(format!("what expires cannot be removed: {refusal}")));
        }
    }
    next(rows)
}

type Due = (i64, String, String, i64);

fn due(rows: &Connection, until: GameTime) -> Result<Vec<Due>, Fault> {
    let mut statement = rows.prepare_cached(
        "SELECT game_us, entity, field, step FROM expiry WHERE game_us <= ?1
         ORDER BY game_us, entity, field LIMIT ?2",
    )?;
    let limit = CHANGE_COUNT_MAX as i64;
    let due = statement.query_map(params![until.0, limit], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    Ok(due.collect::<Result<_, _>>()?)
}

fn since(rows: &Connection, entity: &str, field: &str) -> Result<Option<i64>, Fault> {
    let mut statement =
        rows.prepare_cached("SELECT since FROM field WHERE entity = ?1 AND name = ?2")?;
    Ok(statement.query_row([entity, field], |row| row.get(0)).optional()?)
}
