//! Removing what is too old or too much, or in a queue what is settled, in small steps between
//! commits: a batch is gone with the head of its topic. Not here: the segments (`segments`).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Writer, cursors};
use crate::age::Ages;
use crate::dead_letters::replay;
use crate::format::codec::Kind as RecordKind;
use crate::format::record::{Dead, Head, Removed};
use crate::journal::Changes;
use crate::options::Options;
use crate::shared::Shared;
use crate::store::failure::Failure;
use crate::store::{self, Entry};
use crate::usage::Idle;
use crate::write::plan::{Finished, Ledger};
use worldbus_bus::SubscriptionName;

/// Index entries that one commit removes at the most, of all topics.
const STEP_ENTRIES_MAX: usize = 512;
/// How long removing takes at a time, before publishers have their turn again.
pub(super) const STEPS_TIME: Duration = Duration::from_millis(2);

/// What retention remembers from one time to the next.
pub(crate) struct Retention {
    pub(super) ages: Ages,
    /// Topics warned of: unread batches are removed soon.
    pub(super) warned: HashSet<u32>,
    /// Subscriptions warned of: they are deleted soon.
    pub(super) warned_of_expiry: HashSet<u32>,
    /// Warned that dead letters are removed soon.
    pub(super) warned_of_dead: bool,
    /// The topic to go on with, where the time was over.
    unfinished: Option<u32>,
    /// Whether a segment is being emptied.
    pub(super) is_moving: bool,
}

impl Retention {
    pub(crate) fn new(ages: Ages) -> Self {
        let (warned, warned_of_expiry) = (HashSet::new(), HashSet::new());
        Self {
            ages,
            warned,
            warned_of_expiry,
            warned_of_dead: false,
            unfinished: None,
            is_moving: false,
        }
    }

    /// Whether there was more to remove than its time allowed.
    pub(super) fn is_unfinished(&self) -> bool {
        self.unfinished.is_some() || self.is_moving
    }

    /// The record of how old the log is and of what is idle, if it is time to write it.
    pub(super) fn due(&mut self, shared: &Shared) -> Option<(RecordKind, u64, Bytes)> {
        let used = shared.uses_changed.swap(false, Ordering::AcqRel);
        (used || self.ages.is_due(shared.steady_ms())).then(|| self.save(shared, &shared.idle()))
    }

    /// The record of how old the log is and of what is idle.
    pub(super) fn save(&mut self, shared: &Shared, idle: &Idle) -> (RecordKind, u64, Bytes) {
        let (kind, id, record) = self.ages.save(shared.steady_ms(), idle);
        (kind, id, record.into())
    }
}

impl Writer {
    /// Removes what retention asks for.
    pub(super) fn retain(&mut self) {
        if self.shared.failed().is_some() {
            return;
        }
        self.mark();
        let floors = cursors::floors(&self.shared);
        self.warn(&floors);
        self.expire(&floors);
        self.remove_batches(&floors);
        self.remove_segments();
    }

    /// Removes batches that are not kept, for a while; goes on later where there are more.
    pub(super) fn remove_batches(&mut self, floors: &Floors) {
        let begun = Instant::now();
        let topics = self.ledger.heads.len() as u32;
        let first = self.retention.unfinished.take().unwrap_or(0);
        for topic in (first..topics).chain(0..first.min(topics)) {
            let bounds = match replay::is_deleted(&self.ledger.heads[topic as usize].name) {
                true => Bounds { old: u64::MAX, settled: u64::MAX, ..Bounds::default() },
                false => self.bounds(floors.get(&topic).map(|(floor, _)| *floor)),
            };
            loop {
                if begun.elapsed() >= STEPS_TIME {
                    self.retention.unfinished = Some(topic);
                    return;
                }
                match self.step(topic, &bounds) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(failure) => {
                        let fate = worldbus_bus::Fate::Refused;
                        let error = failure.to_error(&self.shared.file, fate);
                        tracing::warn!(%error, topic, "retention could not remove batches");
                        break;
                    }
                }
            }
        }
    }

    /// Notes from time to time which batches there were.
    fn mark(&mut self) {
        let shared = Arc::clone(&self.shared);
        let (options, now_ms) = (&shared.options, shared.steady_ms());
        let (age_ms, unread_ms) = (ms(options.retention_age), ms(options.unread_age));
        let (shorter, longer) = (age_ms.min(unread_ms), age_ms.max(unread_ms));
        let next_group = self.ledger.tally.next_group;
        if options.queue {
            return;
        }
        let marked = self.retention.ages.mark(now_ms, next_group, shorter, longer);
        let expiry = options.subscription_expiry.into_iter().chain(options.topic_expiry).min();
        let overdue = |expiry| self.retention.ages.is_overdue(now_ms, ms(expiry));
        if marked || expiry.is_some_and(overdue) {
            let record = self.retention.save(&shared, &shared.idle());
            let _ = self.commit_records(vec![record]);
        }
    }

    /// One step; whether there may be another.
    fn step(&mut self, topic: u32, bounds: &Bounds) -> Result<bool, Failure> {
        let before = self.ledger.heads[topic as usize].clone();
        if before.first_offset == before.next_offset {
            return Ok(false);
        }
        // The fold may have entries still that were removed, and lack the newest.
        let from = before.first_offset;
        let plan = |count_max| {
            let oldest = store::oldest_entries(&self.connection, topic, from, count_max)?;
            plan(&before, &oldest, bounds)
        };
        // Most topics keep even the oldest, each second.
        if plan(1)?.1 == 0 {
            return Ok(false);
        }
        let (after, removed) = plan(STEP_ENTRIES_MAX)?;
        let mut records = vec![(RecordKind::Topic, u64::from(topic), after.encode(topic).into())];
        // What a queue removes is settled on the disk as well, from the same commit on.
        let dirty = match self.shared.options.queue {
            true => cursors::take_dirty(&self.shared),
            false => Vec::new(),
        };
        records.extend(dirty.iter().map(|live| cursors::record(&self.shared, live)));
        let changes = Changes { records, ..Changes::default() };
        let Ok(committed) = self.commit(&changes) else {
            dirty.iter().for_each(|live| live.set_dirty());
            return Ok(false);
        };
        // Once it is durable, and before the fold has it: a reader that misses what was removed
        // sees by the head that it is no damage.
        self.shared.tail().set_head(topic, after.clone());
        self.fold.push(committed, changes);
        let batches = after.first_offset - before.first_offset;
        let first_offset = after.first_offset;
        let unread = first_offset.saturating_sub(bounds.settled.max(before.first_offset));
        if unread > 0 {
            let topic = &after.name;
            tracing::warn!(
                %topic, batches, unread, first_offset,
                "retention removed unread batches"
            );
            metrics::counter!("worldbus_retention_unread_batches_total").increment(unread);
        } else if !self.shared.options.queue {
            tracing::info!(topic = %after.name, batches, first_offset, "retention removed batches");
        }
        metrics::counter!("worldbus_retention_batches_total").increment(batches);
        self.ledger.heads[topic as usize] = after;
        Ok(removed == STEP_ENTRIES_MAX)
    }
}

/// How far each topic is settled, and by whom.
type Floors = HashMap<u32, (u64, SubscriptionName)>;

impl Writer {
    /// What a topic keeps of which everything below `floor` is settled by its subscriptions, if it
    /// has any.
    fn bounds(&self, floor: Option<u64>) -> Bounds {
        let options = &self.shared.options;
        if options.queue {
            let settled = floor.unwrap_or(0);
            return Bounds {
                old: u64::MAX,
                settled,
                unread_bytes_max: u64::MAX,
                ..Bounds::default()
            };
        }
        let (ages, now_ms) = (&self.retention.ages, self.shared.steady_ms());
        let unread_age = options.unread_age.max(options.retention_age);
        Bounds {
            old: ages.older_than(now_ms, ms(options.retention_age)),
            bytes_max: options.retention_bytes,
            settled: floor.unwrap_or(u64::MAX),
            unread_old: ages.older_than(now_ms, ms(unread_age)),
            unread_bytes_max: options.unread_bytes.max(options.retention_bytes),
        }
    }
}

/// What a topic keeps.
#[derive(Default)]
struct Bounds {
    /// Commit groups below this one are old.
    old: u64,
    bytes_max: u64,
    /// Nothing below this offset is needed.
    settled: u64,
    /// The same for what is still needed.
    unread_old: u64,
    unread_bytes_max: u64,
}

impl Bounds {
    /// Whether an entry goes while its topic holds so many bytes.
    fn exclude(&self, entry: &Entry, bytes: u64) -> bool {
        let over = entry.group < self.old || bytes > self.bytes_max;
        let unread = entry.section.end() > self.settled;
        let spent = entry.group < self.unread_old || bytes > self.unread_bytes_max;
        over && (!unread || spent)
    }
}

pub(super) fn ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The head of a topic without those of its oldest entries that go, and how many do.
fn plan(head: &Head, oldest: &[Entry], bounds: &Bounds) -> Result<(Head, usize), Failure> {
    let mut after = head.clone();
    let mut removed = 0;
    for entry in oldest {
        if !bounds.exclude(entry, after.bytes) {
            break;
        }
        if entry.section.first_offset != after.first_offset {
            let Head { name, first_offset, .. } = after;
            return Err(Failure::Damaged(format!("topic {name} lacks offset {first_offset}")));
        }
        after.first_offset = entry.section.end();
        after.bytes = after.bytes.saturating_sub(entry.section.bytes);
        after.removed = Some(Removed { group: entry.group, appended_ms: entry.appended_ms });
        removed += 1;
    }
    Ok((after, removed))
}

/// Adds to a commit the removal of the oldest dead letters that are too many, and of the places
/// before the oldest of those that were taken away.
pub(super) fn trim_dead(
    ledger: &Ledger,
    options: &Options,
    changes: &mut Changes,
    finished: &mut Finished,
) {
    if changes.dead.is_empty() {
        return;
    }
    let tally = &mut finished.tally;
    let mut first = tally.dead_first;
    let mut bytes = tally.dead_bytes;
    let mut count = 0u64;
    while first < tally.dead_next {
        let staged = changes.dead.iter().find(|(number, ..)| *number == first);
        let length = match (staged, ledger.dead_place(first)) {
            (Some((_, _, value)), _) => value.len() as u64,
            (None, Some(place)) => u64::from(place.bytes),
            (None, None) => break,
        };
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
                *record = tally.encode().into();
            }
        }
    }
}
