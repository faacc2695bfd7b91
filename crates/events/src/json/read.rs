//! JSON to events. Strict: what a sender misspelt is named, never dropped.

mod cursor;
mod fault;
mod message;
mod scalar;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use prost::Message;
use prost_reflect::DynamicMessage;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::catalogue::{Catalogue, EventType};
use crate::error::{Error, Kind};
use crate::id::EventId;
use cursor::Cursor;
use message::Reader;

/// U+FEFF at the start of UTF-8, as some editors and shells write it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// An event as a client wrote it in JSON; what it left out is for the caller to fill in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// The event type's number.
    pub event_type: u32,
    /// The event's identity; the id of another system becomes a hash of it. An empty text is no id.
    pub id: Option<EventId>,
    /// The service that published the event.
    pub source: Option<String>,
    /// The world that the event happened in.
    pub world: Option<String>,
    /// What the event is about; an empty text names nothing.
    pub entity: Option<String>,
    /// Where it happened, if that is not its entity; an empty text counts as absent.
    pub place: Option<String>,
    /// Wall time in milliseconds since the Unix epoch.
    pub timestamp_ms: Option<i64>,
    /// The encoded payload message.
    pub payload: Vec<u8>,
    /// Free entries.
    pub metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct Form<'a> {
    #[serde(alias = "type")]
    event_type: String,
    #[serde(borrow)]
    payload: &'a RawValue,
    event_id: Option<String>,
    source: Option<String>,
    world: Option<String>,
    entity: Option<String>,
    place: Option<String>,
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
#[serde(deny_unknown_fields, expecting = "an object")]
struct Opaque {
    base64: String,
}

/// Reads the JSON form of one event; a byte order mark in front is skipped. Bounds are not checked
/// here but where the event enters a batch ([`crate::BatchBuilder::push`]), except the payload's
/// depth.
///
/// # Errors
/// `Malformed` if it is no JSON or not of this form, `UnknownEventType` (with the names most
/// like it), `WrongPayload` naming the field and what it takes.
pub fn read(json: &str, catalogue: &Catalogue) -> Result<Input, Error> {
    let json = without_mark(json);
    let form: Form<'_> = serde_json::from_str(json)
        .map_err(|error| Error::malformed(format!("not an event in JSON: {error}")))?;
    let (event_type, payload) = typed(&form.event_type, form.payload, catalogue)?;
    let id = form.event_id.filter(|text| !text.is_empty());
    Ok(Input {
        event_type,
        id: id.map(|text| EventId::from_foreign(&text)).transpose()?,
        source: form.source,
        world: form.world,
        entity: form.entity.filter(|entity| !entity.is_empty()),
        place: form.place.filter(|place| !place.is_empty()),
        timestamp_ms: form.timestamp.map(milliseconds).transpose()?,
        payload,
        metadata: form.metadata,
    })
}

/// The text behind a byte order mark, if it begins with one.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Reads a payload of an event type, which is given as in the JSON form of an event: the type's
/// number and the encoded message. For callers that have both apart.
///
/// # Errors
/// `WrongPayload` if `json` is no JSON or not such a message, `UnknownEventType`.
pub fn read_payload(
    event_type: &str,
    json: &str,
    catalogue: &Catalogue,
) -> Result<(u32, Vec<u8>), Error> {
    let payload: &RawValue = serde_json::from_str(json).map_err(|error| {
        Error::new(Kind::WrongPayload, format!("the payload is not JSON: {error}; e.g. {{}}"))
    })?;
    typed(event_type, payload, catalogue)
}

fn typed(
    event_type: &str,
    json: &RawValue,
    catalogue: &Catalogue,
) -> Result<(u32, Vec<u8>), Error> {
    match crate::exact::<u32>(event_type) {
        Some(number) => Ok((number, opaque(number, json, catalogue)?)),
        None => {
            let event_type = catalogue.by_name(event_type)?;
            Ok((event_type.number(), payload(event_type, json)?))
        }
    }
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
    let mut reader = Reader::default();
    let read = reader.message(&mut Cursor::new(json.get()), event_type.message(), 0);
    let message = read.map_err(|fault| {
        let at = fault::at(&reader.path);
        let expected = fault::expected(event_type.message(), &reader.path);
        let context = format!("{}: {at}: {fault}; {expected}", event_type.name());
        Error::new(Kind::WrongPayload, context)
    })?;
    Ok(message.encode_to_vec())
}
