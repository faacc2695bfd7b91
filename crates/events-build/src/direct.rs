//! The `Direct` impls: how each message that payloads hold reads its fields from a slice and
//! writes them.
//!
//! For proto3, whose every kind of field is here. A payload that holds another message, of proto2
//! or of Google's types, has no impl and is left to prost.

mod read;
mod write;

use std::collections::BTreeMap;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor, Syntax};

use crate::names;

/// The package of Google's types, which prost has ready.
const GOOGLE: &str = "google.protobuf";
const WIRE_BYTES: u32 = 2;

/// Messages by full name.
pub(crate) type Messages = BTreeMap<String, MessageDescriptor>;

/// Those of `messages` that can be read so, and all messages that they hold.
pub(crate) fn messages<'a>(messages: impl Iterator<Item = &'a MessageDescriptor>) -> Messages {
    let mut all = Messages::new();
    for message in messages {
        let mut held = Messages::new();
        if collect(message, &mut held) {
            all.extend(held);
        }
    }
    all
}

/// Adds a message and all that it holds; whether all can be read.
fn collect(message: &MessageDescriptor, held: &mut Messages) -> bool {
    let is_proto3 = message.parent_file().syntax() == Syntax::Proto3;
    if !is_proto3 || message.package_name() == GOOGLE {
        return false;
    }
    if held.insert(message.full_name().to_owned(), message.clone()).is_some() {
        return true;
    }
    message.fields().all(|field| match field.kind() {
        Kind::Message(inner) => collect(&inner, held),
        _ => true,
    })
}

/// The impl of a message; an entry of a map has none.
pub(crate) fn code(message: &MessageDescriptor, events_crate: &str) -> String {
    if message.is_map_entry() {
        return String::new();
    }
    let wire = format!("{events_crate}::wire");
    format!(
        "#[allow(deprecated, unused_variables, clippy::all)]\n\
         impl {wire}::Direct for {path} {{\n\
             {read}\
             {write}\
         }}\n",
        path = names::path(message),
        read = read::method(message, &wire),
        write = write::method(message, &wire),
    )
}

/// The oneof that a field is a variant of.
fn oneof(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|oneof| !oneof.is_synthetic())
}

/// The variant of a field.
fn variant(field: &FieldDescriptor, oneof: &OneofDescriptor) -> String {
    format!("{}::{}", names::oneof_path(oneof), names::camel(field.name()))
}

/// Key and value of a map's entry: their keys, and the function of `module` for each.
fn entry(field: &FieldDescriptor, module: &str) -> String {
    let Kind::Message(entry) = field.kind() else { return String::new() };
    let of =
        |field: FieldDescriptor| format!("({}, {module}::{})", key(&field), value(&field.kind()).0);
    format!("{}, {}", of(entry.map_entry_key_field()), of(entry.map_entry_value_field()))
}

/// The key of a field whose values stand one by one.
fn key(field: &FieldDescriptor) -> u32 {
    field.number() << 3 | value(&field.kind()).1
}

/// What reads and writes such a value, and its wire type.
fn value(kind: &Kind) -> (&'static str, u32) {
    match kind {
        Kind::Int32 | Kind::Enum(_) => ("int32", 0),
        Kind::Int64 => ("int64", 0),
        Kind::Uint32 => ("uint32", 0),
        Kind::Uint64 => ("uint64", 0),
        Kind::Sint32 => ("sint32", 0),
        Kind::Sint64 => ("sint64", 0),
        Kind::Bool => ("bool", 0),
        Kind::Double => ("double", 1),
        Kind::Fixed64 => ("fixed64", 1),
        Kind::Sfixed64 => ("sfixed64", 1),
        Kind::String => ("string", WIRE_BYTES),
        Kind::Bytes => ("bytes", WIRE_BYTES),
        Kind::Message(_) => ("message", WIRE_BYTES),
        Kind::Float => ("float", 5),
        Kind::Fixed32 => ("fixed32", 5),
        Kind::Sfixed32 => ("sfixed32", 5),
    }
}
