//! One GameEvent as a batch of one, and back.

use prost::Message;

use crate::batch::{Batch, BatchBuilder, NewEvent};
use crate::error::Error;
use crate::id::EventId;
use crate::limits::{METADATA_BYTES_MAX, PAYLOAD_BYTES_MAX};
use crate::v1::GameEvent;

/// Room for everything besides payload and metadata.
const REST_BYTES_MAX: usize = 4096;
const GAME_EVENT_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + METADATA_BYTES_MAX + REST_BYTES_MAX;

pub(super) fn decode(bytes: &[u8]) -> Result<Batch, Error> {
    if bytes.len() > GAME_EVENT_BYTES_MAX {
        return Err(Error::too_large("bytes of a GameEvent", bytes.len(), GAME_EVENT_BYTES_MAX));
    }
    let mut event = GameEvent::decode(bytes)
        .map_err(|error| Error::malformed(format!("not a GameEvent: {error}")))?;
    if event.event_id.is_empty() {
        return Err(Error::malformed("a GameEvent without event_id"));
    }
    let world = event.metadata.remove("world").unwrap_or_default();
    let entity = event.metadata.remove("entity");
    let place = event.metadata.remove("place");
    let mut builder = BatchBuilder::new(&event.source, &world);
    builder.push(NewEvent {
        event_type: event.event_type,
        id: EventId::from_foreign(&event.event_id)?,
        timestamp_ms: event.timestamp,
        entity: entity.as_deref(),
        place: place.as_deref(),
        payload: &event.payload,
        metadata: Some(&event.metadata),
    })?;
    super::finish(builder)
}

pub(super) fn encode(batch: &Batch) -> Result<GameEvent, Error> {
    let mut events = batch.iter();
    match (events.next(), events.len()) {
        (Some(event), 0) => Ok(event.to_game_event()),
        _ => Err(Error::too_large("events of a GameEvent", batch.len(), 1)),
    }
}
