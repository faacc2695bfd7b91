//! Which events were seen, by id, in bounded memory: what brokers and routers drop duplicates
//! with.
//!
//! Ids are numbers that rise, so what was seen of a producer is a few ranges of sequences: one
//! for an ordinary publisher however long it runs. Written here because no cache crate knows
//! ranges.

use std::collections::BTreeMap;

use worldbus_events::{EventId, ProducerId};

/// How much is remembered.
#[derive(Debug, Clone, Copy)]
pub struct SeenLimits {
    /// Producers; beyond them the one that was silent longest is forgotten.
    pub producers_max: usize,
    /// Ranges of sequences of a producer; beyond them the lowest are forgotten.
    pub ranges_per_producer_max: usize,
}

impl Default for SeenLimits {
    fn default() -> Self {
        Self { producers_max: 1024, ranges_per_producer_max: 8192 }
    }
}

/// A bounded memory of event ids.
#[derive(Debug, Default)]
pub struct SeenWindow {
    limits: SeenLimits,
    producers: BTreeMap<ProducerId, Producer>,
    tick: u64,
}

#[derive(Debug, Default)]
struct Producer {
    /// First sequence of a range to the one behind its last.
    ranges: BTreeMap<u64, u64>,
    used: u64,
}

impl SeenWindow {
    /// An empty memory.
    pub fn new(limits: SeenLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Whether the event was seen.
    pub fn contains(&self, id: EventId) -> bool {
        self.producers.get(&id.producer).is_some_and(|producer| producer.contains(id.sequence))
    }

    /// Whether one of the sequences `first..end` of a producer was seen.
    pub fn contains_any(&self, producer: ProducerId, first: u64, end: u64) -> bool {
        self.producers.get(&producer).is_some_and(|producer| {
            let below = producer.ranges.range(..end).next_back();
            below.is_some_and(|(_, &range_end)| range_end > first)
        })
    }

    /// Remembers an event; whether it was new.
    pub fn insert(&mut self, id: EventId) -> bool {
        let limits = self.limits;
        let producer = self.producer(id.producer);
        if producer.contains(id.sequence) {
            return false;
        }
        producer.insert(id.sequence, id.sequence.saturating_add(1));
        producer.forget(limits.ranges_per_producer_max);
        true
    }

    /// Remembers the sequences `first..end` of a producer at once, if none of them was seen;
    /// whether that is so.
    pub fn insert_range(&mut self, producer: ProducerId, first: u64, end: u64) -> bool {
        let limits = self.limits;
        let producer = self.producer(producer);
        let below = producer.ranges.range(..end).next_back();
        if below.is_some_and(|(_, &range_end)| range_end > first) {
            return false;
        }
        producer.insert(first, end);
        producer.forget(limits.ranges_per_producer_max);
        true
    }

    fn producer(&mut self, id: ProducerId) -> &mut Producer {
        self.tick += 1;
        if !self.producers.contains_key(&id) && self.producers.len() >= self.limits.producers_max {
            let silent = self.producers.iter().min_by_key(|(_, producer)| producer.used);
            if let Some(id) = silent.map(|(&id, _)| id) {
                self.producers.remove(&id);
            }
        }
        let producer = self.producers.entry(id).or_default();
        producer.used = self.tick;
        producer
    }
}

impl Producer {
    fn contains(&self, sequence: u64) -> bool {
        let below = self.ranges.range(..=sequence).next_back();
        below.is_some_and(|(_, &end)| sequence < end)
    }

    /// Adds a range that overlaps no other, joining its neighbours.
    fn insert(&mut self, mut first: u64, mut end: u64) {
        // As nearly always: it continues the highest.
        if let Some(mut highest) = self.ranges.last_entry()
            && *highest.get() == first
        {
            highest.insert(end);
            return;
        }
        if let Some((&below, &below_end)) = self.ranges.range(..first).next_back()
            && below_end == first
        {
            first = below;
        }
        if let Some(above_end) = self.ranges.remove(&end) {
            end = above_end;
        }
        self.ranges.insert(first, end);
    }

    fn forget(&mut self, ranges_max: usize) {
        while self.ranges.len() > ranges_max {
            self.ranges.pop_first();
        }
    }
}

#[cfg(test)]
mod tests;
