//! Walking the events of a batch.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Batch;
use super::build::NewEvent;
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::id::EventId;
use crate::{v1, varint};

/// One event of a batch, in place.
#[derive(Debug, Clone, Copy)]
pub struct EventView<'a> {
    /// Which event of the batch, from 0.
    pub index: u32,
    /// The event type's number.
    pub event_type: u32,
    /// The event's identity.
    pub id: EventId,
    /// Wall time in milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// What the event is about, if it names it.
    pub entity: Option<&'a str>,
    /// Where it happened, if it names it; else it happened at its entity.
    pub place: Option<&'a str>,
    /// The encoded payload message.
    pub payload: &'a [u8],
    batch: &'a Batch,
}

impl<'a> EventView<'a> {
    /// The payload as a typed event.
    ///
    /// # Errors
    /// `UnknownEventType` if the event is of another type, `WrongPayload` if the bytes are
    /// not such a message.
    #[inline]
    pub fn decode<E: Event>(&self) -> Result<E, Error> {
        if self.event_type != E::NUMBER {
            return Err(other_type::<E>(self.event_type));
        }
        E::from_payload(self.payload)
    }

    /// The batch that the event is in: its source and world are the event's.
    pub fn batch(&self) -> &'a Batch {
        self.batch
    }

    /// The payload as shared bytes, without copying.
    pub fn payload_bytes(&self) -> Bytes {
        self.batch.bytes.slice_ref(self.payload)
    }

    /// Free entries, if the event has any.
    pub fn metadata(&self) -> Option<&'a BTreeMap<String, String>> {
        self.batch.metadata_of(self.index)
    }

    /// Whether a filter admits the event; an empty list admits all. An event that names no place is
    /// at its entity.
    pub fn admits(&self, types: &[u32], entities: &[String], places: &[String]) -> bool {
        (types.is_empty() || types.contains(&self.event_type))
            && lists(entities, self.entity)
            && lists(places, self.place.or(self.entity))
    }

    /// The event as a message of its own.
    pub fn to_game_event(&self) -> v1::GameEvent {
        let mut metadata = self.metadata().cloned().unwrap_or_default();
        if !self.batch.world().is_empty() {
            metadata.insert("world".to_owned(), self.batch.world().to_owned());
        }
        for (name, value) in [("entity", self.entity), ("place", self.place)] {
            if let Some(value) = value {
                metadata.insert(name.to_owned(), value.to_owned());
            }
        }
        v1::GameEvent {
            event_id: self.id.to_string(),
            event_type: self.event_type,
            source: self.batch.source().to_owned(),
            timestamp: self.timestamp_ms,
            payload: self.payload.to_vec(),
            metadata,
        }
    }

    /// The event as input for another batch.
    pub fn to_new(&self) -> NewEvent<'a> {
        NewEvent {
            event_type: self.event_type,
            id: self.id,
            timestamp_ms: self.timestamp_ms,
            entity: self.entity,
            place: self.place,
            payload: self.payload,
            metadata: self.metadata(),
        }
    }
}

#[cold]
fn other_type<E: Event>(found: u32) -> Error {
    let context = format!("expected {} ({}), found {found}", E::NAME, E::NUMBER);
    Error::new(Kind::UnknownEventType, context)
}

/// Whether a list names it; an empty one admits all.
fn lists(names: &[String], name: Option<&str>) -> bool {
    names.is_empty() || name.is_some_and(|name| names.iter().any(|one| one == name))
}

/// The events of a batch, in order.
#[derive(Debug, Clone)]
pub struct Events<'a> {
    batch: &'a Batch,
    index: u32,
    event_types: &'a [u8],
    sequence_deltas: &'a [u8],
    timestamp_deltas_ms: &'a [u8],
    entity_indexes: &'a [u8],
    place_indexes: &'a [u8],
    payload_sizes: &'a [u8],
    payloads: &'a [u8],
    sequence: u64,
    timestamp_ms: i64,
}

impl<'a> Events<'a> {
    pub(super) fn new(batch: &'a Batch) -> Self {
        let columns = &batch.columns;
        Self {
            batch,
            index: 0,
            event_types: batch.slice(&columns.event_types),
            sequence_deltas: batch.slice(&columns.sequence_deltas),
            timestamp_deltas_ms: batch.slice(&columns.timestamp_deltas_ms),
            entity_indexes: batch.slice(&columns.entity_indexes),
            place_indexes: batch.slice(&columns.place_indexes),
            payload_sizes: batch.slice(&columns.payload_sizes),
            payloads: batch.slice(&columns.payloads),
            sequence: columns.first_sequence,
            timestamp_ms: columns.base_timestamp_ms,
        }
    }

    // The columns were checked when the batch was decoded: `None` here means the end.
    #[inline]
    fn step(&mut self) -> Option<EventView<'a>> {
        let event_type = varint::take(&mut self.event_types)? as u32;
        if !self.sequence_deltas.is_empty() {
            self.sequence = self.sequence.wrapping_add(varint::take(&mut self.sequence_deltas)?);
        } else if self.index > 0 {
            self.sequence = self.sequence.wrapping_add(1);
        }
        if !self.timestamp_deltas_ms.is_empty() {
            let delta = varint::unzigzag(varint::take(&mut self.timestamp_deltas_ms)?);
            self.timestamp_ms = self.timestamp_ms.wrapping_add(delta);
        }
        let columns = &self.batch.columns;
        let entity = self.batch.name(&columns.entities, &mut self.entity_indexes)?;
        let place = self.batch.name(&columns.places, &mut self.place_indexes)?;
        let size = varint::take(&mut self.payload_sizes)? as usize;
        let (payload, rest) = self.payloads.split_at_checked(size)?;
        self.payloads = rest;
        let view = EventView {
            index: self.index,
            event_type,
            id: EventId { producer: self.batch.producer(), sequence: self.sequence },
            timestamp_ms: self.timestamp_ms,
            entity,
            place,
            payload,
            batch: self.batch,
        };
        self.index += 1;
        Some(view)
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = EventView<'a>;

    #[inline]
    fn next(&mut self) -> Option<EventView<'a>> {
        self.step()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.batch.columns.event_count - self.index) as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Events<'_> {}
