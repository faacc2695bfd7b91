//! Writes a step within a transaction, with its history, its event and its key. Not here: what a
//! step comes to (`make`).

use rusqlite::{Connection, OptionalExtension as _, params};

use super::fault::Fault;
use super::rows::Tables;
use crate::model::{Key, Outcome};
use crate::store::make::{Made, Rows, Used};
use worldbus_world::{GameTime, WallTime};

impl Rows for Tables<'_> {
    fn used(&mut self, key: &Key) -> Result<Option<Used>, Fault> {
        let select = "SELECT fingerprint, version FROM used_key WHERE text = ?1";
        let mut statement = self.0.prepare_cached(select)?;
        let used = statement.query_row([key.text()], |row| {
            let number = |index| row.get::<_, i64>(index).map(i64::cast_unsigned);
            Ok(Used { fingerprint: number(0)?, version: number(1)? })
        });
        Ok(used.optional()?)
    }

    fn write(&mut self, made: Made<'_>) -> Result<(), Fault> {
        facts(self.0, made.version, made.outcome)?;
        insert(self.0, &made)?;
        match made.step.expires_at {
            Some(at) => expires(self.0, at, made.version, made.outcome),
            None => Ok(()),
        }
    }

    fn note(&mut self, key: &Key, version: u64, wall: WallTime) -> Result<(), Fault> {
        self.0
            .prepare_cached(
                "INSERT INTO used_key (text, fingerprint, version, wall_us)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                key.text(),
                key.fingerprint().cast_signed(),
                version.cast_signed(),
                wall.0
            ])?;
        Ok(())
    }
}

/// Entities, fields, and what they were before.
fn facts(rows: &Connection, version: u64, outcome: &Outcome) -> Result<(), Fault> {
    let step = version.cast_signed();
    let mut set = rows.prepare_cached(
        "INSERT INTO field (entity, name, value, since) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (entity, name) DO UPDATE SET value = ?3, since = ?4",
    )?;
    let mut remove = rows.prepare_cached("DELETE FROM field WHERE entity = ?1 AND name = ?2")?;
    let mut past = rows.prepare_cached(
        "INSERT INTO history (entity, field, step, value) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut head = rows.prepare_cached(
        "INSERT INTO entity (name, version, touched, field_count) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE SET version = ?2, touched = ?3, field_count = ?4",
    )?;
    for touched in outcome.entities.iter().filter(|touched| touched.exists()) {
        let entity = touched.entity.as_str();
        past.execute(params![entity, "", step, touched.before.version.to_string()])?;
        let after = touched.after;
        let count = after.field_count as i64;
        head.execute(params![entity, after.version.cast_signed(), step, count])?;
        for effect in &touched.fields {
            let field = effect.field.as_str();
            let before = effect.before.as_ref().map(|kept| kept.value.as_str());
            match &effect.after {
                Some(value) => set.execute(params![entity, field, value.as_str(), step])?,
                None if before.is_some() => remove.execute([entity, field])?,
                None => continue,
            };
            past.execute(params![entity, field, step, before])?;
        }
    }
    Ok(())
}

fn insert(rows: &Connection, made: &Made<'_>) -> Result<(), Fault> {
    rows.prepare_cached(
        "INSERT INTO step (version, wall_us, game_us, actor, reason, entity, trace, event)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        made.version.cast_signed(),
        made.moment.wall.0,
        made.moment.game.map(|game| game.0),
        made.step.by.actor,
        made.step.by.reason,
        made.entity(),
        made.trace(),
        made.event
    ])?;
    Ok(())
}

/// Notes what a step has set and when it expires.
fn expires(rows: &Connection, at: GameTime, version: u64, outcome: &Outcome) -> Result<(), Fault> {
    let mut insert = rows.prepare_cached(
        "INSERT INTO expiry (game_us, entity, field, step) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (game_us, entity, field) DO UPDATE SET step = ?4",
    )?;
    for touched in &outcome.entities {
        for effect in touched.fields.iter().filter(|effect| effect.after.is_some()) {
            let (entity, field) = (touched.entity.as_str(), effect.field.as_str());
            insert.execute(params![at.0, entity, field, version.cast_signed()])?;
        }
    }
    Ok(())
}
