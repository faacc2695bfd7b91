//! The columnar batch: written by [`BatchBuilder`], read in place by [`Batch`].
//!
//! Hand-written on purpose: batches are what Worldbus moves, and walking columns in place
//! costs a fraction of decoding them into vectors. The bytes are plain Protocol Buffers.

mod about;
mod build;
mod dictionary;
mod events;
mod parse;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;

use crate::id::{EventId, ProducerId};
use crate::{v1, varint};

pub use about::About;
pub use build::{BatchBuilder, NewEvent};
pub use events::{EventView, Events};

/// Field numbers of `worldbus.events.v1.EventBatch`.
mod field {
    pub(super) const SOURCE: u64 = 1;
    pub(super) const PRODUCER_ID: u64 = 2;
    pub(super) const FIRST_SEQUENCE: u64 = 3;
    pub(super) const BASE_TIMESTAMP_MS: u64 = 4;
    pub(super) const WORLD: u64 = 5;
    pub(super) const EVENT_TYPES: u64 = 6;
    pub(super) const SEQUENCE_DELTAS: u64 = 7;
    pub(super) const TIMESTAMP_DELTAS_MS: u64 = 8;
    pub(super) const ENTITIES: u64 = 9;
    pub(super) const ENTITY_INDEXES: u64 = 10;
    pub(super) const PAYLOAD_SIZES: u64 = 11;
    pub(super) const PAYLOADS: u64 = 12;
    pub(super) const METADATA: u64 = 13;
    pub(super) const PLACES: u64 = 14;
    pub(super) const PLACE_INDEXES: u64 = 15;
}

/// An encoded batch that was checked whole: its columns agree, its values are in range, its
/// texts are UTF-8. Cheap to clone; payloads are slices of the encoded bytes.
#[derive(Debug, Clone)]
pub struct Batch {
    bytes: Bytes,
    columns: Columns,
}

#[derive(Debug, Clone, Default)]
struct Columns {
    source: Range<u32>,
    world: Range<u32>,
    producer_id: u64,
    first_sequence: u64,
    base_timestamp_ms: i64,
    event_types: Range<u32>,
    sequence_deltas: Range<u32>,
    timestamp_deltas_ms: Range<u32>,
    entities: Vec<Range<u32>>,
    entity_indexes: Range<u32>,
    places: Vec<Range<u32>>,
    place_indexes: Range<u32>,
    payload_sizes: Range<u32>,
    payloads: Range<u32>,
    metadata_count: u32,
    /// By rising index. Read when it is asked for: as maps it takes a hundred times its bytes.
    metadata: OnceLock<Vec<v1::EventMetadata>>,
    event_count: u32,
}

impl Batch {
    /// Reads and checks an encoded EventBatch.
    ///
    /// Memory is bounded: the input, at most 4 MiB, is kept and not copied, plus 8 bytes an
    /// entity and a place. Columns that are split or unpacked, which no writer does, take a small
    /// multiple of their bytes; metadata takes memory besides its bytes once it is asked for.
    ///
    /// # Errors
    /// `Malformed` or `TooLarge`, saying which column; never a panic.
    pub fn decode(bytes: Bytes) -> Result<Self, crate::Error> {
        parse::batch(bytes)
    }

    /// The encoded form.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The same batch in memory of its own: one that is kept does not keep the message that it
    /// came in.
    #[must_use]
    pub fn owned(&self) -> Self {
        Self { bytes: Bytes::copy_from_slice(&self.bytes), columns: self.columns.clone() }
    }

    /// What it takes in memory as long as no metadata is asked for.
    pub fn memory_bytes(&self) -> usize {
        let Columns { entities, places, .. } = &self.columns;
        let names = entities.capacity() + places.capacity();
        size_of::<Self>() + self.bytes.len() + names * size_of::<Range<u32>>()
    }

    /// The number of events, at least 1.
    #[allow(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub fn len(&self) -> usize {
        self.columns.event_count as usize
    }

    /// The service that published the events.
    pub fn source(&self) -> &str {
        self.text(&self.columns.source)
    }

    /// The world that the events happened in.
    pub fn world(&self) -> &str {
        self.text(&self.columns.world)
    }

    /// The producer of all events.
    pub fn producer(&self) -> ProducerId {
        ProducerId::from_bits(self.columns.producer_id)
    }

    /// The id of the first event.
    pub fn first_id(&self) -> EventId {
        self.iter().next().map_or(
            EventId { producer: self.producer(), sequence: self.columns.first_sequence },
            |event| event.id,
        )
    }

    /// If the sequences are consecutive, as from every ordinary publisher: their range.
    pub fn consecutive_sequences(&self) -> Option<Range<u64>> {
        let first = self.columns.first_sequence;
        let last = first.checked_add(self.len() as u64)?;
        self.columns.sequence_deltas.is_empty().then_some(first..last)
    }

    /// The entities that the events are about, each once, in order of appearance.
    pub fn entities(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.entities.iter().map(|range| self.text(range))
    }

    /// The places that the events name, each once, in order of appearance.
    pub fn places(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.places.iter().map(|range| self.text(range))
    }

    /// The events, in order.
    pub fn iter(&self) -> Events<'_> {
        Events::new(self)
    }

    /// Whether an event satisfies `types`, `entities` and `places`, as [`EventView::admits`] has
    /// it. Reads columns only, never payloads.
    pub fn admits(&self, types: &[u32], entities: &[String], places: &[String]) -> bool {
        if types.is_empty() && entities.is_empty() && places.is_empty() {
            return true;
        }
        self.iter().any(|event| event.admits(types, entities, places))
    }

    /// A batch of those events that `keep` admits, or `None` if there are none.
    ///
    /// No event that `keep` admits is ever missing. In one case others stay: when a batch of
    /// almost 4 MiB would need more room than it has for the gaps, all of it is returned.
    pub fn retain(&self, mut keep: impl FnMut(&EventView<'_>) -> bool) -> Option<Self> {
        let mut builder = BatchBuilder::new(self.source(), self.world());
        for event in self.iter().filter(|event| keep(event)) {
            if builder.push(event.to_new()).is_err() {
                return Some(self.clone());
            }
        }
        if builder.len() == self.len() { Some(self.clone()) } else { builder.finish() }
    }

    /// The events that `keep` admits as batches of one event each, in order. One pass, whatever
    /// their number.
    pub fn singles(
        &self,
        mut keep: impl FnMut(&EventView<'_>) -> bool,
    ) -> impl Iterator<Item = Self> {
        let mut builder = BatchBuilder::new(self.source(), self.world());
        self.iter().filter(move |event| keep(event)).filter_map(move |event| {
            // A checked event fits into an empty builder.
            builder.push(event.to_new()).ok()?;
            builder.finish()
        })
    }

    /// Whether any event has free entries: most batches have none.
    pub fn has_metadata(&self) -> bool {
        self.columns.metadata_count > 0
    }

    /// The free entries of an event by its index, if it has any.
    pub fn metadata_of(&self, index: u32) -> Option<&BTreeMap<String, String>> {
        if !self.has_metadata() {
            return None;
        }
        let all = self.columns.metadata.get_or_init(|| parse::all_metadata(&self.bytes));
        let position = all.binary_search_by_key(&index, |entry| entry.index).ok()?;
        Some(&all[position].entries)
    }

    /// The same batch with one more free entry at its first event, in place of one of that name.
    /// Without it if the batch has no room left.
    #[must_use]
    pub fn annotated(&self, name: &str, value: &str) -> Self {
        let mut builder = BatchBuilder::new(self.source(), self.world());
        for event in self {
            let mut new = event.to_new();
            let mut metadata = BTreeMap::new();
            if event.index == 0 {
                metadata.extend(new.metadata.cloned().unwrap_or_default());
                metadata.insert(name.to_owned(), value.to_owned());
                new.metadata = Some(&metadata);
            }
            if builder.push(new).is_err() {
                return self.clone();
            }
        }
        builder.finish().unwrap_or_else(|| self.clone())
    }

    /// The next name of a column of indexes, if there is one: the outer `None` means the end.
    #[inline]
    fn name(&self, names: &[Range<u32>], indexes: &mut &[u8]) -> Option<Option<&str>> {
        if indexes.is_empty() {
            return Some(None);
        }
        match varint::take(indexes)? {
            0 => Some(None),
            index => {
                let name = self.text(names.get(index as usize - 1)?);
                Some(Some(name).filter(|name| !name.is_empty()))
            }
        }
    }

    fn text(&self, range: &Range<u32>) -> &str {
        // Checked when the batch was decoded or built.
        std::str::from_utf8(self.slice(range)).unwrap_or_default()
    }

    fn slice(&self, range: &Range<u32>) -> &[u8] {
        &self.bytes[range.start as usize..range.end as usize]
    }
}

impl<'a> IntoIterator for &'a Batch {
    type Item = EventView<'a>;
    type IntoIter = Events<'a>;

    fn into_iter(self) -> Events<'a> {
        self.iter()
    }
}

impl PartialEq for Batch {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

#[cfg(test)]
mod tests;
