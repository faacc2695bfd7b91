//! What is removed again when the world's clock reaches a game time. Not here: noting it, which is
//! part of the step that sets it (`write`).

use super::draft::Names;
use super::{load, versions, write};
use crate::model::{CHANGE_COUNT_MAX, Change, EntityName, Facts as _, FieldName, Op};
use crate::store::make;
use crate::store::{Moment, StoreError, Versions};
use worldbus_postgres::{Client, Row, Transaction};
use worldbus_service::state::Kind;
use worldbus_world::GameTime;

const NEXT: &str = "SELECT min(game_us) FROM world_state_expiry";
const TAKE: &str = "
    DELETE FROM world_state_expiry WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM world_state_expiry WHERE game_us <= $1
        ORDER BY game_us, entity, field LIMIT $2))
    RETURNING game_us, entity, field, step";

/// When something expires next.
pub(super) async fn next(client: &Client) -> Result<Option<GameTime>, StoreError> {
    earliest(&client.read(NEXT, &[]).await?)
}

/// Removes as much of what has expired as fits into a step, in a transaction of its own. Returns
/// when the next is due, and how far the world is then.
pub(super) async fn expire(
    client: &mut Client,
    until: GameTime,
    moment: &Moment,
) -> Result<(Option<GameTime>, Versions), StoreError> {
    let transaction = client.transaction().await?;
    let mut versions = versions::lock(&transaction).await?;
    let changes = changes(&transaction, until).await?;
    if !changes.is_empty() {
        let step = make::expired(changes);
        let mut draft = load::draft(&transaction, &Names::of([&step])).await?;
        let Ok(made) = make::step(&mut draft, &mut versions, &step, moment);
        if let Err(refusal) = made {
            let text = format!("what expires cannot be removed: {refusal}");
            return Err(StoreError::new(Kind::Damaged, text));
        }
        write::write(&transaction, &draft).await?;
        versions::set(&transaction, &versions).await?;
    }
    let next = earliest(&transaction.query(NEXT, &[]).await?)?;
    transaction.commit().await?;
    Ok((next, versions))
}

/// What is due goes out of the table; what was set again since stays as it is.
async fn changes(
    transaction: &Transaction<'_>,
    until: GameTime,
) -> Result<Vec<Change>, StoreError> {
    let limit = CHANGE_COUNT_MAX as i64;
    let rows = transaction.query(TAKE, &[&until.0, &limit]).await?;
    let mut due = rows.iter().map(due).collect::<Result<Vec<_>, _>>()?;
    due.sort();
    let fields = due.iter().map(|(_, entity, field, _)| (entity.as_str(), field.as_str()));
    let names = Names { fields: fields.collect(), ..Names::default() };
    let mut draft = load::draft(transaction, &names).await?;
    let mut changes = Vec::new();
    for (_, entity, field, step) in due {
        let Ok(kept) = draft.field(&entity, &field);
        if kept.is_some_and(|kept| kept.since == step) {
            changes.push(Change { entity, op: Op::Remove(Some(field)), if_version: None });
        }
    }
    Ok(changes)
}

fn due(row: &Row) -> Result<(i64, EntityName, FieldName, u64), StoreError> {
    let step: i64 = row.get(3)?;
    Ok((row.get(0)?, load::name(row, 1)?, load::name(row, 2)?, step.cast_unsigned()))
}

fn earliest(rows: &[Row]) -> Result<Option<GameTime>, StoreError> {
    let time = rows.first().map(|row| row.get::<Option<i64>>(0)).transpose()?;
    Ok(time.flatten().map(GameTime))
}
