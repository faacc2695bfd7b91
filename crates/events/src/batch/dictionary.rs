//! The names in a batch that is being built, each once, found without allocating: a column of
//! entities and one of places.
//!
//! Not a HashMap of Strings: that allocates twice for each name of each batch. This keeps its
//! room from batch to batch.

use std::hash::{BuildHasher, RandomState};

use crate::varint;

const SLOTS_MIN: usize = 64;

/// A column of names: each name once, and which of them each event has.
#[derive(Debug, Default)]
pub(super) struct Names {
    dictionary: Dictionary,
    /// Empty as long as no event has a name.
    indexes: Vec<u8>,
}

impl Names {
    /// The name of the next event, behind `count` others; an empty one counts as absent.
    #[inline]
    pub(super) fn push(&mut self, name: Option<&str>, count: usize) {
        let name = name.filter(|name| !name.is_empty());
        if name.is_some() || !self.indexes.is_empty() {
            self.put(name, count);
        }
    }

    fn put(&mut self, name: Option<&str>, count: usize) {
        if self.indexes.is_empty() {
            self.indexes.resize(count, 0);
        }
        let index = name.map_or(0, |name| self.dictionary.rank(name));
        varint::put(&mut self.indexes, u64::from(index));
    }

    /// Each name once, in order of appearance.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.dictionary.iter()
    }

    /// The packed column; empty if no event has a name.
    pub(super) fn indexes(&self) -> &[u8] {
        &self.indexes
    }

    /// An upper bound of the bytes that names and column take in a batch.
    pub(super) fn bytes_max(&self) -> usize {
        self.dictionary.bytes_max() + self.indexes.len()
    }

    pub(super) fn clear(&mut self) {
        self.dictionary.clear();
        self.indexes.clear();
    }

    #[cfg(test)]
    pub(super) fn room(&self) -> impl Iterator<Item = usize> {
        self.dictionary.room().into_iter().chain([self.indexes.capacity()])
    }
}

/// Texts in order of appearance; the first has rank 1.
#[derive(Debug, Default)]
struct Dictionary {
    text: String,
    /// Where each name ends in `text`.
    ends: Vec<usize>,
    /// Open addressing with linear probing: ranks, 0 for none; never more than half full.
    slots: Vec<u32>,
    /// Keyed at random, so that no one can choose names that collide.
    hasher: RandomState,
}

impl Dictionary {
    /// The rank of a name, which joins if it is new.
    fn rank(&mut self, name: &str) -> u32 {
        if self.slots.len() < 2 * (self.ends.len() + 1) {
            self.grow();
        }
        let slot = self.slot_of(name);
        if self.slots[slot] == 0 {
            self.text.push_str(name);
            self.ends.push(self.text.len());
            self.slots[slot] = self.ends.len() as u32;
        }
        self.slots[slot]
    }

    /// An upper bound of the bytes that the names take in a batch: each has a tag and at most two
    /// bytes of length.
    fn bytes_max(&self) -> usize {
        self.text.len() + 3 * self.ends.len()
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|index| self.at(index))
    }

    fn clear(&mut self) {
        if !self.ends.is_empty() {
            self.slots.fill(0);
        }
        self.text.clear();
        self.ends.clear();
    }

    /// Where the name is, or the free slot where it belongs.
    fn slot_of(&self, name: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = self.hasher.hash_one(name) as usize & mask;
        loop {
            match self.slots[slot] {
                0 => return slot,
                rank if self.at(rank as usize - 1) == name => return slot,
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
    fn room(&self) -> [usize; 3] {
        [self.text.capacity(), self.ends.capacity(), self.slots.capacity()]
    }
}
