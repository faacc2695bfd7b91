//! Reading steps: the outbox, the deltas behind a version, the history of an entity.

use super::versions;
use crate::store::{Kept, STEPS_BYTES_MAX, StoreError};
use worldbus_postgres::{Client, Row, Transaction};
use worldbus_world::{GameTime, WallTime};

/// Up to a size: only what is before a step counts, so that one always comes.
const AFTER: &str = "
    SELECT version, wall_us, game_us, actor, reason, entity, trace, event FROM (
        SELECT *, sum(octet_length(event)) OVER (ORDER BY version) - octet_length(event) AS before
        FROM (SELECT * FROM world_state_step WHERE version > $1 ORDER BY version LIMIT $2) s) t
    WHERE before < $3 ORDER BY version";
const OF_ENTITY: &str = "
    SELECT s.version, s.wall_us, s.game_us, s.actor, s.reason, s.entity, s.trace, s.event FROM
        (SELECT step FROM world_state_history WHERE entity = $1 AND field = '' AND step < $2
         ORDER BY step DESC LIMIT $3) h,
        LATERAL (SELECT * FROM world_state_step WHERE version = h.step LIMIT 1) s
    ORDER BY s.version DESC";
/// From the newest on: a clock that was set back shows the same game time twice, and the later run
/// counts.
const AT: &str = "
    SELECT version FROM world_state_step WHERE game_us <= $1 ORDER BY version DESC LIMIT 1";

/// The steps behind a version, in order.
pub(super) async fn after(
    view: &Transaction<'_>,
    after: u64,
    limit: usize,
) -> Result<Vec<Kept>, StoreError> {
    versions::seen(view).await?.check(after)?;
    let bytes = STEPS_BYTES_MAX as i64;
    let rows = view.query(AFTER, &[&after.cast_signed(), &(limit as i64), &bytes]).await?;
    rows.iter().map(kept).collect()
}

/// The latest steps that touched an entity, the newest first.
pub(super) async fn of_entity(
    client: &Client,
    name: &str,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Kept>, StoreError> {
    let before = before.map_or(i64::MAX, |version| i64::try_from(version).unwrap_or(i64::MAX));
    let rows = client.read(OF_ENTITY, &[&name, &before, &(limit as i64)]).await?;
    rows.iter().map(kept).collect()
}

/// The latest step at a game time or before.
pub(super) async fn version_at(client: &Client, game: GameTime) -> Result<Option<u64>, StoreError> {
    let rows = client.read(AT, &[&game.0]).await?;
    let version = rows.first().map(|row| row.get::<i64>(0)).transpose()?;
    Ok(version.map(i64::cast_unsigned))
}

fn kept(row: &Row) -> Result<Kept, StoreError> {
    Ok(Kept {
        version: row.get::<i64>(0)?.cast_unsigned(),
        wall: WallTime(row.get(1)?),
        game: row.get::<Option<i64>>(2)?.map(GameTime),
        actor: row.get(3)?,
        reason: row.get(4)?,
        entity: row.get(5)?,
        trace: row.get(6)?,
        event: row.get(7)?,
    })
}
