//! JSON to events. Strict: what a sender misspelt is named, never dropped.

use crate::catalogue::{Catalogue, EventType};
use crate::error::{Error, Kind};
use crate::id::EventId;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};
use std::collections::BTreeMap;

/// Names that an error lists as expected.
const EXPECTED_NAMES_MAX: usize = 24;

/// An event as somebody wrote it in JSON; what they left out is for the caller to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The event type's number.
    pub event_type: u32,
    /// The event's identity; the id of another system becomes a hash of it.
    pub id: Option<EventId>,
    /// The service that published the event.
    pub source: Option<String>,
    /// The world that the event happened in.
    pub world: Option<String>,
    /// What the event is about; an empty text is none.
    pub entity: Option<String>,
    /// Wall time in milliseconds since the Unix epoch.
    pub timestamp_ms: Option<i64>,
    /// The encoded payload message.
    pub payload: Vec<u8>,
    /// Free entries.
    pub metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<'a> {
    #[serde(alias = "type")]
    event_type: String,
    #[serde(borrow)]
    payload: &'a RawValue,
    event_id: Option<String>,
    source: Option<String>,
    world: Option<String>,
    entity: Option<String>,
    timestamp: Option<Time>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "an RFC 3339 text, or milliseconds since the Unix epoch")]
enum Time {
    Text(String),
    Milliseconds(i64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opaque {
    base64: String,
}

/// Reads the JSON form of one event. Bounds are not checked here but where the event enters a
/// batch ([`crate::BatchBuilder::push`]).
///
/// # Errors
/// `Malformed` if it is no JSON or not of this form, `UnknownEventType` (with the names most
/// like it), `WrongPayload` naming the field and what it takes.
pub fn read(json: &str, catalogue: &Catalogue) -> Result<Input, Error> {
    let form: Form<'_> = serde_json::from_str(json)
        .map_err(|error| Error::malformed(format!("not an event in JSON: {error}")))?;
    let (event_type, payload) = match form.event_type.parse::<u32>() {
        Ok(number) => (number, opaque(number, form.payload, catalogue)?),
        Err(_) => {
            let event_type = catalogue.by_name(&form.event_type)?;
            (event_type.number(), payload(event_type, form.payload)?)
        }
    };
    Ok(Input {
        event_type,
        id: form.event_id.map(|text| EventId::from_foreign(&text)),
        source: form.source,
        world: form.world,
        entity: form.entity.filter(|entity| !entity.is_empty()),
        timestamp_ms: form.timestamp.map(milliseconds).transpose()?,
        payload,
        metadata: form.metadata,
    })
}

fn milliseconds(time: Time) -> Result<i64, Error> {
    match time {
        Time::Milliseconds(value) => Ok(value),
        Time::Text(text) => match text.parse::<Timestamp>() {
            Ok(time) => Ok(time.as_millisecond()),
            Err(error) => {
                let context = format!("timestamp {text:.40?} is not RFC 3339: {error}");
                Err(Error::malformed(context))
            }
        },
    }
}

fn opaque(number: u32, json: &RawValue, catalogue: &Catalogue) -> Result<Vec<u8>, Error> {
    let wrong = |fault: String| Error::new(Kind::WrongPayload, format!("{number}: {fault}"));
    let opaque: Opaque = serde_json::from_str(json.get()).map_err(|error| {
        wrong(format!("the payload of a type given by number is {{\"base64\":\"…\"}}: {error}"))
    })?;
    let bytes = BASE64_STANDARD
        .decode(opaque.base64)
        .map_err(|error| wrong(format!("payload.base64: {error}")))?;
    if let Some(event_type) = catalogue.by_number(number) {
        DynamicMessage::decode(event_type.message().clone(), &bytes[..])
            .map_err(|error| wrong(format!("not a {}: {error}", event_type.message_name())))?;
    }
    Ok(bytes)
}

fn payload(event_type: &EventType, json: &RawValue) -> Result<Vec<u8>, Error> {
    let descriptor = event_type.message();
    let mut deserializer = serde_json::Deserializer::from_str(json.get());
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    match DynamicMessage::deserialize(descriptor.clone(), tracked) {
        Ok(message) => Ok(message.encode_to_vec()),
        Err(error) => {
            let path = track.path();
            let fault = without_position(&error.to_string());
            let expected = expected(descriptor, &path);
            let context = format!("{}: {}: {fault}; {expected}", event_type.name(), at(&path));
            Err(Error::new(Kind::WrongPayload, context))
        }
    }
}

/// Lines and columns count from the payload's start, which nobody sees.
fn without_position(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(text, _)| text).to_owned()
}

fn at(path: &Path) -> String {
    match path.iter().next() {
        None => "payload".to_owned(),
        Some(_) => format!("payload.{path}"),
    }
}

/// What may stand at a path below a message.
fn expected(message: &MessageDescriptor, path: &Path) -> String {
    let mut message = message.clone();
    let mut last: Option<FieldDescriptor> = None;
    for segment in path.iter() {
        let Segment::Map { key } = segment else { continue };
        if let Some(field) = &last
            && field.is_map()
        {
            // A map's key; its value is what counts.
            last = Some(message.map_entry_value_field());
        } else {
            let named = message.get_field_by_name(key);
            last = named.or_else(|| message.get_field_by_json_name(key));
        }
        match last.as_ref().map(FieldDescriptor::kind) {
            None => return names_of(&message),
            Some(prost_reflect::Kind::Message(inner)) => message = inner,
            Some(_) => {}
        }
    }
    match last {
        None => names_of(&message),
        Some(field) => describe(&field),
    }
}

fn names_of(message: &MessageDescriptor) -> String {
    let names = listed(message.fields().map(|field| field.name().to_owned()));
    if names.is_empty() { "it has no fields".to_owned() } else { format!("its fields: {names}") }
}

fn describe(field: &FieldDescriptor) -> String {
    use prost_reflect::Kind as K;
    let many = if field.is_list() { "a list of " } else { "" };
    let what = match field.kind() {
        K::Double | K::Float => "a number".to_owned(),
        K::Int32 | K::Sint32 | K::Sfixed32 => {
            format!("an integer, {} to {}", i32::MIN, i32::MAX)
        }
        K::Uint32 | K::Fixed32 => format!("an integer, 0 to {}", u32::MAX),
        K::Int64 | K::Sint64 | K::Sfixed64 => {
            format!("an integer or its digits as text, {} to {}", i64::MIN, i64::MAX)
        }
        K::Uint64 | K::Fixed64 => {
            format!("an integer or its digits as text, 0 to {}", u64::MAX)
        }
        K::Bool => "true or false".to_owned(),
        K::String => "a text".to_owned(),
        K::Bytes => "a text in base64".to_owned(),
        K::Enum(of) => {
            format!("one of {}", listed(of.values().map(|value| value.name().to_owned())))
        }
        K::Message(_) if field.is_map() => "an object".to_owned(),
        K::Message(inner) => format!("a {} ({})", inner.full_name(), names_of(&inner)),
    };
    format!("expected {many}{what}")
}

fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(EXPECTED_NAMES_MAX);
    let mut names: Vec<String> = names.take(EXPECTED_NAMES_MAX).collect();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}
