//! The single rows that the writer reads and writes: the world, entities, fields.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::fault::Fault;
use crate::model::apply::{Facts, Head, Kept};
use crate::model::{EntityName, FieldName, Value};
use crate::store::Versions;

/// How far the world is.
pub(super) fn versions(rows: &Connection) -> Result<Versions, Fault> {
    let mut statement =
        rows.prepare_cached("SELECT version, kept_from, published FROM world WHERE id = 0")?;
    let read = |row: &rusqlite::Row<'_>| {
        let number = |index| row.get::<_, i64>(index).map(i64::cast_unsigned);
        Ok(Versions { world: number(0)?, kept_from: number(1)?, published: number(2)? })
    };
    Ok(statement.query_row([], read)?)
}

pub(super) fn set_versions(rows: &Connection, versions: &Versions) -> Result<(), Fault> {
    let Versions { world, kept_from, published } = *versions;
    rows.prepare_cached(
        "UPDATE world SET version = ?1, kept_from = ?2, published = ?3 WHERE id = 0",
    )?
    .execute(params![
        world.cast_signed(),
        kept_from.cast_signed(),
        published.cast_signed()
    ])?;
    Ok(())
}

/// What is there, as the model reads it.
pub(super) struct Tables<'a>(pub(super) &'a Connection);

impl Facts for Tables<'_> {
    type Error = Fault;

    fn head(&mut self, entity: &EntityName) -> Result<Head, Fault> {
        let mut statement =
            self.0.prepare_cached("SELECT version, field_count FROM entity WHERE name = ?1")?;
        let head = statement.query_row([entity.as_str()], |row| {
            let version = row.get::<_, i64>(0)?.cast_unsigned();
            Ok(Head { version, field_count: row.get::<_, i64>(1)?.unsigned_abs() as usize })
        });
        Ok(head.optional()?.unwrap_or_default())
    }

    fn field(&mut self, entity: &EntityName, field: &FieldName) -> Result<Option<Kept>, Fault> {
        let mut statement = self
            .0
            .prepare_cached("SELECT value, since FROM field WHERE entity = ?1 AND name = ?2")?;
        let kept = statement.query_row([entity.as_str(), field.as_str()], |row| {
            let value = Value::kept(row.get_ref(0)?.as_str()?);
            Ok(Kept { value, since: row.get::<_, i64>(1)?.cast_unsigned() })
        });
        Ok(kept.optional()?)
    }

    fn fields(&mut self, entity: &EntityName) -> Result<Vec<(FieldName, Kept)>, Fault> {
        let mut statement = self.0.prepare_cached(
            "SELECT name, value, since FROM field WHERE entity = ?1 ORDER BY name",
        )?;
        let mut fields = Vec::new();
        let mut found = statement.query([entity.as_str()])?;
        while let Some(row) = found.next()? {
            let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            let name = name.parse().map_err(Fault::damaged)?;
            let value = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            let since = row.get::<_, i64>(2)?.cast_unsigned();
            fields.push((name, Kept { value: Value::kept(value), since }));
        }
        Ok(fields)
    }
}
