//! What goes of the past: steps beyond their count or age, with the history that leads behind them,
//! and keys. A little with each transaction, so that no caller waits for a great deal.

use crate::store::past::{AT_ONCE_MAX, Forgotten, Limits};
use crate::store::{StoreError, Versions};
use worldbus_postgres::Transaction;
use worldbus_service::state::Kind;
use worldbus_world::WallTime;

const OLDEST: &str = "SELECT wall_us FROM world_state_step WHERE version = $1";
const STEPS: &str = "
    SELECT version, wall_us, event FROM world_state_step WHERE version > $1 AND version <= $2
    ORDER BY version";
const HISTORY: &str = "
    DELETE FROM world_state_history WHERE ctid = ANY (ARRAY(
        SELECT h.ctid FROM unnest($1::text[], $2::text[], $3::bigint[])
            AS w (entity, field, step), LATERAL
            (SELECT ctid FROM world_state_history
             WHERE entity = w.entity AND field = w.field AND step = w.step LIMIT 1) h))";
/// Entities that a step removed for good.
const ENTITIES: &str = "
    DELETE FROM world_state_entity WHERE ctid = ANY (ARRAY(
        SELECT e.ctid FROM unnest($1::text[], $2::bigint[]) AS w (name, step), LATERAL
            (SELECT ctid FROM world_state_entity
             WHERE name = w.name AND field_count = 0 AND touched = w.step LIMIT 1) e))";
const FORGET: &str = "DELETE FROM world_state_step WHERE version > $1 AND version <= $2";
const KEYS: &str = "
    DELETE FROM world_state_used_key WHERE number IN (
        SELECT number FROM world_state_used_key ORDER BY number LIMIT $1)
    AND (wall_us < $2 OR number <= (SELECT max(number) FROM world_state_used_key) - $3)";

pub(super) async fn prune(
    transaction: &Transaction<'_>,
    versions: &mut Versions,
    limits: &Limits,
    now: WallTime,
) -> Result<(), StoreError> {
    let oldest = (versions.kept_from + 1).cast_signed();
    let rows = transaction.query(OLDEST, &[&oldest]).await?;
    let oldest = rows.first().map(|row| row.get(0)).transpose()?.map(WallTime);
    if oldest.is_some_and(|made| limits.may_go(versions, made, now)) {
        steps(transaction, versions, limits, now).await?;
    }
    let count = i64::try_from(limits.key_count).unwrap_or(i64::MAX);
    let since = now.0.saturating_sub(limits.key_age_us);
    transaction.query(KEYS, &[&(AT_ONCE_MAX as i64), &since, &count]).await?;
    Ok(())
}

/// Forgets the oldest steps that may go, and what was before them.
async fn steps(
    transaction: &Transaction<'_>,
    versions: &mut Versions,
    limits: &Limits,
    now: WallTime,
) -> Result<(), StoreError> {
    let from = versions.kept_from.cast_signed();
    let rows = transaction.query(STEPS, &[&from, &(from + AT_ONCE_MAX as i64)]).await?;
    let (mut entities, mut fields, mut past) = (Vec::new(), Vec::new(), Vec::new());
    let (mut names, mut touched) = (Vec::new(), Vec::new());
    for row in &rows {
        let (step, wall_us): (i64, i64) = (row.get(0)?, row.get(1)?);
        if !limits.may_go(versions, WallTime(wall_us), now) {
            break;
        }
        let forgotten = Forgotten::of(row.get(2)?).map_err(|error| {
            StoreError::new(Kind::Damaged, format!("step {step} of the world's state: {error}"))
        })?;
        for (entity, field) in forgotten.fields {
            entities.push(entity);
            fields.push(field);
            past.push(step);
        }
        for name in forgotten.entities {
            entities.push(name.clone());
            fields.push(String::new());
            past.push(step);
            names.push(name);
            touched.push(step);
        }
        versions.kept_from = step.cast_unsigned();
    }
    transaction.query(HISTORY, &[&entities, &fields, &past]).await?;
    transaction.query(ENTITIES, &[&names, &touched]).await?;
    transaction.query(FORGET, &[&from, &versions.kept_from.cast_signed()]).await?;
    Ok(())
}
