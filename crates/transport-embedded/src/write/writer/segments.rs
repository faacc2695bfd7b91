//! Giving the disk back: segments in which nothing is kept go, oldest first. What little is kept in
//! the oldest of many is appended again, so that a topic with few batches, or a dead letter, does
//! not hold what others wrote behind it for as long as it stays.

use std::collections::HashSet;
use std::time::Instant;

use bytes::Bytes;

use super::Writer;
use super::retention::STEPS_TIME;
use crate::format::group;
use crate::journal::{Changes, NewGroup};
use crate::store::failure::Failure;
use crate::store::{self, Entry};

/// Segments may hold so many times what is kept, and so many more of the largest.
const SPARSE_FACTOR: u64 = 2;
const SPARSE_SEGMENTS: u64 = 2;
/// Bytes of batches that one commit appends again; what was in one record may go in whole.
const MOVED_BYTES: usize = 64 << 10;
/// Index entries that are looked at for it.
const MOVED_ENTRIES_MAX: usize = 256;
/// Bytes of dead letters that one commit appends again. One letter more may go in.
const CARRIED_BYTES: usize = 1 << 20;

impl Writer {
    /// Removes the oldest segments, for a while; goes on later if one is being emptied.
    pub(super) fn remove_segments(&mut self) {
        let begun = Instant::now();
        self.retention.is_moving = false;
        while begun.elapsed() < STEPS_TIME {
            match self.remove_segment() {
                Ok(true) => {}
                Ok(false) => return,
                Err(failure) => {
                    let error = failure.to_error(self.shared.dir(), worldbus_bus::Fate::Refused);
                    tracing::warn!(%error, "old segments could not be removed yet");
                    return;
                }
            }
        }
        self.retention.is_moving = true;
    }

    /// One step: removes the oldest segment, or appends something again that is kept in it. Whether
    /// there may be another.
    fn remove_segment(&mut self) -> Result<bool, Failure> {
        let Some(oldest) = self.journal.oldest() else { return Ok(false) };
        if self.shared.progress.segment() <= oldest {
            return Ok(false);
        }
        if !store::entries_in(&self.connection, oldest, 1)?.is_empty() {
            return if self.is_sparse() { self.move_batches(oldest) } else { Ok(false) };
        }
        if !store::dead_letters_in(&self.connection, oldest, 1)?.is_empty() {
            return self.move_letters(oldest);
        }
        if !self.journal.remove_oldest() {
            // Others are being removed: soon there is room for this one.
            self.retention.is_moving = true;
            return Ok(false);
        }
        self.shared.records.forget(oldest);
        tracing::debug!(segment = oldest, "segment removed");
        Ok(true)
    }

    /// Whether the segments hold much more than what is kept.
    fn is_sparse(&self) -> bool {
        let batches: u64 = self.ledger.heads.iter().map(|head| head.bytes).sum();
        let kept = batches + self.ledger.tally.dead_bytes;
        let spared = SPARSE_SEGMENTS * self.shared.options.segment_bytes_max;
        self.journal.bytes() > SPARSE_FACTOR * kept + spared
    }

    /// Appends batches again that are kept in a segment, or in one before.
    fn move_batches(&mut self, segment: u64) -> Result<bool, Failure> {
        // As of the last commit: what was removed or moved just now is not moved.
        self.shared.progress.catch_up()?;
        let entries = store::entries_in(&self.connection, segment, MOVED_ENTRIES_MAX)?;
        let (mut groups, mut moved, mut bytes) = (HashSet::new(), Vec::new(), 0);
        for entry in entries {
            if bytes < MOVED_BYTES && groups.insert(entry.group) {
                let group = self.moved(&entry)?;
                bytes += group.data.len();
                moved.push(group);
            }
        }
        if moved.is_empty() {
            return Ok(true);
        }
        self.append_again(Changes { moved, ..Changes::default() }, segment)
    }

    /// What is kept of the group of an entry, all of it, as it is appended again.
    fn moved(&self, entry: &Entry) -> Result<NewGroup, Failure> {
        let (id, place) = (entry.group, entry.place);
        let missing =
            || Failure::Damaged(format!("commit group {id} is not where the index has it"));
        let body = self.shared.records.read(place)?.ok_or_else(missing)?;
        let changes = Changes::decode(&body).ok_or_else(missing)?;
        let mut groups = changes.group.into_iter().chain(changes.moved);
        let group = groups.find(|group| group.id == id).ok_or_else(missing)?;
        let head = store::group_head(id, &group.head)?;
        let mut sections = Vec::new();
        for section in &head.sections {
            let kept = store::entry_at(&self.connection, section.topic, section.first_offset)?;
            sections.extend(kept.filter(|kept| kept.place == place).map(|kept| kept.section));
        }
        let part = group::part(id, &head, &group.data, &sections);
        let (head, data, places) = part.map_err(Failure::Damaged)?;
        let indexes = places.into_iter().flat_map(|place| group.index(place).to_le_bytes());
        let indexes = Some(indexes.collect::<Vec<u8>>().into());
        Ok(NewGroup { id, head: Bytes::from(head.encode(id)), data: data.into(), indexes })
    }

    /// Appends dead letters again whose newest copy is in a segment, or in one before.
    fn move_letters(&mut self, segment: u64) -> Result<bool, Failure> {
        // As of the last commit: else one that was taken away just now would be back.
        self.shared.progress.catch_up()?;
        let dead = store::dead_letters_in(&self.connection, segment, CARRIED_BYTES)?;
        let changes = Changes { dead, ..Changes::default() };
        if changes.dead.is_empty() {
            return Ok(true);
        }
        self.append_again(changes, segment)
    }

    fn append_again(&mut self, changes: Changes, segment: u64) -> Result<bool, Failure> {
        let (groups, letters) = (changes.moved.len(), changes.dead.len());
        let Ok(committed) = self.commit(&changes) else { return Ok(false) };
        self.fold.push(committed, changes);
        tracing::debug!(segment, groups, letters, "appended again");
        // As of now the index has them elsewhere.
        self.shared.progress.catch_up()?;
        Ok(true)
    }
}
