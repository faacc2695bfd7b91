//! One step within a transaction: worked out, then written with its history, its event and its key.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::fault::Fault;
use super::rows::Rows;
use crate::model::{EVENT_BYTES_MAX, Key, Outcome, Refusal, Step, Why, apply};
use crate::store::{Committed, Moment, Versions};
use worldbus_events::prost::Message as _;
use worldbus_events::v1::{StateChange, StateOperation, WorldStateUpdated};
use worldbus_world::GameTime;

/// Steps that wait for the bus. Beyond them none is made: the outbox is bounded.
const OUTBOX_COUNT_MAX: u64 = 1_000_000;

/// Makes a step. What is refused has written nothing.
pub(super) fn step(
    rows: &Connection,
    versions: &mut Versions,
    step: &Step,
    moment: &Moment,
) -> Result<Result<Committed, Refusal>, Fault> {
    // The same key again has the first answer.
    if let Some(key) = &step.key {
        match used(rows, key)? {
            Some(Ok(version)) => return Ok(Ok(Committed { version, repeated: true })),
            Some(Err(refusal)) => return Ok(Err(refusal)),
            None => {}
        }
    }

    // Everything that can refuse it, before anything is written.
    let outcome = match apply(&mut Rows(rows), step)? {
        Ok(outcome) => outcome,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let changes_something = !(step.only_if_changed && outcome.entities.is_empty());
    let version = versions.world + u64::from(changes_something);
    let event = event(version, &outcome);
    if versions.world.saturating_sub(versions.published) >= OUTBOX_COUNT_MAX {
        let detail = format!(
            "{OUTBOX_COUNT_MAX} steps wait for the bus already; nothing was done; try again once \
             it takes events"
        );
        return Ok(Err(Refusal::new(Why::Later, "changes", detail)));
    }
    if event.len() > EVENT_BYTES_MAX {
        let found = event.len();
        let detail = format!(
            "expected an event of at most {EVENT_BYTES_MAX} bytes, found {found}; make several \
             steps"
        );
        return Ok(Err(Refusal::new(Why::Invalid, "changes", detail)));
    }

    if changes_something {
        facts(rows, version, &outcome)?;
        insert(rows, version, step, &outcome, moment, &event)?;
        if let Some(at) = step.expires_at {
            expires(rows, at, version, &outcome)?;
        }
        versions.world = version;
    }
    if let Some(key) = &step.key {
        rows.prepare_cached(
            "INSERT INTO used_key (text, fingerprint, version, wall_us) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            key.text(),
            key.fingerprint().cast_signed(),
            version.cast_signed(),
            moment.wall.0
        ])?;
    }
    Ok(Ok(Committed { version, repeated: false }))
}

/// The version of the step that was made under a key, or why another cannot be.
fn used(rows: &Connection, key: &Key) -> Result<Option<Result<u64, Refusal>>, Fault> {
    let mut statement =
        rows.prepare_cached("SELECT fingerprint, version FROM used_key WHERE text = ?1")?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let used = statement.query_row([key.text()], read).optional()?;
    Ok(used.map(|(fingerprint, version)| match fingerprint.cast_unsigned() == key.fingerprint() {
        true => Ok(version.cast_unsigned()),
        false => {
            let detail = "expected a key of its own: this one came with another command before";
            Err(Refusal::new(Why::KeyReused, "idempotency_key", detail))
        }
    }))
}

fn event(version: u64, outcome: &Outcome) -> Vec<u8> {
    let mut changes = Vec::new();
    for touched in &outcome.entities {
        for effect in &touched.fields {
            let (operation, value) = match &effect.after {
                Some(value) => (StateOperation::Set, value.as_str().as_bytes().to_vec()),
                None => (StateOperation::Remove, Vec::new()),
            };
            let path = format!("{}/{}", touched.entity, effect.field);
            changes.push(StateChange { path, operation: operation.into(), value });
        }
    }
    WorldStateUpdated { version, previous_version: version.saturating_sub(1), changes }
        .encode_to_vec()
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

fn insert(
    rows: &Connection,
    version: u64,
    step: &Step,
    outcome: &Outcome,
    moment: &Moment,
    event: &[u8],
) -> Result<(), Fault> {
    let entity = match outcome.entities.as_slice() {
        [one] => Some(one.entity.as_str()),
        _ => None,
    };
    rows.prepare_cached(
        "INSERT INTO step (version, wall_us, game_us, actor, reason, entity, trace, event)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        version.cast_signed(),
        moment.wall.0,
        moment.game.map(|game| game.0),
        step.by.actor,
        step.by.reason,
        entity,
        moment.trace.map(|trace| trace.to_string()),
        event
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
