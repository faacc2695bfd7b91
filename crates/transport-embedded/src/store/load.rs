//! Reading at open what the process keeps in memory, and verifying that nothing vanished.

use std::collections::VecDeque;

use rusqlite::Connection;

use super::query::{record, stored, tally, wrong};
use crate::age::Ages;
use crate::format::codec::Kind;
use crate::format::record::{Dead, DeadKey, Head, Tally};
use crate::store::failure::Failure;
use crate::subscription::state::Subscription;
use crate::usage::Idle;

/// What the file holds.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) tally: Tally,
    pub(crate) heads: Vec<Head>,
    pub(crate) subscriptions: Vec<Subscription>,
    /// The dead letters from `tally.dead_first` on.
    pub(crate) dead: VecDeque<DeadPlace>,
    pub(crate) ages: Ages,
    pub(crate) idle: Idle,
}

/// The place of a dead letter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeadPlace {
    pub(crate) key: DeadKey,
    /// Bytes of what is stored of it, besides its key.
    pub(crate) bytes: u32,
    /// Whether it was taken away.
    pub(crate) removed: bool,
}

/// Reads and verifies everything but the batches, in tables as they should be. `now_ms` is steady.
pub(crate) fn load(
    connection: &Connection,
    tables: &[(&str, &str)],
    now_ms: i64,
) -> Result<Loaded, Failure> {
    check_schema(connection, tables)?;
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
    let (ages, idle) = ages(connection, tally.next_group, now_ms)?;
    Ok(Loaded { tally, heads, subscriptions, dead, ages, idle })
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
fn check_schema(connection: &Connection, tables: &[(&str, &str)]) -> Result<(), Failure> {
    let mut statement = connection
        .prepare("SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name")?;
    let found: Vec<(String, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    if found.iter().map(|(name, sql)| (name.as_str(), sql.as_str())).eq(tables.iter().copied()) {
        return Ok(());
    }
    Err(Failure::Fold("its schema is not ours".to_owned()))
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
            return Err(Failure::Fold(format!(
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
        return Err(Failure::Fold("the index has entries of no topic".to_owned()));
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
                let bytes: u32 = row.get(2)?;
                let removed = bytes as usize == Dead::REMOVED_BYTES;
                dead.push_back(DeadPlace { key, bytes, removed });
            }
            _ => break,
        }
        expected += 1;
    }
    if expected != tally.dead_next {
        let what = format!("dead letter {expected} is missing or wrong");
        return Err(Failure::Fold(what));
    }
    Ok(dead)
}
