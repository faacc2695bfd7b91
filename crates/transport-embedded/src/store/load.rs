//! Reading at open what the process keeps in memory, and verifying that nothing vanished.

use std::collections::VecDeque;

use bytes::Bytes;
use rusqlite::Connection;

use super::query::{self, record, stored, tally, wrong};
use super::schema::TABLES;
use crate::age::Ages;
use crate::format::codec::Kind;
use crate::format::group::records;
use crate::format::record::{Dead, DeadKey, Head, Tally};
use crate::store::failure::Failure;
use crate::subscription::state::Subscription;
use crate::usage::Idle;
use worldbus_bus::{SeenLimits, SeenWindow};
use worldbus_events::Batch;

/// What the file holds.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) tally: Tally,
    pub(crate) heads: Vec<Head>,
    pub(crate) subscriptions: Vec<Subscription>,
    /// The dead letters from `tally.dead_first` on.
    pub(crate) dead: VecDeque<DeadPlace>,
    pub(crate) seen: SeenWindow,
    pub(crate) ages: Ages,
    pub(crate) idle: Idle,
}

/// The place of a dead letter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeadPlace {
    pub(crate) key: DeadKey,
    /// Whether it was taken away.
    pub(crate) removed: bool,
}

/// Reads and verifies everything but the batches, and the newest of these. `now_ms` is steady.
pub(crate) fn load(
    connection: &Connection,
    limits: SeenLimits,
    seen_bytes_max: u64,
    now_ms: i64,
) -> Result<Loaded, Failure> {
    check_schema(connection)?;
    let tally = tally(connection)?;
    let mut heads = Vec::new();
    for number in 0..tally.topics {
        let sealed = record(connection, Kind::Topic, u64::from(number))?;
        let head = Head::decode(number, &sealed);
        heads.push(head.ok_or_else(|| wrong(&format!("the head of topic {number}")))?);
    }
    check_index(connection, &heads)?;
    let mut subscriptions = Vec::new();
    for id in 0..tally.subscriptions {
        let sealed = record(connection, Kind::Subscription, u64::from(id))?;
        let subscription = Subscription::decode(id, &sealed, now_ms);
        subscriptions.push(subscription.ok_or_else(|| wrong(&format!("subscription {id}")))?);
    }
    let dead = dead(connection, &tally)?;
    let seen = seen(connection, limits, seen_bytes_max)?;
    let (ages, idle) = ages(connection, tally.next_group, now_ms)?;
    Ok(Loaded { tally, heads, subscriptions, dead, seen, ages, idle })
}

/// How old what is stored is, and how long what was unused; a log of a format before has no record
/// of it.
fn ages(connection: &Connection, next_group: u64, now_ms: i64) -> Result<(Ages, Idle), Failure> {
    match stored(connection, Kind::Ages, 0)? {
        None => Ok((Ages::new(next_group, now_ms), Idle::default())),
        Some(sealed) => Ages::decode(&sealed, now_ms).ok_or_else(|| wrong("the log's age")),
    }
}

/// A statement that changed would read other things than were written.
fn check_schema(connection: &Connection) -> Result<(), Failure> {
    let mut statement = connection
        .prepare("SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name")?;
    let found: Vec<(String, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    if found.iter().map(|(name, sql)| (name.as_str(), sql.as_str())).eq(TABLES) {
        return Ok(());
    }
    Err(Failure::Damaged("its schema is not ours".to_owned()))
}

/// Each topic's entries must add up to exactly what its head holds.
fn check_index(connection: &Connection, heads: &[Head]) -> Result<(), Failure> {
    let mut statement = connection.prepare(
        "SELECT min(first_offset), max(first_offset + batches), sum(batches), sum(bytes)
         FROM entry WHERE topic = ?1",
    )?;
    for (number, head) in heads.iter().enumerate() {
        let found: [Option<i64>; 4] = statement.query_row([number as i64], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        })?;
        let batches = head.next_offset.saturating_sub(head.first_offset);
        let expected = match batches {
            0 => [None; 4],
            _ => [head.first_offset, head.next_offset, batches, head.bytes]
                .map(|value| Some(value.cast_signed())),
        };
        if found != expected || head.first_offset > head.next_offset {
            let Head { name, first_offset, next_offset, .. } = head;
            return Err(Failure::Damaged(format!(
                "the index of topic {name} is not complete from offset {first_offset} to \
                 {next_offset}"
            )));
        }
    }
    let foreign: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM entry WHERE topic < 0 OR topic >= ?1)",
        [heads.len() as i64],
        |row| row.get(0),
    )?;
    if foreign {
        return Err(Failure::Damaged("the index has entries of no topic".to_owned()));
    }
    Ok(())
}

fn dead(connection: &Connection, tally: &Tally) -> Result<VecDeque<DeadPlace>, Failure> {
    let mut statement = connection
        .prepare("SELECT number, key, octet_length(value) FROM dead_letter ORDER BY number")?;
    let mut rows = statement.query([])?;
    let mut dead = VecDeque::new();
    let mut expected = tally.dead_first;
    while let Some(row) = rows.next()? {
        let number = row.get::<_, i64>(0)?.cast_unsigned();
        let key = row.get_ref(1)?.as_blob().ok().and_then(|key| DeadKey::decode(number, key));
        match key {
            Some(key) if number == expected && number < tally.dead_next => {
                let removed = row.get::<_, i64>(2)? == Dead::REMOVED_BYTES as i64;
                dead.push_back(DeadPlace { key, removed });
            }
            _ => break,
        }
        expected += 1;
    }
    if expected != tally.dead_next {
        let what = format!("dead letter {expected} is missing or wrong");
        return Err(Failure::Damaged(what));
    }
    Ok(dead)
}

/// Remembers the event ids of the newest batches, oldest first.
fn seen(
    connection: &Connection,
    limits: SeenLimits,
    bytes_max: u64,
) -> Result<SeenWindow, Failure> {
    let mut statement =
        connection.prepare("SELECT id, octet_length(data) FROM commit_group ORDER BY id DESC")?;
    let mut rows = statement.query([])?;
    let mut groups = Vec::new();
    let mut bytes = 0u64;
    while let Some(row) = rows.next()? {
        bytes = bytes.saturating_add(row.get::<_, i64>(1)?.cast_unsigned());
        if bytes > bytes_max {
            break;
        }
        groups.push(row.get::<_, i64>(0)?.cast_unsigned());
    }
    let mut seen = SeenWindow::new(limits);
    for &id in groups.iter().rev() {
        let (head, data) = query::group(connection, id)?;
        let data = Bytes::from(data);
        for record in records(id, &head, &data).map_err(Failure::Damaged)? {
            let batch = Batch::decode(data.slice_ref(record.bytes));
            let batch = batch.map_err(|error| {
                let (offset, topic) = (record.offset, record.topic);
                Failure::Damaged(format!("batch {offset} of topic {topic} is {error}"))
            })?;
            remember(&mut seen, &batch);
        }
    }
    Ok(seen)
}

/// Marks the events of a batch as seen.
pub(crate) fn remember(seen: &mut SeenWindow, batch: &Batch) {
    match batch.consecutive_sequences() {
        Some(range) if seen.insert_range(batch.producer(), range.start, range.end) => {}
        _ => {
            for event in batch {
                seen.insert(event.id);
            }
        }
    }
}
