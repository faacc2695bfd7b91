//! Events to JSON, straight into the output.

use std::fmt::{self, Write as _};

use base64::display::Base64Display;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use prost_reflect::{DynamicMessage, ReflectMessage, SerializeOptions, Value};
use serde::Serialize;

use crate::batch::EventView;
use crate::catalogue::{Catalogue, EventType};
use crate::limits::PAYLOAD_DEPTH_MAX;

/// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z, the bounds of RFC 3339.
const RFC_3339_MS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

const PAYLOAD_OPTIONS: SerializeOptions =
    SerializeOptions::new().use_proto_field_name(true).skip_default_fields(false);

/// The JSON form of an event, on one line. Never fails: what the catalogue cannot explain is
/// shown by number and base64.
pub fn event(event: &EventView<'_>, catalogue: &Catalogue) -> String {
    let mut out = String::with_capacity(256 + 2 * event.payload.len());
    write_event(&mut out, event, catalogue);
    out
}

/// Appends what [`event`] returns to `out`.
pub fn write_event(out: &mut String, event: &EventView<'_>, catalogue: &Catalogue) {
    let event_type = catalogue.by_number(event.event_type);
    let payload = event_type.and_then(|event_type| payload(event_type, event.payload));
    // Writing to a String cannot fail.
    let _ = write!(out, "{{\"event_id\":\"{}\",\"event_type\":", event.id);
    match (event_type, &payload) {
        (Some(event_type), Some(_)) => text(out, event_type.name()),
        _ => text(out, Number(event.event_type)),
    }
    out.push_str(",\"source\":");
    text(out, event.batch().source());
    out.push_str(",\"world\":");
    text(out, event.batch().world());
    if let Some(entity) = event.entity {
        out.push_str(",\"entity\":");
        text(out, entity);
    }
    if let Some(place) = event.place {
        out.push_str(",\"place\":");
        text(out, place);
    }
    out.push_str(",\"timestamp\":");
    timestamp(out, event.timestamp_ms);
    out.push_str(",\"payload\":");
    match payload {
        Some(payload) => out.push_str(&payload),
        None => opaque(out, event.payload),
    }
    if let Some(metadata) = event.metadata() {
        out.push_str(",\"metadata\":");
        text(out, metadata);
    }
    out.push('}');
}

/// A payload in proto3 JSON; `None` if the bytes are no such message, or one that proto3
/// JSON has no form for, such as a google.protobuf.Timestamp out of range, or one that would not
/// be read back as it is.
pub fn payload(event_type: &EventType, bytes: &[u8]) -> Option<String> {
    let message = DynamicMessage::decode(event_type.message().clone(), bytes).ok()?;
    reads_back(&message, 0)?;
    let mut json = Vec::with_capacity(64 + 4 * bytes.len());
    let mut serializer = serde_json::Serializer::new(&mut json);
    message.serialize_with_options(&mut serializer, &PAYLOAD_OPTIONS).ok()?;
    String::from_utf8(json).ok()
}

/// `None` if there are more messages within one another than a payload may have, what a
/// google.protobuf.Any holds among them (to its decoder it is bytes, of any depth), or a wrapped
/// number that is not finite: prost-reflect writes null for it, which means that it is not there.
fn reads_back(message: &DynamicMessage, depth: usize) -> Option<()> {
    if depth > PAYLOAD_DEPTH_MAX {
        return None;
    }
    let one_reads_back = |value: &Value, depth| match value {
        Value::Message(inner) => reads_back(inner, depth),
        _ => Some(()),
    };
    for (_, value) in message.fields() {
        match value {
            Value::List(values) => {
                values.iter().try_for_each(|one| one_reads_back(one, depth + 1))?
            }
            Value::Map(values) if values.is_empty() => {}
            Value::Map(_) if depth == PAYLOAD_DEPTH_MAX => return None,
            Value::Map(values) => {
                values.values().try_for_each(|one| one_reads_back(one, depth + 2))?
            }
            one => one_reads_back(one, depth + 1)?,
        }
    }
    match message.descriptor().full_name() {
        "google.protobuf.Any" => reads_back(&held(message)?, depth + 1),
        "google.protobuf.DoubleValue" | "google.protobuf.FloatValue" => {
            let value = message.get_field_by_name("value")?;
            let finite = value.as_f64().is_none_or(f64::is_finite)
                && value.as_f32().is_none_or(f32::is_finite);
            finite.then_some(())
        }
        _ => Some(()),
    }
}

/// The message in a google.protobuf.Any.
fn held(any: &DynamicMessage) -> Option<DynamicMessage> {
    let (url, value) = (any.get_field_by_name("type_url")?, any.get_field_by_name("value")?);
    let name = url.as_str()?.rsplit('/').next()?;
    let of = any.descriptor().parent_pool().get_message_by_name(name)?;
    DynamicMessage::decode(of, value.as_bytes()?.clone()).ok()
}

fn opaque(out: &mut String, bytes: &[u8]) {
    let _ = write!(out, "{{\"base64\":\"{}\"}}", Base64Display::new(bytes, &BASE64_STANDARD));
}

fn timestamp(out: &mut String, timestamp_ms: i64) {
    let _ = match Timestamp::from_millisecond(timestamp_ms) {
        Ok(time) if RFC_3339_MS.contains(&timestamp_ms) => write!(out, "\"{time:.3}\""),
        _ => write!(out, "{timestamp_ms}"),
    };
}

/// A text, or an object of texts, as JSON.
fn text(out: &mut String, value: impl Serialize) {
    // Texts and maps of texts always have a JSON form.
    out.push_str(&serde_json::to_string(&value).unwrap_or_default());
}

/// A number as JSON text.
struct Number(u32);

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
