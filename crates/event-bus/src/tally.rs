//! Counts of the events that were published through this event-bus since it started, by type.
//! For `/api/events/stats`; `/metrics` has the same for collectors.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use worldbus_events::Batch;

/// Event types that are counted one by one; those beyond are counted together, as number 0.
const TYPE_COUNT_MAX: usize = 1024;

/// Events by type number.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    by_type: Mutex<BTreeMap<u32, u64>>,
}

impl Tally {
    /// Counts the events of a batch.
    pub(crate) fn appended(&self, batch: &Batch) {
        metrics::histogram!("worldbus_published_batch_events").record(batch.len() as f64);
        metrics::histogram!("worldbus_published_batch_bytes").record(batch.bytes().len() as f64);
        let mut by_type = self.by_type.lock().unwrap_or_else(PoisonError::into_inner);
        for event in batch {
            let known = by_type.contains_key(&event.event_type);
            let number = if known || by_type.len() < TYPE_COUNT_MAX { event.event_type } else { 0 };
            *by_type.entry(number).or_default() += 1;
        }
    }

    /// The counts so far.
    pub(crate) fn by_type(&self) -> BTreeMap<u32, u64> {
        self.by_type.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
