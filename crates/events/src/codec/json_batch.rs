//! One JSON event, or an array of them, as batches, and back.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::batch::{Batch, BatchBuilder, NewEvent};
use crate::catalogue::Catalogue;
use crate::error::Error;
use crate::id::EventId;
use crate::json::{self, Input};
use crate::limits::BATCH_EVENTS_MAX;

/// A batch for each source, world and producer, in the order of their first events; each has its
/// events in the order of the array.
pub(super) fn decode(bytes: &[u8], catalogue: &Catalogue) -> Result<Vec<Batch>, Error> {
    let inputs = inputs(bytes, catalogue)?;
    let mut builders: Vec<BatchBuilder> = Vec::new();
    let mut positions = HashMap::new();
    for input in &inputs {
        let id = input.id.ok_or_else(|| missing("event_id"))?;
        let source = input.source.as_deref().unwrap_or_default();
        let world = input.world.as_deref().unwrap_or_default();
        let position = *positions.entry((source, world, id.producer)).or_insert(builders.len());
        if position == builders.len() {
            builders.push(BatchBuilder::new(source, world));
        }
        push(&mut builders[position], input, id)?;
    }
    if builders.is_empty() {
        return Err(Error::malformed("an array without events"));
    }
    builders.into_iter().map(super::finish).collect()
}

/// The events of a text: of one object, or of an array.
fn inputs(bytes: &[u8], catalogue: &Catalogue) -> Result<Vec<Input>, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::malformed("the JSON is not UTF-8"))?;
    let text = json::without_mark(text);
    if !text.trim_start().starts_with('[') {
        return Ok(vec![json::read(text, catalogue)?]);
    }
    let items: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| Error::malformed(format!("not an array of events: {error}")))?;
    if items.len() > BATCH_EVENTS_MAX {
        return Err(Error::too_large("events of an array", items.len(), BATCH_EVENTS_MAX));
    }
    items.into_iter().map(|item| json::read(item.get(), catalogue)).collect()
}

fn missing(what: &str) -> Error {
    Error::malformed(format!("an event without {what}"))
}

fn push(builder: &mut BatchBuilder, input: &Input, id: EventId) -> Result<(), Error> {
    builder.push(NewEvent {
        event_type: input.event_type,
        id,
        timestamp_ms: input.timestamp_ms.ok_or_else(|| missing("timestamp"))?,
        entity: input.entity.as_deref(),
        place: input.place.as_deref(),
        payload: &input.payload,
        metadata: Some(&input.metadata),
    })
}

pub(super) fn encode(batch: &Batch, catalogue: &Catalogue) -> String {
    let mut out = String::with_capacity(8 * batch.bytes().len());
    let several = batch.len() > 1;
    for (index, event) in batch.iter().enumerate() {
        if several {
            out.push(if index == 0 { '[' } else { ',' });
        }
        json::write_event(&mut out, &event, catalogue);
    }
    if several {
        out.push(']');
    }
    out
}
