//! From a batch to the message that carries it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{
    ATTRIBUTE_COUNT_MAX, REQUEST_BYTES_MAX, TOPIC_PARAMETER, Value, attribute, is_allowed,
};
use crate::options::Encoding;
use worldbus_bus::trace::{self, TraceParent};
use worldbus_bus::{Error, Kind, Topic};
use worldbus_events::{Batch, Catalogue, ContentType, codec};

/// Body and attributes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, Value>,
}

impl Message {
    /// Bytes as the limit of a request counts them at the most.
    pub(crate) fn bytes(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes: usize = attributes.map(|(name, value)| name.len() + value.bytes()).sum();
        self.body.len() + attributes
    }

    /// Sets the context of the first event of a batch that carries one.
    pub(crate) fn set_context(&mut self, batch: &Batch) {
        let mut events = batch.iter().filter(|_| batch.has_metadata());
        if let Some(context) = events.find_map(|event| trace::carried(&event)) {
            self.set_text(attribute::TRACE, &context.to_string());
        }
    }

    /// The context that its attribute `trace` has.
    pub(crate) fn context(&self) -> Option<TraceParent> {
        match self.attributes.get(attribute::TRACE)? {
            Value::Text(text) => text.parse().ok(),
            Value::Texts(_) | Value::Binary(_) => None,
        }
    }

    /// Refuses what SNS or SQS would refuse, or take and drop.
    ///
    /// # Errors
    /// `TooLarge`, saying which bound.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let (bytes, attributes) = (self.bytes(), self.attributes.len());
        if bytes > REQUEST_BYTES_MAX {
            let context = format!(
                "a message of {bytes} bytes with its attributes (Binary counts in base64): \
                 SNS takes {REQUEST_BYTES_MAX}; lower message_kib in the bus URL, or put large \
                 data elsewhere and publish a reference to it"
            );
            return Err(Error::refused(Kind::TooLarge, context));
        }
        if attributes > ATTRIBUTE_COUNT_MAX {
            let context = format!(
                "a message of {attributes} attributes: SNS drops what has more than \
                 {ATTRIBUTE_COUNT_MAX}"
            );
            return Err(Error::refused(Kind::TooLarge, context));
        }
        Ok(())
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.attributes.insert(name.to_owned(), value);
    }

    /// Sets a text for people and filters; one that AWS would not take is left out.
    fn set_text(&mut self, name: &str, text: &str) {
        if !text.is_empty() && text.chars().all(is_allowed) {
            self.set(name, Value::Text(text.to_owned()));
        }
    }
}

/// The message of a batch. It is checked when it is sent.
///
/// # Errors
/// Those of the codec.
pub(crate) fn write(
    topic: &Topic,
    batch: &Batch,
    encoding: Encoding,
    catalogue: &Catalogue,
) -> Result<Message, Error> {
    let bytes = codec::encode(encoding.content_type(), batch, catalogue)?;
    let names: BTreeSet<_> =
        numbers(batch).into_iter().map(|number| catalogue.name_of(number)).collect();
    let names = serde_json::json!(names).to_string();
    let mut message = Message { body: String::new(), attributes: BTreeMap::new() };
    message.set_text(attribute::CONTENT_TYPE, &content_type(encoding.content_type(), topic));
    message.set(attribute::EVENT_TYPES, Value::Texts(names));
    message.set_text(attribute::SOURCE, batch.source());
    message.set_text(attribute::WORLD, batch.world());
    message.set_context(batch);
    if encoding == Encoding::Json {
        message.body = escaped(&bytes);
    } else {
        message.body = summary(topic, batch, catalogue);
        message.set(attribute::BATCH, Value::Binary(bytes));
    }
    Ok(message)
}

/// The content type of something on a topic.
pub(crate) fn content_type(content_type: ContentType, topic: &Topic) -> String {
    format!("{content_type}; {TOPIC_PARAMETER}={topic}")
}

fn numbers(batch: &Batch) -> BTreeSet<u32> {
    batch.iter().map(|event| event.event_type).collect()
}

/// A line for people who look into the console: what the batch is.
fn summary(topic: &Topic, batch: &Batch, catalogue: &Catalogue) -> String {
    let mut counts = BTreeMap::<u32, usize>::new();
    batch.iter().for_each(|event| *counts.entry(event.event_type).or_default() += 1);
    // Enough to see what it is; `event_types` has them all.
    let types: BTreeMap<_, _> = counts
        .into_iter()
        .take(8)
        .map(|(number, count)| (catalogue.name_of(number), count))
        .collect();
    let line = serde_json::json!({
        "topic": topic.as_str(),
        "events": batch.len(),
        "types": types,
        "source": batch.source(),
        "world": batch.world(),
        "first_event_id": batch.first_id().to_string(),
    });
    escaped(line.to_string().as_bytes())
}

/// JSON without the characters that AWS does not take: the two that JSON does not escape by
/// itself.
pub(crate) fn escaped(json: &[u8]) -> String {
    let text = String::from_utf8_lossy(json);
    text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}

/// A message with a line of text and bytes of a declared type, e.g. a dead letter.
pub(crate) fn carrying(body: String, content_type: &str, bytes: Bytes) -> Message {
    let mut message = Message { body, attributes: BTreeMap::new() };
    message.set_text(attribute::CONTENT_TYPE, content_type);
    if !bytes.is_empty() {
        message.set(attribute::BATCH, Value::Binary(bytes));
    }
    message
}
