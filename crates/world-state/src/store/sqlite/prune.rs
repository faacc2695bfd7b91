//! What goes of the past: steps beyond their count or age, with the history that leads behind them,
//! and keys. A little with each transaction, so that no caller waits for a great deal.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::fault::Fault;
use crate::store::Versions;
use crate::store::past::{AT_ONCE_MAX, Forgotten, Limits};
use worldbus_world::WallTime;

pub(super) fn prune(
    rows: &Connection,
    versions: &mut Versions,
    limits: &Limits,
    now: WallTime,
) -> Result<(), Fault> {
    for _ in 0..AT_ONCE_MAX {
        let next = versions.kept_from + 1;
        if next > versions.published {
            break;
        }
        let Some((wall_us, event)) = step(rows, next)? else {
            return Err(Fault::damaged(format!("step {next} is missing")));
        };
        if !limits.may_go(versions, WallTime(wall_us), now) {
            break;
        }
        forget(rows, next, &event)?;
        versions.kept_from = next;
    }
    keys(rows, limits, now)
}

fn step(rows: &Connection, version: u64) -> Result<Option<(i64, Vec<u8>)>, Fault> {
    let mut statement =
        rows.prepare_cached("SELECT wall_us, event FROM step WHERE version = ?1")?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    Ok(statement.query_row([version.cast_signed()], read).optional()?)
}

/// Forgets what was before a step, and the step.
fn forget(rows: &Connection, version: u64, event: &[u8]) -> Result<(), Fault> {
    let step = version.cast_signed();
    let forgotten =
        Forgotten::of(event).map_err(|error| Fault::damaged(format!("step {version}: {error}")))?;
    let mut past =
        rows.prepare_cached("DELETE FROM history WHERE entity = ?1 AND field = ?2 AND step = ?3")?;
    for (entity, field) in &forgotten.fields {
        past.execute(params![entity, field, step])?;
    }
    // The row of an entity that this step removed for good.
    let mut removed = rows.prepare_cached(
        "DELETE FROM entity WHERE name = ?1 AND field_count = 0 AND touched = ?2",
    )?;
    for entity in &forgotten.entities {
        past.execute(params![entity, "", step])?;
        removed.execute(params![entity, step])?;
    }
    rows.prepare_cached("DELETE FROM step WHERE version = ?1")?.execute([step])?;
    Ok(())
}

fn keys(rows: &Connection, limits: &Limits, now: WallTime) -> Result<(), Fault> {
    let mut oldest =
        rows.prepare_cached("SELECT number, wall_us FROM used_key ORDER BY number LIMIT ?1")?;
    let mut last = rows.prepare_cached("SELECT max(number) FROM used_key")?;
    let last: Option<i64> = last.query_row([], |row| row.get(0))?;
    let Some(last) = last else { return Ok(()) };
    let mut until = None;
    let mut found = oldest.query([AT_ONCE_MAX as i64])?;
    while let Some(row) = found.next()? {
        let (number, wall_us): (i64, i64) = (row.get(0)?, row.get(1)?);
        let too_many = (last - number) as u64 >= limits.key_count;
        if !too_many && now.0.saturating_sub(wall_us) <= limits.key_age_us {
            break;
        }
        until = Some(number);
    }
    if let Some(until) = until {
        rows.prepare_cached("DELETE FROM used_key WHERE number <= ?1")?.execute([until])?;
    }
    Ok(())
}
