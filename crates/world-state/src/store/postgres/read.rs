//! Reading entities as they are, or as they were at a version: what is there, with the history
//! behind that version undone.

use std::collections::{BTreeMap, HashMap};

use super::schema::missing;
use super::versions;
use crate::model::Value;
use crate::store::{Entity, LOOKED_AT_COUNT_MAX, Page, StoreError, Wanted};
use worldbus_postgres::{Row, Transaction};

/// Entities that are read at once.
const AT_ONCE_MAX: usize = 64;

const ENTITY: &str =
    "SELECT name, version, touched, field_count FROM world_state_entity WHERE name = $1";
const ENTITIES: &str = "
    SELECT name, version, touched, field_count FROM world_state_entity
    WHERE name >= $1 AND name > $2 AND name < $3 ORDER BY name LIMIT $4";
const FIELDS: &str = "
    SELECT w.entity, f.name, f.value FROM unnest($1::text[]) AS w (entity), LATERAL
        (SELECT name, value FROM world_state_field WHERE entity = w.entity OFFSET 0) f";
/// What each field was before the first step behind a version that changed it, and under the empty
/// field the entity's version. It goes from field to field, so that many steps of one cost nothing.
const BEFORE: &str = "
    WITH RECURSIVE walk (entity, field) AS (
        SELECT w.entity COLLATE \"C\", (SELECT min(field) FROM world_state_history
            WHERE entity = w.entity) FROM unnest($1::text[]) AS w (entity)
        UNION ALL
        SELECT walk.entity, (SELECT min(field) FROM world_state_history
            WHERE entity = walk.entity AND field > walk.field)
        FROM walk WHERE walk.field IS NOT NULL)
    SELECT walk.entity, walk.field, past.value FROM walk, LATERAL
        (SELECT value FROM world_state_history
         WHERE entity = walk.entity AND field = walk.field AND step > $2
         ORDER BY step LIMIT 1) past
    WHERE walk.field IS NOT NULL";

/// An entity at a version, and that version.
pub(super) async fn entity(
    view: &Transaction<'_>,
    name: &str,
    at: Option<u64>,
) -> Result<(Option<Entity>, u64), StoreError> {
    let versions = versions::seen(view).await?;
    let at = at.unwrap_or(versions.world);
    versions.check(at)?;
    let heads = heads(&view.query(ENTITY, &[&name]).await?)?;
    let mut entities = at_version(view, heads, at).await?;
    Ok((entities.pop().flatten(), at))
}

/// Entities in the order of their names at a version.
pub(super) async fn list(
    view: &Transaction<'_>,
    wanted: &Wanted,
    at: u64,
) -> Result<Page, StoreError> {
    versions::seen(view).await?.check(at)?;
    let (mut page, mut looked_at, end) = (Page::default(), 0, wanted.end());
    let mut last = wanted.after.clone();
    loop {
        let count = AT_ONCE_MAX.min(LOOKED_AT_COUNT_MAX - looked_at) as i64;
        let after = last.as_deref().unwrap_or("");
        let rows = view.query(ENTITIES, &[&wanted.prefix, &after, &end, &count]).await?;
        let heads = heads(&rows)?;
        let names: Vec<_> = heads.iter().map(|head| head.name.clone()).collect();
        for (name, entity) in names.into_iter().zip(at_version(view, heads, at).await?) {
            if page.entities.len() == wanted.limit {
                page.next = last;
                return Ok(page);
            }
            page.entities.extend(entity.filter(|entity| wanted.takes(entity)));
            last = Some(name);
        }
        looked_at += rows.len();
        if rows.len() < AT_ONCE_MAX {
            // Not all were looked at: the client asks on from here.
            page.next = last.filter(|_| looked_at == LOOKED_AT_COUNT_MAX);
            return Ok(page);
        }
    }
}

/// An entity as a whole, as it is now.
struct Head {
    name: String,
    version: u64,
    touched: u64,
    count: i64,
}

fn heads(rows: &[Row]) -> Result<Vec<Head>, StoreError> {
    let head = |row: &Row| {
        let number = |index| row.get::<i64>(index).map(i64::cast_unsigned);
        let (version, touched) = (number(1)?, number(2)?);
        Ok(Head { name: row.get(0)?, version, touched, count: row.get(3)? })
    };
    rows.iter().map(head).collect()
}

/// Entities at a version, each as it was, if it was there.
async fn at_version(
    view: &Transaction<'_>,
    heads: Vec<Head>,
    at: u64,
) -> Result<Vec<Option<Entity>>, StoreError> {
    let names: Vec<_> = heads.iter().map(|head| head.name.as_str()).collect();
    let mut fields = fields(&view.query(FIELDS, &[&names]).await?)?;
    let later: Vec<_> = heads.iter().filter(|head| head.touched > at).collect();
    let later: Vec<_> = later.iter().map(|head| head.name.as_str()).collect();
    let mut before = Past::new();
    if !later.is_empty() {
        before = past(&view.query(BEFORE, &[&later, &at.cast_signed()]).await?)?;
    }
    let entities = heads.into_iter().map(|head| {
        let fields = fields.remove(&head.name).unwrap_or_default();
        let before = before.remove(&head.name);
        head.at(at, fields, before)
    });
    entities.collect()
}

type Fields = BTreeMap<String, Value>;
type Past = HashMap<String, BTreeMap<String, Option<String>>>;

fn fields(rows: &[Row]) -> Result<HashMap<String, Fields>, StoreError> {
    let mut all = HashMap::<String, Fields>::new();
    for row in rows {
        let of = all.entry(row.get(0)?).or_default();
        of.insert(row.get(1)?, Value::kept(row.get(2)?));
    }
    Ok(all)
}

fn past(rows: &[Row]) -> Result<Past, StoreError> {
    let mut all = Past::new();
    for row in rows {
        all.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
    }
    Ok(all)
}

impl Head {
    /// As it was at a version, by its fields now and what they were before the steps behind it.
    fn at(
        self,
        at: u64,
        mut fields: Fields,
        before: Option<BTreeMap<String, Option<String>>>,
    ) -> Result<Option<Entity>, StoreError> {
        let Self { name, mut version, touched, count } = self;
        let is_as_now = touched <= at;
        if is_as_now && count == 0 {
            return Ok(None);
        }
        if !is_as_now {
            let mut before = before.unwrap_or_default();
            let was = before.remove("").flatten().and_then(|text| text.parse().ok());
            version = was.ok_or_else(|| missing(&format!("a part of the history of {name}")))?;
            for (field, value) in before {
                match value {
                    Some(value) => fields.insert(field, Value::kept(&value)),
                    None => fields.remove(&field),
                };
            }
        }
        Ok((!fields.is_empty()).then_some(Entity { name, version, fields }))
    }
}
