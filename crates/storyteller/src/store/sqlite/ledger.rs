//! What the ledger changes, as rows of one transaction, and the outbox. Not here: searches.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Failure, rows, words};
use crate::ledger::{Advance, ArcState, Changes, Entry, News, Order, Publication, Saved};
use crate::store::{Committed, Kept, stored};

pub(super) fn revision(connection: &Connection) -> Result<u64, Failure> {
    counter(connection, "ledger")
}

pub(super) fn load(connection: &Connection) -> Result<(u64, Saved), Failure> {
    let revision = revision(connection)?;
    let mut saved = Saved::default();
    let mut arcs = connection.prepare("SELECT state FROM arc WHERE NOT ended")?;
    for state in arcs.query_map([], |row| row.get::<_, String>(0))? {
        saved.arcs.push(decode(&state?)?);
    }
    let mut observations =
        connection.prepare("SELECT wall_ms, event, part, body FROM observation")?;
    let mut found = observations.query([])?;
    while let Some(row) = found.next()? {
        match row.get::<_, Option<String>>(3)? {
            Some(body) => saved.waiting.push(decode(&body)?),
            None => {
                let event = stored::number(&row.get::<_, Vec<u8>>(1)?).map_err(Failure::damaged)?;
                saved.done.push((row.get(0)?, event, row.get(2)?));
            }
        }
    }
    Ok((revision, saved))
}

pub(super) fn commit(
    connection: &Connection,
    revision: Option<u64>,
    changes: &Changes,
) -> Result<Committed, Failure> {
    let mut current = counter(connection, "ledger")?;
    if let Some(revision) = revision {
        if revision != current {
            return Ok(Committed::Conflict);
        }
        current = step(connection, "ledger")?;
    }
    for news in &changes.news {
        match news {
            News::Entry(entry) => add_entry(connection, entry)?,
            News::Advance(advance) => add_advance(connection, advance)?,
        }
    }
    for arc in &changes.arcs {
        put_arc(connection, arc)?;
    }
    for waits in &changes.waiting {
        let order = (waits.wall_ms, waits.event, waits.index);
        put_observation(connection, order, Some(&encode(waits)?))?;
    }
    for order in &changes.done {
        put_observation(connection, *order, None)?;
    }
    for (wall_ms, event, part) in &changes.forgotten {
        connection.execute(
            "DELETE FROM observation WHERE wall_ms = ?1 AND event = ?2 AND part = ?3",
            params![wall_ms, event.to_be_bytes(), part],
        )?;
    }
    Ok(Committed::Done(current))
}

/// Adds an entry, and queues it, unless it is there.
fn add_entry(connection: &Connection, entry: &Entry) -> Result<(), Failure> {
    let id = stored::bytes(entry.id);
    let mut known = connection.prepare_cached("SELECT 1 FROM entry WHERE id = ?1")?;
    if known.exists([id])? {
        return Ok(());
    }
    let number = i64::try_from(step(connection, "entries")?).unwrap_or(i64::MAX);
    let row = stored::row_of(entry.significance, number);
    let mut insert = connection.prepare_cached(
        "INSERT INTO entry
         (row, id, game_us, region, significance, text, arc, rule, causes, wall_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    insert.execute(params![
        row,
        id,
        entry.game_us,
        entry.region,
        entry.significance,
        entry.text,
        entry.arc,
        entry.rule,
        stored::ids_to_bytes(&entry.causes),
        entry.wall_ms,
    ])?;
    words::add(connection, row, entry, "")?;
    enqueue(connection, &entry.publication())
}

/// Adds a step of an arc, and queues it, unless it is there.
fn add_advance(connection: &Connection, advance: &Advance) -> Result<(), Failure> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO advance (arc, number, stage, game_us) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
    )?;
    let Advance { arc, number, to, game_us, .. } = advance;
    match insert.execute(params![arc, number, to, game_us])? {
        0 => Ok(()),
        _ => enqueue(connection, &advance.publication()),
    }
}

/// What is over and was never shown is nothing.
fn put_arc(connection: &Connection, arc: &ArcState) -> Result<(), Failure> {
    let is_shown = arc.shown.is_some();
    if arc.ended && !is_shown {
        connection.execute("DELETE FROM arc WHERE id = ?1", [&arc.id])?;
        return Ok(());
    }
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO arc (id, kind, region, ended, shown, since_us, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let ArcState { id, kind, region, ended, since_us, .. } = arc;
    put.execute(params![id, kind, region, ended, is_shown, since_us, encode(arc)?])?;
    Ok(())
}

fn put_observation(
    connection: &Connection,
    (wall_ms, event, part): Order,
    body: Option<&str>,
) -> Result<(), Failure> {
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO observation (wall_ms, event, part, body) VALUES (?1, ?2, ?3, ?4)",
    )?;
    put.execute(params![wall_ms, event.to_be_bytes(), part, body])?;
    Ok(())
}

pub(super) fn enqueue(connection: &Connection, event: &Publication) -> Result<(), Failure> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO outbox (event_type, topic, id, wall_ms, entity, place, payload)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let Publication { event_type, topic, id, wall_ms, entity, place, payload } = event;
    let id = id.to_be_bytes();
    insert.execute(params![event_type, topic, id, wall_ms, entity, place, payload])?;
    Ok(())
}

pub(super) fn outbox(
    connection: &Connection,
    count_max: usize,
) -> Result<Vec<(i64, Publication)>, Failure> {
    let mut select = connection.prepare_cached(
        "SELECT number, event_type, topic, id, wall_ms, entity, place, payload FROM outbox
         ORDER BY number LIMIT ?1",
    )?;
    let mut found = select.query([count_max as i64])?;
    let mut publications = Vec::new();
    while let Some(row) = found.next()? {
        publications.push(rows::publication(row)?);
    }
    Ok(publications)
}

pub(super) fn published(connection: &Connection, through: i64) -> Result<(), Failure> {
    connection.execute("DELETE FROM outbox WHERE number <= ?1", [through])?;
    Ok(())
}

pub(super) fn kept(connection: &Connection, name: &str) -> Result<Option<Kept>, Failure> {
    let read = |row: &rusqlite::Row<'_>| {
        let revision: i64 = row.get(1)?;
        Ok(Kept { value: row.get(0)?, revision: revision.unsigned_abs() })
    };
    let sql = "SELECT value, revision FROM kept WHERE name = ?1";
    Ok(connection.query_row(sql, [name], read).optional()?)
}

pub(super) fn keep(
    connection: &Connection,
    name: &str,
    revision: u64,
    value: &str,
    publications: &[Publication],
) -> Result<bool, Failure> {
    let current = kept(connection, name)?.map_or(0, |kept| kept.revision);
    if current != revision {
        return Ok(false);
    }
    connection.execute(
        "INSERT OR REPLACE INTO kept (name, revision, value) VALUES (?1, ?2, ?3)",
        params![name, revision as i64 + 1, value],
    )?;
    for publication in publications {
        enqueue(connection, publication)?;
    }
    Ok(true)
}

fn counter(connection: &Connection, name: &str) -> Result<u64, Failure> {
    let sql = "SELECT value FROM counter WHERE name = ?1";
    let value: i64 = connection.query_row(sql, [name], |row| row.get(0))?;
    Ok(value.unsigned_abs())
}

/// Raises a counter by one.
fn step(connection: &Connection, name: &str) -> Result<u64, Failure> {
    let mut raise = connection
        .prepare_cached("UPDATE counter SET value = value + 1 WHERE name = ?1 RETURNING value")?;
    let value: i64 = raise.query_row([name], |row| row.get(0))?;
    Ok(value.unsigned_abs())
}

fn encode(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::damaged(error.to_string()))
}

fn decode<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::damaged(error.to_string()))
}
