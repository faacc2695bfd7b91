//! A catalogue as an AsyncAPI 3.0 document: topics are channels, event types are messages.
//!
//! Messages are described in the JSON form, which every tool of AsyncAPI understands; the
//! binary form is named next to it (`x-protobuf-message`). Hand-written, since the crates for
//! AsyncAPI know version 2 at most, and what we need of version 3 is one page.
//!
//! Not for: serving the document; the command line and the event-bus do.

mod schema;

use serde_json::{Map, Value, json};

use super::{Catalogue, EventType};
use crate::v1::DeliveryClass;
use schema::Schemas;

const EVENT_SCHEMA: &str = "Event";

/// The AsyncAPI 3.0 document of a catalogue. Keys are in a fixed order: the same catalogue
/// gives the same text.
pub fn document(catalogue: &Catalogue) -> Value {
    let mut schemas = Schemas::default();
    let messages: Map<String, Value> = catalogue
        .iter()
        .map(|event_type| (event_type.name().to_owned(), message(event_type, &mut schemas)))
        .collect();
    let mut schemas = schemas.finish();
    schemas.insert(EVENT_SCHEMA.to_owned(), event_schema());
    let channels: Map<_, _> = catalogue.topics().map(|topic| channel(catalogue, topic)).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Worldbus events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The events of a game world: one channel a topic, one message an \
                event type. Described in the JSON form; on the wire they travel in batches of \
                Protocol Buffers.",
            "license": { "name": "Apache-2.0 OR MIT" },
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": catalogue.topics().flat_map(operations).collect::<Map<_, _>>(),
        "components": { "messages": messages, "schemas": schemas },
    })
}

fn channel(catalogue: &Catalogue, topic: &str) -> (String, Value) {
    let messages: Map<String, Value> = catalogue
        .iter()
        .filter(|event_type| event_type.topic() == topic)
        .map(|event_type| {
            let name = event_type.name();
            (name.to_owned(), reference("components/messages", name))
        })
        .collect();
    (topic.to_owned(), json!({ "address": topic, "title": topic, "messages": messages }))
}

fn operations(topic: &str) -> [(String, Value); 2] {
    [("publish", "send"), ("consume", "receive")].map(|(verb, action)| {
        let channel = reference("channels", topic);
        (format!("{verb}_{topic}"), json!({ "action": action, "channel": channel }))
    })
}

fn message(event_type: &EventType, schemas: &mut Schemas) -> Value {
    let class = match event_type.delivery_class() {
        DeliveryClass::Latest => "latest",
        DeliveryClass::Every | DeliveryClass::Unspecified => "every",
    };
    json!({
        "name": event_type.name(),
        "title": event_type.name(),
        "summary": event_type.summary(),
        "contentType": "application/json",
        "payload": {
            "allOf": [
                reference("components/schemas", EVENT_SCHEMA),
                {
                    "type": "object",
                    "properties": {
                        "event_type": { "const": event_type.name() },
                        "payload": schemas.reference(event_type.message()),
                    },
                },
            ],
        },
        "x-event-type-number": event_type.number(),
        "x-delivery-class": class,
        "x-protobuf-message": event_type.message_name(),
    })
}

/// The JSON form around each payload.
fn event_schema() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "description": "An event in the JSON form.",
        "required": ["event_id", "event_type", "source", "world", "timestamp", "payload"],
        "properties": {
            "event_id": {
                "type": "string",
                "format": "uuid",
                "description": "UUIDv8 of producer and sequence; the same for every copy.",
            },
            "event_type": text("The name of the event type."),
            "source": text("The service that published the event."),
            "world": text("The world that the event happened in."),
            "entity": text("What the event is about; left out if nothing in particular."),
            "place": text("Where it happened; left out if that is its entity, or nowhere."),
            "timestamp": {
                "type": "string",
                "format": "date-time",
                "description": "Wall time, UTC, with milliseconds.",
            },
            "payload": { "type": "object" },
            "metadata": {
                "type": "object",
                "additionalProperties": { "type": "string" },
                "description": "Free entries; left out if there are none.",
            },
        },
    })
}

fn reference(section: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/{section}/{name}") })
}

#[cfg(test)]
mod tests;
