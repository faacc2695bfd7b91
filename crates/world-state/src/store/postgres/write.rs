//! Writes what steps have changed: a statement for each table, in one round trip.

use super::draft::{Changed, Draft};
use crate::model::FieldName;
use worldbus_postgres::{Parameters, Transaction};
use worldbus_service::state::Error;

const ENTITIES: &str = "
    INSERT INTO world_state_entity (name, version, touched, field_count)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, touched = excluded.touched,
        field_count = excluded.field_count";
const SET: &str = "
    INSERT INTO world_state_field (entity, name, value, since)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
    ON CONFLICT (entity, name) DO UPDATE SET value = excluded.value, since = excluded.since";
const REMOVE: &str = "
    DELETE FROM world_state_field WHERE ctid = ANY (ARRAY(
        SELECT f.ctid FROM unnest($1::text[], $2::text[]) AS w (entity, name), LATERAL
            (SELECT ctid FROM world_state_field
             WHERE entity = w.entity AND name = w.name LIMIT 1) f))";
const HISTORY: &str = "
    INSERT INTO world_state_history (entity, field, step, value)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[])";
const STEPS: &str = "
    INSERT INTO world_state_step
        (version, wall_us, game_us, actor, reason, entity, trace, event)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[],
        $6::text[], $7::text[], $8::bytea[])";
const KEYS: &str = "
    INSERT INTO world_state_used_key (text, fingerprint, version, wall_us)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])";
const EXPIRIES: &str = "
    INSERT INTO world_state_expiry (game_us, entity, field, step)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[])
    ON CONFLICT (game_us, entity, field) DO UPDATE SET step = excluded.step";

pub(super) async fn write(transaction: &Transaction<'_>, draft: &Draft) -> Result<(), Error> {
    let changed = &draft.changed;
    tokio::try_join!(
        entities(transaction, draft),
        fields(transaction, draft),
        history(transaction, changed),
        steps(transaction, changed),
        keys(transaction, changed),
        expiries(transaction, changed),
    )?;
    Ok(())
}

async fn entities(transaction: &Transaction<'_>, draft: &Draft) -> Result<(), Error> {
    let (mut names, mut versions) = (Vec::new(), Vec::new());
    let (mut touched, mut counts) = (Vec::new(), Vec::new());
    for (entity, step) in &draft.changed.entities {
        let head = draft.heads.get(entity).copied().unwrap_or_default();
        names.push(entity.as_str());
        versions.push(head.version.cast_signed());
        touched.push(step.cast_signed());
        counts.push(head.field_count as i64);
    }
    if !names.is_empty() {
        transaction.query(ENTITIES, &[&names, &versions, &touched, &counts]).await?;
    }
    Ok(())
}

async fn fields(transaction: &Transaction<'_>, draft: &Draft) -> Result<(), Error> {
    let (mut entities, mut names) = (Vec::new(), Vec::new());
    let (mut values, mut since) = (Vec::new(), Vec::new());
    let (mut gone_entities, mut gone_names) = (Vec::new(), Vec::new());
    for (entity, field) in &draft.changed.fields {
        match draft.fields.get(entity).and_then(|fields| fields.get(field)) {
            Some(kept) => {
                entities.push(entity.as_str());
                names.push(field.as_str());
                values.push(kept.value.as_str());
                since.push(kept.since.cast_signed());
            }
            None => {
                gone_entities.push(entity.as_str());
                gone_names.push(field.as_str());
            }
        }
    }
    if !gone_names.is_empty() {
        transaction.query(REMOVE, &[&gone_entities, &gone_names]).await?;
    }
    if !names.is_empty() {
        transaction.query(SET, &[&entities, &names, &values, &since]).await?;
    }
    Ok(())
}

async fn history(transaction: &Transaction<'_>, changed: &Changed) -> Result<(), Error> {
    let rows = &changed.history;
    if rows.is_empty() {
        return Ok(());
    }
    let entities: Vec<_> = rows.iter().map(|row| row.entity.as_str()).collect();
    let fields: Vec<_> =
        rows.iter().map(|row| row.field.as_ref().map_or("", FieldName::as_str)).collect();
    let steps: Vec<_> = rows.iter().map(|row| row.step.cast_signed()).collect();
    let values: Vec<_> = rows.iter().map(|row| row.value.as_deref()).collect();
    transaction.query(HISTORY, &[&entities, &fields, &steps, &values]).await?;
    Ok(())
}

async fn steps(transaction: &Transaction<'_>, changed: &Changed) -> Result<(), Error> {
    let rows = &changed.steps;
    if rows.is_empty() {
        return Ok(());
    }
    let versions: Vec<_> = rows.iter().map(|row| row.version.cast_signed()).collect();
    let walls: Vec<_> = rows.iter().map(|row| row.wall.0).collect();
    let games: Vec<_> = rows.iter().map(|row| row.game_us).collect();
    let actors: Vec<_> = rows.iter().map(|row| row.actor.as_str()).collect();
    let reasons: Vec<_> = rows.iter().map(|row| row.reason.as_str()).collect();
    let entities: Vec<_> = rows.iter().map(|row| row.entity.as_deref()).collect();
    let traces: Vec<_> = rows.iter().map(|row| row.trace.as_deref()).collect();
    let events: Vec<_> = rows.iter().map(|row| row.event.as_slice()).collect();
    let values: Parameters<'_> =
        &[&versions, &walls, &games, &actors, &reasons, &entities, &traces, &events];
    transaction.query(STEPS, values).await?;
    Ok(())
}

async fn keys(transaction: &Transaction<'_>, changed: &Changed) -> Result<(), Error> {
    let rows = &changed.keys;
    if rows.is_empty() {
        return Ok(());
    }
    let texts: Vec<_> = rows.iter().map(|row| row.text.as_str()).collect();
    let prints: Vec<_> = rows.iter().map(|row| row.used.fingerprint.cast_signed()).collect();
    let versions: Vec<_> = rows.iter().map(|row| row.used.version.cast_signed()).collect();
    let walls: Vec<_> = rows.iter().map(|row| row.wall.0).collect();
    transaction.query(KEYS, &[&texts, &prints, &versions, &walls]).await?;
    Ok(())
}

async fn expiries(transaction: &Transaction<'_>, changed: &Changed) -> Result<(), Error> {
    let rows = &changed.expiries;
    if rows.is_empty() {
        return Ok(());
    }
    let times: Vec<_> = rows.keys().map(|(game_us, ..)| *game_us).collect();
    let entities: Vec<_> = rows.keys().map(|(_, entity, _)| entity.as_str()).collect();
    let fields: Vec<_> = rows.keys().map(|(.., field)| field.as_str()).collect();
    let steps: Vec<_> = rows.values().map(|step| step.cast_signed()).collect();
    transaction.query(EXPIRIES, &[&times, &entities, &fields, &steps]).await?;
    Ok(())
}
