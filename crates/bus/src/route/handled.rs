//! Which events of a delivery are left out because this instance has handled them already, by id.
//! An id is remembered only after success, in memory: another instance, or this one after a
//! restart, may handle it again.
//!
//! A batch whose events are all new, as nearly all are, takes one look and one note.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::seen::SeenWindow;
use crate::transport::DeadEvent;
use worldbus_events::{Batch, EventId, ProducerId};

/// What was handled of one delivery. It is remembered when this is dropped, however that comes.
pub(super) struct Handled<'a> {
    seen: &'a Mutex<SeenWindow>,
    producer: ProducerId,
    /// None of its events was seen, and none is in it twice.
    is_new: bool,
    /// Sequences of a new batch that were handled one behind the other.
    run: Range<u64>,
}

impl<'a> Handled<'a> {
    pub(super) fn of(seen: &'a Mutex<SeenWindow>, batch: &Batch) -> Self {
        let producer = batch.producer();
        let is_new = batch.consecutive_sequences().is_some_and(|sequences| {
            !lock(seen).contains_any(producer, sequences.start, sequences.end)
        });
        Self { seen, producer, is_new, run: 0..0 }
    }

    /// Whether an event was handled before.
    pub(super) fn contains(&self, id: EventId) -> bool {
        !self.is_new && lock(self.seen).contains(id)
    }

    /// Notes an event that was handled; returns one that no retry mended.
    pub(super) fn ended(&mut self, event: Result<EventId, DeadEvent>) -> Option<DeadEvent> {
        event.map(|id| self.note(id)).err()
    }

    fn note(&mut self, id: EventId) {
        if !self.is_new {
            lock(self.seen).insert(id);
            return;
        }
        if self.run.end != id.sequence {
            self.remember();
            self.run.start = id.sequence;
        }
        self.run.end = id.sequence.saturating_add(1);
    }

    fn remember(&mut self) {
        if !self.run.is_empty() {
            lock(self.seen).insert_range(self.producer, self.run.start, self.run.end);
        }
    }
}

impl Drop for Handled<'_> {
    fn drop(&mut self) {
        self.remember();
    }
}

fn lock(seen: &Mutex<SeenWindow>) -> MutexGuard<'_, SeenWindow> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use worldbus_events::{BatchBuilder, NewEvent};

    fn id(sequence: u64) -> EventId {
        EventId { producer: ProducerId::from_bits(7), sequence }
    }

    fn batch(sequences: impl IntoIterator<Item = u64>) -> Batch {
        let mut builder = BatchBuilder::new("test", "europe");
        for sequence in sequences {
            let event = NewEvent {
                event_type: 1,
                id: id(sequence),
                timestamp_ms: 0,
                entity: None,
                place: None,
                payload: &[],
                metadata: None,
            };
            builder.push(event).unwrap();
        }
        builder.finish().unwrap()
    }

    /// Handles those of the batch that are wanted; the sequences that were left out.
    fn handle(
        seen: &Mutex<SeenWindow>,
        sequences: &[u64],
        wanted: impl Fn(u64) -> bool,
    ) -> Vec<u64> {
        let batch = batch(sequences.iter().copied());
        let mut handled = Handled::of(seen, &batch);
        let mut left_out = Vec::new();
        for event in batch.iter() {
            match handled.contains(event.id) {
                true => left_out.push(event.id.sequence),
                false if wanted(event.id.sequence) => handled.note(event.id),
                false => {}
            }
        }
        left_out
    }

    #[test]
    fn what_was_handled_is_left_out_and_what_failed_is_not() {
        let seen = Mutex::default();
        let all: Vec<u64> = (0..10).collect();
        assert_eq!(handle(&seen, &all, |sequence| sequence % 4 != 2), [0_u64; 0]);
        assert_eq!(handle(&seen, &all, |_| true), [0, 1, 3, 4, 5, 7, 8, 9]);
        assert_eq!(handle(&seen, &all, |_| true), all);
    }

    #[test]
    fn batch_that_is_new_in_part_is_looked_at_event_by_event() {
        let seen = Mutex::default();
        handle(&seen, &[4, 5], |_| true);
        assert_eq!(handle(&seen, &[3, 4, 5, 6], |_| true), [4, 5]);
        assert_eq!(handle(&seen, &[8, 10, 12], |_| true), [0_u64; 0]);
        assert_eq!(handle(&seen, &[6, 8, 9, 12], |_| true), [6, 8, 12]);
    }
}
