//! The entities of a batch that is being built, each once, found without allocating.
//!
//! Not a HashMap of Strings: that allocates twice for each entity of each batch. This keeps its
//! room from batch to batch.

use std::hash::{BuildHasher, RandomState};

const SLOTS_MIN: usize = 64;

/// Texts in order of appearance; the first has rank 1.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    text: String,
    /// Where each entity ends in `text`.
    ends: Vec<usize>,
    /// Open addressing with linear probing: ranks, 0 for none; never more than half full.
    slots: Vec<u32>,
    /// Keyed at random, so that nobody can choose names that collide.
    hasher: RandomState,
}

impl Dictionary {
    /// The rank of an entity, which joins if it is new.
    pub(super) fn rank(&mut self, entity: &str) -> u32 {
        if self.slots.len() < 2 * (self.ends.len() + 1) {
            self.grow();
        }
        let slot = self.slot_of(entity);
        if self.slots[slot] == 0 {
            self.text.push_str(entity);
            self.ends.push(self.text.len());
            self.slots[slot] = self.ends.len() as u32;
        }
        self.slots[slot]
    }

    /// An upper bound of the bytes that the entities take in a batch: each has a tag and at
    /// most two bytes of length.
    pub(super) fn bytes_max(&self) -> usize {
        self.text.len() + 3 * self.ends.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|index| self.at(index))
    }

    pub(super) fn clear(&mut self) {
        if !self.ends.is_empty() {
            self.slots.fill(0);
        }
        self.text.clear();
        self.ends.clear();
    }

    /// Where the entity is, or the free slot where it belongs.
    fn slot_of(&self, entity: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = self.hasher.hash_one(entity) as usize & mask;
        loop {
            match self.slots[slot] {
                0 => return slot,
                rank if self.at(rank as usize - 1) == entity => return slot,
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    fn at(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }

    fn grow(&mut self) {
        let slots = (2 * self.slots.len()).max(SLOTS_MIN);
        self.slots.clear();
        self.slots.resize(slots, 0);
        for index in 0..self.ends.len() {
            let slot = self.slot_of(self.at(index));
            self.slots[slot] = index as u32 + 1;
        }
    }

    #[cfg(test)]
    pub(super) fn room(&self) -> [usize; 3] {
        [self.text.capacity(), self.ends.capacity(), self.slots.capacity()]
    }
}
