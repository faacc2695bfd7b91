//! One JSON event, or an array of them, as a batch, and back.

use crate::batch::{Batch, BatchBuilder, NewEvent};
use crate::catalogue::Catalogue;
use crate::error::Error;
use crate::json::{self, Input};
use crate::limits::BATCH_EVENTS_MAX;
use serde_json::value::RawValue;

pub(super) fn decode(bytes: &[u8], catalogue: &Catalogue) -> Result<Batch, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::malformed("the JSON is not UTF-8"))?;
    let text = json::without_mark(text);
    if !text.trim_start().starts_with('[') {
        let first = json::read(text, catalogue)?;
        return batch(&first, &[]);
    }
    let items: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| Error::malformed(format!("not an array of events: {error}")))?;
    if items.len() > BATCH_EVENTS_MAX {
        return Err(Error::too_large("events of a batch", items.len(), BATCH_EVENTS_MAX));
    }
    let inputs: Vec<Input> = items
        .into_iter()
        .map(|item| json::read(item.get(), catalogue))
        .collect::<Result<_, _>>()?;
    match inputs.split_first() {
        Some((first, rest)) => batch(first, rest),
        None => Err(Error::malformed("an array without events")),
    }
}

fn batch(first: &Input, rest: &[Input]) -> Result<Batch, Error> {
    let source = first.source.as_deref().unwrap_or_default();
    let world = first.world.as_deref().unwrap_or_default();
    let mut builder = BatchBuilder::new(source, world);
    push(&mut builder, first)?;
    for input in rest {
        if (&input.source, &input.world) != (&first.source, &first.world) {
            return Err(Error::malformed("events of several sources or worlds in one array"));
        }
        push(&mut builder, input)?;
    }
    super::finish(builder)
}

fn push(builder: &mut BatchBuilder, input: &Input) -> Result<(), Error> {
    let missing = |what: &str| Error::malformed(format!("an event without {what}"));
    builder.push(NewEvent {
        event_type: input.event_type,
        id: input.id.ok_or_else(|| missing("event_id"))?,
        timestamp_ms: input.timestamp_ms.ok_or_else(|| missing("timestamp"))?,
        entity: input.entity.as_deref(),
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
