//! Reads what steps name, in one round trip.

use super::draft::{Draft, Names};
use crate::model::apply::{Head, Kept};
use crate::model::{EntityName, Value};
use crate::store::StoreError;
use crate::store::make::Used;
use worldbus_postgres::{Parameters, Row, Transaction};
use worldbus_service::state::Kind;

const HEADS: &str = "
    SELECT w.name, e.version, e.field_count FROM unnest($1::text[]) AS w (name), LATERAL
        (SELECT version, field_count FROM world_state_entity WHERE name = w.name LIMIT 1) e";
const FIELDS: &str = "
    SELECT w.entity, w.name, f.value, f.since
    FROM unnest($1::text[], $2::text[]) AS w (entity, name), LATERAL
        (SELECT value, since FROM world_state_field
         WHERE entity = w.entity AND name = w.name LIMIT 1) f";
const ALL_FIELDS: &str = "
    SELECT w.entity, f.name, f.value, f.since FROM unnest($1::text[]) AS w (entity), LATERAL
        (SELECT name, value, since FROM world_state_field WHERE entity = w.entity OFFSET 0) f";
const USED: &str = "
    SELECT w.text, k.fingerprint, k.version FROM unnest($1::text[]) AS w (text), LATERAL
        (SELECT fingerprint, version FROM world_state_used_key WHERE text = w.text LIMIT 1) k";

pub(super) async fn draft(
    transaction: &Transaction<'_>,
    names: &Names<'_>,
) -> Result<Draft, StoreError> {
    let entities: Vec<_> = names.entities.iter().copied().collect();
    let (of, fields): (Vec<_>, Vec<_>) = names.fields.iter().copied().unzip();
    let removed: Vec<_> = names.removed.iter().copied().collect();
    let keys: Vec<_> = names.keys.iter().copied().collect();
    let (entities, fields): (Parameters<'_>, Parameters<'_>) = (&[&entities], &[&of, &fields]);
    let (removed, keys): (Parameters<'_>, Parameters<'_>) = (&[&removed], &[&keys]);
    let (heads, fields, all_fields, used) = tokio::try_join!(
        transaction.query(HEADS, entities),
        transaction.query(FIELDS, fields),
        transaction.query(ALL_FIELDS, removed),
        transaction.query(USED, keys),
    )?;
    let mut draft = Draft::default();
    for row in &heads {
        let (version, count) = (number(row, 1)?, number(row, 2)? as usize);
        draft.heads.insert(name(row, 0)?, Head { version, field_count: count });
    }
    for row in fields.iter().chain(&all_fields) {
        let entity: EntityName = name(row, 0)?;
        let kept = Kept { value: Value::kept(row.get(2)?), since: number(row, 3)? };
        draft.fields.entry(entity).or_default().insert(name(row, 1)?, kept);
    }
    for row in &used {
        let used = Used { fingerprint: number(row, 1)?, version: number(row, 2)? };
        draft.used.insert(row.get(0)?, used);
    }
    Ok(draft)
}

fn number(row: &Row, index: usize) -> Result<u64, StoreError> {
    Ok(row.get::<i64>(index)?.cast_unsigned())
}

/// A name that this program has written.
pub(super) fn name<T: std::str::FromStr<Err = String>>(
    row: &Row,
    index: usize,
) -> Result<T, StoreError> {
    let text: &str = row.get(index)?;
    text.parse().map_err(|why| StoreError::new(Kind::Damaged, format!("a stored name: {why}")))
}
