//! A dead letter as text and as JSON.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use jiff::Timestamp;
use prost::Message as _;
use serde::Serialize;
use serde_json::value::RawValue;

use worldbus_bus::{DeadContent, DeadLetter, counted};
use worldbus_events::{Batch, Catalogue, ContentType, codec, json};

/// A dead letter in JSON.
#[derive(Serialize)]
pub(super) struct Form<'a> {
    id: &'a str,
    subscription: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    /// Which event of its batch it was.
    index: u32,
    consumer: &'a str,
    reason: &'a str,
    attempts: u32,
    first_failed: String,
    last_failed: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undecoded: Option<Undecoded>,
}

#[derive(Serialize)]
struct Undecoded {
    content_type: String,
    base64: String,
}

impl<'a> Form<'a> {
    pub(super) fn new(letter: &'a DeadLetter, catalogue: &Catalogue) -> Self {
        let event = event_json(letter, catalogue);
        let undecoded = match &event {
            Some(_) => None,
            None => {
                let (content_type, bytes) = content(letter);
                Some(Undecoded { content_type, base64: BASE64_STANDARD.encode(bytes) })
            }
        };
        Self {
            id: &letter.id,
            subscription: letter.subscription.as_str(),
            topic: letter.topic.as_ref().map(|topic| topic.as_str()),
            offset: letter.offset,
            index: letter.event.index,
            consumer: &letter.consumer,
            reason: &letter.event.reason,
            attempts: letter.event.attempts,
            first_failed: time(letter.event.first_failed_ms),
            last_failed: time(letter.event.last_failed_ms),
            event,
            undecoded,
        }
    }
}

/// The event in the JSON form, its payload by the catalogue; `None` without one to decode.
pub(super) fn event_json(letter: &DeadLetter, catalogue: &Catalogue) -> Option<Box<RawValue>> {
    let batch = event(letter, catalogue)?;
    let text = json::event(&batch.iter().next()?, catalogue);
    RawValue::from_string(text).ok()
}

/// The event as a batch of one, if it is one.
pub(super) fn event(letter: &DeadLetter, catalogue: &Catalogue) -> Option<Batch> {
    let DeadContent::Event(event) = &letter.content else { return None };
    let bytes = Bytes::from(event.encode_to_vec());
    codec::decode(ContentType::GameEvent, bytes, catalogue).ok()
}

/// What was set aside, byte for byte, and what it is.
pub(super) fn content(letter: &DeadLetter) -> (String, Bytes) {
    match &letter.content {
        DeadContent::Event(event) => {
            (ContentType::GameEvent.to_string(), Bytes::from(event.encode_to_vec()))
        }
        DeadContent::Undecoded { content_type, bytes } => (content_type.clone(), bytes.clone()),
    }
}

/// RFC 3339 with milliseconds; the number itself beyond the years that have one.
pub(super) fn time(time_ms: i64) -> String {
    match Timestamp::from_millisecond(time_ms) {
        Ok(time) => format!("{time:.3}"),
        Err(_) => time_ms.to_string(),
    }
}

/// "1 dead letter", "2 dead letters".
pub(super) fn letters(count: usize) -> String {
    counted(count, "dead letter", "dead letters")
}
