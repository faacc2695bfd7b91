//! Reading entities as they are, or as they were at a version: what is there, with the history
//! behind that version undone.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::fault::Fault;
use super::rows;
use crate::model::Value;
use crate::store::{Entity, LOOKED_AT_COUNT_MAX, Page, Wanted};

/// An entity at a version, and that version.
pub(super) fn entity(
    rows: &Connection,
    name: &str,
    at: Option<u64>,
) -> Result<(Option<Entity>, u64), Fault> {
    let versions = rows::versions(rows)?;
    let at = at.unwrap_or(versions.world);
    versions.check(at)?;
    let mut statement =
        rows.prepare_cached("SELECT version, touched, field_count FROM entity WHERE name = ?1")?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let Some((version, touched, count)) = statement.query_row([name], read).optional()? else {
        return Ok((None, at));
    };
    let row = EntityRow { name: name.to_owned(), version, touched, count };
    Ok((at_version(rows, row, at)?, at))
}

/// Entities in the order of their names at a version.
pub(super) fn list(rows: &Connection, wanted: &Wanted, at: u64) -> Result<Page, Fault> {
    rows::versions(rows)?.check(at)?;
    let mut statement = rows.prepare_cached(
        "SELECT name, version, touched, field_count FROM entity
         WHERE name >= ?1 AND name > ?2 AND name < ?3 ORDER BY name LIMIT ?4",
    )?;
    let after = wanted.after.as_deref().unwrap_or("");
    let end = wanted.end();
    let limit = LOOKED_AT_COUNT_MAX as i64;
    let mut found = statement.query(params![wanted.prefix, after, end, limit])?;
    let (mut page, mut looked_at, mut last) = (Page::default(), 0, None);
    while let Some(row) = found.next()? {
        if page.entities.len() == wanted.limit {
            page.next = last;
            return Ok(page);
        }
        let name: String = row.get(0)?;
        let row = EntityRow {
            name: name.clone(),
            version: row.get(1)?,
            touched: row.get(2)?,
            count: row.get(3)?,
        };
        let entity = at_version(rows, row, at)?;
        page.entities.extend(entity.filter(|entity| wanted.takes(entity)));
        last = Some(name);
        looked_at += 1;
    }
    // Not all were looked at: the client asks on from here.
    page.next = last.filter(|_| looked_at == LOOKED_AT_COUNT_MAX);
    Ok(page)
}

struct EntityRow {
    name: String,
    version: i64,
    touched: i64,
    count: i64,
}

fn at_version(rows: &Connection, row: EntityRow, at: u64) -> Result<Option<Entity>, Fault> {
    let EntityRow { name, mut version, touched, count } = row;
    let is_as_now = touched.cast_unsigned() <= at;
    if is_as_now && count == 0 {
        return Ok(None);
    }
    let mut fields = fields(rows, &name)?;
    if !is_as_now {
        version = version_before(rows, &name, at)?;
        undo(rows, &name, at, &mut fields)?;
    }
    if fields.is_empty() {
        return Ok(None);
    }
    Ok(Some(Entity { name, version: version.cast_unsigned(), fields }))
}

fn fields(rows: &Connection, name: &str) -> Result<BTreeMap<String, Value>, Fault> {
    let mut statement = rows.prepare_cached("SELECT name, value FROM field WHERE entity = ?1")?;
    let mut found = statement.query([name])?;
    let mut fields = BTreeMap::new();
    while let Some(row) = found.next()? {
        let value = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        fields.insert(row.get(0)?, Value::kept(value));
    }
    Ok(fields)
}

/// The entity's version before the first step behind `at` that touched it.
fn version_before(rows: &Connection, name: &str, at: u64) -> Result<i64, Fault> {
    let version = before(rows, name, "", at)?.flatten();
    let version = version.and_then(|text| text.parse().ok());
    version.ok_or_else(|| Fault::damaged(format!("the history of {name} has a gap")))
}

/// Puts each field back to what it was before the first step behind `at` that changed it. It goes
/// from field to field, so that many steps of one cost nothing.
fn undo(
    rows: &Connection,
    name: &str,
    at: u64,
    fields: &mut BTreeMap<String, Value>,
) -> Result<(), Fault> {
    let mut next = rows.prepare_cached(
        "SELECT field FROM history WHERE entity = ?1 AND field > ?2 ORDER BY field LIMIT 1",
    )?;
    let mut last = String::new();
    loop {
        let field: Option<String> = next.query_row([name, &last], |row| row.get(0)).optional()?;
        let Some(field) = field else { return Ok(()) };
        match before(rows, name, &field, at)? {
            Some(Some(value)) => {
                fields.insert(field.clone(), Value::kept(&value));
            }
            Some(None) => {
                fields.remove(&field);
            }
            None => {}
        }
        last = field;
    }
}

/// What a field was before the first step behind `at` that changed it, if one did.
fn before(
    rows: &Connection,
    name: &str,
    field: &str,
    at: u64,
) -> Result<Option<Option<String>>, Fault> {
    let mut statement = rows.prepare_cached(
        "SELECT value FROM history WHERE entity = ?1 AND field = ?2 AND step > ?3
         ORDER BY step LIMIT 1",
    )?;
    let found = statement.query_row(params![name, field, at.cast_signed()], |row| row.get(0));
    Ok(found.optional()?)
}
