//! Dead letters: what goes into the dead-letter queue of a subscription, one event a message, with
//! the reason in the attribute `dead_letter`.

mod browse;
mod count;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::aws::queue::Taken;
use crate::wire::{
    ATTRIBUTE_COUNT_MAX, Message, Undecodable, Value, attribute, carrying, content_type,
};
use worldbus_bus::limits::REASON_BYTES_MAX;
use worldbus_bus::{DeadEvent, SubscriptionSpec, Topic};
use worldbus_events::{Batch, ContentType};

pub(crate) use browse::{discard, list, replay};
pub(crate) use count::Count;

/// The attribute `dead_letter`, and the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    reason: String,
    attempts: u32,
    consumer: String,
    first_failed_ms: i64,
    last_failed_ms: i64,
    /// Which event of its batch it was.
    index: u32,
}

impl Note {
    fn new(spec: &SubscriptionSpec, event: &DeadEvent) -> Self {
        let cut = event.reason.floor_char_boundary(REASON_BYTES_MAX);
        Self {
            reason: event.reason[..cut].to_owned(),
            attempts: event.attempts,
            consumer: spec.consumer.clone(),
            first_failed_ms: event.first_failed_ms,
            last_failed_ms: event.last_failed_ms,
            index: event.index,
        }
    }

    fn text(&self) -> String {
        crate::wire::escaped(serde_json::json!(self).to_string().as_bytes())
    }
}

/// The messages of events of a batch that are set aside. `events` are in the order of the batch.
pub(crate) fn letters(
    spec: &SubscriptionSpec,
    topic: &Topic,
    batch: &Batch,
    events: &[DeadEvent],
) -> Vec<Message> {
    let wanted = |index| events.binary_search_by_key(&index, |event| event.index).is_ok();
    let letter = |(event, one): (&DeadEvent, Batch)| {
        let declared = content_type(ContentType::EventBatch, topic);
        let mut message = carrying(String::new(), &declared, one.bytes().clone());
        message.set_context(&one);
        noted(message, &Note::new(spec, event))
    };
    events.iter().zip(batch.singles(|view| wanted(view.index))).map(letter).collect()
}

/// The messages of a batch that was delivered too often, but for the events that are `aside`.
pub(crate) fn exhausted(
    spec: &SubscriptionSpec,
    topic: &Topic,
    batch: &Batch,
    attempts: u32,
    now_ms: i64,
    aside: &BTreeSet<u32>,
) -> Vec<Message> {
    let reason = format!("delivered {attempts} times without being settled");
    let events = batch.iter().filter(|event| !aside.contains(&event.index));
    let events: Vec<DeadEvent> = events
        .map(|event| DeadEvent {
            index: event.index,
            reason: reason.clone(),
            attempts,
            first_failed_ms: now_ms,
            last_failed_ms: now_ms,
        })
        .collect();
    letters(spec, topic, batch, &events)
}

/// The message of bytes that are no batch: body and attributes as they came.
pub(crate) fn undecodable(
    spec: &SubscriptionSpec,
    taken: &Taken,
    hostile: Undecodable,
    now_ms: i64,
) -> Message {
    let note = Note {
        reason: hostile.reason,
        attempts: taken.count,
        consumer: spec.consumer.clone(),
        first_failed_ms: taken.sent_ms,
        last_failed_ms: now_ms,
        index: 0,
    };
    let mut message = Message {
        body: taken.received.body.clone(),
        attributes: taken.received.attributes.clone(),
    };
    // SQS takes no more attributes than it gave: what no consumer reads makes room for the note.
    while message.attributes.len() >= ATTRIBUTE_COUNT_MAX {
        let kept = [attribute::BATCH, attribute::EVENT, attribute::CONTENT_TYPE];
        let names = message.attributes.keys();
        let dropped = names.rev().find(|name| !kept.contains(&name.as_str())).cloned();
        let Some(name) = dropped else { break };
        message.attributes.remove(&name);
    }
    let body = std::mem::take(&mut message.body);
    let message = noted(message, &note);
    Message { body, ..message }
}

fn noted(mut message: Message, note: &Note) -> Message {
    message.body = note.text();
    message.set(attribute::DEAD_LETTER, Value::Text(note.text()));
    message
}
