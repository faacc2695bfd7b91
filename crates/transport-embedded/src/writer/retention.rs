//! Removing what is too old or too much, or in a queue what is settled, in small steps between
//! commits.

use super::{Writer, cursors};
use crate::codec::Kind as RecordKind;
use crate::failure::Failure;
use crate::options::Options;
use crate::record::{Dead, Head, Tally};
use crate::store::{self, Changes, Entry};
use rusqlite::Connection;

/// Index entries that one step removes at the most.
const STEP_ENTRIES_MAX: u32 = 256;
/// Steps in a row before publishers have their turn again.
const STEPS_MAX: usize = 16;

impl Writer {
    /// Removes what retention asks for.
    pub(super) fn retain(&mut self) {
        if self.shared.failed().is_some() {
            return;
        }
        let oldest_ms = self.oldest_ms();
        for topic in 0..self.ledger.heads.len() as u32 {
            for _ in 0..STEPS_MAX {
                match self.step(topic, oldest_ms) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(failure) => {
                        let error = failure.told(&self.shared.file, worldbus_bus::Fate::Refused);
                        tracing::warn!(%error, topic, "retention could not remove batches");
                        break;
                    }
                }
            }
        }
    }

    fn oldest_ms(&self) -> i64 {
        let age_ms = self.shared.options.retention_age.as_millis();
        self.shared.now_ms().saturating_sub(i64::try_from(age_ms).unwrap_or(i64::MAX))
    }

    /// One step; whether there may be another.
    fn step(&mut self, topic: u32, oldest_ms: i64) -> Result<bool, Failure> {
        let bounds = self.bounds(topic, oldest_ms);
        let before = self.ledger.heads[topic as usize].clone();
        let oldest = store::oldest_entries(&self.connection, topic, STEP_ENTRIES_MAX)?;
        let (after, removed) = plan(&before, &oldest, &bounds)?;
        if removed.is_empty() {
            return Ok(false);
        }
        let groups: Vec<u64> = removed.iter().map(|entry| entry.group).collect();
        let groups_removed = store::expired_groups(&self.connection, &groups, |number| {
            let head = self.ledger.heads.get(number as usize);
            if number == topic { after.first_offset } else { head.map_or(0, |h| h.first_offset) }
        })?;
        let mut records = vec![(RecordKind::Topic, u64::from(topic), after.encode(topic))];
        // What a queue removes is settled on the disk as well, from the same commit on.
        let dirty = match self.shared.options.queue {
            true => cursors::take_dirty(&self.shared),
            false => Vec::new(),
        };
        for live in &dirty {
            records.push((RecordKind::Subscription, u64::from(live.id), cursors::encode(live)));
        }
        let changes = Changes {
            records,
            entries_removed: removed
                .iter()
                .map(|entry| (topic, entry.section.first_offset))
                .collect(),
            groups_removed,
            ..Changes::default()
        };
        // Readers must know before the rows are gone, lest they take it for damage.
        self.shared.tail().set_head(topic, after.clone());
        if self.commit(&changes).is_err() {
            self.shared.tail().set_head(topic, before);
            dirty.iter().for_each(|live| live.set_dirty());
            return Ok(false);
        }
        let batches = after.first_offset - before.first_offset;
        let first_offset = after.first_offset;
        if !self.shared.options.queue {
            tracing::info!(topic = %after.name, batches, first_offset, "retention removed batches");
        }
        metrics::counter!("worldbus_retention_batches_total").increment(batches);
        self.ledger.heads[topic as usize] = after;
        Ok(true)
    }
}

impl Writer {
    fn bounds(&self, topic: u32, oldest_ms: i64) -> Bounds {
        if self.shared.options.queue {
            let settled = cursors::settled(&self.shared, topic);
            return Bounds { oldest_ms: i64::MIN, bytes_max: u64::MAX, settled };
        }
        Bounds { oldest_ms, bytes_max: self.shared.options.retention_bytes, settled: 0 }
    }
}

/// What a topic keeps.
struct Bounds {
    oldest_ms: i64,
    bytes_max: u64,
    /// Nobody needs what is below this offset.
    settled: u64,
}

/// Which of a topic's oldest entries go, and its head without them.
fn plan(head: &Head, oldest: &[Entry], bounds: &Bounds) -> Result<(Head, Vec<Entry>), Failure> {
    let mut after = head.clone();
    let mut removed = Vec::new();
    for entry in oldest {
        let young = entry.appended_ms >= bounds.oldest_ms && after.bytes <= bounds.bytes_max;
        if young && entry.section.end() > bounds.settled {
            break;
        }
        if entry.section.first_offset != after.first_offset {
            let Head { name, first_offset, .. } = after;
            return Err(Failure::Damaged(format!("topic {name} lacks offset {first_offset}")));
        }
        after.first_offset = entry.section.end();
        after.bytes = after.bytes.saturating_sub(entry.section.bytes);
        removed.push(*entry);
    }
    Ok((after, removed))
}

/// Adds to a commit the removal of the oldest dead letters that are too many, and of the places
/// before the oldest of those that were taken away.
pub(super) fn trim_dead(
    connection: &Connection,
    options: &Options,
    changes: &mut Changes,
    tally: &mut Tally,
) {
    if changes.dead.is_empty() && changes.dead_removed.is_empty() {
        return;
    }
    let mut first = tally.dead_first;
    let mut bytes = tally.dead_bytes;
    let mut count = 0u64;
    while first < tally.dead_next {
        let length = connection
            .prepare_cached("SELECT length(value) FROM dead_letter WHERE number = ?1")
            .and_then(|mut found| found.query_row([first.cast_signed()], |row| row.get(0)));
        let Ok::<i64, _>(length) = length else { break };
        let removed = changes.dead_removed.iter().any(|(number, _)| *number == first);
        let length = if removed { Dead::REMOVED_BYTES as u64 } else { length.cast_unsigned() };
        let there = length > Dead::REMOVED_BYTES as u64;
        let over = tally.dead_next - first > options.dead_letters_max
            || bytes > options.dead_letter_bytes_max;
        if there && !over {
            break;
        }
        bytes = bytes.saturating_sub(length);
        count += u64::from(there);
        first += 1;
    }
    if count > 0 {
        tracing::warn!(count, "the oldest dead letters were removed to make room");
        metrics::counter!("worldbus_dead_letters_removed_total").increment(count);
    }
    if first > tally.dead_first {
        (tally.dead_first, tally.dead_bytes) = (first, bytes);
        changes.dead_first = Some(first);
        for (kind, _, record) in &mut changes.records {
            if *kind == RecordKind::Tally {
                *record = tally.encode();
            }
        }
    }
}
