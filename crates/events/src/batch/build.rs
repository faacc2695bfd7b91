//! Writing a batch: columns grow as events come, and are joined once at the end.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use prost::Message;

use super::about::About;
use super::dictionary::Names;
use super::{Batch, Columns, field};
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::id::{EventId, ProducerId};
use crate::limits::{
    BATCH_BYTES_MAX, BATCH_EVENTS_MAX, ENTITY_BYTES_MAX, METADATA_BYTES_MAX, NAME_BYTES_MAX,
    PAYLOAD_BYTES_MAX, PLACE_BYTES_MAX,
};
use crate::{v1, varint};

/// Room that is always kept for the batch's own header fields.
const HEADER_BYTES_MAX: usize = 512;
/// An event's share of the columns besides payload, entity, place and metadata, at the most.
const EVENT_COLUMNS_BYTES_MAX: usize = 48;

/// What metadata takes besides its own bytes, at the most: tag and length.
const METADATA_HEAD_BYTES_MAX: usize = 8;

/// An event on its way into a batch, its payload already encoded.
#[derive(Debug, Clone, Copy)]
pub struct NewEvent<'a> {
    /// The event type's number, not 0.
    pub event_type: u32,
    /// The event's identity. In one batch all have one producer, and sequences rise.
    pub id: EventId,
    /// Wall time in milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// What the event is about; an empty name counts as absent.
    pub entity: Option<&'a str>,
    /// Where it happened, if that is not its entity; an empty name counts as absent.
    pub place: Option<&'a str>,
    /// The encoded payload message.
    pub payload: &'a [u8],
    /// Free entries.
    pub metadata: Option<&'a BTreeMap<String, String>>,
}

/// Collects events of one source and world into a batch. No allocation an event once its
/// columns have grown; they keep their room from batch to batch.
#[derive(Debug)]
pub struct BatchBuilder {
    source: String,
    world: String,
    producer: ProducerId,
    first_sequence: u64,
    base_timestamp_ms: i64,
    last_sequence: u64,
    last_timestamp_ms: i64,
    count: usize,
    event_types: Vec<u8>,
    /// Empty as long as the sequences are consecutive.
    sequence_deltas: Vec<u8>,
    /// Empty as long as all timestamps are the first one's.
    timestamp_deltas_ms: Vec<u8>,
    entities: Names,
    places: Names,
    payload_sizes: Vec<u8>,
    payloads: Vec<u8>,
    metadata: Vec<v1::EventMetadata>,
    metadata_bytes: usize,
}

impl BatchBuilder {
    /// An empty builder. Names longer than their limit are refused when an event comes.
    pub fn new(source: &str, world: &str) -> Self {
        Self {
            source: source.to_owned(),
            world: world.to_owned(),
            producer: ProducerId::from_bits(0),
            first_sequence: 0,
            base_timestamp_ms: 0,
            last_sequence: 0,
            last_timestamp_ms: 0,
            count: 0,
            event_types: Vec::new(),
            sequence_deltas: Vec::new(),
            timestamp_deltas_ms: Vec::new(),
            entities: Names::default(),
            places: Names::default(),
            payload_sizes: Vec::new(),
            payloads: Vec::new(),
            metadata: Vec::new(),
            metadata_bytes: 0,
        }
    }

    /// The number of events so far.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no event yet.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// An upper bound of the bytes that the batch would have now.
    pub fn bytes_max(&self) -> usize {
        HEADER_BYTES_MAX
            + self.event_types.len()
            + self.sequence_deltas.len()
            + self.timestamp_deltas_ms.len()
            + self.entities.bytes_max()
            + self.places.bytes_max()
            + self.payload_sizes.len()
            + self.payloads.len()
            + self.metadata_bytes
    }

    /// Whether an event of `payload_bytes` with this id and time still fits: room for it, the same
    /// producer, a rising sequence, a time less than 2^63 ms from that of the event before. An
    /// empty builder takes every valid event.
    pub fn fits(
        &self,
        id: EventId,
        timestamp_ms: i64,
        payload_bytes: usize,
        batch_bytes_max: usize,
    ) -> bool {
        self.count == 0
            || (self.count < BATCH_EVENTS_MAX
                && id.producer == self.producer
                && id.sequence > self.last_sequence
                && timestamp_ms.checked_sub(self.last_timestamp_ms).is_some()
                && self.bytes_max()
                    + self.growth_max(payload_bytes + ENTITY_BYTES_MAX + PLACE_BYTES_MAX)
                    <= batch_bytes_max)
    }

    /// An upper bound of what an event adds whose own bytes (payload, entity, place, metadata) are
    /// so many: its share of the columns, and those that begin with it and are filled up.
    #[inline]
    fn growth_max(&self, own_bytes: usize) -> usize {
        let (sequences, timestamps) = (&self.sequence_deltas[..], &self.timestamp_deltas_ms[..]);
        let columns = [sequences, timestamps, self.entities.indexes(), self.places.indexes()];
        let fresh = columns.into_iter().filter(|column| column.is_empty()).count();
        own_bytes + EVENT_COLUMNS_BYTES_MAX + fresh * self.count
    }

    /// Adds a typed event, encoding its payload straight into the batch.
    ///
    /// # Errors
    /// As [`BatchBuilder::push`].
    #[inline]
    pub fn push_event<'a, E: Event>(
        &mut self,
        event: &E,
        id: EventId,
        timestamp_ms: i64,
        about: impl Into<About<'a>>,
    ) -> Result<(), Error> {
        let About { entity, place } = about.into();
        let start = self.payloads.len();
        event.write_payload(&mut self.payloads);
        let head = NewEvent {
            event_type: E::NUMBER,
            id,
            timestamp_ms,
            entity,
            place,
            payload: &[],
            metadata: None,
        };
        self.push_behind(&head, start)
    }

    /// Adds an event.
    ///
    /// # Errors
    /// `TooLarge` if a limit is exceeded, `Malformed` if producer, sequence or time do not fit the
    /// events before it or the producer is 0. The builder is then as before.
    pub fn push(&mut self, event: NewEvent<'_>) -> Result<(), Error> {
        let start = self.payloads.len();
        self.payloads.extend_from_slice(event.payload);
        self.push_behind(&event, start)
    }

    /// Adds an event whose payload is the last of the payloads, from `start` on. Leaves nothing of
    /// it behind if it is refused.
    #[inline]
    fn push_behind(&mut self, event: &NewEvent<'_>, start: usize) -> Result<(), Error> {
        let metadata_count = self.metadata.len();
        let pushed = self.push_columns(event, self.payloads.len() - start);
        if pushed.is_err() {
            self.payloads.truncate(start);
            self.payloads.shrink_to(BATCH_BYTES_MAX);
            self.metadata.truncate(metadata_count);
        }
        pushed
    }

    #[inline]
    fn push_columns(&mut self, event: &NewEvent<'_>, payload_bytes: usize) -> Result<(), Error> {
        let metadata_bytes = match event.metadata {
            Some(entries) if !entries.is_empty() => self.push_metadata(entries)?,
            _ => 0,
        };
        self.check(event, payload_bytes, metadata_bytes)?;
        if self.count == 0 {
            self.producer = event.id.producer;
            self.first_sequence = event.id.sequence;
            self.base_timestamp_ms = event.timestamp_ms;
        } else {
            self.push_deltas(event);
        }
        self.last_sequence = event.id.sequence;
        self.last_timestamp_ms = event.timestamp_ms;
        self.metadata_bytes += metadata_bytes;
        self.entities.push(event.entity, self.count);
        self.places.push(event.place, self.count);
        varint::put(&mut self.event_types, u64::from(event.event_type));
        varint::put(&mut self.payload_sizes, payload_bytes as u64);
        self.count += 1;
        Ok(())
    }

    #[inline]
    fn check(
        &self,
        event: &NewEvent<'_>,
        payload_bytes: usize,
        metadata_bytes: usize,
    ) -> Result<(), Error> {
        if event.event_type == 0 {
            return Err(Error::new(Kind::UnknownEventType, "event type 0"));
        }
        event.id.producer.check()?;
        if payload_bytes > PAYLOAD_BYTES_MAX {
            return Err(Error::too_large("bytes of a payload", payload_bytes, PAYLOAD_BYTES_MAX));
        }
        let entity_bytes = event.entity.map_or(0, str::len);
        let place_bytes = event.place.map_or(0, str::len);
        if entity_bytes > ENTITY_BYTES_MAX {
            return Err(Error::too_large("bytes of an entity", entity_bytes, ENTITY_BYTES_MAX));
        }
        if place_bytes > PLACE_BYTES_MAX {
            return Err(Error::too_large("bytes of a place", place_bytes, PLACE_BYTES_MAX));
        }
        if self.count == 0 {
            return self.check_names();
        }
        self.check_order(event, entity_bytes + place_bytes + metadata_bytes)
    }

    /// Adds the metadata of the next event; an upper bound of the bytes that it takes in a batch.
    /// Out of line, since it is rare.
    #[cold]
    fn push_metadata(&mut self, entries: &BTreeMap<String, String>) -> Result<usize, Error> {
        let metadata = v1::EventMetadata { index: self.count as u32, entries: entries.clone() };
        let bytes = metadata.encoded_len();
        if bytes > METADATA_BYTES_MAX {
            return Err(Error::too_large("bytes of metadata", bytes, METADATA_BYTES_MAX));
        }
        self.metadata.push(metadata);
        Ok(bytes + METADATA_HEAD_BYTES_MAX)
    }

    fn check_names(&self) -> Result<(), Error> {
        for (what, name) in [("source", &self.source), ("world", &self.world)] {
            if name.len() > NAME_BYTES_MAX {
                let what = format!("bytes of the {what}");
                return Err(Error::too_large(&what, name.len(), NAME_BYTES_MAX));
            }
        }
        Ok(())
    }

    /// Of an event whose payload is among the others already.
    #[inline]
    fn check_order(&self, event: &NewEvent<'_>, own_bytes: usize) -> Result<(), Error> {
        if self.count == BATCH_EVENTS_MAX {
            return Err(Error::too_large("events of a batch", self.count + 1, BATCH_EVENTS_MAX));
        }
        if event.id.producer != self.producer || event.id.sequence <= self.last_sequence {
            return Err(Error::malformed("an event of another producer, or out of sequence"));
        }
        if event.timestamp_ms.checked_sub(self.last_timestamp_ms).is_none() {
            return Err(Error::malformed("a timestamp 2^63 ms or more from the one before"));
        }
        // All columns, entities and places together take less than the other two thirds.
        if self.payloads.len() + self.metadata_bytes + own_bytes <= BATCH_BYTES_MAX / 3 {
            return Ok(());
        }
        let bytes = self.bytes_max() + self.growth_max(own_bytes);
        if bytes > BATCH_BYTES_MAX {
            return Err(Error::too_large("bytes of a batch", bytes, BATCH_BYTES_MAX));
        }
        Ok(())
    }

    #[inline]
    fn push_deltas(&mut self, event: &NewEvent<'_>) {
        let sequence_delta = event.id.sequence - self.last_sequence;
        if sequence_delta != 1 || !self.sequence_deltas.is_empty() {
            if self.sequence_deltas.is_empty() {
                self.sequence_deltas.push(0);
                self.sequence_deltas.resize(self.count, 1);
            }
            varint::put(&mut self.sequence_deltas, sequence_delta);
        }
        let timestamp_delta = event.timestamp_ms.wrapping_sub(self.last_timestamp_ms);
        if timestamp_delta != 0 || !self.timestamp_deltas_ms.is_empty() {
            if self.timestamp_deltas_ms.is_empty() {
                self.timestamp_deltas_ms.resize(self.count, 0);
            }
            varint::put(&mut self.timestamp_deltas_ms, varint::zigzag(timestamp_delta));
        }
    }

    /// The batch of the events so far, and an empty builder; `None` if there are none.
    pub fn finish(&mut self) -> Option<Batch> {
        if self.count == 0 {
            return None;
        }
        let mut out = Writer { bytes: Vec::with_capacity(self.bytes_max()) };
        let mut columns = Columns {
            producer_id: self.producer.number(),
            first_sequence: self.first_sequence,
            base_timestamp_ms: self.base_timestamp_ms,
            event_count: self.count as u32,
            ..Columns::default()
        };
        columns.source = out.block(field::SOURCE, self.source.as_bytes());
        out.fixed64(field::PRODUCER_ID, self.producer.number());
        out.varint(field::FIRST_SEQUENCE, self.first_sequence);
        out.varint(field::BASE_TIMESTAMP_MS, self.base_timestamp_ms as u64);
        columns.world = out.block(field::WORLD, self.world.as_bytes());
        columns.event_types = out.block(field::EVENT_TYPES, &self.event_types);
        columns.sequence_deltas = out.block(field::SEQUENCE_DELTAS, &self.sequence_deltas);
        columns.timestamp_deltas_ms =
            out.block(field::TIMESTAMP_DELTAS_MS, &self.timestamp_deltas_ms);
        columns.entities = out.entries(field::ENTITIES, self.entities.iter());
        columns.entity_indexes = out.block(field::ENTITY_INDEXES, self.entities.indexes());
        columns.payload_sizes = out.block(field::PAYLOAD_SIZES, &self.payload_sizes);
        columns.payloads = out.block(field::PAYLOADS, &self.payloads);
        for metadata in &self.metadata {
            out.entry(field::METADATA, &metadata.encode_to_vec());
        }
        columns.metadata_count = self.metadata.len() as u32;
        columns.places = out.entries(field::PLACES, self.places.iter());
        columns.place_indexes = out.block(field::PLACE_INDEXES, self.places.indexes());
        self.metadata.clear();
        self.clear();
        Some(Batch { bytes: Bytes::from(out.bytes), columns })
    }

    fn clear(&mut self) {
        self.count = 0;
        self.event_types.clear();
        self.sequence_deltas.clear();
        self.timestamp_deltas_ms.clear();
        self.entities.clear();
        self.places.clear();
        self.payload_sizes.clear();
        self.payloads.clear();
        self.metadata_bytes = 0;
    }

    /// The room that all columns have; it grows when pushing allocates.
    #[cfg(test)]
    pub(super) fn room(&self) -> Vec<usize> {
        let columns = [
            &self.event_types,
            &self.sequence_deltas,
            &self.timestamp_deltas_ms,
            &self.payload_sizes,
            &self.payloads,
        ];
        let names = self.entities.room().chain(self.places.room());
        columns.into_iter().map(Vec::capacity).chain(names).collect()
    }
}

/// Fields in the order of their numbers, defaults left out: what prost and protoc write.
struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn varint(&mut self, number: u64, value: u64) {
        if value != 0 {
            varint::put(&mut self.bytes, number << 3);
            varint::put(&mut self.bytes, value);
        }
    }

    fn fixed64(&mut self, number: u64, value: u64) {
        if value != 0 {
            varint::put(&mut self.bytes, number << 3 | 1);
            self.bytes.extend_from_slice(&value.to_le_bytes());
        }
    }

    fn block(&mut self, number: u64, value: &[u8]) -> Range<u32> {
        if value.is_empty() { 0..0 } else { self.entry(number, value) }
    }

    /// The elements of a repeated field of texts.
    fn entries<'a>(
        &mut self,
        number: u64,
        values: impl Iterator<Item = &'a str>,
    ) -> Vec<Range<u32>> {
        values.map(|value| self.entry(number, value.as_bytes())).collect()
    }

    /// As [`Writer::block`], also for an empty value: an element of a repeated field.
    fn entry(&mut self, number: u64, value: &[u8]) -> Range<u32> {
        varint::put(&mut self.bytes, number << 3 | 2);
        varint::put(&mut self.bytes, value.len() as u64);
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(value);
        start..self.bytes.len() as u32
    }
}
